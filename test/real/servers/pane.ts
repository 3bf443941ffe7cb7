/** A terminal of a given size, as tmux plays it: keys go in, and what stands on the screen comes out. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programPath } from './installed.ts';
import { waitUntil } from './wait-until.ts';

export interface Pane extends AsyncDisposable {
  /** As tmux names keys: `Enter`, `C-c`, `Escape`. */
  press(...keys: readonly string[]): Promise<void>;
  type(text: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** What stands there now; with what scrolled away above, where asked. */
  screen(options?: { readonly isStyled?: boolean; readonly hasHistory?: boolean }): Promise<string>;
  /** Waits for it. */
  sees(text: RegExp): Promise<string>;
  /** tmux's word on it: `#{alternate_on}`, `#{cursor_flag}`. */
  fact(format: string): Promise<string>;
}

export interface PaneOptions {
  /** Where the socket of a server of its own is. */
  readonly folder: string;
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
  /** A line for `sh`; its exit status is told after it, and the terminal stays. */
  readonly shellLine: string;
}

let serverCount = 0;

/** The socket of a server that ends is there for a while: each has one of its own. */
export async function startPane({ folder, columns, rows, env = {}, shellLine }: PaneOptions): Promise<Pane> {
  const path = programPath('tmux');
  serverCount += 1;
  const socket = join(folder, `pane-${serverCount}.sock`);
  // Not those of whoever runs the tests.
  const { CI: _ci, NO_COLOR: _noColor, FORCE_COLOR: _forceColor, TMUX: _tmux, ...rest } = process.env;
  const tmux = async (...words: readonly string[]): Promise<string> => {
    const own = { ...rest, LC_ALL: 'C.UTF-8', ...env };
    const { stdout } = await promisify(execFile)(path, ['-S', socket, '-f', '/dev/null', '-u', ...words], { env: own });
    return stdout;
  };
  const size = ['-x', String(columns), '-y', String(rows)];
  // Ctrl-C is for the program; the shell goes on and tells how it ended.
  const line = `export TERM=tmux-256color; trap : INT; echo before; ${shellLine}; echo "ended with $?"; stty -a; exec cat`;
  await tmux('new-session', '-d', ...size, '-c', folder, `sh -c '${line}'`);
  const screen: Pane['screen'] = ({ isStyled = false, hasHistory = false } = {}) =>
    tmux('capture-pane', '-p', ...(isStyled ? ['-e'] : []), ...(hasHistory ? ['-J', '-S', '-'] : []));
  return {
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    type: async (text) => void (await tmux('send-keys', '-l', text)),
    resize: async (wide, high) => void (await tmux('resize-window', '-x', String(wide), '-y', String(high))),
    screen,
    async sees(text) {
      let seen = '';
      const isSeen = async (): Promise<boolean> => {
        seen = await screen({ hasHistory: true });
        return text.test(seen);
      };
      await waitUntil(`the terminal shows ${String(text)}`, isSeen, { withinMs: 90_000, everyMs: 100 }).catch(
        (error: Error) => {
          throw new Error(`${error.message}:\n${seen}`);
        },
      );
      return seen;
    },
    fact: async (format) => (await tmux('display-message', '-p', format)).trim(),
    [Symbol.asyncDispose]: async () => void (await tmux('kill-server').catch(() => '')),
  };
}
