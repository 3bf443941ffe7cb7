import { expect, test } from 'vitest';
import { newSilence } from '../../src/live/silence.ts';

test('a run is silent for too long after a minute, or after thrice its own longest pause', () => {
  let nowMs = 0;
  const silence = newSilence(() => nowMs);
  // Before it begins, names are looked up.
  nowMs = 59_000;
  silence.heard();
  expect(silence.now()).toEqual({ silentMs: 0, silentMsMax: 60_000 });
  nowMs += 23_000;
  silence.heard();
  nowMs += 7;
  silence.heard();
  nowMs += 68_999;
  expect(silence.now()).toEqual({ silentMs: 68_999, silentMsMax: 69_000 });
});
