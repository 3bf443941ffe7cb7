import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../src/analysis/histogram.ts';
import type { Finding } from '../../src/core/analysis.ts';
import { newCpuThrottle } from '../../src/model/cpu-throttle.ts';
import { newRandom } from '../../src/core/random.ts';
import { msToNs, nsToMs, sToNs } from '../../src/core/time.ts';
import { analysisOf, type LaneLog } from './kit.ts';

describe('rank test of two histograms', () => {
  const histogramOf = (values: readonly number[]): Histogram => {
    const histogram = new Histogram();
    for (const value of values) histogram.record(value);
    return histogram;
  };

  test('the share of pairs is what counting all pairs gives, and mirrored when the two change places', () => {
    // Below 256 each value has its own bucket, so that ties are ties.
    const values = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, values, (own, others) => {
        const pairs = others.flatMap((b) => own.map((a): number => (b > a ? 1 : b === a ? 0.5 : 0)));
        const ratio = pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
        const there = histogramOf(own).rank(histogramOf(others));
        const back = histogramOf(others).rank(histogramOf(own));
        expect(there?.higherRatio).toBeCloseTo(ratio, 10);
        expect(back?.higherRatio).toBeCloseTo(1 - ratio, 10);
        expect(back?.deviations).toBeCloseTo(-(there?.deviations ?? 0), 10);
      }),
    );
  });

  test('deviations are those of a worked example with ties, and none where all are alike or one is empty', () => {
    // Two tie at 5 and three at 2: U = 21.5 of 30 pairs, variance 30 / 12 × (12 − (3³ − 3 + 2³ − 2) / (11 × 10)).
    const rank = histogramOf([1, 2, 2, 5, 7]).rank(histogramOf([2, 3, 4, 5, 8, 9]));
    expect(rank?.higherRatio).toBeCloseTo(21.5 / 30, 10);
    expect(rank?.deviations).toBeCloseTo((21.5 - 15) / Math.sqrt((30 / 12) * (12 - 30 / 110)), 10);
    expect(histogramOf([3, 3]).rank(histogramOf([3, 3, 3]))).toEqual({ higherRatio: 0.5, deviations: 0 });
    expect(histogramOf([]).rank(histogramOf([3]))).toBeNull();
  });
});

const slotCount = 240;
const slots = '.'.repeat(slotCount);
const at = 'o'.repeat(slotCount / 2) + 'n';

function findingsOf(lanes: readonly LaneLog[], kind: string): readonly Finding[] {
  return analysisOf({ lanes }).findings.filter((finding) => finding.kind === kind);
}

describe('slower-side', () => {
  const withLatencies = (oldMs: number, newMs: number, spreadMs: number): readonly Finding[] => {
    const random = newRandom(7, 'latency');
    const latencyMs = (slot: number): number => (slot < slotCount / 2 ? oldMs : newMs) + spreadMs * random();
    return findingsOf([{ slots, at, latencyMs }], 'slower-side');
  };

  test.each([
    { oldMs: 31, newMs: 47, spreadMs: 13, isFound: true, why: 'half as slow again' },
    { oldMs: 31, newMs: 39, spreadMs: 3, isFound: false, why: 'sure, and nobody feels 8 ms' },
    { oldMs: 310, newMs: 341, spreadMs: 13, isFound: false, why: 'sure, and a tenth is nothing' },
    { oldMs: 31, newMs: 47, spreadMs: 400, isFound: false, why: 'lost in the spread' },
    { oldMs: 47, newMs: 31, spreadMs: 13, isFound: false, why: 'quicker' },
  ])('$oldMs ms became $newMs ms with a spread of $spreadMs ms: $isFound ($why)', (one) => {
    expect(withLatencies(one.oldMs, one.newMs, one.spreadMs)).toHaveLength(one.isFound ? 1 : 0);
  });

  test('answers that came too late count: a side so slow that nothing is good is slower', () => {
    const latencyMs = (slot: number): number => (slot < slotCount / 2 ? 20 + (slot % 7) : 2500 + (slot % 11));
    const [finding] = findingsOf([{ slots, at, latencyMs }], 'slower-side');
    expect(finding?.text).toContain('half are there within 2.5 s, on the old side within 23 ms');
  });

  test.each([
    { why: 'two kinds of requests, a few more of the slow ones', slowRatio: { old: 0.45, new: 0.55 }, count: 9000 },
    { why: 'so few that it may be chance', slowRatio: { old: 0.3, new: 0.7 }, count: 120 },
  ])('medians far apart prove nothing: $why', ({ slowRatio, count }) => {
    const isNew = (slot: number): boolean => slot >= count / 2;
    const latencyMs = (slot: number): number =>
      (slot * 0.618) % 1 < (isNew(slot) ? slowRatio.new : slowRatio.old) ? 100 + (slot % 3) : 20 + (slot % 3);
    const lane = { slots: '.'.repeat(count), at: 'o'.repeat(count / 2) + 'n', latencyMs };
    expect(findingsOf([lane], 'slower-side')).toEqual([]);
  });

  test('few answers of a side are not ranked', () => {
    const latencyMs = (slot: number): number => (slot < 200 ? 20 : 90);
    expect(findingsOf([{ slots, at: 'o'.repeat(200) + 'n', latencyMs }], 'slower-side')).toEqual([]);
  });
});

