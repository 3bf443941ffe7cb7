import { expect, test } from 'vitest';
import { newRandom } from '../../src/core/random.ts';

function draws(seed: number, label: string, count: number): number[] {
  const random = newRandom(seed, label);
  return Array.from({ length: count }, random);
}

test('the same seed and label give the same draws; another seed or label gives others', () => {
  expect(draws(7, 'zone', 20)).toEqual(draws(7, 'zone', 20));
  expect(draws(7, 'zone', 20)).not.toEqual(draws(8, 'zone', 20));
  expect(draws(7, 'zone', 20)).not.toEqual(draws(7, 'enoz', 20));
});

test('draws are uniform in [0, 1): each of 13 parts gets its share to within 5 standard errors', () => {
  const [count, partCount] = [100_000, 13];
  const parts = Array.from({ length: partCount }, () => 0);
  for (const drawn of draws(3, 'share', count)) {
    expect(drawn).toBeLessThan(1);
    parts[Math.floor(drawn * partCount)]! += 1;
  }
  const share = count / partCount;
  const standardError = Math.sqrt(share * (1 - 1 / partCount));
  for (const part of parts) expect(Math.abs(part - share)).toBeLessThan(5 * standardError);
});

test('neighbouring seeds draw independently: the first draws of 1,000 seeds are spread as well', () => {
  const firsts = Array.from({ length: 1000 }, (_, seed) => newRandom(seed, 'zone')());
  const mean = firsts.reduce((sum, drawn) => sum + drawn, 0) / 1000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / 1000));
});
