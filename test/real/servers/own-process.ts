import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { findProgram } from './installed.ts';

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface OwnProcess extends AsyncDisposable {
  readonly pid: number;
  readonly isRunning: boolean;
  readonly ended: Promise<ProcessEnd>;
  /** All it wrote to stdout and stderr. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Sends the signal and waits for the end; after 5 s SIGKILL. */
  stop(name?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program in the foreground. Stopped by its own pid, never by name: other runs on this machine have servers of
 * the same name. Where `setpriv` is installed the kernel also stops it when the test process dies without disposing.
 */
export function startProcess(
  path: string,
  args: readonly string[],
  { logPath, orphanSignal = 'KILL' }: { readonly logPath: string; readonly orphanSignal?: 'KILL' | 'TERM' },
): OwnProcess {
  const setpriv = findProgram('setpriv');
  const words = setpriv === null ? [path, ...args] : [setpriv, '--pdeathsig', orphanSignal, '--', path, ...args];
  const log = openSync(logPath, 'a');
  const child = spawn(words[0] ?? path, words.slice(1), { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'exit').then(
    (): ProcessEnd => ({ exitCode: child.exitCode, signal: child.signalCode }),
    (): ProcessEnd => ({ exitCode: null, signal: null }),
  );
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;

  const stop = async (name: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (!isRunning()) return;
    child.kill(name);
    // A stopped process takes no signal but these.
    child.kill('SIGCONT');
    const killer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(killer);
  };
  return {
    pid: child.pid ?? 0,
    get isRunning() {
      return isRunning();
    },
    ended,
    output: () => readFileSync(logPath, 'utf8'),
    signal: (name) => void child.kill(name),
    stop,
    [Symbol.asyncDispose]: () => stop('SIGKILL'),
  };
}

/** False for a zombie too: an orphan that has died stays one until the machine's first process looks. */
export function isAlive(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat !== null && !/\) [ZX] /.test(stat);
}

/** A file of `/proc/<pid>/`, or `null` when there is no such process any more. */
export function readProc(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return null;
  }
}
