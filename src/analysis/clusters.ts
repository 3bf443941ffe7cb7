/**
 * Failures that belong together, and what a cluster of them is. A cluster ends where enough good slots follow one another
 * (domain facts F.1, after RFC 3611). Within it, failed and good slots either mix by chance or by address, as when one of
 * two addresses is dead: then it is one impaired span; or they alternate in stretches that chance does not make: then
 * each failed run is an outage of its own.
 */
import type { Gaps } from './gaps.ts';
import { meanings, type LaneView } from './lane-view.ts';

/** Gaps from `first` to `last`, both with failures. */
export interface Cluster {
  readonly first: number;
  readonly last: number;
  readonly failedCount: number;
}

export interface ImpairedSpan extends Cluster {
  readonly firstSlot: number;
  readonly lastSlot: number;
  /** By number: every failure was at one of these, and (almost) no good slot. */
  readonly deadAddresses: readonly number[];
}

/** Fewer failures than this are no burst, and too few to tell chance from stretches. */
export const burstFailuresMin = 5;
const impairedRunsMin = 3;
/** What chance does less often than this, it did not do. */
const chanceMin = 0.001;
/** The same for a standard normal variable. */
const chanceDeviations = 3.09;
/** An address with a smaller share of good slots is dead. */
const deadGoodShareMax = 0.05;
const deadFailuresMin = 3;

/** The fewest good slots in a row that part two clusters. */
export function goodRunMin(ratePerSecond: number): number {
  return Math.max(16, Math.ceil(ratePerSecond));
}

/** With `alsoUnseen`, as if everything unseen had failed: the most that can have been. */
export function findClusters(gaps: Gaps, ratePerSecond: number, alsoUnseen = false): Cluster[] {
  const clusters: Cluster[] = [];
  const goodMin = goodRunMin(ratePerSecond);
  let open: { first: number; last: number; failedCount: number } | null = null;
  let goodCount = 0;
  for (let gap = 0; gap < gaps.count; gap += 1) {
    if (gap > 0) goodCount += (gaps.first[gap] as number) - (gaps.last[gap - 1] as number) - 1;
    const failedCount = alsoUnseen
      ? (gaps.last[gap] as number) - (gaps.first[gap] as number) + 1
      : (gaps.failedCount[gap] as number);
    if (failedCount === 0) continue;
    if (open !== null && goodCount < goodMin) {
      open.last = gap;
      open.failedCount += failedCount;
    } else {
      open = { first: gap, last: gap, failedCount };
      clusters.push(open);
    }
    goodCount = 0;
  }
  return clusters;
}

/** The impaired parts of a cluster, in order; every failed run outside them is an outage. */
export function findImpaired(view: LaneView, gaps: Gaps, cluster: Cluster): ImpairedSpan[] {
  const runs: number[] = [];
  for (let gap = cluster.first; gap <= cluster.last; gap += 1)
    if ((gaps.failedCount[gap] as number) > 0) runs.push(gap);
  const spans: ImpairedSpan[] = [];
  const parts = [runs];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const tally = tallyOf(gaps, part);
    if (tally.failed < burstFailuresMin || part.length < impairedRunsMin || tally.good === 0) continue;
    const dead = deadAddresses(view, gaps, part);
    const taken = new Set([
      ...longRuns(gaps, part, tally),
      ...(dead.size > 0 ? runsElsewhere(view, gaps, part, dead) : []),
    ]);
    if (taken.size > 0) parts.push(...partsWithout(part, taken).toReversed());
    else spans.push(spanOf(gaps, part, tally.failed, dead));
  }
  return spans;
}

interface PartTally {
  readonly failed: number;
  readonly good: number;
}

function tallyOf(gaps: Gaps, part: readonly number[]): PartTally {
  const [first, last] = [part[0] as number, part.at(-1) as number];
  let failed = 0;
  let good = 0;
  for (let gap = first; gap <= last; gap += 1) {
    failed += gaps.failedCount[gap] as number;
    if (gap > first) good += (gaps.first[gap] as number) - (gaps.last[gap - 1] as number) - 1;
  }
  return { failed, good };
}

/**
 * Runs that chance did not make. Either one is longer than the rest would let one expect: among n slots of which the share
 * f fails, a run of L or more is there with probability of about n(1 − f)f^L. Or there are too few runs for so many
 * failures (Wald and Wolfowitz): then the longer half of them.
 */
