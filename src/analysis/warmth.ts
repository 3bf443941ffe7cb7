/**
 * A client in use for hours has an answer and a connection of any age; one that began a moment ago has new ones. It may
 * then leave sooner or later than users do: its whole life is still ahead, or it asks for the first time after the change.
 */
import { sToNs } from '../core/time.ts';
import type { LaneView } from './lane-view.ts';
import { isFresh } from './leaving.ts';

/** The longest that a browser keeps an answer by itself (domain facts, A.6). */
const warmNsMin = sToNs(60);

/** For how long a client must have had an answer. */
export function warmNs(ttlS: number): number {
  return Math.max(warmNsMin, sToNs(ttlS));
}

export interface ColdLane {
  readonly view: LaneView;
  /** When it had its first answer; null = none before the end. */
  readonly warmSinceNs: number | null;
}

/** Lanes that keep answers or connections, and had none for so long at that instant. */
export function coldLanes(views: readonly LaneView[], atNs: number, neededNs: number): readonly ColdLane[] {
  return views.flatMap((view) => {
    if (!remembers(view)) return [];
    const warmSinceNs = firstAnswerNs(view);
    return warmSinceNs !== null && atNs - warmSinceNs >= neededNs ? [] : [{ view, warmSinceNs }];
  });
}

function remembers({ lane, series }: LaneView): boolean {
  return lane.role === 'client' && lane.resolver !== null && series === 'raw' && !isFresh(lane);
}

function firstAnswerNs(view: LaneView): number | null {
  const slots = view.facts.flatMap((facts, sighting) => {
    const slot = view.tally.firstSlot[sighting] as number;
    return facts.hasAddress && facts.answer > 0 && slot >= 0 ? [slot] : [];
  });
  return slots.length === 0 ? null : view.dueNs(Math.min(...slots));
}
