/**
 * What was really down, lane by lane: runs of due instants whose request failed. Where a run begins and ends is known as
 * exactly as the world's own edges are: two neighbouring slots that went to the same address have the instant between
 * them at which that address changed; where the lane moved between them, any instant between the two is as good.
 */
import type { Interval } from '../core/analysis.ts';
import type { Lane } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import type { Condition } from '../core/truth.ts';
import { fails, type Fate } from './fate.ts';
import type { History } from './history.ts';

export interface TrueOutage {
  /** Fates of the failed slots, in order. */
  readonly failed: readonly Fate[];
  readonly firstFailedAtNs: number;
  readonly lastFailedAtNs: number;
  /** Due instants of the good slots around it; null = none. */
  readonly lastGoodAtNs: number | null;
  readonly firstGoodAtNs: number | null;
  /** When due instants began to be bad ones, and when they ceased to. */
  readonly beginsNs: Interval;
  readonly endsNs: Interval;
  readonly lengthMs: Interval;
}

/** @param fates in order of slots; slots without a row are left out, and end nothing. */
export function trueOutagesOf(fates: readonly Fate[], lane: Lane, history: History): TrueOutage[] {
  const outages: TrueOutage[] = [];
  let lastGood: Fate | null = null;
  let failed: Fate[] = [];
  const close = (firstGood: Fate | null): void => {
    if (failed.length > 0) outages.push(outageOf(failed, lastGood, firstGood, lane, history));
    failed = [];
  };
  for (const fate of fates) {
    if (fate.kind === 'failed') failed.push(fate);
    else if (fate.kind === 'good') {
      close(fate);
      lastGood = fate;
    }
  }
  close(null);
  return outages;
}

function outageOf(
  failed: readonly Fate[],
  lastGood: Fate | null,
  firstGood: Fate | null,
  lane: Lane,
  history: History,
): TrueOutage {
  const [first, last] = [failed[0] as Fate, failed.at(-1) as Fate];
  const begins = edge({ good: lastGood, failed: first, begins: true }, lane, history);
  const ends = edge({ good: firstGood, failed: last, begins: false }, lane, history);
  return {
    failed,
    firstFailedAtNs: first.attempt.dueNs,
    lastFailedAtNs: last.attempt.dueNs,
    lastGoodAtNs: lastGood?.attempt.dueNs ?? null,
    firstGoodAtNs: firstGood?.attempt.dueNs ?? null,
    beginsNs: begins,
    endsNs: ends,
    lengthMs: { min: nsToMs(ends.min - begins.max), max: nsToMs(ends.max - begins.min) },
  };
}

interface Edge {
  readonly good: Fate | null;
  readonly failed: Fate;
  readonly begins: boolean;
}

/**
 * A request fails by what it meets between its sending and its end, so a due instant is bad already if what it leads to
 * becomes bad before the answer is there: the edge of the due instants lies before the world's by at most the time a
 * good request takes.
 */
function edge({ good, failed, begins }: Edge, lane: Lane, history: History): Interval {
  const badNs = failed.attempt.dueNs;
  if (good === null) return begins ? { min: -Infinity, max: badNs } : { min: badNs, max: Infinity };
  const goodNs = good.attempt.dueNs;
  const [fromNs, toNs] = begins ? [goodNs, badNs] : [badNs, goodNs];
  const worldNs = worldEdge({ good, failed, begins }, lane, history);
  if (worldNs === null) return { min: fromNs, max: toNs };
  const reachNs = good.attempt.endedNs - good.attempt.dueNs;
  const max = Math.min(toNs, Math.max(fromNs, worldNs));
  return { min: Math.min(max, Math.max(fromNs, worldNs - reachNs)), max };
}

/** The one instant between two neighbours at which their common address began to fail everything, or ceased to. */
function worldEdge(
  { good, failed, begins }: { good: Fate; failed: Fate; begins: boolean },
  lane: Lane,
  history: History,
): number | null {
  const { address } = failed.attempt;
  if (address === null || address !== good.attempt.address) return null;
  const isKept = good.attempt.isKept || failed.attempt.isKept;
  const isDown = (condition: Condition): boolean => fails(condition, isKept, lane.check.goodWithinMs);
  const [before, after] = begins ? [good, failed] : [failed, good];
  const edges = history
    .conditions(address, lane.check.hostname)
    .edges(before.attempt.dueNs, after.attempt.endedNs, isDown);
  const [only] = edges;
  return edges.length === 1 && only?.begins === begins ? only.atNs : null;
}
