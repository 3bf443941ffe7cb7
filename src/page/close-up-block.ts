/** Close-ups of one service: a small chart of its own time each, every probe in it a mark. */
import type { CloseUp, Dot } from '../core/picture.ts';
import { countOf, durationText } from '../core/quantity-text.ts';
import type { Charts } from '../report/charts.ts';
import { classWords } from '../report/words.ts';
import { dotHeight, dotsSvg, isUnseen, nearestDot, rangeOf } from './close-up.ts';
import { element } from './dom.ts';
import { instantAt } from './range.ts';
import { clockText, offsetText, ticksOf } from './time-text.ts';

export interface CloseUpOptions {
  readonly startedAtMs: number;
  readonly zeroMs: number;
  readonly sides: { readonly old: string; readonly new: string };
  readonly lanes: Charts['lanes'];
  /** Shows lines of text at a place, or hides them. */
  readonly tell: (lines: readonly string[] | null, place: { readonly x: number; readonly y: number }) => void;
  /** The same stretch on the timeline. */
  readonly show: (closeUp: CloseUp) => void;
}

const partText = { whole: '', beginning: ', its beginning', end: ', its end' } as const;

export function closeUpBlock(closeUp: CloseUp, options: CloseUpOptions): HTMLElement {
  const { startedAtMs, zeroMs } = options;
  const range = rangeOf(closeUp);
  const failedCount = closeUp.lanes
    .flatMap(({ dots }) => dots)
    .filter(([, , result]) => result !== 'good' && !isUnseen(result)).length;
  const at = `${clockText(startedAtMs, closeUp.fromMs)} UTC`;
  const title = `${at}, ${durationText(closeUp.toMs - closeUp.fromMs)}${partText[closeUp.part]}: ${countOf(failedCount, 'probe')} failed`;
  const zoom = element('button', { type: 'button', class: 'link' }, 'show on the timeline');
  zoom.addEventListener('click', () => options.show(closeUp));
  const axis = element('div', { class: 'plot axis' });
  for (const { position, text } of ticksOf(range, zeroMs, 6)) {
    const tick = element('span', {}, text);
    tick.style.left = `${String(position * 100)}%`;
    axis.append(tick);
  }
  const rows = closeUp.lanes.map(({ name, dots }) => {
    const plot = element('div', { class: 'own-plot' });
    plot.style.height = `${String(dotHeight)}px`;
    plot.addEventListener('pointermove', (event) => {
      const box = plot.getBoundingClientRect();
      const dot = nearestDot(dots, instantAt(range, (event.clientX - box.left) / box.width));
      options.tell(dot === null ? null : [name, ...dotText(dot, options)], { x: event.clientX, y: event.clientY });
    });
    plot.addEventListener('pointerleave', () => options.tell(null, { x: 0, y: 0 }));
    const { shortName = name, client = '', resolver = null } = options.lanes.find((lane) => lane.name === name) ?? {};
    // What the filter goes by.
    const of = { class: 'row', 'data-client': client, 'data-resolver': resolver ?? '' };
    return { name, dots, plot, row: element('div', of, element('div', { class: 'label' }, shortName), plot) };
  });
  const block = element(
    'figure',
    { class: 'close-up' },
    element('figcaption', {}, title, ' ', zoom),
    ...rows.map(({ row }) => row),
    element('div', { class: 'row' }, element('div', { class: 'label' }, 'since the change'), axis),
  );
  const draw = (): void => {
    for (const { name, dots, plot } of rows) {
      const failed = dots.filter(([, , result]) => result !== 'good' && !isUnseen(result)).length;
      const label = `${name}: ${countOf(dots.length, 'probe')}, ${String(failed)} failed`;
      // Escaped where it is made: src/page/drawing.ts.
      plot.innerHTML = dotsSvg(dots, range, Math.max(50, plot.clientWidth), label);
    }
  };
  new ResizeObserver(draw).observe(block);
  return block;
}

function dotText(
  [dueMs, responseMs, result, side, cause]: Dot,
  { startedAtMs, zeroMs, sides }: CloseUpOptions,
): string[] {
  const where = side === 'old' || side === 'new' ? sides[side] : `${side} side`;
  const what =
    result === 'good'
      ? `good from ${where}`
      : isUnseen(result)
        ? `${result}: not seen`
        : `FAILED at ${where}: ${classOf(result)}`;
  return [
    `due ${clockText(startedAtMs, dueMs)} UTC (${offsetText(dueMs - zeroMs)})`,
    what,
    ...(isUnseen(result) ? [] : [`after ${durationText(responseMs)}`]),
    ...(cause === null ? [] : [`cause: ${cause}`]),
  ];
}

function classOf(result: Dot[2]): string {
  return Object.hasOwn(classWords, result) ? classWords[result as keyof typeof classWords] : result;
}
