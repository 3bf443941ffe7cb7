/**
 * The whole screen of a terminal for a while: the alternate one, so that the normal one with its lines comes back as it was.
 * However we end, it is given back, but for SIGKILL; and what anybody of this process writes to the same stream meanwhile
 * is kept for afterwards, so that nothing is lost and nothing runs across the picture.
 */
import type { WriteStream } from 'node:tty';

/** Alternate screen, no cursor, no wrapping at the edge, pasted text is told from keys. */
const enterCodes = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[2J';
/** Emptied first: tmux, resized meanwhile, keeps rows of the picture among the lines of the normal screen. */
const leaveCodes = '\x1b[H\x1b[J\x1b[?2004l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l';
/** A terminal that knows of it draws all between at once; others pass over it. */
const [beginFrame, endFrame] = ['\x1b[?2026h', '\x1b[?2026l'];

/** Those that end us and that nobody else follows. */
const deadly = ['SIGHUP', 'SIGQUIT'] as const;

export interface Screen {
  readonly isOn: boolean;
  enter(): void;
  leave(): void;
  /** Writes what differs from what stands there. */
  draw(rows: readonly string[], cursor: { readonly row: number; readonly column: number } | null): void;
  /** What stands there is not known any more: the next drawing is whole. */
  forget(): void;
}

export interface ScreenOptions {
  readonly output: WriteStream;
  /** Called once the normal screen is back, whatever the reason. */
  readonly left: () => void;
  /** What was written to the stream by others, line by line. */
  readonly written: (line: string) => void;
}

export function newScreen({ output, left, written }: ScreenOptions): Screen {
  let isOn = false;
  let shown: readonly string[] = [];
  let hasCursor = false;
  let isGone = false;
  let partial = '';
  const ownWrite = output.write.bind(output);

  function write(text: string): void {
    if (!isGone) ownWrite(text);
  }

  /** A terminal that went away takes nothing any more, and the run goes on without it. */
  function gone(): void {
    isGone = true;
  }

  const capture = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    partial += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    const lines = partial.split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) written(line);
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    if (done !== undefined) process.nextTick(done);
    return true;
  };

  const dying = deadly.map((signal) => {
    const follow = (): void => {
      leave();
      // Nobody listens any more: now it does what it does.
      process.kill(process.pid, signal);
    };
    return [signal, follow] as const;
  });

  function leave(): void {
    if (!isOn) return;
    isOn = false;
    output.write = ownWrite;
    write(leaveCodes);
    for (const [signal, follow] of dying) process.off(signal, follow);
    process.off('exit', leave);
    process.off('uncaughtExceptionMonitor', leave);
    if (partial !== '') written(partial);
    partial = '';
    left();
  }

  return {
    get isOn() {
      return isOn;
    },
    enter() {
      if (isOn) return;
      isOn = true;
      shown = [];
      hasCursor = false;
      write(enterCodes);
      output.write = capture;
      // For as long as the process lives: whatever is written later may fail, too.
      if (!output.listeners('error').includes(gone)) output.on('error', gone);
      for (const [signal, follow] of dying) process.on(signal, follow);
      process.on('exit', leave);
      process.on('uncaughtExceptionMonitor', leave);
    },
    leave,
    draw(rows, cursor) {
      if (!isOn) return;
      const changed = rows.flatMap((row, i) => (row === shown[i] ? [] : [`\x1b[${i + 1};1H\x1b[2K${row}`]));
      const place = cursor === null ? '' : `\x1b[${cursor.row + 1};${cursor.column + 1}H`;
      const visible = (cursor !== null) === hasCursor ? '' : cursor === null ? '\x1b[?25l' : '\x1b[?25h';
      const clear = shown.length === 0 ? '\x1b[2J' : '';
      if (changed.length > 0 || visible !== '' || place !== '') {
        write(`${beginFrame}${clear}${changed.join('')}${place}${visible}${endFrame}`);
      }
      shown = rows;
      hasCursor = cursor !== null;
    },
    forget() {
      shown = [];
    },
  };
}
