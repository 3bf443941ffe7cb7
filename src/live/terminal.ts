/**
 * The live view in the terminal: frames of `report/live-frame.ts` on a screen of their own, and the keys. It steps aside
 * while the wrapped command has the terminal, and gives it back however it ends; what was said meanwhile then stands there.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import type { Analysis } from '../core/analysis.ts';
import { plainText } from '../report/escape.ts';
import { liveFrame } from '../report/live-frame.ts';
import { shownServices } from '../report/live-lanes.ts';
import { firstView, type LiveView, type Said } from '../report/live-view.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { newPainter } from './colours.ts';
import { isInForeground } from './foreground.ts';
import { newKeyboard } from './keyboard.ts';
import { press } from './keys.ts';
import { edit, type Key } from './line-editor.ts';
import { newScreen } from './screen.ts';

/** Redraws come no closer together. */
const redrawMs = 100;
/** Clock and countdowns move between snapshots. */
const tickMs = 500;
/** More is in the normal screen afterwards, and nobody scrolls so far. */
const saidCountMax = 200;

/** What runs when there is no such view, and while it steps aside. */
export interface Lines {
  show(snapshot: Snapshot, analysis: Analysis): void;
  say(text: string): void;
  end(): void;
}

export interface TerminalOptions {
  readonly output: WriteStream;
  readonly input: ReadStream;
  readonly isAscii: boolean;
  readonly lines: Lines;
  /** Since run start. */
  readonly nowMs: () => number;
  /** Returns what it was taken as; throws a sentence. */
  readonly mark: (text: string) => string;
  /** As Ctrl-C does it. */
  readonly interrupt: () => void;
  /** The watch was asked to end. */
  readonly stopSignal: AbortSignal;
}

export interface Terminal extends Lines {
  /** Somebody else has the terminal now. */
  stepAside(): void;
  stepBack(): void;
}

/** Whether anybody would see it; a pager or a log file beside it is not disturbed. */
export function hasTerminal(output: WriteStream, env: Readonly<NodeJS.ProcessEnv>): boolean {
  return output.isTTY && env['TERM'] !== 'dumb' && !env['CI'] && isInForeground();
}

export function newTerminal(options: TerminalOptions): Terminal {
  const { output, input, lines, nowMs } = options;
  const paint = newPainter(output);
  const said: Said[] = [];
  let unsaid: string[] = [];
  let latest: Snapshot | null = null;
  let view: LiveView = { ...firstView, isAscii: options.isAscii };
  let isAside = false;
  let drawnAtMs = -Infinity;
  let drawing: NodeJS.Timeout | null = null;
  let ticking: NodeJS.Timeout | null = null;

  const screen = newScreen({ output, left: sayAll, written: keep });
  const keyboard = newKeyboard(input, hear);

  /** The normal screen is back: it has all that was said, as if it had been there all the time. */
  function sayAll(): void {
    const texts = unsaid;
    unsaid = [];
    for (const text of texts) lines.say(text);
  }

  function keep(text: string): void {
    unsaid.push(text);
    const plain = plainText(text).trim();
    if (plain === '') return;
    said.push({ atMs: nowMs(), text: plain });
    if (said.length > saidCountMax) said.shift();
    request();
  }

  function request(): void {
    if (!screen.isOn || drawing !== null) return;
    drawing = setTimeout(
      () => {
        drawing = null;
        draw();
      },
      Math.max(0, drawnAtMs + redrawMs - performance.now()),
    ).unref();
  }

  function draw(): void {
    if (!screen.isOn || latest === null) return;
    drawnAtMs = performance.now();
    view = { ...view, nowMs: nowMs(), said, hasKeys: keyboard.isOn, isStopping: options.stopSignal.aborted };
    const { lines: frame, cursor } = liveFrame(latest, view, { columns: output.columns, rows: output.rows });
    screen.draw(frame.map(paint), cursor);
  }

  function hear(key: Key, isPasted: boolean): void {
    if (isPasted && !isTyping(view)) return;
    const names = latest === null ? [] : shownServices(latest.report, view.filter).map(({ service }) => service.name);
    const { view: next, act } = isPasted
      ? { view: pasted(view, key), act: { kind: 'none' } as const }
      : press(view, key, names);
    view = next;
    switch (act.kind) {
      case 'none':
        break;
      case 'mark':
        view = { ...view, notice: markNotice(act.text) };
        break;
      case 'interrupt':
        options.interrupt();
        break;
      case 'redraw':
        screen.forget();
        break;
    }
    request();
  }

  function markNotice(text: string): string {
    try {
      return `marked "${text}": ${options.mark(text)}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  const resized = (): void => {
    screen.forget();
    request();
  };
  /** Whoever is stopped from outside leaves the terminal as others expect it, and comes back with the view. */
  const stopped = (): void => {
    off();
    process.kill(process.pid, 'SIGSTOP');
  };
  const continued = (): void => {
    if (!isAside && latest !== null && isInForeground()) on();
  };

  function on(): void {
    lines.end();
    screen.enter();
    keyboard.listen();
    output.on('resize', resized);
    process.on('SIGTSTP', stopped);
    process.off('SIGCONT', continued);
    ticking ??= setInterval(request, tickMs).unref();
    draw();
  }

  function off(): void {
    keyboard.leave();
    output.off('resize', resized);
    process.off('SIGTSTP', stopped);
    process.on('SIGCONT', continued);
    if (ticking !== null) clearInterval(ticking);
    if (drawing !== null) clearTimeout(drawing);
    [ticking, drawing] = [null, null];
    screen.leave();
  }

  return {
    show(snapshot, analysis) {
      if (!snapshot.isRunning) return;
      // Report and picture are made now, of what is so now: a frame may be drawn later.
      latest = { ...snapshot };
      if (isAside) lines.show(snapshot, analysis);
      else if (!screen.isOn) on();
      else request();
    },
    say(text) {
      if (screen.isOn) keep(text);
      else {
        said.push({ atMs: nowMs(), text: plainText(text) });
        lines.say(text);
      }
    },
    end() {
      isAside = true;
      off();
      process.off('SIGCONT', continued);
      lines.end();
    },
    stepAside() {
      isAside = true;
      off();
    },
    stepBack() {
      isAside = false;
      if (latest !== null && isInForeground()) on();
    },
  };
}

function isTyping({ asking }: LiveView): boolean {
  return asking !== null && asking.kind !== 'stop';
}

/** Pasted text is text: its line breaks are spaces, and end no line that is typed. */
function pasted(view: LiveView, key: Key): LiveView {
  const { asking } = view;
  if (asking === null || asking.kind === 'stop') return view;
  const isBreak = key.name === 'return' || key.name === 'enter' || key.name === 'tab';
  return {
    ...view,
    asking: { ...asking, edited: edit(asking.edited, isBreak ? { sequence: ' ' } : { sequence: key.sequence }) },
  };
}
