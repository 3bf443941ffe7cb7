/**
 * One lane as it reads now: what each of its slots means. A pure function of sighting, response time, lane and stalls.
 * Everything after this works on arrays of one byte a slot, not on objects.
 */
import type { SlotCounts } from '../core/analysis.ts';
import type { Lane, SideSeen } from '../core/scenario.ts';
import { dueAtNs, slotsDueBefore } from '../core/schedule.ts';
import { msToNs, nsPerUs } from '../core/time.ts';
import type { Definitions } from './gathered.ts';
import { Histogram } from './histogram.ts';
import type { ExtraRow, LaneStore } from './lane-store.ts';
import { factsOf, type Reading, type SightingFacts } from './sighting-facts.ts';
import type { Sides } from './sides.ts';
import { sightingOverflow } from './sightings.ts';
import type { Spans } from './spans.ts';

/** What a slot means. The unseen ones are all but good and failed. */
export const meanings = { pending: 0, good: 1, failed: 2, dropped: 3, blind: 4, blocked: 5 } as const;

export interface LaneView {
  readonly lane: Lane;
  readonly store: LaneStore;
  readonly series: 'raw' | 'retried';
  /** Slots due before this instant are known or lost. */
  readonly untilNs: number;
  /** How many slots are due before `untilNs`: the length of `meaning`. */
  readonly slotCount: number;
  readonly meaning: Uint8Array;
  /** By sighting number. */
  readonly facts: readonly SightingFacts[];
  /** Of good slots, in µs from due; by the side that answered. */
  readonly responsesUs: { readonly old: Histogram; readonly new: Histogram };
  readonly tally: Tally;
  factsAt(slot: number): SightingFacts;
  responseUsAt(slot: number): number;
  dueNs(slot: number): number;
  /** When a slot's result was there. */
  endedNs(slot: number): number;
}

/** Each by sighting number. */
export interface Tally {
  readonly good: Uint32Array;
  readonly failed: Uint32Array;
  /** Right answers among the failed: they came too late. */
  readonly slow: Uint32Array;
  /** Of good and failed slots; -1 = none. */
  readonly firstSlot: Int32Array;
  readonly lastSlot: Int32Array;
}

export interface ViewContext {
  readonly sides: Sides;
  readonly definitions: Definitions;
  readonly untilNs: number;
  /** When the lane's probing thread stood still. */
  readonly stalls: Spans;
}

export function viewLane(store: LaneStore, context: ViewContext): LaneView {
  return view(store, context, null);
}

/** The lane as a client that tries once more sees it; null if it never did. */
export function viewRetried(store: LaneStore, context: ViewContext): LaneView | null {
  return store.lane.archetype.retriesOnce ? view(store, context, store.retried) : null;
}

function view(store: LaneStore, context: ViewContext, retried: ReadonlyMap<number, ExtraRow> | null): LaneView {
  const { lane, slots, sightings } = store;
  const { untilNs } = context;
  const slotCount = slotsDueBefore(lane, untilNs);
  const facts = Array.from({ length: sightings.count }, (_, i) =>
    factsOf(i, sightings.at(i), context.sides, context.definitions),
  );
  const overflow = factsOf(sightingOverflow, sightings.at(0), context.sides, context.definitions);
  // A first try that was right and in time is never tried again, so the retry is the result wherever there is one.
  const sightingAt = (slot: number): number => retried?.get(slot)?.sighting ?? slots.sighting(slot);
  const responseUsAt = (slot: number): number => retried?.get(slot)?.responseUs ?? slots.responseUs(slot);

  const result: LaneView = {
    lane,
    store,
    series: retried === null ? 'raw' : 'retried',
    untilNs,
    slotCount,
    meaning: new Uint8Array(slotCount),
    facts,
    responsesUs: { old: new Histogram(), new: new Histogram() },
    tally: {
      good: new Uint32Array(facts.length),
      failed: new Uint32Array(facts.length),
      slow: new Uint32Array(facts.length),
      firstSlot: new Int32Array(facts.length).fill(-1),
      lastSlot: new Int32Array(facts.length).fill(-1),
    },
    factsAt: (slot) => facts[sightingAt(slot)] ?? overflow,
    responseUsAt,
    dueNs: (slot) => dueAtNs(lane, slot),
    endedNs: (slot) => dueAtNs(lane, slot) + responseUsAt(slot) * nsPerUs,
  };
  readSlots(result, context.stalls, sightingAt);
  return result;
}

