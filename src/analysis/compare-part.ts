/** What of a lane is compared: from the change on; of a run without one, all of it. */
import type { Analysis, Cause, Interval, LaneAnalysis, Outage, ServiceAnalysis } from '../core/analysis.ts';
import { nsToMs, nsToS } from '../core/time.ts';
import type { Share } from './compare-intervals.ts';

/** How long these last is up to when what was cached, or kept open, had begun. */
const luckyCauses: readonly Cause[] = ['stale-answer', 'kept-connection', 'pinned'];

export interface Part {
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
  /** From the change on: until when it was served by the side left, and since when it was failed there; null = never. */
  readonly servedThereMs: number | null;
  readonly failedThereMs: number | null;
  /** How far off these may be. */
  readonly marginMs: number;
}

/** What a log that is not whole does not tell has no upper bound. */
export function bounded(interval: Interval, isWhole: boolean): Interval {
  return isWhole ? interval : { min: interval.min, max: Infinity };
}

/** From the change on; of a run without one, all of it. */
export function partOf(lane: LaneAnalysis, analysis: Analysis): Part {
  const { isWhole, services } = analysis;
  const { judgedPart } = lane;
  const fromNs = judgedPart?.fromAtNs ?? 0;
  const outages = lane.outages.filter(({ lastFailedAtNs }) => lastFailedAtNs >= fromNs);
  const slots = judgedPart?.slots ?? lane.slots;
  const unseen = slots.due - slots.good - slots.failed;
  const failed = judgedPart?.failedCount ?? { min: slots.failed, max: slots.failed + unseen };
  const longest = (of: (outage: Outage) => number): number => Math.max(0, ...outages.map(of));
  const service = services.find(({ name }) => name === lane.service);
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
    ...held(lane, outages, service),
  };
}

/** Polls of name servers, and of who answers, are so far apart. */
const pollMs = 1000;

function held(
  lane: LaneAnalysis,
  outages: readonly Outage[],
  service: ServiceAnalysis | undefined,
): Pick<Part, 'lifeMs' | 'servedThereMs' | 'failedThereMs' | 'marginMs'> {
  const [change, next] = service?.changes ?? [];
  if (service === undefined || change === undefined) {
    return { lifeMs: 0, servedThereMs: null, failedThereMs: null, marginMs: 0 };
  }
  const { usedAtNs, usedBy, direction } = change;
  const leaving = direction === 'old-to-new' ? 'old' : 'new';
  const untilNs = next?.usedAtNs ?? Infinity;
  const served = lane.stretches.findLast(
    ({ state, fromAtNs, toAtNs }) => state === leaving && toAtNs > usedAtNs && fromAtNs < untilNs,
  );
  const failed = outages.find(isLucky);
  const afterMs = (atNs: number | undefined): number | null => (atNs === undefined ? null : nsToMs(atNs - usedAtNs));
  return {
    lifeMs: lane.leavesOldByAtNs === null ? lifeMs(service) : nsToMs(lane.leavesOldByAtNs - usedAtNs),
    servedThereMs: afterMs(served === undefined ? undefined : Math.min(served.toAtNs, untilNs)),
    failedThereMs: afterMs(failed?.firstFailedAtNs),
    marginMs: lane.resolutionMs + (usedBy === 'command' || usedBy === 'mark' ? 0 : pollMs),
  };
}

/** For how long an answer, and what a judged client makes of it, may lead to the side left; with name servers that lag. */
export function lifeMs({ oldAnswers, ttlS, changes: [change] }: ServiceAnalysis): number {
  const { authorityFirstAtNs: firstNs = null, authorityLastAtNs: lastNs = null } = change ?? {};
  // Of a run that ended between the two, how long they lag is not known.
  const lagNs = firstNs === null || lastNs === null ? 0 : lastNs - firstNs;
  return 1000 * Math.max(oldAnswers?.leastS ?? 0, ttlS.after ?? 0) + nsToMs(lagNs);
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

export function isLucky({ causes }: Pick<Outage, 'causes'>): boolean {
  return luckyCauses.some((cause) => (causes[cause] ?? 0) > 0);
}
