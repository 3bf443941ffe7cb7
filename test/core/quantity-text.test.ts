import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countOf,
  countText,
  durationBoundsText,
  durationText,
  listText,
  ratioText,
} from '../../src/core/quantity-text.ts';

test.for<[ms: number, down: string, nearest: string, up: string]>([
  [0, '0 s', '0 s', '0 s'],
  [0.3, '0 s', '0 s', '1 ms'],
  [430.2, '430 ms', '430 ms', '431 ms'],
  [999.7, '999 ms', '1 s', '1 s'],
  [18_500, '18.5 s', '18.5 s', '18.5 s'],
  [18_498.7, '18.4 s', '18.5 s', '18.5 s'],
  [18_500.000_001, '18.5 s', '18.5 s', '18.5 s'],
  [599_960, '599.9 s', '10 min', '10 min'],
  [723_400, '12 min 3 s', '12 min 3 s', '12 min 4 s'],
  [7_199_900, '119 min 59 s', '2 h', '2 h'],
  [7_530_000, '2 h 5 min', '2 h 6 min', '2 h 6 min'],
  [3_599_000_000, '999 h 43 min', '999 h 43 min', '999 h 44 min'],
])('%s ms', ([ms, down, nearest, up]) => {
  expect([durationText(ms, 'down'), durationText(ms), durationText(ms, 'up')]).toEqual([down, nearest, up]);
});

test.for<[min: number, max: number, text: string]>([
  [0, 0, '0 s'],
  [0, 500, 'at most 500 ms'],
  [18_540, 19_460, 'between 18.5 s and 19.5 s'],
  [18_500, 18_500, '18.5 s'],
])('%s to %s ms: %s', ([min, max, text]) => {
  expect(durationBoundsText({ min, max })).toBe(text);
});

test.for<[ratio: number, text: string]>([
  [0, '0 %'],
  [0.001, '0.1 %'],
  [0.05, '5 %'],
  [1, '100 %'],
  [38 / 1281, '2.97 %'],
  [1 / 7_000_000, '0.0000143 %'],
])('%s: %s', ([ratio, text]) => {
  expect(ratioText(ratio)).toBe(text);
});

test('a limit that is just missed does not read as kept', () => {
  expect(ratioText(0.001_000_4, 'up')).toBe('0.101 %');
  expect(durationText(5001, 'up')).toBe('5.1 s');
});

test('counts and lists', () => {
  expect([countText(1_234_567), countOf(1, 'lane'), countOf(0, 'lane'), countOf(2, 'service')]).toEqual([
    '1,234,567',
    '1 lane',
    '0 lanes',
    '2 services',
  ]);
  expect([listText([]), listText(['a']), listText(['a', 'b']), listText(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});

test('a bound is never said to be narrower than it is', () => {
  const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
  const msOf = (text: string): number =>
    [...text.replaceAll(',', '').matchAll(/([\d.]+) (ms|s|min|h)/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? Number.NaN),
      0,
    );
  fc.assert(
    fc.property(fc.nat(1e9), (tenthsOfMs) => {
      const ms = tenthsOfMs / 10;
      const toleranceMs = 0.001 * 60_000;
      expect(msOf(durationText(ms, 'down'))).toBeLessThanOrEqual(ms + toleranceMs);
      expect(msOf(durationText(ms, 'up'))).toBeGreaterThanOrEqual(ms - toleranceMs);
    }),
  );
});
