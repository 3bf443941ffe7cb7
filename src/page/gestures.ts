/** Pointing, dragging and keys, the same over every chart. */
import type { Panel } from './panel.ts';
import { between, instantAt, lengthOf, moved, positionIn, zoomed, type Range } from './range.ts';
import { clockText, offsetText } from './time-text.ts';
import type { Tip } from './tip.ts';
import type { View } from './view.ts';

export interface GestureOptions {
  readonly view: View;
  readonly tip: Tip;
  readonly whole: () => Range;
  readonly range: () => Range;
  readonly zeroMs: () => number;
  readonly startedAtMs: () => number;
  readonly panelAt: (target: EventTarget | null) => Panel | null;
  /** Those that are shown, from top to bottom. */
  readonly panels: () => readonly Panel[];
  readonly look: (range: Range | null) => void;
  readonly point: (atMs: number | null) => void;
}

/** Less than this is a click and no drag. */
const dragPx = 5;
const stepRatio = 0.01;

export function listenTo(root: HTMLElement, options: GestureOptions): void {
  listenToPointer(root, options);
  listenToKeys(root, options);
}

function listenToPointer(root: HTMLElement, options: GestureOptions): void {
  const { tip, range, look, point } = options;
  let drag: { readonly fromX: number; readonly fromMs: number; readonly plot: HTMLElement } | null = null;
  const instantOf = (plot: HTMLElement, x: number): number => {
    const box = plot.getBoundingClientRect();
    return instantAt(range(), Math.min(1, Math.max(0, (x - box.left) / box.width)));
  };
  root.addEventListener('pointermove', (event) => {
    const panel = options.panelAt(event.target);
    const plot = drag?.plot ?? panel?.plot;
    if (plot === undefined) {
      tip.tell(null, event);
      point(null);
      return;
    }
    const atMs = instantOf(plot, event.clientX);
    point(atMs);
    if (panel !== null) tip.tell(linesOf(panel, atMs, options), event);
    if (drag !== null && Math.abs(event.clientX - drag.fromX) >= dragPx)
      markSelection(root, range(), drag.fromMs, atMs);
  });
  root.addEventListener('pointerdown', (event) => {
    const panel = options.panelAt(event.target);
    if (panel === null || event.button !== 0) return;
    drag = { fromX: event.clientX, fromMs: instantOf(panel.plot, event.clientX), plot: panel.plot };
    root.setPointerCapture(event.pointerId);
  });
  const end = (event: PointerEvent, isWanted: boolean): void => {
    const from = drag;
    drag = null;
    root.classList.remove('has-selection');
    if (from === null || !isWanted || Math.abs(event.clientX - from.fromX) < dragPx) return;
    look(between(options.whole(), from.fromMs, instantOf(from.plot, event.clientX)));
  };
  root.addEventListener('pointerup', (event) => end(event, true));
  root.addEventListener('pointercancel', (event) => end(event, false));
  root.addEventListener('pointerleave', (event) => {
    tip.tell(null, event);
    if (drag === null) point(null);
  });
  // A strip may stand in what opens and closes a block; who points at it wants the strip.
  root.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('summary .plot') !== null) event.preventDefault();
  });
  root.addEventListener('dblclick', (event) => {
    if (options.panelAt(event.target) !== null) look(null);
  });
}

function markSelection(root: HTMLElement, range: Range, aMs: number, bMs: number): void {
  const [from, to] = [positionIn(range, Math.min(aMs, bMs)), positionIn(range, Math.max(aMs, bMs))];
  root.classList.add('has-selection');
  root.style.setProperty('--from', `${String(from * 100)}%`);
  root.style.setProperty('--length', `${String((to - from) * 100)}%`);
}

/** Arrows move the cursor and the row told of, + and − zoom, 0 and Escape show all. */
function listenToKeys(root: HTMLElement, options: GestureOptions): void {
  let rowIndex = 0;
  root.addEventListener('keydown', (event) => {
    if (event.target !== root || event.ctrlKey || event.metaKey || event.altKey) return;
    const { view, range, whole, look } = options;
    const now = range();
    const atMs = view.cursorMs ?? options.zeroMs();
    const stepMs = lengthOf(now) * stepRatio * (event.shiftKey ? 10 : 1);
    const pointAt = (ms: number): void => {
      const panels = options.panels();
      rowIndex = Math.min(Math.max(0, rowIndex), panels.length - 1);
      const panel = panels[rowIndex];
      if (ms < now.fromMs || ms > now.toMs) look(moved(now, whole(), ms - (now.fromMs + now.toMs) / 2));
      options.point(Math.min(Math.max(ms, 0), whole().toMs));
      if (panel === undefined) return;
      panel.row.scrollIntoView({ block: 'nearest' });
      const box = panel.plot.getBoundingClientRect();
      const x = box.left + positionIn(range(), ms) * box.width;
      options.tip.tell(linesOf(panel, ms, options), { x, y: box.bottom });
    };
    const acts: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => pointAt(atMs - stepMs),
      ArrowRight: () => pointAt(atMs + stepMs),
      ArrowUp: () => ((rowIndex -= 1), pointAt(atMs)),
      ArrowDown: () => ((rowIndex += 1), pointAt(atMs)),
      Home: () => pointAt(now.fromMs),
      End: () => pointAt(now.toMs),
      '+': () => look(zoomed(now, whole(), 0.5, atMs)),
      '=': () => look(zoomed(now, whole(), 0.5, atMs)),
      '-': () => look(zoomed(now, whole(), 2, atMs)),
      '0': () => look(null),
      Escape: () => (look(null), options.tip.tell(null, { x: 0, y: 0 })),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function linesOf(panel: Panel, atMs: number, { range, zeroMs, startedAtMs }: GestureOptions): readonly string[] {
  const [name = '', ...rest] = panel.at(atMs, range());
  return [
    name,
    `${offsetText(roundedTo(atMs - zeroMs(), lengthOf(range())))} · ${clockText(startedAtMs(), atMs)} UTC`,
    ...rest,
  ];
}

/** To what a pixel can tell. */
function roundedTo(ms: number, lengthMs: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(lengthMs / 1000)));
  return Math.round(ms / unit) * unit;
}
