/**
 * The command after `--`. It has a process group of its own, so that Ctrl-C in our terminal does not reach it, and our
 * own standard error as its output (no pipe: it lives on when we die). Standard output is ours alone, for data.
 */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import type { CommandHandle } from '../run/run.ts';

export function startCommand(words: readonly string[]): CommandHandle {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 2, 2] });
  const ended = new Promise<Awaited<CommandHandle['ended']>>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ exitCode: null, signal: null, error: `could not be started: ${error.code ?? error.message}` }),
    );
    child.on('exit', (exitCode, signal) => resolve({ exitCode, signal, error: '' }));
  });
  // Our own end does not wait for it.
  child.unref();
  return { pid: child.pid ?? 0, ended };
}

const tokenWithinMs = 30_000;

/** Runs a token command; its output is a secret and appears in no message. */
export async function readToken(words: readonly string[]): Promise<string> {
  const [program = '', ...args] = words;
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: tokenWithinMs, maxBuffer: 64 * 1024 });
    const token = stdout.trim();
    if (token === '' || /[\r\n]/.test(token)) throw new Error('expected one line on its standard output');
    return token;
  } catch (error) {
    const why = error as NodeJS.ErrnoException;
    const shown =
      typeof why.code === 'string' || typeof why.code === 'number' ? `failed with ${why.code}` : why.message;
    throw new Error(`token command ${program} ${shown}`, { cause: undefined });
  }
}
