import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blindLateNs, dueAtNs, intervalNs, slotsDueBefore } from '../../src/core/schedule.ts';

const pace = fc.record({
  ratePerSecond: fc.double({ min: 0.01, max: 20_000, noNaN: true }),
  staggerNs: fc.integer({ min: 0, max: 2_000_000_000 }),
  startAtNs: fc.integer({ min: 0, max: 1e13 }),
});

test('rounding never adds up: the millionth slot is within half a nanosecond of where it belongs, plus what a double loses', () => {
  const at7 = { ratePerSecond: 7, staggerNs: 3, startAtNs: 11 };
  expect(dueAtNs(at7, 7_000_000)).toBe(11 + 3 + 1e15);
  expect(dueAtNs(at7, 1)).toBe(11 + 3 + 142_857_143);
});

test('slots due before an instant are exactly those whose due time is before it', () => {
  fc.assert(
    fc.property(pace, fc.integer({ min: 0, max: 2e13 }), (one, atNs) => {
      const count = slotsDueBefore(one, atNs);
      if (count > 0) expect(dueAtNs(one, count - 1)).toBeLessThan(atNs);
      expect(dueAtNs(one, count)).toBeGreaterThanOrEqual(atNs);
    }),
  );
});

test('due times never go back', () => {
  fc.assert(
    fc.property(pace, fc.integer({ min: 0, max: 4_000_000 }), (one, slot) => {
      // A double holds whole nanoseconds for 104 days.
      fc.pre(dueAtNs(one, slot + 1) < Number.MAX_SAFE_INTEGER);
      const distance = dueAtNs(one, slot + 1) - dueAtNs(one, slot);
      expect(Math.abs(distance - intervalNs(one))).toBeLessThanOrEqual(3);
    }),
  );
});

test.for([
  { ratePerSecond: 2, goodWithinMs: 2000, lateMs: 250 },
  { ratePerSecond: 100, goodWithinMs: 2000, lateMs: 100 },
  { ratePerSecond: 0.1, goodWithinMs: 2000, lateMs: 1000 },
])(
  'at $ratePerSecond/s a slot speaks for its due time up to $lateMs ms late',
  ({ ratePerSecond, goodWithinMs, lateMs }) => {
    expect(blindLateNs({ ratePerSecond, staggerNs: 0, startAtNs: 0 }, goodWithinMs)).toBe(lateMs * 1e6);
  },
);
