/**
 * The command after `--`. It has a process group of its own, so that Ctrl-C in our terminal does not reach it, and our
 * own standard error as its output (no pipe: it lives on when we die). Standard output is ours alone, for data.
 */
import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { userError } from '../core/errors.ts';
import type { CommandHandle } from '../run/run.ts';

export function startCommand(words: readonly string[]): CommandHandle {
  const [program = '', ...args] = words;
  const unstarted = (error: NodeJS.ErrnoException): Awaited<CommandHandle['ended']> => ({
    exitCode: null,
    signal: null,
    error: `could not be started: ${error.code ?? error.message}`,
  });
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 2, 2] });
    const ended = new Promise<Awaited<CommandHandle['ended']>>((resolve) => {
      child.on('error', (error) => resolve(unstarted(error)));
      child.on('exit', (exitCode, signal) => resolve({ exitCode, signal, error: '' }));
    });
    // Our own end does not wait for it.
    child.unref();
    return { pid: child.pid ?? 0, ended };
  } catch (error) {
    // Some refusals (ENOTDIR, E2BIG) are thrown instead of told.
    return { pid: 0, ended: Promise.resolve(unstarted(error as NodeJS.ErrnoException)) };
  }
}

/** Before the first probe: a command that is not there would be found out only when the baseline is over. */
export function checkCommand([program = '']: readonly string[]): void {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(':');
  const found = folders.map((folder) => (folder === '' ? program : join(folder, program))).filter(existsSync);
  if (found.length === 0) throw userError(`-- ${program}`, 'there is no such command');
  if (!found.some(isProgram)) throw userError(`-- ${program}`, 'is not a program that may be run (chmod +x?)');
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const tokenWithinMs = 30_000;

/** Runs a token command; its output is a secret and appears in no message. */
export async function readToken(words: readonly string[]): Promise<string> {
  const [program = '', ...args] = words;
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: tokenWithinMs, maxBuffer: 64 * 1024 });
    const token = stdout.trim();
    if (token === '' || /[\r\n]/.test(token)) throw new Error('no token');
    return token;
  } catch (error) {
    // Its message would hold the command's arguments.
    const { code, killed } = error as { readonly code?: string | number | null; readonly killed?: boolean };
    const why = code === undefined ? 'expected one line on its standard output' : `failed with ${code}`;
    throw userError(`token command ${program}`, killed === true ? `took longer than ${tokenWithinMs / 1000} s` : why);
  }
}
