/** What the objectives are held against: one lane, from the change on, each quantity as an interval. */
import type { Interval, Judged } from '../core/analysis.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { nsToMs } from '../core/time.ts';
import type { Change } from './change.ts';
import { burstFailuresMin, findClusters, type Cluster, type ImpairedSpan } from './clusters.ts';
import { downtimeOf } from './downtime.ts';
import { findGaps, type Gaps } from './gaps.ts';
import { countSlots, isSeen, meanings, type LaneView } from './lane-view.ts';
import { isFresh, mustLeave, sharedPollNs, ttlRoundingNs, type RecordLife } from './leaving.ts';

export interface JudgeContext {
  /** Those that every client must follow, in order of time. */
  readonly changes: readonly Change[];
  /** For each of them. */
  readonly lives: readonly RecordLife[];
  /** Of the whole lane. */
  readonly impaired: readonly ImpairedSpan[];
  readonly isSuspect: ((slot: number) => boolean) | null;
}

const minuteS = 60;

/** `fromNs`: when the first change began. */
export function judgedPart(view: LaneView, fromNs: number, context: JudgeContext): Judged {
  const fromSlot = Math.min(view.slotCount, slotsDueBefore(view.lane, fromNs));
  const gaps = findGaps(view.meaning, fromSlot, view.slotCount, context.isSuspect);
  const slots = countSlots(view, fromSlot, view.slotCount);
  const downtime = downtimeOf({ view, gaps, fromSlot, fromNs, impaired: context.impaired });
  const failedCount = { min: sumOf(gaps.sureCount), max: slots.due - slots.good };
  const baselineFailedRatio = failedRatioBefore(view, fromSlot);
  const aboveBaseline = (count: number): number =>
    slots.due === 0 ? 0 : Math.max(0, count / slots.due - baselineFailedRatio);
  return {
    fromAtNs: fromNs,
    toAtNs: view.untilNs,
    slots,
    longestOutageMs: downtime.longest,
    downtimeMs: downtime.total,
    failedRatio: { min: aboveBaseline(failedCount.min), max: aboveBaseline(failedCount.max) },
    failedCount,
    baselineFailedRatio,
    worstMinuteFailedRatio: worstMinute(view, fromSlot, context.isSuspect),
    burst5xxCount: burst5xxCount(view, gaps, context.isSuspect),
    flipBackCount: flipBackCount(view, context),
    resolutionMs: nsToMs(longestUnseenNs(view, fromSlot, fromNs)),
  };
}

function sumOf(counts: Int32Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** Of what was seen; a baseline of nothing has no failures to forgive. */
function failedRatioBefore(view: LaneView, toSlot: number): number {
  const { good, failed } = countSlots(view, 0, toSlot);
  return failed === 0 ? 0 : failed / (good + failed);
}

/** Over every 60 s in due time, and over the slots of a full minute even where fewer have been due yet. */
function worstMinute(view: LaneView, fromSlot: number, isSuspect: JudgeContext['isSuspect']): Interval {
  const length = Math.max(1, Math.round(view.lane.ratePerSecond * minuteS));
  const isSure = (slot: number): boolean => view.meaning[slot] === meanings.failed && isSuspect?.(slot) !== true;
  let [sure, notGood] = [0, 0];
  const worst = { min: 0, max: 0 };
  for (let slot = fromSlot; slot < view.slotCount; slot += 1) {
    if (isSure(slot)) sure += 1;
    if (view.meaning[slot] !== meanings.good) notGood += 1;
    const left = slot - length;
    if (left >= fromSlot) {
      if (isSure(left)) sure -= 1;
      if (view.meaning[left] !== meanings.good) notGood -= 1;
    }
    if (sure > worst.min) worst.min = sure;
    if (notGood > worst.max) worst.max = notGood;
  }
  return { min: worst.min / length, max: worst.max / length };
}

/** The least: bursts with a 5xx that was seen. The most: as if everything unseen had been one. */
function burst5xxCount(view: LaneView, gaps: Gaps, isSuspect: JudgeContext['isSuspect']): Interval {
  const has = (cluster: Cluster, isHit: (slot: number) => boolean): boolean => {
    if (cluster.failedCount < burstFailuresMin) return false;
    const last = gaps.last[cluster.last] as number;
    for (let slot = gaps.first[cluster.first] as number; slot <= last; slot += 1) if (isHit(slot)) return true;
    return false;
  };
  const is5xx = (slot: number): boolean => view.meaning[slot] === meanings.failed && view.factsAt(slot).is5xx;
  const isSure = (slot: number): boolean => is5xx(slot) && isSuspect?.(slot) !== true;
  const mayBe = (slot: number): boolean => is5xx(slot) || !isSeen(view, slot);
  const { ratePerSecond } = view.lane;
  return {
    min: findClusters(gaps, ratePerSecond).filter((cluster) => has(cluster, isSure)).length,
    max: findClusters(gaps, ratePerSecond, true).filter((cluster) => has(cluster, mayBe)).length,
  };
}

/**
 * Back on the leaving side although no compliant cache could still hold its answer. Only for lanes that follow DNS for
 * every slot; an answer whose side is not known may have been such a one. Without a heard authority it is not certain.
 */
function flipBackCount(view: LaneView, { changes, lives }: JudgeContext): Interval {
  const total = { min: 0, max: 0 };
  if (!isFresh(view.lane) || !mustLeave(view.lane)) return total;
  changes.forEach((change, i) => {
    const life = lives[i];
    if (life === undefined) return;
    const { expiresAtNs } = life;
    const sinceNs = expiresAtNs === null ? change.seen.usedAtNs : expiresAtNs + ttlRoundingNs + sharedPollNs;
    const flips = flipsSince(view, change, sinceNs);
    total.min += life.isProven ? flips.min : 0;
    total.max += flips.max;
  });
  return total;
}

/** Of the slots that are due from `sinceNs` on; where the lane was until then counts as where it flips from. */
function flipsSince(view: LaneView, { leaving, target, untilNs, seen }: Change, sinceNs: number): Interval {
  const flips = { min: 0, max: 0 };
  let wasOnTarget = false;
  let mayBeOnTarget = false;
  const sinceSlot = slotsDueBefore(view.lane, sinceNs);
  const to = Math.min(view.slotCount, slotsDueBefore(view.lane, untilNs));
  for (let slot = slotsDueBefore(view.lane, seen.usedAtNs); slot < to; slot += 1) {
    if (!isSeen(view, slot)) continue;
    const { side, isAnswered } = view.factsAt(slot);
    if (side === target) {
      wasOnTarget = true;
      mayBeOnTarget = true;
    } else if (side === leaving) {
      if (wasOnTarget && slot >= sinceSlot) flips.min += 1;
      if (mayBeOnTarget && slot >= sinceSlot) flips.max += 1;
      wasOnTarget = false;
      mayBeOnTarget = false;
    } else if (isAnswered) {
      if (mayBeOnTarget && slot >= sinceSlot) flips.max += 1;
      mayBeOnTarget = false;
    }
  }
  return flips;
}

/** The longest distance of two neighbouring slots that were seen, the ends of the window among them. */
function longestUnseenNs(view: LaneView, fromSlot: number, fromNs: number): number {
  let longestNs = 0;
  let lastNs = fromNs;
  for (let slot = fromSlot; slot < view.slotCount; slot += 1) {
    if (!isSeen(view, slot)) continue;
    const dueNs = view.dueNs(slot);
    longestNs = Math.max(longestNs, dueNs - lastNs);
    lastNs = dueNs;
  }
  return Math.max(longestNs, view.untilNs - lastNs);
}
