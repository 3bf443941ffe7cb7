import fc from 'fast-check';
import { expect, test } from 'vitest';
import { between, instantAt, lengthOf, moved, positionIn, within, zoomed, type Range } from '../../src/page/range.ts';

const whole: Range = { fromMs: 0, toMs: 31_021 };

const ranges = fc
  .tuple(fc.double({ min: 0, max: 30_000, noNaN: true }), fc.double({ min: 200, max: 31_021, noNaN: true }))
  .map(([fromMs, length]) => within({ fromMs, toMs: fromMs + length }, whole));

test('whatever is done to it, the range stays in the whole', () => {
  const act = fc.oneof(
    fc.record({ kind: fc.constant('zoom' as const), factor: fc.double({ min: 0.01, max: 100, noNaN: true }) }),
    fc.record({ kind: fc.constant('move' as const), factor: fc.double({ min: -3, max: 3, noNaN: true }) }),
  );
  fc.assert(
    fc.property(
      ranges,
      fc.array(act, { maxLength: 12 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (from, acts, at) => {
        let range = from;
        for (const { kind, factor } of acts) {
          range =
            kind === 'zoom'
              ? zoomed(range, whole, factor, instantAt(range, at))
              : moved(range, whole, lengthOf(range) * factor);
        }
        expect(range.fromMs).toBeGreaterThanOrEqual(0);
        expect(range.toMs).toBeLessThanOrEqual(whole.toMs + 1e-6);
        expect(lengthOf(range)).toBeGreaterThan(199.9);
      },
    ),
  );
});

test('what is under the pointer stays there while it is zoomed', () => {
  const range = { fromMs: 10_000, toMs: 20_000 };
  const near = zoomed(range, whole, 0.3, 13_000);
  expect(positionIn(near, 13_000)).toBeCloseTo(0.3, 9);
  expect(lengthOf(near)).toBeCloseTo(3000, 9);
});

test('a stretch is picked in either direction, and is never shorter than can be read', () => {
  expect(between(whole, 9000, 7000)).toEqual({ fromMs: 7000, toMs: 9000 });
  expect(between(whole, 5000, 5003)).toEqual({ fromMs: 4901.5, toMs: 5101.5 });
  expect(between(whole, 0, 1)).toEqual({ fromMs: 0, toMs: 200 });
});
