/** A terminal as an operator has it: what is typed, and what is seen on it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programPath } from './installed.ts';
import { waitUntil } from './wait-until.ts';

export interface Terminal extends AsyncDisposable {
  /** A line, and Enter. */
  type(line: string): Promise<void>;
  /** As tmux names it: `C-c`. */
  press(key: string): Promise<void>;
  /** All that it has shown, long lines whole. */
  screen(): Promise<string>;
  /** Waits for it. */
  sees(text: string | RegExp): Promise<string>;
}

let serverCount = 0;

/** A server of its own, whose socket is in the folder: one that ends still has its socket for a while. */
export async function startTerminal(folder: string, shellLine: string): Promise<Terminal> {
  const path = programPath('tmux');
  serverCount += 1;
  const socket = join(folder, `tmux-${serverCount}.sock`);
  const tmux = async (...words: readonly string[]): Promise<string> =>
    (await promisify(execFile)(path, ['-S', socket, '-f', '/dev/null', ...words])).stdout;
  // What it was started with stays on the screen when it has ended.
  await tmux(
    'new-session',
    '-d',
    '-x',
    '180',
    '-y',
    '50',
    '-c',
    folder,
    `${shellLine}; echo "ended with $?"; exec cat`,
  );
  const screen = (): Promise<string> => tmux('capture-pane', '-p', '-J', '-S', '-');
  return {
    type: async (line) => {
      if (line !== '') await tmux('send-keys', '-l', line);
      await tmux('send-keys', 'Enter');
    },
    press: async (key) => void (await tmux('send-keys', key)),
    screen,
    sees: async (text) => {
      let seen = '';
      const isSeen = async (): Promise<boolean> => {
        seen = await screen();
        return typeof text === 'string' ? seen.includes(text) : text.test(seen);
      };
      await waitUntil(`the terminal shows ${String(text)}`, isSeen, { withinMs: 60_000, everyMs: 100 }).catch(
        (error: Error) => {
          throw new Error(`${error.message}:\n${seen}`);
        },
      );
      return seen;
    },
    [Symbol.asyncDispose]: async () => void (await tmux('kill-server').catch(() => '')),
  };
}
