/** Silences: stretches of due instants in which nothing was heard, and what of them a lane's slots tell. */
import { slotsDueBefore } from '../core/schedule.ts';
import { isSeen, meanings, type LaneView } from './lane-view.ts';
import type { Span } from './spans.ts';

/** What one slot says. */
export type SlotTest = (view: LaneView, slot: number) => boolean;

/**
 * What got no answer is sent again after a second: a SYN (RFC 6298, 2), a question of DNS. So an answer that took as long
 * says that something was heard when it came, and not when it was due.
 */
const sentAgainUs = 1e6;

/** Good or wrong, and at once. */
export function isAnswered(view: LaneView, slot: number): boolean {
  if (!isSeen(view, slot) || view.responseUsAt(slot) >= sentAgainUs) return false;
  return view.meaning[slot] === meanings.good || view.factsAt(slot).isAnswered;
}

/** From an answer to the next one, with failures between. */
export interface FailedRun extends Span {
  readonly firstFailedNs: number;
  readonly lastFailedNs: number;
}

export function failedRuns(view: LaneView): FailedRun[] {
  const runs: FailedRun[] = [];
  if (view.tally.failed.every((count) => count === 0)) return runs;
  let fromNs = 0;
  let first = -1;
  let last = -1;
  const close = (toNs: number): void => {
    if (first !== -1) runs.push({ fromNs, toNs, firstFailedNs: view.dueNs(first), lastFailedNs: view.dueNs(last) });
    first = -1;
  };
  for (let slot = 0; slot < view.slotCount; slot += 1) {
    if (isAnswered(view, slot)) {
      close(view.dueNs(slot));
      fromNs = view.dueNs(slot);
    } else if (view.meaning[slot] === meanings.failed) {
      if (first === -1) first = slot;
      last = slot;
    }
  }
  close(view.untilNs);
  return runs;
}

/** Between the slots of these lanes of which that holds. */
export function cut(span: Span, views: readonly LaneView[], isCut: SlotTest): Span[] {
  const dues = new Set<number>();
  for (const view of views) {
    for (const slot of slotsInside(view, span)) if (isCut(view, slot)) dues.add(view.dueNs(slot));
  }
  return split(
    span,
    [...dues].toSorted((a, b) => a - b),
  );
}

/** @param atNs in order */
export function split({ fromNs, toNs }: Span, atNs: readonly number[]): Span[] {
  const ends = [fromNs, ...atNs.filter((one) => one > fromNs && one < toNs), toNs];
  return ends.slice(1).map((endNs, i) => ({ fromNs: ends[i] as number, toNs: endNs }));
}

/** Those that are due strictly within. */
export function* slotsInside(view: LaneView, { fromNs, toNs }: Span): Generator<number> {
  const end = Math.min(view.slotCount, slotsDueBefore(view.lane, Math.min(toNs, view.untilNs)));
  for (let slot = slotsDueBefore(view.lane, fromNs + 1); slot < end; slot += 1) yield slot;
}

/** The lane's first failed slot in the silence, where its failures began and ended in it; else null. */
export function failedWithin(view: LaneView, span: Span): number | null {
  let [first, last] = [-1, -1];
  for (const slot of slotsInside(view, span)) {
    if (view.meaning[slot] !== meanings.failed) continue;
    if (first === -1) first = slot;
    last = slot;
  }
  return first !== -1 && isUpNext(view, first, -1) && isUpNext(view, last, 1) ? first : null;
}

/** Before it fails again, in this direction. */
function isUpNext(view: LaneView, from: number, step: 1 | -1): boolean {
  for (let slot = from + step; slot >= 0 && slot < view.slotCount; slot += step) {
    if (isAnswered(view, slot)) return true;
    if (view.meaning[slot] === meanings.failed) return false;
  }
  return false;
}
