/** One calm line on standard error while a run goes on: rewritten in place on a terminal, else a new one now and then. */
import type { WriteStream } from 'node:tty';
import type { Analysis } from '../core/analysis.ts';
import { durationText } from '../core/quantity-text.ts';
import { msToNs, nsToMs, sToNs } from '../core/time.ts';
import { plainText } from '../report/escape.ts';
import { progressLine } from '../report/text.ts';
import type { Viewer } from './viewers.ts';

/** Where no terminal is: so often, and at every change. */
const quietEveryNs = sToNs(10);

/** At its end the cursor is on a line of its own. */
export function newProgress(stream: WriteStream): Viewer {
  const line = newLine(stream);
  let shownAtNs = -Infinity;
  let shownState = '';

  return {
    show({ nowMs, isRunning }, analysis) {
      // What a run came to, its summary says.
      if (!isRunning) return;
      const nowNs = msToNs(nowMs);
      const text = progressLine(analysis, nowNs);
      // While the wrapped command runs, the terminal is its own too: no line is written over.
      if (line.isLive && !isCommandRunning(analysis)) return line.rewrite(text);
      const state = stateOf(analysis);
      if (state === shownState && nowNs - shownAtNs < quietEveryNs) return;
      shownState = state;
      shownAtNs = nowNs;
      line.add(text);
    },
    say: (text) => line.add(text),
    end: () => line.end(),
  };
}

/** Of real time: a second on a terminal, else five. */
const virtualEveryMs = { live: 1000, quiet: 5000 } as const;
/** A clock is not looked at for each of a million events. */
const eventsPerLook = 1024;

export interface VirtualProgress extends Pick<Viewer, 'say' | 'end'> {
  /** May be called at every event. */
  show(nowNs: number): void;
}

/** How far a run in virtual time has got. Real time decides when that is said, and nothing else. */
export function newVirtualProgress(stream: WriteStream, realNowMs: () => number = Date.now): VirtualProgress {
  const line = newLine(stream);
  const everyMs = line.isLive ? virtualEveryMs.live : virtualEveryMs.quiet;
  let shownAtMs = realNowMs();
  let eventCount = 0;

  return {
    show(nowNs) {
      eventCount += 1;
      if (eventCount % eventsPerLook !== 0 || realNowMs() - shownAtMs < everyMs) return;
      shownAtMs = realNowMs();
      const text = `${durationText(Math.floor(nsToMs(nowNs)))} of virtual time played`;
      if (line.isLive) line.rewrite(text);
      else line.add(text);
    },
    say: (text) => line.add(text),
    end: () => line.end(),
  };
}

interface Line {
  /** It may be rewritten in place. */
  readonly isLive: boolean;
  rewrite(text: string): void;
  /** A line that stays. */
  add(text: string): void;
  /** Leaves the cursor on a line of its own. */
  end(): void;
}

function newLine(stream: WriteStream): Line {
  let isOpen = false;
  function end(): void {
    if (isOpen) stream.write('\n');
    isOpen = false;
  }
  return {
    isLive: stream.isTTY && process.env['TERM'] !== 'dumb' && !process.env['CI'],
    rewrite(text) {
      stream.write(`\r${text.slice(0, Math.max(20, stream.columns - 1))}\x1b[K`);
      isOpen = true;
    },
    add(text) {
      end();
      // Why something was not seen is often the error text of somebody else's server.
      stream.write(`${text.split('\n').map(plainText).join('\n')}\n`);
    },
    end,
  };
}

function isCommandRunning({ command }: Analysis): boolean {
  return command !== null && command.fromAtNs !== null && command.toAtNs === null;
}

/** What is worth a line of its own when it changes. */
function stateOf(analysis: Analysis): string {
  const phases = analysis.services.map((service) => service.phases.at(-1)?.name ?? '').join();
  const isCommandOver = analysis.command?.toAtNs !== null;
  const safety = analysis.services.map(({ safeToSwitch, safeToRemoveOld }) => safeToSwitch.safe + safeToRemoveOld.safe);
  return `${phases} ${safety.join()} ${analysis.marks.length} ${analysis.command?.fromAtNs !== null} ${isCommandOver}`;
}
