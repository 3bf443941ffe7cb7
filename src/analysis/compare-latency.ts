/**
 * Response times of a kind of client at a side of both runs. The median by a rank test and a floor, as one side is held
 * against the other within a run; the tail by the intervals that order statistics give for p90 and p99, with a floor, too.
 */
import type { Interval } from '../core/analysis.ts';
import { latencyFloorMs } from '../core/analysis.ts';
import { boundsOf, type ComparedQuantity, type ComparisonResult, type Difference } from '../core/comparison.ts';
import { boundsText, countOf, durationText } from '../core/quantity-text.ts';
import { wilson } from './binomial.ts';
import type { Histogram } from './histogram.ts';
import { isSlower, rankTest } from './latency.ts';

export interface LatencyPair {
  readonly service: string;
  /** `orders fresh, side left`. */
  readonly subject: string;
  readonly aUs: Histogram;
  readonly bUs: Histogram;
}

/** Answers shortly after each other are alike, which no test knows: it must be surer than one in a thousand. */
const deviations = 5;
/** A tail that is so many times as long can be felt, if it is longer than `latencyFloorMs` at all. */
const tailRatioMin = 1.5;

const tails = [
  ['responseMsP90', 0.9],
  ['responseMsP99', 0.99],
] as const;

export function latencyDifferences(pair: LatencyPair): Difference[] {
  const { aUs, bUs } = pair;
  const rank = rankTest(aUs, bUs);
  const back = rankTest(bUs, aUs);
  if (rank === null || back === null) return [];
  const median: ComparisonResult = isSlower(rank) ? 'worse' : isSlower(back) ? 'better' : 'within-noise';
  return [
    said(pair, 'responseMsP50', 0.5, median),
    ...tails.flatMap(([quantity, ratio]) => {
      const isBounded = [aUs, bUs].every((us) => Number.isFinite(quantileMs(us, ratio).max));
      const result = compareTail(aUs, bUs, ratio);
      // Of too few answers nothing is said of the tail, unless it is longer whatever the rest would have been.
      return isBounded || result !== 'within-noise' ? [said(pair, quantity, ratio, result)] : [];
    }),
  ];
}

function said(pair: LatencyPair, quantity: ComparedQuantity, ratio: number, result: ComparisonResult): Difference {
  const { service, subject, aUs, bUs } = pair;
  const [a, b] = [quantileMs(aUs, ratio), quantileMs(bUs, ratio)];
  const share = `${String(Math.round(ratio * 100))} %`;
  const text = (bounds: Interval, us: Histogram): string =>
    Number.isFinite(bounds.max)
      ? `${boundsText(bounds, durationText)} (${countOf(us.count, 'answer')})`
      : `at least ${durationText(bounds.min, 'down')} (${countOf(us.count, 'answer')}: too few to bound it)`;
  return {
    quantity,
    service,
    subject,
    a: boundsOf(a),
    b: boundsOf(b),
    result,
    decides: true,
    text: `${share} of answers were there within ${text(a, aUs)}, then ${text(b, bUs)}`,
  };
}

function compareTail(aUs: Histogram, bUs: Histogram, ratio: number): ComparisonResult {
  const [a, b] = [quantileMs(aUs, ratio), quantileMs(bUs, ratio)];
  if (isLonger(a, b)) return 'worse';
  if (isLonger(b, a)) return 'better';
  return 'within-noise';
}

function isLonger(a: Interval, b: Interval): boolean {
  return b.min >= tailRatioMin * a.max && b.min - a.max >= latencyFloorMs;
}

/** Without an upper bound where there are too few answers for one. */
function quantileMs(us: Histogram, ratio: number): Interval {
  const { min, max } = wilson(us.count * ratio, us.count, deviations);
  const isBounded = us.count * (1 - max) >= 1;
  return { min: us.percentile(min) / 1000, max: isBounded ? us.percentile(max) / 1000 : Infinity };
}
