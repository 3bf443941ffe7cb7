import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BinRun } from '../../src/core/picture.ts';
import { columnsOf, countsBetween, totalOf } from '../../src/page/columns.ts';
import { laneStripSvg } from '../../src/page/lane-strip.ts';

const binMs = 251;

const lanes = fc
  .array(
    fc.tuple(fc.integer({ min: 1, max: 40 }), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 5 })),
    {
      maxLength: 30,
    },
  )
  .map((parts) => {
    let bin = 0;
    const runs = parts.map(([binCount, counts]): BinRun => {
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = counts;
      const run: BinRun = [bin, binCount, a, b, c, d, e];
      bin += binCount;
      return run;
    });
    return { runs };
  });

test('what is told of the whole run is all that is in its bins, and something is drawn wherever something was due', () => {
  fc.assert(
    fc.property(fc.array(lanes, { maxLength: 4 }), fc.integer({ min: 7, max: 900 }), (some, width) => {
      const whole = { fromMs: 0, toMs: 1200 * binMs };
      const all = some.flatMap(({ runs }) => runs);
      const total = all.reduce((sum, [, n, ...counts]) => sum + n * sumOf(counts), 0);
      expect(totalOf(countsBetween(some, binMs, whole))).toBe(total);
      const spans = columnsOf(some, binMs, whole, width);
      for (const [bin, , ...counts] of all) {
        if (sumOf(counts) === 0) continue;
        const column = Math.floor(((bin + 0.5) / 1200) * width);
        expect(spans.some(({ from, to }) => from <= column && column < to)).toBe(true);
      }
    }),
  );
});

test('one failed probe among a million is drawn, wherever it lies and however narrow the screen', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 28_684 }), fc.integer({ min: 11, max: 1300 }), (bin, width) => {
      const runs: BinRun[] = [
        [0, bin, 20, 0, 0, 0, 0],
        [bin, 1, 19, 0, 0, 1, 0],
        [bin + 1, 28_684 - bin, 0, 20, 0, 0, 0],
      ];
      const svg = laneStripSvg({ lanes: [{ runs }], binMs }, { fromMs: 0, toMs: 28_685 * binMs }, width, 'one');
      const [, x = '', w = ''] = /class="s-down" d="M([\d.]+) 5h([\d.]+)v/.exec(svg) ?? [];
      expect(Number(w)).toBeGreaterThanOrEqual(2);
      const at = ((bin + 0.5) / 28_685) * width;
      expect(Math.abs(Number(x) + Number(w) / 2 - at)).toBeLessThanOrEqual(2.1);
      expect(svg).toContain('class="s-notch"');
    }),
  );
});

test('a failure outside of what is looked at is not drawn in it', () => {
  const runs: BinRun[] = [
    [0, 10, 2, 0, 0, 0, 0],
    [10, 1, 0, 0, 0, 2, 0],
    [11, 10, 0, 2, 0, 0, 0],
  ];
  const svg = laneStripSvg({ lanes: [{ runs }], binMs }, { fromMs: 11 * binMs, toMs: 20 * binMs }, 300, 'after');
  expect(svg).not.toContain('s-down');
  expect(svg).toContain('s-new');
});

test('what is told of an instant is what its bins hold', () => {
  const runs: BinRun[] = [
    [3, 4, 1, 2, 0, 3, 4],
    [7, 1, 0, 9, 5, 0, 0],
  ];
  const told = countsBetween([{ runs }, { runs }], binMs, { fromMs: 6.5 * binMs, toMs: 7.5 * binMs });
  expect(told).toEqual({ oldCount: 2, newCount: 22, otherCount: 10, failedCount: 6, unseenCount: 8 });
});

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
