import { EventEmitter } from 'node:events';
import type { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newPainter } from '../../src/live/colours.ts';
import { isInForeground } from '../../src/live/foreground.ts';
import { newScreen, type Screen } from '../../src/live/screen.ts';
import { span } from '../../src/report/live-line.ts';

class FakeTerminal extends EventEmitter {
  readonly written: string[] = [];
  depth = 8;
  write(text: string): boolean {
    this.written.push(text);
    return true;
  }
  getColorDepth(): number {
    return this.depth;
  }
}

let terminal: FakeTerminal;
let screen: Screen;
let lines: string[];

beforeEach(() => {
  terminal = new FakeTerminal();
  lines = [];
  screen = newScreen({
    output: terminal as unknown as WriteStream,
    left: () => lines.push('left'),
    written: (line) => lines.push(line),
  });
});
afterEach(() => screen.leave());

describe('the screen', () => {
  test('writes only the rows that differ', () => {
    screen.enter();
    screen.draw(['one', 'two', 'three'], null);
    terminal.written.length = 0;
    screen.draw(['one', 'TWO', 'three'], null);
    expect(terminal.written.join('')).toContain('TWO');
    expect(terminal.written.join('')).not.toMatch(/one|three/);
    terminal.written.length = 0;
    screen.draw(['one', 'TWO', 'three'], null);
    expect(terminal.written).toEqual([]);
    screen.forget();
    screen.draw(['one', 'TWO', 'three'], null);
    expect(terminal.written.join('')).toMatch(/one.*TWO.*three/);
  });

  test('is given back by an exit, with what was written by others meanwhile, and only once', () => {
    const before = process.listenerCount('exit');
    screen.enter();
    terminal.write('a warning\nand half a li');
    expect(lines).toEqual(['a warning']);
    const [leave] = process.listeners('exit').slice(-1) as (() => void)[];
    leave?.();
    expect(terminal.written.at(-1)).toContain('\x1b[?25h\x1b[?1049l');
    expect(lines).toEqual(['a warning', 'and half a li', 'left']);
    terminal.write('afterwards');
    expect(terminal.written.at(-1)).toBe('afterwards');
    screen.leave();
    expect(lines.length).toBe(3);
    expect(process.listenerCount('exit')).toBe(before);
  });

  test('is given back before Node prints what nobody caught', () => {
    screen.enter();
    const [leave] = process.listeners('uncaughtExceptionMonitor').slice(-1) as (() => void)[];
    leave?.();
    expect(screen.isOn).toBe(false);
    expect(terminal.written.at(-1)).toContain('\x1b[?1049l');
  });

  test('that goes away ends nothing', () => {
    screen.enter();
    terminal.emit('error', new Error('EIO'));
    terminal.written.length = 0;
    screen.draw(['one'], null);
    screen.leave();
    expect(terminal.written).toEqual([]);
  });
});

describe('colours', () => {
  const line = [span('oo', 'old'), span('X', 'all-failed'), span(' orders')];

  test('are none where there shall be none, and the letters stay', () => {
    terminal.depth = 1;
    expect(newPainter(terminal as unknown as WriteStream)(line)).toBe('ooX orders');
  });

  test.for([4, 8, 24])('of %i bits are closed behind each text', (depth) => {
    terminal.depth = depth;
    const painted = newPainter(terminal as unknown as WriteStream)(line);
    // oxlint-disable-next-line no-control-regex
    expect(painted.replaceAll(/\x1b\[[\d;]*m/g, '')).toBe('ooX orders');
    expect(painted.endsWith(' orders')).toBe(true);
    expect(painted).toContain('\x1b[');
  });
});

test.for([
  { stat: '77 (node) S 70 77 70 34816 77 4194304', is: true },
  { stat: '77 (node) S 70 77 70 34816 70 4194304', is: false },
  { stat: '77 (no) de) S 70 77 70 34816 77 4194304', is: true },
  { stat: '77 (node) S 70 77 70 0 -1 4194304', is: false },
])('$stat is in the foreground: $is', ({ stat, is }) => {
  expect(isInForeground(() => stat)).toBe(is);
});
