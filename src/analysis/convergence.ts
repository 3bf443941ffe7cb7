/** When the last compliant client had left the side that a change leaves. */
import type { Interval, OldReason } from '../core/analysis.ts';
import type { ChangeSpec } from '../core/scenario.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { nsToS } from '../core/time.ts';
import type { Change } from './change.ts';
import { isSeen, slotsOnSide, type LaneView } from './lane-view.ts';
import { mustLeave, reasonOf, type RecordLife } from './leaving.ts';
import { count, inOrder } from './outages.ts';

export interface Convergence {
  /** From here on no compliant client was on the leaving side; null = not yet, or an authoritative server has not changed. */
  readonly atNs: number | null;
  /**
   * From the last authority's change, or from when the change was used, to the last answer of the leaving side; null where
   * the leaving side goes on answering by design.
   */
  readonly s: Interval | null;
}

/** Weights move a share of users and a deployment none: then nobody must leave, and it is over when it was done. */
export function movesEverybody({ via }: ChangeSpec): boolean {
  return via === 'dns' || via === 'cdn';
}

export function convergenceInPlace({ seen }: Change): Convergence {
  return { atNs: seen.isEvident ? Math.max(seen.usedAtNs, seen.commandToAtNs ?? 0) : null, s: null };
}

/**
 * Of qualified lanes whose policy must leave. A resolver that provably breaks the TTL is its own finding and does not hold
 * up convergence, which might never come; but if all do, nobody was seen to leave, and nothing has converged.
 */
export function convergenceOf(views: readonly LaneView[], change: Change, life: RecordLife): Convergence {
  const baseNs = change.seen.authorityLastAtNs ?? change.seen.usedAtNs;
  const stays = views.filter((view) => mustLeave(view.lane)).map((view) => lastStay(view, change, life));
  const compliant = stays.filter((stay) => !stay.isViolation);
  const counted = compliant.length > 0 ? compliant : stays;
  const lastOldNs = Math.max(baseNs, ...counted.map((stay) => stay.lastNs));
  const offNs = Math.max(baseNs, ...counted.map((stay) => stay.offNs ?? change.untilNs));
  const isOff = counted.every((stay) => stay.offNs !== null);
  const hasLagging = change.seen.authorityFirstAtNs !== null && change.seen.authorityLastAtNs === null;
  return {
    atNs: isOff && !hasLagging && change.seen.isEvident ? offNs : null,
    s: { min: nsToS(lastOldNs - baseNs), max: nsToS(Math.max(0, offNs - baseNs)) },
  };
}

interface LaneStay {
  /** The last slot on the leaving side; 0 = none since the change. */
  readonly lastNs: number;
  /** The first slot after it that was seen; null = none yet. */
  readonly offNs: number | null;
  /** No compliant resolver would have given it any more. */
  readonly isViolation: boolean;
}

function lastStay(view: LaneView, change: Change, life: RecordLife): LaneStay {
  const { fromSlot, toSlot } = slotsOfChange(view, change);
  for (let slot = Math.min(toSlot - 1, slotsOnSide(view, change.leaving)?.last ?? -1); slot >= fromSlot; slot -= 1) {
    if (!isSeen(view, slot) || view.factsAt(slot).side !== change.leaving) continue;
    const isViolation = reasonOf(view, slot, change, life) === 'resolver-violates-ttl';
    return { lastNs: view.dueNs(slot), offNs: nextSeenNs(view, slot + 1, toSlot), isViolation };
  }
  return { lastNs: 0, offNs: nextSeenNs(view, fromSlot, toSlot) === null ? null : 0, isViolation: false };
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
        count(reasons, reasonOf(view, slot, change, life));
    }
  });
  return inOrder(reasons);
}