describe('cpu-throttled', () => {
  /** Seven lanes at 3.7/s, sent at all phases; `waitMs` says how long the request waits. */
  const lanesWith = (waitMs: (atNs: number) => number): readonly LaneLog[] =>
    Array.from({ length: 7 }, (_, lane): LaneLog => {
      const ratePerSecond = 3.7;
      const staggerNs = msToNs(lane * 37);
      const latencyMs = (slot: number): number =>
        slot < slotCount / 2 ? 21 : 21 + waitMs(staggerNs + sToNs(slot / ratePerSecond));
      return { slots, at, ratePerSecond, staggerNs, latencyMs, resolver: `r${String(lane)}` };
    });
  const throttled = (quotaMs: number, demandMs: number): ((atNs: number) => number) => {
    const options = { quotaMs, periodFromNs: msToNs(43), untilNs: Infinity };
    // Each request has the container to itself, so that order does not matter.
    return (atNs) => nsToMs(newCpuThrottle(options).waitNs(atNs, msToNs(demandMs))) + demandMs;
  };

  test.each([
    { quotaMs: 20, demandMs: 30 },
    { quotaMs: 10, demandMs: 55 },
    { quotaMs: 40, demandMs: 90 },
  ])('a quota of $quotaMs ms for $demandMs ms of work is told by the comb of its ends', ({ quotaMs, demandMs }) => {
    const [finding] = findingsOf(lanesWith(throttled(quotaMs, demandMs)), 'cpu-throttled');
    expect(finding?.text).toMatch(/^Slow answers of the new side end in step, 100 ms apart/);
    expect(finding?.evidence[0]).toMatch(/^ends by tenths of 100 ms/);
  });

  const random = newRandom(11, 'waits');
  test.each([
    { why: 'slow, always the same', waitMs: () => 130 },
    { why: 'slow, and spread', waitMs: () => 400 * random() },
    { why: 'two kinds of requests, one slower by just 100 ms', waitMs: () => (random() < 0.5 ? 80 : 180) },
    {
      why: 'a third of them in step with 100 ms',
      waitMs: (atNs: number) => (random() < 0.34 ? 200 - (nsToMs(atNs) % 100) : 400 * random()),
    },
    { why: 'in step with a period of 130 ms', waitMs: (atNs: number) => 200 - (nsToMs(atNs) % 130) },
  ])('$why: no comb', ({ waitMs }) => {
    expect(findingsOf(lanesWith(waitMs), 'cpu-throttled')).toEqual([]);
  });

  test('one lane sent at one phase only cannot tell: what ends in step was sent in step', () => {
    const lane: LaneLog = { slots, at, ratePerSecond: 2, latencyMs: (slot) => (slot < slotCount / 2 ? 21 : 130) };
    expect(findingsOf([lane], 'cpu-throttled')).toEqual([]);
  });
});
