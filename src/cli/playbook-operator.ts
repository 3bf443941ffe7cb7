/** The operator of `playbook --step`: lines that are typed, commands that are run, the countdown, and marks. */
import { spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { stateWords } from '../checks/playbook-text.ts';
import { UserError } from '../core/errors.ts';
import type { StepSaid } from '../core/playbook.ts';
import { appendMark, latestRun } from '../evidence/append-mark.ts';
import type { CommandEnd } from './playbook-walk.ts';

export interface Lines {
  /** null: there are no more, or it was stopped. */
  read(question: string): Promise<string | null>;
  /** What is still open would keep the program from ending. */
  close(): void;
}

/**
 * On a terminal each question opens and closes its own reader, so that a command in between has the terminal for itself.
 * From a pipe one reader has all lines; commands get nothing from it.
 */
export function newLines(input: NodeJS.ReadStream, output: NodeJS.WriteStream, stopSignal: AbortSignal): Lines {
  let reader: Interface | null = null;
  let piped: AsyncIterator<string> | null = null;
  // Not as a terminal: then Ctrl-C stays what it is everywhere else.
  const open = (): Interface => (reader = createInterface({ input, terminal: false }));
  const close = (): void => {
    reader?.close();
    reader = null;
    input.pause();
  };

  function typed(): Promise<string | null> {
    return new Promise((resolve) => {
      const own = open();
      own.once('line', (line) => {
        resolve(line);
        close();
      });
      own.once('close', () => resolve(null));
    });
  }

  return {
    async read(question) {
      output.write(question);
      if (stopSignal.aborted) return null;
      const stopped = new Promise<null>((resolve) =>
        stopSignal.addEventListener('abort', () => resolve(null), { once: true }),
      );
      if (input.isTTY) return Promise.race([typed(), stopped]);
      piped ??= open()[Symbol.asyncIterator]();
      const line = await Promise.race([piped.next(), stopped]);
      output.write('\n');
      return line === null || line.done === true ? null : line.value;
    },
    close,
  };
}

/**
 * In a process group of its own, as the command of a run: our Ctrl-C does not reach it. It has our terminal; where our
 * standard input is a pipe, that is for answers to our questions.
 */
export function runStepCommand(
  [program = '', ...args]: readonly string[],
  stopSignal: AbortSignal,
): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const unstarted = (error: NodeJS.ErrnoException): void =>
      resolve({ exitCode: null, signal: null, error: `could not be started: ${error.code ?? error.message}` });
    try {
      const input = process.stdin.isTTY ? ('inherit' as const) : ('ignore' as const);
      const child = spawn(program, args, { detached: true, stdio: [input, 'inherit', 'inherit'] });
      const leave = (): void => {
        child.unref();
        resolve({ exitCode: null, signal: null, error: `was left to itself, as process ${child.pid}` });
      };
      stopSignal.addEventListener('abort', leave, { once: true });
      child.on('error', unstarted);
      child.on('exit', (exitCode, signal) => {
        stopSignal.removeEventListener('abort', leave);
        resolve({ exitCode, signal, error: '' });
      });
    } catch (error) {
      // Some refusals (ENOTDIR, E2BIG) are thrown instead of told.
      unstarted(error as NodeJS.ErrnoException);
    }
  });
}

export interface Marker {
  /** As `cutwatch mark` does, where a watch is running; a mark that cannot be made stops nobody. */
  mark(mark: string | StepSaid): void;
  /** Its folder; null: none is running. */
  run(): string | null;
}

export function newMarker(reportsFolder: string, wallNowMs: () => number, say: (text: string) => void): Marker {
  const openRun = (): string | null => {
    const run = latestRun(reportsFolder);
    return run === null || !run.isOpen ? null : run.path;
  };
  return {
    run: openRun,
    mark(mark) {
      const path = openRun();
      if (path === null) return;
      try {
        if (typeof mark === 'string') appendMark(path, mark, wallNowMs());
        else appendMark(path, textOf(mark), wallNowMs(), mark);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        say(`note: ${error.message}`);
      }
    },
  };
}

function textOf({ step, result, isAccepted }: StepSaid): string {
  return `playbook: step ${step} ${stateWords[result]}${isAccepted ? ', accepted' : ''}`;
}

const quietEveryMs = 10_000;

/** In one line on a terminal; elsewhere a line in 10 s. */
export function newCount(stream: NodeJS.WriteStream): { show(text: string): void; end(): void } {
  const isLive = stream.isTTY && process.env['TERM'] !== 'dumb' && !process.env['CI'];
  let shownAtMs = -Infinity;
  let isOnLine = false;
  return {
    show(text) {
      if (isLive) {
        stream.write(`\r${text.slice(0, Math.max(20, stream.columns - 1))}\u001b[K`);
        isOnLine = true;
      } else if (performance.now() - shownAtMs >= quietEveryMs) {
        shownAtMs = performance.now();
        stream.write(`${text}\n`);
      }
    },
    end() {
      if (isOnLine) stream.write('\n');
      isOnLine = false;
      shownAtMs = -Infinity;
    },
  };
}
