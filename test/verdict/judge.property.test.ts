import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Interval } from '../../src/core/analysis.ts';
import { judge } from '../../src/verdict/judge.ts';
import { compareWorst, judgeInterval, worseOf } from '../../src/verdict/interval.ts';
import { analysisOf, judgedOf, laneOf } from '../report/kit.ts';

const interval: fc.Arbitrary<Interval> = fc
  .tuple(fc.nat(20_000), fc.nat(20_000))
  .map(([min, width]) => ({ min, max: min + width }));

const badness = { pass: 0, inconclusive: 1, fail: 2 };

test('a verdict on an interval never contradicts the verdict on any point in it', () => {
  fc.assert(
    fc.property(interval, fc.nat(40_000), fc.double({ min: 0, max: 1, noNaN: true }), (observed, limit, share) => {
      const point = observed.min + (observed.max - observed.min) * share;
      const ofPoint = judgeInterval({ min: point, max: point }, limit);
      const ofInterval = judgeInterval(observed, limit);
      if (ofInterval !== 'inconclusive') expect(ofPoint).toBe(ofInterval);
      expect(ofPoint).not.toBe('inconclusive');
    }),
  );
});

test('seeing less never turns a verdict from fail to pass or back, and a stricter limit never makes it better', () => {
  fc.assert(
    fc.property(interval, fc.nat(5000), fc.nat(5000), fc.nat(40_000), (observed, below, above, limit) => {
      const wider = { min: Math.max(0, observed.min - below), max: observed.max + above };
      const [seen, blurred] = [judgeInterval(observed, limit), judgeInterval(wider, limit)];
      if (seen !== blurred) expect(blurred).toBe('inconclusive');
      expect(badness[judgeInterval(observed, Math.floor(limit / 2))]).toBeGreaterThanOrEqual(badness[seen]);
    }),
  );
});

test('the service is as bad as its worst lane, in whatever order the lanes come', () => {
  fc.assert(
    fc.property(fc.array(interval, { minLength: 1, maxLength: 7 }), fc.infiniteStream(fc.nat()), (downtimes, order) => {
      const lanes = downtimes.map((downtimeMs, number) =>
        laneOf({ number, client: `client-${String(number)}`, judgedPart: judgedOf({ downtimeMs }) }),
      );
      const shuffled = lanes
        .map((lane) => ({ lane, at: Number(order.next().value) }))
        .sort((a, b) => a.at - b.at)
        .map(({ lane }) => lane);
      const expected = downtimes.map((downtime) => judgeInterval(downtime, 5000)).reduce(worseOf);
      const verdict = judge(analysisOf({ lanes }));
      expect(verdict.value).toBe(expected);
      expect(judge(analysisOf({ lanes: shuffled })).reasons).toEqual(verdict.reasons);
      const [worst] = downtimes
        .map((observed) => ({ observed, value: judgeInterval(observed, 5000) }))
        .sort(compareWorst);
      expect(verdict.reasons.find(({ objective }) => objective === 'downtimeMsMax')?.observed).toEqual(worst?.observed);
    }),
  );
});
