/** What the terminal that a run was started in shows of it: the live view, or lines. */
import { hasTerminal, newTerminal } from '../live/terminal.ts';
import type { RunPorts } from '../run/run.ts';
import { newProgress } from './progress.ts';
import type { Viewer } from './viewers.ts';

export interface OwnViewerFlags {
  /** Lines, also where there is a terminal. */
  readonly plain?: boolean;
  readonly ascii?: boolean;
  readonly json?: boolean;
}

export interface OwnViewer {
  readonly viewer: Viewer;
  /** A command that has this terminal as well: the view steps aside for as long as it runs. */
  besides(startCommand: RunPorts['startCommand']): RunPorts['startCommand'];
}

export interface OwnViewerOptions {
  readonly flags: OwnViewerFlags;
  /** Since run start. */
  readonly nowMs: () => number;
  /** Returns what the mark was taken as. */
  readonly mark: (text: string) => string;
  readonly stopSignal: AbortSignal;
}

/** With `--json` standard output goes to a program that may want the terminal too (`| less`), so lines must do. */
export function newOwnViewer({ flags, nowMs, mark, stopSignal }: OwnViewerOptions): OwnViewer {
  const lines = newProgress(process.stderr);
  const isLive = flags.plain !== true && flags.json !== true && hasTerminal(process.stderr, process.env);
  if (!isLive) return { viewer: lines, besides: (startCommand) => startCommand };
  const terminal = newTerminal({
    output: process.stderr,
    input: process.stdin,
    isAscii: flags.ascii ?? false,
    lines,
    nowMs,
    mark,
    // One way to end for keys and signals: whoever follows the signal.
    interrupt: () => process.kill(process.pid, 'SIGINT'),
    stopSignal,
  });
  return {
    viewer: terminal,
    besides: (startCommand) => (words) => {
      terminal.stepAside();
      const handle = startCommand(words);
      void handle.ended.then(() => {
        if (!stopSignal.aborted) terminal.stepBack();
      });
      return handle;
    },
  };
}
