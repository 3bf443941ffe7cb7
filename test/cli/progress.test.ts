import type { WriteStream } from 'node:tty';
import { expect, test } from 'vitest';
import { newVirtualProgress } from '../../src/cli/progress.ts';
import { sToNs } from '../../src/core/time.ts';

/** 10,240 events a second of real time, each 3 virtual s after the one before. */
function played(isTTY: boolean, realS: number): string {
  let text = '';
  let realMs = 17_000;
  const stream = { isTTY, columns: 80, write: (piece: string) => (text += piece) } as unknown as WriteStream;
  const progress = newVirtualProgress(stream, () => realMs);
  progress.say('begins');
  for (let event = 1; event <= realS * 10_240; event += 1) {
    realMs = 17_000 + event / 10.24;
    progress.show(sToNs(3 * event));
  }
  progress.end();
  return text;
}

test('where no terminal is, virtual time is told every 5 s of real time, a line each', () => {
  const lines = played(false, 12).split('\n');
  expect(lines).toEqual(['begins', '42 h 40 min of virtual time played', '85 h 20 min of virtual time played', '']);
});

test('a run that is over soon says nothing of its progress', () => {
  expect(played(false, 4)).toBe('begins\n');
});

test('what is said steers no terminal, whoever worded it', () => {
  let text = '';
  const stream = { isTTY: true, columns: 80, write: (piece: string) => (text += piece) } as unknown as WriteStream;
  newVirtualProgress(stream).say('eks has seen nothing so far: \u001b]52;c;eA==\u0007 \u009b2J \u202eevil\nand more');
  expect(text).toBe('eks has seen nothing so far: \ufffd]52;c;eA==\ufffd \ufffd2J \ufffdevil\nand more\n');
});
