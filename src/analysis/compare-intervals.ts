/** Whether two measurements of the same thing differ. */
import type { Interval } from '../core/analysis.ts';
import type { ComparisonResult } from '../core/comparison.ts';
import { wilson } from './binomial.ts';

export interface Noise {
  /** How far two runs of the same world may be apart, whoever measures: the luck of caches. */
  readonly luck: number;
  /** How wide both intervals together are where everything was seen. */
  readonly resolution: number;
}

/**
 * Less is better. Intervals that are apart by more than luck differ for certain. Those that are not do not differ for all
 * that is known; but where more was not seen than the distance of two probes explains, a difference may hide there.
 */
export function compareIntervals(a: Interval, b: Interval, { luck, resolution }: Noise): ComparisonResult {
  if (b.min - a.max > luck) return 'worse';
  if (a.min - b.max > luck) return 'better';
  return b.max - a.min > luck + resolution || a.max - b.min > luck + resolution ? 'unclear' : 'within-noise';
}

/** So many of so many, of which so many may have been one more each. */
export interface Share {
  readonly count: Interval;
  readonly total: number;
  /** Failures come together: of so many one says as much as all (Kish's design effect, Σf²/Σf of runs of f failures). */
  readonly clusterSize: number;
}

/** Of all shares of one comparison together, chance makes one differ once in a hundred comparisons at the most. */
const chanceMax = 0.01;

/**
 * Less is better. Newcombe's interval for the difference of two shares (his method 10, from Wilson's), where the bound on
 * deviations is that of Bonferroni: P(|Z| > z) ≤ exp(−z²/2), so z = √(2 ln(tests / chance)) is never too small.
 */
export function compareShares(a: Share, b: Share, testCount: number): ComparisonResult {
  if (a.total === 0 || b.total === 0) return 'unclear';
  const deviations = Math.sqrt(2 * Math.log(Math.max(1, testCount) / chanceMax));
  const exceeds = (x: Share, xCount: number, y: Share, yCount: number): boolean =>
    leastDifference([x, xCount], [y, yCount], deviations) > 0;
  if (exceeds(b, b.count.min, a, a.count.max)) return 'worse';
  if (exceeds(a, a.count.min, b, b.count.max)) return 'better';
  const mayDiffer = exceeds(b, b.count.max, a, a.count.min) || exceeds(a, a.count.max, b, b.count.min);
  return mayDiffer ? 'unclear' : 'within-noise';
}

type Counted = readonly [share: Share, count: number];

/** What x's share is more than y's at the least. */
function leastDifference([x, xCount]: Counted, [y, yCount]: Counted, deviations: number): number {
  const least = wilson(xCount / x.clusterSize, x.total / x.clusterSize, deviations).min;
  const most = wilson(yCount / y.clusterSize, y.total / y.clusterSize, deviations).max;
  const [ratioX, ratioY] = [xCount / x.total, yCount / y.total];
  return ratioX - ratioY - Math.hypot(ratioX - least, most - ratioY);
}
