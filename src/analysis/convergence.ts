/** When the last compliant client had left the side that a change leaves. */
import type { Interval, OldReason } from '../core/analysis.ts';
import type { ChangeSpec } from '../core/scenario.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { nsToS } from '../core/time.ts';
import type { Change } from './change.ts';
import { earliest } from './earliest.ts';
import { isSeen, meanings, slotsOnSide, type LaneView } from './lane-view.ts';
import { mustLeave, reasonOf, wasGivenTooLate, type RecordLife, type WasStale } from './leaving.ts';
import { count, inOrder } from './outages.ts';

export interface Convergence {
  /** From here on no compliant client was on the leaving side; null = not yet, or an authoritative server has not changed. */
  readonly atNs: number | null;
  /**
   * From the last authority's change, or from when the change was used, to the last answer of the leaving side. The change
   * lies between two polls: `max` runs from the one before, `min` from the one that showed it. Null where
   * the leaving side goes on answering by design, or where nobody was watched who must leave it.
   */
  readonly s: Interval | null;
}

/** Weights move a share of users and a deployment none: then nobody must leave, and it is over when it was done. */
export function movesEverybody({ via }: ChangeSpec): boolean {
  return via === 'dns' || via === 'cdn';
}

export function convergenceInPlace({ seen, doneAtNs }: Change): Convergence {
  const isUnderWay = seen.commandFromAtNs !== null && seen.commandToAtNs === null;
  if (!seen.isEvident || isUnderWay || doneAtNs === null) return { atNs: null, s: null };
  return { atNs: Math.max(seen.usedAtNs, seen.commandToAtNs ?? 0, doneAtNs ?? 0), s: null };
}

/**
 * Of qualified lanes whose policy must leave. A resolver that provably breaks the TTL is its own finding and does not hold
 * up convergence, which might never come; but if all do, nobody was seen to leave, and nothing has converged. Where nobody
 * must leave, the first client that the other side served, whether judged or not, is the only sign that it can be reached.
 *
 * @param views those of the service; of these, `qualified` are judged.
 */
export function convergenceOf(
  { views, qualified }: { readonly views: readonly LaneView[]; readonly qualified: ReadonlySet<LaneView> },
  change: Change,
  life: RecordLife,
): Convergence {
  const baseNs = change.seen.authorityLastAtNs ?? change.seen.usedAtNs;
  const hasLagging = change.seen.authorityFirstAtNs !== null && change.seen.authorityLastAtNs === null;
  const stays = [...qualified].filter((view) => mustLeave(view.lane)).map((view) => lastStay(view, change, life));
  if (stays.length === 0) {
    const servedAtNs = earliest(views.map((view) => firstServedNs(view, change)));
    const isThere = servedAtNs !== null && !hasLagging && change.seen.isEvident;
    return { atNs: isThere ? Math.max(baseNs, servedAtNs) : null, s: null };
  }
  const compliant = stays.filter((stay) => !stay.isViolation);
  const counted = compliant.length > 0 ? compliant : stays;
  const lastOldNs = Math.max(baseNs, ...counted.map((stay) => stay.lastNs));
  const offNs = Math.max(baseNs, ...counted.map((stay) => stay.offNs ?? change.untilNs));
  const isOff = counted.every((stay) => stay.offNs !== null);
  return {
    atNs: isOff && !hasLagging && change.seen.isEvident ? offNs : null,
    s: { min: nsToS(Math.max(0, lastOldNs - heardAtNs(change))), max: nsToS(Math.max(0, offNs - notBeforeNs(change))) },
  };
}

/** It was still given the old answer when no compliant resolver would have. */
export function isLedBackLate(view: LaneView, change: Change, life: RecordLife): boolean {
  return lastStay(view, change, life).isViolation;
}

function heardAtNs({ seen }: Change): number {
  return seen.authorityLastAtNs ?? (seen.usedBy === 'identity' ? seen.identityAtNs : null) ?? seen.usedAtNs;
}

function notBeforeNs({ seen, authorityLastNotBeforeNs }: Change): number {
  return authorityLastNotBeforeNs ?? seen.usedAtNs;
}

interface LaneStay {
  /** The last slot on the leaving side; 0 = none since the change. */
  readonly lastNs: number;
  /** The first slot after it (or since the change) that was seen; null = none yet. */
  readonly offNs: number | null;
  /** No compliant resolver would have given it any more. */
  readonly isViolation: boolean;
}

function lastStay(view: LaneView, change: Change, life: RecordLife): LaneStay {
  const { fromSlot, toSlot } = slotsOfChange(view, change);
  for (let slot = Math.min(toSlot - 1, slotsOnSide(view, change.leaving)?.last ?? -1); slot >= fromSlot; slot -= 1) {
    if (!isSeen(view, slot) || view.factsAt(slot).side !== change.leaving) continue;
    const offNs = nextSeenNs(view, slot + 1, toSlot);
    return { lastNs: view.dueNs(slot), offNs, isViolation: wasGivenTooLate(view, slot, life) };
  }
  return { lastNs: 0, offNs: nextSeenNs(view, fromSlot, toSlot), isViolation: false };
}

/** When the other side first answered a client well. A side's own lane is no client: DNS did not lead it there. */
function firstServedNs(view: LaneView, change: Change): number | null {
  const onTarget = view.lane.role === 'client' ? slotsOnSide(view, change.target) : null;
  const { fromSlot, toSlot } = slotsOfChange(view, change);
  const end = Math.min(toSlot, (onTarget?.last ?? -1) + 1);
  for (let slot = Math.max(fromSlot, onTarget?.first ?? 0); slot < end; slot += 1) {
    if (view.meaning[slot] === meanings.good && view.factsAt(slot).side === change.target) return view.dueNs(slot);
  }
  return null;
}

function nextSeenNs(view: LaneView, fromSlot: number, toSlot: number): number | null {
  for (let slot = fromSlot; slot < toSlot; slot += 1) if (isSeen(view, slot)) return view.dueNs(slot);
  return null;
}

function slotsOfChange(view: LaneView, change: Change): { readonly fromSlot: number; readonly toSlot: number } {
  return {
    fromSlot: slotsDueBefore(view.lane, change.seen.usedAtNs),
    toSlot: Math.min(view.slotCount, slotsDueBefore(view.lane, change.untilNs)),
  };
}

/** Why slots after a change were still on the side that it leaves. */
export function oldReasons(
  view: LaneView,
  changes: readonly Change[],
  lives: readonly RecordLife[],
  wasStale: WasStale,
): Partial<Record<OldReason, number>> {
  const reasons: Partial<Record<OldReason, number>> = {};
  changes.forEach((change, i) => {
    const life = lives[i];
    const stays = slotsOnSide(view, change.leaving);
    if (life === undefined || stays === null) return;
    const { fromSlot, toSlot } = slotsOfChange(view, change);
    const end = Math.min(toSlot, stays.last + 1);
    for (let slot = Math.max(fromSlot, stays.first); slot < end; slot += 1) {
      if (isSeen(view, slot) && view.factsAt(slot).side === change.leaving)
        count(reasons, reasonOf(view, slot, { change, life, wasStale }));
    }
  });
  return inOrder(reasons);
}
