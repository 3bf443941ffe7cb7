/**
 * What the objectives limit, as it really was in one lane from the change on. An interval where even the world cannot say:
 * what was not sent may have been anything, what our own network did is nobody's breach, and a mix of failures and good
 * answers may be told as outages or as an impairment.
 */
import type { Interval } from '../core/analysis.ts';
import type { Lane, Side } from '../core/scenario.ts';
import { nsPerS, nsToMs, sToNs } from '../core/time.ts';
import { burstFailuresMin, clustersOf } from './clusters.ts';
import type { Fate } from './fate.ts';
import { movesEverybody, type History } from './history.ts';
import type { LaneTruth } from './lane-truth.ts';

export interface TrueValues {
  readonly outageMsMax: Interval;
  readonly downtimeMsMax: Interval;
  readonly failedRatioMax: Interval;
  readonly worstMinuteFailedRatioMax: Interval;
  readonly burst5xxCountMax: Interval;
  readonly flipBackCountMax: Interval;
  readonly failedCount: Interval;
}

/** An impairment mixes runs of failures with good slots; fewer runs are outages. */
const impairedRunsMin = 3;
const minuteS = 60;
/** TTLs are whole seconds, lanes share an answer for one, and a row is older by the time its connection took. */
const expirySlackNs = sToNs(3);

/** @param from when the judged part begins, as far as that can be known. */
export function trueValues(truth: LaneTruth, history: History, from: Interval): TrueValues {
  const [a, b] = [valuesFrom(truth, history, from.min), valuesFrom(truth, history, from.max)];
  const keys = Object.keys(a) as (keyof TrueValues)[];
  return Object.fromEntries(
    keys.map((key) => [key, { min: Math.min(a[key].min, b[key].min), max: Math.max(a[key].max, b[key].max) }]),
  ) as unknown as TrueValues;
}

function valuesFrom(truth: LaneTruth, history: History, fromNs: number): TrueValues {
  const judged = truth.fates.filter((fate) => fate.attempt.dueNs >= fromNs);
  const before = truth.fates.filter((fate) => fate.attempt.dueNs < fromNs);
  const unseenCount = judged.filter((fate) => fate.kind === 'unseen').length;
  const failedMin = judged.filter(isSure).length;
  const failedMax = judged.filter((fate) => fate.kind !== 'good').length;
  const failedBefore = before.filter((fate) => fate.kind === 'failed').length;
  const seenBefore = before.filter((fate) => fate.kind !== 'unseen').length;
  const baseline = failedBefore === 0 ? 0 : failedBefore / seenBefore;
  const above = (count: number): number => (judged.length === 0 ? 0 : Math.max(0, count / judged.length - baseline));
  // What was not sent may have hidden anything.
  const unknownMax = unseenCount > 0 ? Infinity : 0;
  const durations = durationsOf(truth, judged, fromNs);
  const bursts = clustersOf(judged, truth.lane).filter((cluster) => cluster.length >= burstFailuresMin);
  const flips = flipBacks(truth, history, fromNs);
  return {
    outageMsMax: { min: durations.longest.min, max: durations.longest.max + unknownMax },
    downtimeMsMax: { min: durations.total.min, max: durations.total.max + unknownMax },
    failedRatioMax: { min: above(failedMin), max: above(failedMax) },
    failedCount: { min: failedMin, max: failedMax },
    worstMinuteFailedRatioMax: {
      min: worstMinute(judged, truth.lane, isSure),
      max: worstMinute(judged, truth.lane, (fate) => fate.kind !== 'good'),
    },
    burst5xxCountMax: {
      min: unseenCount > 0 ? 0 : bursts.filter((cluster) => cluster.some((fate) => is5xx(fate) && isSure(fate))).length,
      max: bursts.filter((cluster) => cluster.some(is5xx)).length + unknownMax,
    },
    flipBackCountMax: { min: flips.min, max: flips.max + unknownMax },
  };
}

/** The service's own failure: what our own network did is not certain to be one. */
function isSure(fate: Fate): boolean {
  return fate.kind === 'failed' && fate.fault !== 'own-network-lost';
}