function longRuns(gaps: Gaps, part: readonly number[], { failed, good }: PartTally): number[] {
  const lengthOf = (gap: number): number => gaps.failedCount[gap] as number;
  const count = failed + good;
  const longest = part.reduce((most, gap) => Math.max(most, lengthOf(gap)), 0);
  // The share is that of the others, or one long outage would make itself likely.
  const share = (failed - longest) / (count - longest);
  const improbable = part.filter((gap) => count * (1 - share) * share ** lengthOf(gap) < chanceMin);
  if (improbable.length > 0) return improbable;
  const expected = (failed * (good + 1)) / count;
  const variance = (failed * (failed - 1) * good * (good + 1)) / (count * count * (count - 1));
  if (part.length + 0.5 >= expected - chanceDeviations * Math.sqrt(variance)) return [];
  const lengths = part.map(lengthOf).toSorted((a, b) => a - b);
  const middle = Math.max(2, lengths[lengths.length >>> 1] as number);
  return part.filter((gap) => lengthOf(gap) >= middle);
}

/** Addresses at which (almost) nothing was good between the first and the last failure, while others answered. */
function deadAddresses(view: LaneView, gaps: Gaps, part: readonly number[]): Set<number> {
  const byAddress = new Map<number, { good: number; failed: number }>();
  const last = gaps.lastFailed[part.at(-1) as number] as number;
  for (let slot = gaps.firstFailed[part[0] as number] as number; slot <= last; slot += 1) {
    const meaning = view.meaning[slot];
    if (meaning !== meanings.good && meaning !== meanings.failed) continue;
    const { address } = view.factsAt(slot);
    const seen = byAddress.get(address) ?? { good: 0, failed: 0 };
    byAddress.set(address, seen);
    if (meaning === meanings.good) seen.good += 1;
    else seen.failed += 1;
  }
  const isDead = (seen: { good: number; failed: number }): boolean =>
    seen.failed >= deadFailuresMin && seen.good <= deadGoodShareMax * (seen.good + seen.failed);
  const dead = [...byAddress].filter(([address, seen]) => address > 1 && isDead(seen)).map(([address]) => address);
  const hasOthers = [...byAddress].some(([address, seen]) => !dead.includes(address) && seen.good > 0);
  return new Set(hasOthers ? dead : []);
}

/** Runs with a failure at an address that is alive: then, nothing worked. */
function runsElsewhere(view: LaneView, gaps: Gaps, part: readonly number[], dead: ReadonlySet<number>): number[] {
  return part.filter((gap) => {
    const last = gaps.lastFailed[gap] as number;
    for (let slot = gaps.firstFailed[gap] as number; slot <= last; slot += 1) {
      if (view.meaning[slot] === meanings.failed && !dead.has(view.factsAt(slot).address)) return true;
    }
    return false;
  });
}

function partsWithout(part: readonly number[], taken: ReadonlySet<number>): number[][] {
  const parts: number[][] = [[]];
  for (const gap of part) {
    if (taken.has(gap)) parts.push([]);
    else parts.at(-1)?.push(gap);
  }
  return parts.filter((one) => one.length > 0);
}

function spanOf(gaps: Gaps, part: readonly number[], failedCount: number, dead: ReadonlySet<number>): ImpairedSpan {
  const [first, last] = [part[0] as number, part.at(-1) as number];
  return {
    first,
    last,
    failedCount,
    firstSlot: gaps.firstFailed[first] as number,
    lastSlot: gaps.lastFailed[last] as number,
    deadAddresses: [...dead].toSorted((a, b) => a - b),
  };
}

/** Whether a gap counts to an impaired span and not to downtime: its failures, or all of it where nothing failed. */
export function isInside(spans: readonly ImpairedSpan[], gaps: Gaps, gap: number): boolean {
  const hasFailed = (gaps.failedCount[gap] as number) > 0;
  const first = (hasFailed ? gaps.firstFailed[gap] : gaps.first[gap]) as number;
  const last = (hasFailed ? gaps.lastFailed[gap] : gaps.last[gap]) as number;
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle] as ImpairedSpan).lastSlot < last) low = middle + 1;
    else high = middle;
  }
  const span = spans[low];
  return span !== undefined && span.firstSlot <= first && last <= span.lastSlot;
}
