/** A lane of one run beside the same of another: how long it was down, and how often it failed. */
import type { Analysis, Cause, Interval, LaneAnalysis, Outage } from '../core/analysis.ts';
import { boundsOf, type ComparedQuantity, type ComparisonResult, type Difference } from '../core/comparison.ts';
import { laneName } from '../core/lane-name.ts';
import { boundsText, durationBoundsText, durationText, ratioText } from '../core/quantity-text.ts';
import { nsToMs, nsToS } from '../core/time.ts';
import { compareIntervals, compareShares, type Share } from './compare-intervals.ts';
import type { LanePair } from './compare-match.ts';

/** How long these last is up to when what was cached, or kept open, had begun. */
const luckyCauses: readonly Cause[] = ['stale-answer', 'kept-connection', 'pinned'];

interface Part {
  readonly lane: LaneAnalysis;
  readonly isWhole: boolean;
  readonly downtimeMs: Interval;
  readonly longestOutageMs: Interval;
  readonly impairedMs: Interval;
  readonly outages: readonly Outage[];
  readonly failed: Share;
  readonly watchedS: number;
  /** How long what a client of this kind holds may last from the change on. */
  readonly lifeMs: number;
}

/** Shares of runs of which one was watched so much longer are of other things: a tail without failures dilutes them. */
const watchedRatioMax = 1.25;

export interface LaneRuns {
  readonly a: Analysis;
  readonly b: Analysis;
}

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

/** How far the downtime of two runs of one world may be apart, ms. */
export function downtimeLuckMs(pair: LanePair, runs: LaneRuns): number {
  const { heldMs, mixedDownMs } = luckOf(partOf(pair.a, runs.a), partOf(pair.b, runs.b));
  return heldMs + mixedDownMs;
}

export function luckText(luckMs: number): string {
  if (luckMs === 0) return '';
  return luckMs === Infinity ? '; luck explains any difference' : `; luck explains up to ${durationText(luckMs, 'up')}`;
}

interface Luck {
  /** Of when what is cached, or kept open, had begun. */
  readonly heldMs: number;
  /**
   * Where good and failed probes mix, chance makes the runs of failures that count as outages, and where such a stretch
   * begins and ends is seen only at its next failure. How often it failed is compared by itself.
   */
  readonly mixedDownMs: number;
  readonly mixedImpairedMs: number;
}

/** Chance puts the first failure of a mixed stretch further in than ln(1000) ÷ share slots once in a thousand times. */
const edgeSlots = Math.log(1000);

function luckOf(a: Part, b: Part): Luck {
  const heldMs = [a, b].some(({ outages }) => outages.some(isLucky)) ? Math.max(a.lifeMs, b.lifeMs) : 0;
  const [mixedA, mixedB] = [mixedStretches(a), mixedStretches(b)];
  const edgesMs = [...mixedA, ...mixedB].reduce((sum, { edgeMs }) => sum + 2 * edgeMs, 0);
  if (edgesMs === 0) return { heldMs, mixedDownMs: 0, mixedImpairedMs: 0 };
  const lengthOf = (mixed: readonly Mixed[]): number => mixed.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  return {
    heldMs,
    mixedDownMs: edgesMs + Math.max(lengthOf(mixedA), lengthOf(mixedB)),
    mixedImpairedMs: edgesMs + Math.max(a.downtimeMs.max, b.downtimeMs.max),
  };
}

interface Mixed {
  readonly lengthMs: number;
  readonly edgeMs: number;
}

/** Where a part of a side fails, chance sends a request there or not. */
const partialCauses: readonly Cause[] = ['address-down', 'side-impaired', 'stale-target', 'target-failed'];

