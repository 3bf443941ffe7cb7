/** A lane of one run beside the same of another: how long it was down, and how often it failed. */
import type { Interval } from '../core/analysis.ts';
import { boundsOf, type ComparedQuantity, type ComparisonResult, type Difference } from '../core/comparison.ts';
import { laneName } from '../core/lane-name.ts';
import { boundsText, durationBoundsText, durationText, ratioText } from '../core/quantity-text.ts';
import { compareIntervals, compareShares, type Share } from './compare-intervals.ts';
import { luckOf, luckText, type LaneRuns } from './compare-luck.ts';
import type { LanePair } from './compare-match.ts';
import { partOf } from './compare-part.ts';

/** Shares of runs of which one was watched so much longer are of other things: a tail without failures dilutes them. */
const watchedRatioMax = 1.25;

export function laneDifferences(pair: LanePair, runs: LaneRuns, testCount: number): Difference[] {
  const [a, b] = [partOf(pair.a, runs.a), partOf(pair.b, runs.b)];
  const decides = [pair.a, pair.b].every(({ judged, qualified }) => judged && qualified);
  const luck = luckOf(a, b);
  const resolution = 2 * [a, b].reduce((sum, { lane, outages }) => sum + lane.resolutionMs * (outages.length + 1), 0);
  const down = { luck: luck.heldMs + luck.mixedDownMs, resolution };
  const impaired = { luck: luck.mixedImpairedMs, resolution };
  const lengths = (
    [
      ['downtimeMs', 'down for', a.downtimeMs, b.downtimeMs, down],
      ['longestOutageMs', 'longest outage', a.longestOutageMs, b.longestOutageMs, down],
      ['impairedMs', 'impaired for', a.impairedMs, b.impairedMs, impaired],
    ] as const
  ).map(([quantity, what, ofA, ofB, noise]) =>
    said(pair, decides, {
      quantity,
      a: ofA,
      b: ofB,
      result: compareIntervals(ofA, ofB, noise),
      text: `${what} ${lengthText(ofA)}, then ${lengthText(ofB)}${luckText(noise.luck)}`,
    }),
  );
  const watchedRatio = a.watchedS / b.watchedS;
  if (!(watchedRatio < watchedRatioMax && watchedRatio > 1 / watchedRatioMax)) return lengths;
  const [ratioA, ratioB] = [ratioOf(a.failed), ratioOf(b.failed)];
  const share = said(pair, decides, {
    quantity: 'failedRatio',
    a: ratioA,
    b: ratioB,
    result: a.isWhole && b.isWhole ? compareShares(a.failed, b.failed, testCount) : 'unclear',
    text: `${boundsText(ratioA, ratioText)} failed, then ${boundsText(ratioB, ratioText)}${luck.heldMs > 0 ? ', without those that cached answers and kept connections led astray' : ''}`,
  });
  return [...lengths, share];
}

function said(
  { a }: LanePair,
  decides: boolean,
  one: {
    readonly quantity: ComparedQuantity;
    readonly a: Interval;
    readonly b: Interval;
    readonly result: ComparisonResult;
    readonly text: string;
  },
): Difference {
  return { ...one, a: boundsOf(one.a), b: boundsOf(one.b), service: a.service, subject: laneName(a), decides };
}

export function lengthText(ms: Interval): string {
  if (Number.isFinite(ms.max)) return durationBoundsText(ms);
  return ms.min === 0 ? 'an unknown time' : `at least ${durationText(ms.min, 'down')}`;
}

function ratioOf({ count, total }: Share): Interval {
  return total === 0 ? { min: 0, max: 1 } : { min: count.min / total, max: count.max / total };
}
