import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareIntervals, compareShares, type Share } from '../../src/analysis/compare-intervals.ts';
import { newRandom } from '../../src/core/random.ts';

const exact = { luck: 0, resolution: 500 };

test.for([
  { a: [0, 0], b: [0, 0], result: 'within-noise' },
  { a: [2700, 3300], b: [3100, 3700], result: 'unclear' },
  { a: [2700, 3300], b: [3100, 3700], resolution: 2000, result: 'within-noise' },
  { a: [2700, 3300], b: [3301, 3700], result: 'worse' },
  { a: [3301, 3700], b: [2700, 3300], result: 'better' },
  { a: [0, 0], b: [0, 500], result: 'within-noise' },
  { a: [0, 0], b: [0, 60_000], result: 'unclear' },
  { a: [0, 60_000], b: [0, 0], result: 'unclear' },
  { a: [0, 0], b: [7000, Infinity], result: 'worse' },
  { a: [0, Infinity], b: [7000, 7500], result: 'unclear' },
  { a: [0, 0], b: [7000, 7500], luck: 12_000, result: 'within-noise' },
  { a: [0, 0], b: [12_500, 13_000], luck: 12_000, result: 'worse' },
] as const)('$a, then $b, luck $luck, resolution $resolution: $result', ({ a, b, result, ...rest }) => {
  const noise = { ...exact, ...rest };
  expect(compareIntervals({ min: a[0], max: a[1] }, { min: b[0], max: b[1] }, noise)).toBe(result);
});

const mirror = {
  worse: 'better',
  better: 'worse',
  'within-noise': 'within-noise',
  unclear: 'unclear',
  differs: 'differs',
};

function share(min: number, max: number, total: number, clusterSize = 1): Share {
  return { count: { min, max }, total, clusterSize };
}

const aShare: fc.Arbitrary<Share> = fc
  .tuple(fc.nat(997), fc.nat(997), fc.nat(997), fc.double({ min: 1, max: 20, noNaN: true }))
  .map(([x, y, z, clusterSize]) => {
    const [min = 0, max = 0, total = 0] = [x, y, z].toSorted((p, q) => p - q);
    return share(min, max, total, clusterSize);
  });

test('who is worse than whom does not hang on who is asked first', () => {
  const interval = fc.tuple(fc.nat(9973), fc.nat(9973)).map(([x, y]) => ({ min: Math.min(x, y), max: Math.max(x, y) }));
  fc.assert(
    fc.property(interval, interval, fc.nat(3000), fc.nat(3000), (a, b, luck, resolution) => {
      const noise = { luck, resolution };
      expect(compareIntervals(b, a, noise)).toBe(mirror[compareIntervals(a, b, noise)]);
    }),
  );
  fc.assert(
    fc.property(aShare, aShare, fc.integer({ min: 1, max: 300 }), (a, b, tests) => {
      expect(compareShares(b, a, tests)).toBe(mirror[compareShares(a, b, tests)]);
    }),
  );
});

describe('shares', () => {
  test.for([
    { a: share(0, 0, 1000), b: share(0, 0, 1000), tests: 60, result: 'within-noise' },
    { a: share(0, 0, 1000), b: share(3, 3, 1000), tests: 60, result: 'within-noise' },
    { a: share(0, 0, 1000), b: share(40, 40, 1000), tests: 60, result: 'worse' },
    { a: share(0, 0, 1000), b: share(40, 40, 1000, 40), tests: 60, result: 'within-noise' },
    { a: share(0, 0, 1000), b: share(3, 300, 1000), tests: 60, result: 'unclear' },
    { a: share(0, 0, 0), b: share(3, 3, 1000), tests: 60, result: 'unclear' },
    { a: share(10, 10, 1000), b: share(31, 31, 1000), tests: 1, result: 'worse' },
    { a: share(10, 10, 1000), b: share(31, 31, 1000), tests: 300, result: 'within-noise' },
  ])('$a.count of $a.total, then $b.count of $b.total, among $tests: $result', ({ a, b, tests, result }) => {
    expect(compareShares(a, b, tests)).toBe(result);
  });

  test('of 500 comparisons of 23 equal lanes each, chance makes at most five differ', () => {
    const random = newRandom(7, 'shares');
    const failures = (n: number): number => Array.from({ length: n }, () => random() < 0.03).filter(Boolean).length;
    let differing = 0;
    for (let i = 0; i < 500; i += 1) {
      const results = Array.from({ length: 23 }, () => {
        const [x, y] = [failures(307), failures(307)];
        return compareShares(share(x, x, 307), share(y, y, 307), 23);
      });
      if (results.some((result) => result !== 'within-noise')) differing += 1;
    }
    expect(differing).toBeLessThanOrEqual(5);
  });
});