/** Impaired ones, and from the first to the last outage at a part of a side. */
function mixedStretches({ lane, outages }: Part): Mixed[] {
  const partial = outages.filter(({ causes }) => partialCauses.some((cause) => (causes[cause] ?? 0) > 0));
  const [first, last] = [partial[0], partial.at(-1)];
  const spans = lane.impaired.map(({ fromAtNs, toAtNs, failedShare }) => ({
    lengthMs: nsToMs(toAtNs - fromAtNs),
    failedShare,
  }));
  if (first !== undefined && last !== undefined) {
    const lengthMs = nsToMs(last.lastFailedAtNs - first.firstFailedAtNs) + lane.resolutionMs;
    const failedCount = partial.reduce((sum, outage) => sum + outage.failedCount, 0);
    spans.push({ lengthMs, failedShare: (failedCount * lane.resolutionMs) / lengthMs });
  }
  return spans.map(({ lengthMs, failedShare }) => ({
    lengthMs,
    edgeMs: (edgeSlots * lane.resolutionMs) / failedShare,
  }));
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

/** What a log that is not whole does not tell has no upper bound. */
export function bounded(interval: Interval, isWhole: boolean): Interval {
  return isWhole ? interval : { min: interval.min, max: Infinity };
}

/** From the change on; of a run without one, all of it. */
function partOf(lane: LaneAnalysis, { isWhole, services }: Analysis): Part {
  const { judgedPart } = lane;
  const fromNs = judgedPart?.fromAtNs ?? 0;
  const outages = lane.outages.filter(({ lastFailedAtNs }) => lastFailedAtNs >= fromNs);
  const slots = judgedPart?.slots ?? lane.slots;
  const unseen = slots.due - slots.good - slots.failed;
  const failed = judgedPart?.failedCount ?? { min: slots.failed, max: slots.failed + unseen };
  const longest = (of: (outage: Outage) => number): number => Math.max(0, ...outages.map(of));
  const usedAtNs = services.find(({ name }) => name === lane.service)?.changes[0]?.usedAtNs;
  const heldMs = lane.leavesOldByAtNs === null || usedAtNs === undefined ? Infinity : lane.leavesOldByAtNs - usedAtNs;
  return {
    lane,
    isWhole,
    downtimeMs: bounded(judgedPart?.downtimeMs ?? lane.downtimeMs, isWhole),
    longestOutageMs: bounded(
      judgedPart?.longestOutageMs ?? {
        min: longest(({ downMsMin }) => downMsMin),
        max: longest(({ downMsMax }) => downMsMax),
      },
      isWhole,
    ),
    impairedMs: bounded(lane.impairedMs, isWhole),
    outages,
    failed: shareOf(lane, { failed, due: slots.due, outages }),
    watchedS: judgedPart === null ? slots.due / lane.ratePerSecond : nsToS(judgedPart.toAtNs - judgedPart.fromAtNs),
    lifeMs: nsToMs(heldMs),
  };
}

/** Without those that luck decides about: how long they last is compared already. */
function shareOf(
  lane: LaneAnalysis,
  { failed, due, outages }: { readonly failed: Interval; readonly due: number; readonly outages: readonly Outage[] },
): Share {
  const spans = [...outages, ...lane.impaired];
  const lucky = spans.reduce(
    (sum, { causes }) => sum + luckyCauses.reduce((n, cause) => n + (causes[cause] ?? 0), 0),
    0,
  );
  const counted = outages.filter((outage) => !isLucky(outage)).map(({ failedCount }) => failedCount);
  const sum = counted.reduce((total, n) => total + n, 0);
  const squares = counted.reduce((total, n) => total + n * n, 0);
  return {
    count: { min: Math.max(0, failed.min - lucky), max: Math.max(0, failed.max - lucky) },
    total: due,
    clusterSize: sum === 0 ? 1 : squares / sum,
  };
}

function isLucky({ causes }: Pick<Outage, 'causes'>): boolean {
  return luckyCauses.some((cause) => (causes[cause] ?? 0) > 0);
}

function ratioOf({ count, total }: Share): Interval {
  return total === 0 ? { min: 0, max: 1 } : { min: count.min / total, max: count.max / total };
}