function is5xx({ attempt }: Fate): boolean {
  return attempt.outcome === 'answered' && attempt.status >= 500 && attempt.status < 600;
}

function durationsOf(
  { outages, lane }: LaneTruth,
  judged: readonly Fate[],
  fromNs: number,
): { readonly total: Interval; readonly longest: Interval } {
  const mixed = new Set(
    clustersOf(judged, lane)
      .filter((cluster) => cluster.length >= burstFailuresMin)
      .filter(
        (cluster) =>
          outages.filter((outage) => cluster.some((fate) => outage.failed.includes(fate))).length >= impairedRunsMin,
      )
      .flat(),
  );
  const total = { min: 0, max: 0 };
  const longest = { min: 0, max: 0 };
  for (const outage of outages) {
    if (outage.lastFailedAtNs < fromNs) continue;
    const isCertain = outage.failed.every(isSure) && !outage.failed.some((fate) => mixed.has(fate));
    const min = isCertain ? Math.max(0, nsToMs(outage.endsNs.min - Math.max(fromNs, outage.beginsNs.max))) : 0;
    const max = nsToMs(outage.endsNs.max - Math.max(fromNs, outage.beginsNs.min));
    total.min += min;
    total.max += max;
    longest.min = Math.max(longest.min, min);
    longest.max = Math.max(longest.max, max);
  }
  return { total, longest };
}

/** Over the slots of a full minute, also where fewer have been due. */
function worstMinute(judged: readonly Fate[], lane: Lane, counts: (fate: Fate) => boolean): number {
  const length = Math.max(1, Math.round(lane.ratePerSecond * minuteS));
  let [count, worst] = [0, 0];
  judged.forEach((fate, i) => {
    if (counts(fate)) count += 1;
    const left = judged[i - length];
    if (left !== undefined && counts(left)) count -= 1;
    worst = Math.max(worst, count);
  });
  return worst / length;
}

// ── flips ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of clients that resolve and connect for each request: back on a side that no record led to any more. */
function flipBacks({ lane, fates }: LaneTruth, history: History, fromNs: number): Interval {
  const { resolve, connect } = lane.archetype;
  if (lane.role !== 'client' || resolve.kind !== 'per-connection' || connect.kind !== 'new') return { min: 0, max: 0 };
  const flips = { min: 0, max: 0 };
  const moves = history.moves(lane.check.hostname);
  // As their answers came: one that waited for its resolver was overtaken by those after it.
  const inOrder = fates.toSorted((a, b) => a.attempt.resolvedNs - b.attempt.resolvedNs);
  const isForAll = movesEverybody(history);
  moves.forEach((move, i) => {
    const untilNs = moves[i + 1]?.firstAtNs ?? Infinity;
    const expiresAtNs = expiryNs(lane.check.hostname, move.from, move.lastAtNs, history) + expirySlackNs;
    let was: Side | null = null;
    for (const { attempt } of inOrder) {
      const { dueNs, address } = attempt;
      const side = address === null ? null : history.sideOf(address);
      if (dueNs < Math.max(fromNs, move.firstAtNs) || dueNs >= untilNs || side === null) continue;
      if (was === move.to && side === move.from) {
        flips.max += 1;
        if (dueNs > expiresAtNs && isForAll) flips.min += 1;
      }
      was = side;
    }
  });
  return flips;
}

/** From here on no correct cache holds the record of this side. */
export function expiryNs(hostname: string, side: Side, lastMovedNs: number | null, history: History): number {
  if (lastMovedNs === null) return Infinity;
  let expiresAtNs = lastMovedNs;
  for (const steps of history.records(hostname).values()) {
    const all = steps.all();
    all.forEach(({ atNs, value }, i) => {
      if (value.side !== side || atNs > lastMovedNs) return;
      const servedUntilNs = all[i + 1]?.atNs ?? lastMovedNs;
      expiresAtNs = Math.max(expiresAtNs, Math.min(servedUntilNs, lastMovedNs) + value.ttlS * nsPerS);
    });
  }
  return expiresAtNs;
}
