/** When the authoritative servers of a service moved from one side to the other, and whether they went back. */
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { AuthorityTrack, TrackStep } from './authority-tracks.ts';
import { otherSide } from './sides.ts';

/** Back for less than this is flapping at the switch, not a rollback. */
export const backForGoodNs: number = sToNs(10);

export interface Moved {
  /** The first change lies between the last answer with the leaving side and the first with the target. */
  readonly notBeforeNs: number | null;
  readonly firstAtNs: number | null;
  /** Null while a server that answers has not moved. */
  readonly lastAtNs: number | null;
  /** The last change lies between this and `lastAtNs`. */
  readonly lastNotBeforeNs: number | null;
  /** Every server ended where it came from. */
  readonly areAllBack: boolean;
}

export const noneMoved: Moved = {
  notBeforeNs: null,
  firstAtNs: null,
  lastAtNs: null,
  lastNotBeforeNs: null,
  areAllBack: false,
};

export function authorityMoved(tracks: readonly AuthorityTrack[], leaving: Side): Moved {
  const target = otherSide(leaving);
  const begun: Bracket[] = [];
  const stayed: (Bracket | null)[] = [];
  const left = tracks.filter(({ steps }) => steps.some((step) => step.side === leaving));
  const areAllBack = left.every(({ steps }) => steps.at(-1)?.side === leaving);
  for (const { steps, isUnreachable, isLame } of left) {
    const since = steps.findIndex((step) => step.side === leaving);
    const first = steps.findIndex((step, i) => i > since && (step.side === target || step.side === 'mixed'));
    if (first !== -1) begun.push(bracketOf(steps, first, (step) => step.side === leaving));
    const stays = areAllBack || steps.at(-1)?.side === target ? lastRun(steps, target) : null;
    if (stays !== null) stayed.push(bracketOf(steps, steps.indexOf(stays), (step) => step.side !== target));
    // Nobody knows what a server that does not answer would say; a name without addresses left the leaving side too.
    else if (!isUnreachable && !isLame && steps.at(-1)?.side !== 'none') stayed.push(null);
  }
  if (begun.length === 0) return noneMoved;
  const moved = stayed.filter((bracket) => bracket !== null);
  const haveAllMoved = moved.length > 0 && moved.length === stayed.length;
  return {
    notBeforeNs: Math.min(...begun.map((bracket) => bracket.notBeforeNs)),
    firstAtNs: Math.min(...begun.map((bracket) => bracket.seenNs)),
    lastAtNs: haveAllMoved ? Math.max(...moved.map((bracket) => bracket.seenNs)) : null,
    lastNotBeforeNs: haveAllMoved ? Math.max(...moved.map((bracket) => bracket.notBeforeNs)) : null,
    areAllBack,
  };
}

interface Bracket {
  readonly notBeforeNs: number;
  readonly seenNs: number;
}

/** A failed poll confirms nothing, nor does an answer of neither side: the change may be as old as the last `before`. */
function bracketOf(steps: readonly TrackStep[], i: number, before: (step: TrackStep) => boolean): Bracket {
  const { sinceNs, seenNs } = steps[i] as TrackStep;
  return { notBeforeNs: steps.slice(0, i).findLast(before)?.lastSentNs ?? sinceNs ?? seenNs, seenNs };
}

/** The first step of the last unbroken run of answers with this side, wherever it is. */
function lastRun(steps: readonly TrackStep[], side: Side): TrackStep | null {
  const last = steps.findLastIndex((step) => step.side === side);
  if (last === -1) return null;
  let first = last;
  while (steps[first - 1]?.side === side) first -= 1;
  return steps[first] ?? null;
}

/** All servers that answer are back on the side that a change left at `sinceNs`, for good: until `endNs`, and that is long enough. */
export function authorityBack(
  tracks: readonly AuthorityTrack[],
  { leaving, sinceNs, endNs }: { readonly leaving: Side; readonly sinceNs: number; readonly endNs: number },
): Moved | null {
  const target = otherSide(leaving);
  const back: Bracket[] = [];
  for (const { steps, isUnreachable } of tracks) {
    if (!steps.some((step) => step.side === leaving || step.side === target)) continue;
    if (steps.at(-1)?.side !== leaving) {
      // Nobody knows what a server that does not answer would say.
      if (isUnreachable) continue;
      return null;
    }
    const at = steps.indexOf(lastRun(steps, leaving) as TrackStep);
    const wasAway = steps.slice(0, at).some((before) => before.side !== leaving);
    if (wasAway) back.push(bracketOf(steps, at, (step) => step.side === target || step.side === 'mixed'));
  }
  if (back.length === 0) return null;
  const lastAtNs = Math.max(...back.map((step) => step.seenNs));
  if (endNs - lastAtNs < backForGoodNs) return null;
  return {
    notBeforeNs: Math.max(sinceNs, Math.min(...back.map((bracket) => bracket.notBeforeNs))),
    firstAtNs: Math.min(...back.map((bracket) => bracket.seenNs)),
    lastAtNs,
    lastNotBeforeNs: Math.max(...back.map((bracket) => bracket.notBeforeNs)),
    areAllBack: false,
  };
}
