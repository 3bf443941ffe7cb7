/**
 * What was really down, lane by lane: runs of due instants whose request failed. Where a run begins and ends is known as
 * exactly as the world's own edges are: two neighbouring slots that went to the same address have the instant between
 * them at which that address changed; where the lane moved between them, any instant between the two is as good.
 */
import type { Interval } from '../core/analysis.ts';
import type { Lane } from '../core/scenario.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import type { Condition } from '../core/truth.ts';
import { fails, wayOf, type Fate } from './fate.ts';
import type { History } from './history.ts';
import type { Steps } from './steps.ts';

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
  /** Of the fault itself, where the world has an instant for its beginning and for its end. */
  readonly faultMs: number | null;
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
  const { dueNs: begins, worldNs: fromNs } = edge({ good: lastGood, failed: first, begins: true }, lane, history);
  const { dueNs: ends, worldNs: toNs } = edge({ good: firstGood, failed: last, begins: false }, lane, history);
  return {
    failed,
    firstFailedAtNs: first.attempt.dueNs,
    lastFailedAtNs: last.attempt.dueNs,
    lastGoodAtNs: lastGood?.attempt.dueNs ?? null,
    firstGoodAtNs: firstGood?.attempt.dueNs ?? null,
    beginsNs: begins,
    endsNs: ends,
    lengthMs: { min: nsToMs(ends.min - begins.max), max: nsToMs(ends.max - begins.min) },
    faultMs: fromNs === null || toNs === null ? null : nsToMs(toNs - fromNs),
  };
}

interface FoundEdge {
  /** Of due instants. */
  readonly dueNs: Interval;
  /** The world's, where all that the client might have met changed at once. */
  readonly worldNs: number | null;
}

interface Edge {
  readonly good: Fate | null;
  readonly failed: Fate;
  readonly begins: boolean;
}

/**
 * A request fails by what it meets between its sending and its end, so a due instant is bad already if what it leads to
 * becomes bad before the answer is there: the edge of the due instants lies before the world's by at most the time that a
 * good request takes. Where the client might have gone to several addresses, nothing failed before the first of them was
 * down and everything from when the last was.
 */
function edge({ good, failed, begins }: Edge, lane: Lane, history: History): FoundEdge {
  const badNs = failed.attempt.dueNs;
  if (good === null) {
    return { dueNs: begins ? { min: -Infinity, max: badNs } : { min: badNs, max: Infinity }, worldNs: null };
  }
  const goodNs = good.attempt.dueNs;
  const [fromNs, toNs] = begins ? [goodNs, badNs] : [badNs, goodNs];
  const untilNs = begins ? failed.attempt.endedNs : good.attempt.endedNs;
  const ways = [wayOf(good.attempt, lane), wayOf(failed.attempt, lane)];
  // A session that ended between the two was not kept.
  const way = ways.every((one) => one === 'session') ? 'session' : ways.includes('kept') ? 'kept' : 'new';
  const down = addressesOf(good, failed, lane, history).map((address) => ({
    steps: history.conditions(address, lane.check.hostname),
    isDown: (condition: Condition): boolean => fails(condition, way, lane.check.goodWithinMs),
  }));
  if (down.length === 0) return { dueNs: { min: fromNs, max: toNs }, worldNs: null };
  // What is so from the beginning was not what made the difference.
  const some = firstAfter(fromNs, untilNs, down, (states) => states.some((isDown) => isDown === begins));
  const all = firstAfter(fromNs, untilNs, down, (states) => states.every((isDown) => isDown === begins));
  const reachNs = good.attempt.endedNs - goodNs + (begins || isRefused(failed) ? 0 : sentAgainNs);
  const max = all === null ? toNs : Math.min(toNs, all);
  const min = Math.min(max, some === null ? fromNs : Math.max(fromNs, some - reachNs));
  return { dueNs: { min, max }, worldNs: some === all ? all : null };
}

/** What got no answer is sent again after a second (RFC 6298, 2): who was due just before the end may be saved by it. */
const sentAgainNs = sToNs(1);

function isRefused({ attempt }: Fate): boolean {
  return attempt.outcome !== 'connect-timed-out' && attempt.outcome !== 'first-byte-timed-out';
}

/** Where the client may have gone between the two: to one address only if it could not choose. */
function addressesOf(good: Fate, failed: Fate, lane: Lane, history: History): readonly string[] {
  const [one, other] = [good.attempt.address, failed.attempt.address];
  if (one === null || other === null) return [];
  const { kind } = lane.archetype.resolve;
  const isBound =
    lane.role === 'side' || kind === 'once' || kind === 'pinned' || failed.attempt.isKept || good.attempt.isKept;
  if (one === other && isBound) return [one];
  const sides = new Set([history.sideOf(one), history.sideOf(other)]);
  return [...sides].flatMap((side) => (side === null ? [] : history.addresses[side]));
}

interface Watched {
  readonly steps: Steps<Condition>;
  readonly isDown: (condition: Condition) => boolean;
}

/** Null where it was so at `fromNs`, or nowhere up to `toNs`. */
function firstAfter(
  fromNs: number,
  toNs: number,
  watched: readonly Watched[],
  isSo: (states: readonly boolean[]) => boolean,
): number | null {
  const statesAt = (atNs: number): readonly boolean[] =>
    watched.map(({ steps, isDown }) => {
      const condition = steps.at(atNs);
      return condition !== null && isDown(condition);
    });
  if (isSo(statesAt(fromNs))) return null;
  const instants = watched.flatMap(({ steps, isDown }) => steps.edges(fromNs, toNs, isDown).map(({ atNs }) => atNs));
  return instants.toSorted((a, b) => a - b).find((atNs) => isSo(statesAt(atNs))) ?? null;
}
