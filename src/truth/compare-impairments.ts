/** Stretches in which good and failed slots mix: what the report calls impaired, and what it should have. */
import type { Impaired, LaneAnalysis } from '../core/analysis.ts';
import type { Lane } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import { burstFailuresMin, clustersOf } from './clusters.ts';
import type { Difference } from './comparison.ts';
import { fails, type Fate } from './fate.ts';
import type { History } from './history.ts';
import { countText, failedIn, msText, overlaps, type At, type LaneTruth } from './lane-truth.ts';
import type { TrueOutage } from './true-outages.ts';

/** Sums of lengths in ms lose less than this. */
export const roundingMs = 0.001;
/** Fewer runs of failures may have been outages, as far as anybody can tell. */
const impairmentRunsMin = 5;
/** Above, runs are so long that each is an outage. */
const drawnRatioMax = 0.6;
/** What chance does less often than this, it did not do. */
const chanceMin = 0.001;

export function impairedProblems({ fates, outages }: LaneTruth, seen: LaneAnalysis, at: At): Difference[] {
  const problems: Difference[] = [];
  const total = { min: 0, max: 0 };
  for (const span of seen.impaired) {
    const inside = outages.filter((one) => overlaps(one, span.fromAtNs, span.toAtNs));
    const [first, last] = [inside[0], inside.at(-1)];
    if (first === undefined || last === undefined) continue;
    total.min += nsToMs(last.endsNs.min - first.beginsNs.max);
    total.max += nsToMs(last.endsNs.max - first.beginsNs.min);
    const ofIt = (text: string): number => problems.push(at(span.fromAtNs, span.toAtNs, text));
    if (first.firstFailedAtNs !== span.fromAtNs || last.lastFailedAtNs !== span.toAtNs)
      ofIt('an impairment with other ends');
    const failedCount = failedIn(fates, span.fromAtNs, span.toAtNs).length;
    if (failedCount !== span.failedCount) ofIt(countText(span.failedCount, failedCount));
    if (failedCount < burstFailuresMin) ofIt(`an impairment of ${String(failedCount)} failures`);
  }
  const max = Number.isFinite(total.max) ? total.max : 0;
  const { impairedMs } = seen;
  if (total.min < impairedMs.min - roundingMs || max > impairedMs.max + roundingMs) {
    const text = `impaired ${msText(total.min)} to ${msText(total.max)} ms, reported ${msText(impairedMs.min)} to ${msText(impairedMs.max)}`;
    problems.push(at(0, 0, text));
  }
  return problems;
}

/** Failures that were drawn, in so many runs that nobody could take them for outages, and no impairment is told. */
export function impairmentsMissed(
  { fates, outages, lane }: LaneTruth,
  seen: LaneAnalysis,
  history: History,
  at: At,
): Difference[] {
  return clustersOf(fates, lane).flatMap((cluster) => {
    const [first, last] = [cluster[0] as Fate, cluster.at(-1) as Fate];
    const [fromNs, toNs] = [first.attempt.dueNs, last.attempt.dueNs];
    const runCount = outages.filter((one) => overlaps(one, fromNs, toNs)).length;
    if (runCount < impairmentRunsMin || !cluster.every((fate) => wasDrawn(fate, lane, history))) return [];
    if (seen.impaired.some((span) => span.fromAtNs <= toNs && fromNs <= span.toAtNs)) return [];
    return [
      at(fromNs, toNs, `${String(cluster.length)} failures in ${String(runCount)} runs, and no impairment is told`),
    ];
  });
}

/** What it met failed some requests and not others, by chance alone. */
function wasDrawn({ attempt, fault }: Fate, lane: Lane, history: History): boolean {
  if (attempt.address === null || fault === null) return false;
  const met = history.conditions(attempt.address, lane.check.hostname).during(attempt.sentNs, attempt.endedNs);
  return met.every(({ failedRatio }) => failedRatio > 0 && failedRatio <= drawnRatioMax);
}

/**
 * A run in which whatever the lane could reach was down, told as a part of an impairment: right only where so long a run
 * is what chance would make of the rest. Among n slots of which the share f fails, one of L is there with probability of
 * about n(1 − f)f^L.
 */
export function isNoChance(outage: TrueOutage, span: Impaired, { fates, lane }: LaneTruth, history: History): boolean {
  const length = outage.failed.length;
  if (length < 2) return false;
  const reachable = new Set(
    fates
      .filter(({ attempt }) => attempt.dueNs >= span.fromAtNs && attempt.dueNs <= span.toAtNs)
      .flatMap(({ attempt }) => attempt.address ?? []),
  );
  const isTotal = [...reachable].every((address) =>
    history
      .conditions(address, lane.check.hostname)
      .isAllTheTime(outage.firstFailedAtNs, outage.lastFailedAtNs, (one) => fails(one, 'new', lane.check.goodWithinMs)),
  );
  if (!isTotal) return false;
  const slots = span.slotCount - length;
  const share = (span.failedCount - length) / slots;
  return slots * (1 - share) * share ** length < chanceMin;
}
