import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  loweredTheory,
  meanTheory,
  theoryEndS,
  theoryFallsToS,
  theoryRatio,
  waitingRatio,
} from '../../src/core/residual-theory.ts';

/** Of two waits, piece by piece: another way to the same. */
function bothWaitingRatio(atS: number, aS: number, bS: number): number {
  const [short, long] = [Math.min(aS, bS), Math.max(aS, bS)];
  if (atS <= 0) return 1;
  if (atS <= short) return 1 - atS ** 2 / (2 * short * long);
  if (atS <= long) return 1 - (atS - short / 2) / long;
  if (atS >= short + long) return 0;
  return (short + long - atS) ** 2 / (2 * short * long);
}

test.for([
  { atS: 0, waitsS: [67], ratio: 1 },
  { atS: 16.75, waitsS: [67], ratio: 0.75 },
  { atS: 67, waitsS: [67], ratio: 0 },
  { atS: 700, waitsS: [67], ratio: 0 },
  // Whoever is held by nothing has left at once, and a wait of no length holds nobody.
  { atS: 0, waitsS: [], ratio: 0 },
  { atS: 16.75, waitsS: [0, 67, 0], ratio: 0.75 },
  { atS: 700, waitsS: [67, Infinity], ratio: 1 },
  { atS: -3, waitsS: [], ratio: 1 },
])('after $atS s, waits of up to $waitsS s hold $ratio', ({ atS, waitsS, ratio }) => {
  expect(waitingRatio(atS, waitsS)).toBeCloseTo(ratio, 12);
});

test('two waits, whichever is the longer', () => {
  const lengths = fc.double({ min: 0.5, max: 4000, noNaN: true });
  fc.assert(
    fc.property(lengths, lengths, fc.double({ min: 0, max: 1.2, noNaN: true }), (aS, bS, part) => {
      const atS = part * (aS + bS);
      expect(waitingRatio(atS, [aS, bS])).toBeCloseTo(bothWaitingRatio(atS, aS, bS), 6);
    }),
  );
});

test('three waits: a third is as the mean of the two others over its length', () => {
  const [aS, bS, cS] = [120, 30, 67];
  for (const atS of [7, 31, 68, 119, 151, 203, 216]) {
    let sum = 0;
    const steps = 2000;
    for (let i = 0; i < steps; i += 1) sum += bothWaitingRatio(atS - ((i + 0.5) / steps) * cS, aS, bS);
    expect(waitingRatio(atS, [aS, bS, cS])).toBeCloseTo(sum / steps, 5);
  }
});

test('it never rises, and ends when all waits must be over', () => {
  const waits = fc.array(fc.double({ min: 0.5, max: 3600, noNaN: true }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(waits, (waitsS) => {
      const endS = theoryEndS([{ weightRatio: 1, waitsS }]);
      const ratios = Array.from({ length: 41 }, (_, i) => waitingRatio((endS * i) / 40, waitsS));
      ratios.forEach((ratio, i) => expect(ratio).toBeLessThanOrEqual((ratios[i - 1] ?? 1) + 1e-6));
      expect(ratios[0]).toBe(1);
      expect(ratios.at(-1)).toBeCloseTo(0, 9);
    }),
  );
});

test('a TTL lowered shortly before the change: the rest of the longer life, or the shorter one', () => {
  const theory = loweredTheory({ beforeS: 700, afterS: 67, sinceS: 300 }, []);
  expect(theoryEndS(theory)).toBe(400);
  expect(theoryRatio(theory, 0)).toBeCloseTo(1, 12);
  expect(theoryRatio(theory, 100)).toBeCloseTo((4 / 7) * 0.75, 12);
  expect(loweredTheory({ beforeS: 700, afterS: 67, sinceS: 701 }, [30])).toEqual([
    { weightRatio: 1, waitsS: [67, 30] },
  ]);
});

test('when no more than a share is there', () => {
  expect(theoryFallsToS([{ weightRatio: 1, waitsS: [67] }], 0.5)).toBe(33.5);
  expect(theoryFallsToS([{ weightRatio: 1, waitsS: [67] }], 0.1)).toBe(60.3);
  expect(theoryFallsToS([{ weightRatio: 1, waitsS: [] }], 0.01)).toBe(0);
  // One half stays for ever: there is always one half, and never less.
  const half = meanTheory([[{ weightRatio: 1, waitsS: [67] }], [{ weightRatio: 1, waitsS: [Infinity] }]]);
  expect(theoryRatio(half, 16.75)).toBeCloseTo(0.875, 12);
  expect(theoryFallsToS(half, 0.75)).toBe(33.5);
  expect(theoryFallsToS(half, 0.1)).toBe(Infinity);
  const both = [{ weightRatio: 1, waitsS: [30, 67] }];
  expect(theoryRatio(both, theoryFallsToS(both, 0.1))).toBeCloseTo(0.1, 3);
});
