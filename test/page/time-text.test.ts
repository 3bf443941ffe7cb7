import { expect, test } from 'vitest';
import { clockText, offsetText, ticksOf } from '../../src/page/time-text.ts';

test.for([
  { ms: 0, text: '0' },
  { ms: -6102, text: '−6.1 s' },
  { ms: 2500, text: '+2.5 s' },
  { ms: 180_000, text: '+3 min' },
  { ms: 185_000, text: '+185 s' },
  { ms: -3_600_000, text: '−60 min' },
  { ms: 7_500_000, text: '+2 h 5 min' },
])('$ms ms from the change is $text', ({ ms, text }) => {
  expect(offsetText(ms)).toBe(text);
});

test('ticks are at round times from the change, not from the start, and one is the change itself', () => {
  const ticks = ticksOf({ fromMs: 0, toMs: 31_021 }, 6102, 7);
  expect(ticks.map(({ text }) => text)).toEqual(['−5 s', '0', '+5 s', '+10 s', '+15 s', '+20 s']);
  expect(ticks[1]?.position).toBeCloseTo(6102 / 31_021, 9);
});

test('ticks of one axis are in one unit', () => {
  expect(ticksOf({ fromMs: 0, toMs: 90_001 }, 0, 6).map(({ text }) => text)).toEqual(['0', '+30 s', '+60 s', '+90 s']);
});

test('however long the run, ticks have room', () => {
  for (const toMs of [211, 7001, 7_200_013, 86_400_001, 40 * 86_400_000]) {
    expect(ticksOf({ fromMs: 0, toMs }, 0, 8).length).toBeLessThanOrEqual(9);
  }
});

test('the clock is that of UTC', () => {
  expect(clockText(Date.parse('2026-11-24T23:59:59.900Z'), 102.4)).toBe('00:00:00.002');
});