const readings: Readonly<Record<Reading, number>> = {
  pending: meanings.pending,
  right: meanings.good,
  failed: meanings.failed,
  dropped: meanings.dropped,
  blind: meanings.blind,
  blocked: meanings.blocked,
  'failed-by-time': 6,
};

/** Fills `meaning`, the tally and the histograms. The one loop that runs over every slot of every lane. */
function readSlots(view: LaneView, stalls: Spans, sightingAt: (slot: number) => number): void {
  const { lane, facts, meaning, tally, responsesUs } = view;
  const limitUs = lane.check.goodWithinMs * 1000;
  const readingOf = Uint8Array.from(facts, (one) => readings[one.reading]);
  const recordOf = facts.map((one) =>
    one.side === 'old' ? responsesUs.old : one.side === 'new' ? responsesUs.new : null,
  );
  const { good, failed, slow, firstSlot, lastSlot } = tally;
  const end = Math.min(view.slotCount, view.store.slotMax + 1);
  for (let slot = 0; slot < end; slot += 1) {
    const sighting = sightingAt(slot);
    if (sighting === 0) continue;
    const reading = sighting === sightingOverflow ? meanings.blind : (readingOf[sighting] as number);
    if (reading === meanings.good) {
      const responseUs = view.responseUsAt(slot);
      if (responseUs <= limitUs) {
        meaning[slot] = meanings.good;
        good[sighting] = (good[sighting] as number) + 1;
        recordOf[sighting]?.record(responseUs);
      } else if (isOurStall(view, stalls, slot)) {
        meaning[slot] = meanings.blind;
        continue;
      } else {
        meaning[slot] = meanings.failed;
        failed[sighting] = (failed[sighting] as number) + 1;
        slow[sighting] = (slow[sighting] as number) + 1;
      }
    } else if (reading === meanings.failed || reading === readings['failed-by-time']) {
      if (reading !== meanings.failed && isOurStall(view, stalls, slot)) {
        meaning[slot] = meanings.blind;
        continue;
      }
      meaning[slot] = meanings.failed;
      failed[sighting] = (failed[sighting] as number) + 1;
    } else {
      meaning[slot] = reading;
      continue;
    }
    if (firstSlot[sighting] === -1) firstSlot[sighting] = slot;
    lastSlot[sighting] = slot;
  }
}

/** Had our thread not stood still for part of it, the answer would have been in time, or may have been: no evidence. */
function isOurStall(view: LaneView, stalls: Spans, slot: number): boolean {
  if (stalls.isEmpty) return false;
  const dueNs = view.dueNs(slot);
  const stalledNs = stalls.overlapNs(dueNs, view.endedNs(slot));
  if (stalledNs === 0) return false;
  return view.responseUsAt(slot) * nsPerUs - stalledNs <= msToNs(view.lane.check.goodWithinMs);
}

/** How the slots in [from, to) are distributed. */
export function countSlots(view: LaneView, from: number, to: number): SlotCounts {
  const counts = new Uint32Array(6);
  let unsentCount = 0;
  for (let slot = from; slot < to; slot += 1) {
    const meaning = view.meaning[slot] as number;
    counts[meaning] = (counts[meaning] as number) + 1;
    if (meaning >= meanings.blind && !view.factsAt(slot).wasSent) unsentCount += 1;
  }
  const [pending = 0, good = 0, failed = 0, dropped = 0, blind = 0, blocked = 0] = counts;
  return {
    due: to - from,
    sent: good + failed + blind + blocked - unsentCount,
    good,
    failed,
    dropped,
    blind,
    blocked,
    pending,
  };
}

/** Good or failed: something is known of this due instant. */
export function isSeen(view: LaneView, slot: number): boolean {
  return view.meaning[slot] === meanings.good || view.meaning[slot] === meanings.failed;
}

/** First and last good or failed slot that reached the side; null = none did. */
export function slotsOnSide(view: LaneView, side: SideSeen): { readonly first: number; readonly last: number } | null {
  const { firstSlot, lastSlot } = view.tally;
  let [first, last] = [Infinity, -1];
  view.facts.forEach((facts, sighting) => {
    if (facts.side !== side || lastSlot[sighting] === -1) return;
    first = Math.min(first, firstSlot[sighting] as number);
    last = Math.max(last, lastSlot[sighting] as number);
  });
  return last === -1 ? null : { first, last };
}
