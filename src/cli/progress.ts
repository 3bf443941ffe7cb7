/** One calm line on standard error while a run goes on: rewritten in place on a terminal, else one in 10 s and one per change. */
import type { WriteStream } from 'node:tty';
import type { Analysis } from '../core/analysis.ts';
import { sToNs } from '../core/time.ts';
import { progressLine } from '../report/text.ts';

const quietEveryNs = sToNs(10);

export interface Progress {
  show(analysis: Analysis, nowNs: number): void;
  /** A line that stays. */
  say(text: string): void;
  /** Leaves the cursor on a line of its own. */
  end(): void;
}

export function newProgress(stream: WriteStream): Progress {
  const isLive = stream.isTTY && process.env['TERM'] !== 'dumb' && !process.env['CI'];
  let shownAtNs = -Infinity;
  let shownState = '';
  let isOnLine = false;
  function endLine(): void {
    if (isOnLine) stream.write('\n');
    isOnLine = false;
  }

  return {
    show(analysis, nowNs) {
      const line = progressLine(analysis, nowNs);
      // While the wrapped command runs, the terminal is its own too: no line is written over.
      if (isLive && !isCommandRunning(analysis)) {
        stream.write(`\r${line.slice(0, Math.max(20, stream.columns - 1))}\x1b[K`);
        isOnLine = true;
        return;
      }
      endLine();
      const state = stateOf(analysis);
      if (state === shownState && nowNs - shownAtNs < quietEveryNs) return;
      shownState = state;
      shownAtNs = nowNs;
      stream.write(`${line}\n`);
    },
    say(text) {
      endLine();
      stream.write(`${text}\n`);
    },
    end: endLine,
  };
}

function isCommandRunning({ command }: Analysis): boolean {
  return command !== null && command.fromAtNs !== null && command.toAtNs === null;
}

/** What is worth a line of its own when it changes. */
function stateOf(analysis: Analysis): string {
  const phases = analysis.services.map((service) => service.phases.at(-1)?.name ?? '').join();
  const isCommandOver = analysis.command?.toAtNs !== null;
  return `${phases} ${analysis.marks.length} ${analysis.command?.fromAtNs !== null} ${isCommandOver}`;
}
