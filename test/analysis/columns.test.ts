import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { Histogram, percentilesMs } from '../../src/analysis/histogram.ts';
import { sightingOverflow, Sightings } from '../../src/analysis/sightings.ts';
import { packMs, SlotTable, unpackMs } from '../../src/analysis/slot-table.ts';
import { mergeSpans, Spans } from '../../src/analysis/spans.ts';

test('the histogram has the buckets of HdrHistogram with 2 significant digits', () => {
  const values = fc.array(fc.oneof(fc.nat(300), fc.nat(100_000), fc.nat(0x7fff_ffff)), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(values, (recorded) => {
      const ours = new Histogram();
      const theirs = build({
        numberOfSignificantValueDigits: 2,
        lowestDiscernibleValue: 1,
        highestTrackableValue: 2 ** 32,
      });
      for (const value of recorded) {
        ours.record(value);
        theirs.recordValue(value);
      }
      const sorted = recorded.toSorted((a, b) => a - b);
      for (const ratio of [0.5, 0.9, 0.99, 0.999]) {
        const exact = sorted[Math.ceil(ratio * sorted.length) - 1] as number;
        const found = ours.percentile(ratio);
        expect(found).toBe(Math.min(theirs.getValueAtPercentile(ratio * 100), Math.max(...recorded)));
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(exact * 1.01);
      }
      expect(ours.max).toBe(Math.max(...recorded));
    }),
  );
});

test('two histograms added are one of all values, up to the greatest that a column holds', () => {
  const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (const value of [0, 7, 0xffff_ffff]) a.record(value);
  for (const value of [255, 256, 257]) b.record(value);
  for (const value of [0, 7, 0xffff_ffff, 255, 256, 257]) both.record(value);
  a.add(b);
  expect(a).toEqual(both);
  expect(percentilesMs(a)).toMatchObject({ count: 6, max: 4_294_967.295, p999: 4_294_967.295 });
  expect(percentilesMs(new Histogram())).toBeNull();
});

test('an age in 16 bits is exact below 2 s, and above it understated by less than a thousandth', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(2047), fc.nat(0xffff_ffff)), (ms) => {
      const packed = packMs(ms);
      expect(packed).toBeLessThan(65_536);
      if (ms < 2048) expect(unpackMs(packed)).toBe(ms);
      expect(unpackMs(packed)).toBeLessThanOrEqual(ms);
      expect(unpackMs(packed)).toBeGreaterThanOrEqual(ms * 0.999);
    }),
  );
});

test('a slot keeps its first result, wherever in the run it is', () => {
  const table = new SlotTable();
  expect(table.set(5_000_000, 7, 123, 0, 1500)).toBe(true);
  expect(table.set(5_000_000, 8, 456, 9, 9)).toBe(false);
  expect([table.sighting(5_000_000), table.responseUs(5_000_000)]).toEqual([7, 123]);
  expect([table.connectionAgeMs(5_000_000), table.answerAgeMs(5_000_000)]).toEqual([0, 1500]);
  expect([table.sighting(5_000_001), table.sighting(1), table.responseUs(99_999_999)]).toEqual([0, 0, 0]);
});

const someSighting = fc.record({
  outcome: fc.nat(22),
  status: fc.constantFrom(0, 200, 503, 65_535),
  error: fc.nat(3),
  checks: fc.nat(255),
  address: fc.constantFrom(0, 2, 65_535),
  face: fc.constantFrom(0, 3, 65_535),
  answer: fc.constantFrom(0, 4, 65_535),
  bits: fc.nat(7),
});

test('a sighting comes back as it was, and equal ones share a number', () => {
  fc.assert(
    fc.property(fc.array(someSighting, { maxLength: 300 }), (all) => {
      const sightings = new Sightings();
      const numbers = all.map((one) => sightings.intern(one));
      expect(numbers.map((number) => sightings.at(number))).toEqual(all);
      expect(all.map((one) => sightings.intern(one))).toEqual(numbers);
      expect(sightings.count - 1).toBe(new Set(all.map((one) => JSON.stringify(one))).size);
    }),
  );
});

test('more sightings than 16 bits can number are one: unknown', () => {
  const sightings = new Sightings();
  const one = { outcome: 1, status: 200, error: 0, checks: 0, address: 0, answer: 0, bits: 0 };
  for (let face = 0; face < 65_534; face += 1) expect(sightings.intern({ ...one, face }) < sightingOverflow).toBe(true);
  expect(sightings.intern({ ...one, face: 65_534 })).toBe(sightingOverflow);
  expect(sightings.intern({ ...one, face: 65_535 })).toBe(sightingOverflow);
  expect(sightings.at(sightings.intern({ ...one, face: 3 }))).toEqual({ ...one, face: 3 });
});

test('spans that overlap or touch are one, and an overlap is counted once', () => {
  const spans = [
    { fromNs: 50, toNs: 60 },
    { fromNs: 0, toNs: 10 },
    { fromNs: 10, toNs: 20 },
    { fromNs: 5, toNs: 7 },
    { fromNs: 70, toNs: 70 },
  ];
  expect(mergeSpans(spans)).toEqual([
    { fromNs: 0, toNs: 20 },
    { fromNs: 50, toNs: 60 },
  ]);
  expect(new Spans(spans).overlapNs(5, 55)).toBe(20);
  expect(new Spans(spans).overlapNs(20, 50)).toBe(0);
  expect(new Spans([]).isEmpty).toBe(true);
});
