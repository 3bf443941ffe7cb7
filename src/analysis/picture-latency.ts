/**
 * How long good answers took, for each client of a service and each side: over time by exact response times (a bin has
 * few, and a percentile of few values is one of them), as a distribution by the lanes' histograms.
 */
import type { PictureLatency } from '../core/picture.ts';
import type { Side } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import { Histogram } from './histogram.ts';
import { meanings, slotsOnSide, type LaneView } from './lane-view.ts';
import { binsOf, type BinOfSlots } from './picture-lanes.ts';

const sides: readonly Side[] = ['old', 'new'];

/** Bins with their percentiles: about 30 bytes each as JSON. */
const binnedCountMax = 24_000;

export function drawLatency(views: readonly LaneView[], binMs: number): PictureLatency[] {
  // Where no side is known there is nothing to bin.
  const binCount = Math.max(1, Math.ceil(binnedCountAtMost(views, binMs) / binnedCountMax));
  return groupsOf(views).flatMap((group) => {
    const { service, client } = (group[0] as LaneView).lane;
    const bins = binsOfGroup(group, binMs, binCount);
    return sides.flatMap((side): PictureLatency[] => {
      const all = new Histogram();
      for (const { responsesUs } of group) all.add(responsesUs[side]);
      if (all.count === 0) return [];
      const distribution = all
        .distribution()
        .map(([fromUs, toUs, count]) => [fromUs / 1000, toUs / 1000, count] as const);
      const together = binCount > 1 ? { binCount } : {};
      return [{ service, client, side, ...together, bins: bins[side], distribution }];
    });
  });
}

function binnedCountAtMost(views: readonly LaneView[], binMs: number): number {
  let sum = 0;
  for (const group of groupsOf(views)) {
    for (const side of sides) {
      let [first, last] = [Infinity, -Infinity];
      for (const view of group) {
        const slots = slotsOnSide(view, side);
        if (slots === null) continue;
        first = Math.min(first, binAt(view, slots.first, binMs));
        last = Math.max(last, binAt(view, slots.last, binMs));
      }
      if (last >= first) sum += last - first + 1;
    }
  }
  return sum;
}

function binAt(view: LaneView, slot: number, binMs: number): number {
  return Math.floor(nsToMs(view.dueNs(slot)) / binMs);
}

function groupsOf(views: readonly LaneView[]): LaneView[][] {
  const ofServices = views.filter(({ lane }) => lane.role !== 'reference');
  return [...Map.groupBy(ofServices, ({ lane }) => JSON.stringify([lane.service, lane.client])).values()];
}

type Bins = Record<Side, PictureLatency['bins'][number][]>;

/** All lanes of the group side by side, bin by bin. */
function binsOfGroup(group: readonly LaneView[], binMs: number, binCount: number): Bins {
  const bins: Bins = { old: [], new: [] };
  const walks = group.map((view) => ({ view, slots: binsOf(view, binMs * binCount) }));
  const heads = walks.map(({ view, slots }) => ({ view, slots, next: slots.next() }));
  const taken = { old: new Taken(), new: new Taken() };
  for (;;) {
    const bin = heads.reduce(
      (least, { next }) => (next.done === true ? least : Math.min(least, next.value.bin)),
      Infinity,
    );
    if (bin === Infinity) return bins;
    for (const head of heads) {
      if (head.next.done === true || head.next.value.bin !== bin) continue;
      take(head.view, head.next.value, taken);
      head.next = head.slots.next();
    }
    for (const side of sides) {
      const sorted = taken[side].sorted();
      if (sorted.length > 0) {
        bins[side].push([
          bin * binCount,
          sorted.length,
          ratioMs(sorted, 0.5),
          ratioMs(sorted, 0.99),
          ratioMs(sorted, 1),
        ]);
      }
    }
  }
}

function take(view: LaneView, { from, to }: BinOfSlots, taken: Readonly<Record<Side, Taken>>): void {
  for (let slot = from; slot < to; slot += 1) {
    if (view.meaning[slot] !== meanings.good) continue;
    const { side } = view.factsAt(slot);
    if (side === 'old' || side === 'new') taken[side].add(view.responseUsAt(slot));
  }
}

/** The least value that at least so many of all do not exceed. */
function ratioMs(sortedUs: Uint32Array, ratio: number): number {
  const us = sortedUs[Math.max(0, Math.ceil(sortedUs.length * ratio) - 1)] as number;
  return Number((us / 1000).toPrecision(3));
}

/** Values of one bin; room for the next one's is kept. */
class Taken {
  #values = new Uint32Array(64);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const longer = new Uint32Array(this.#count * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  /** Forgets them; good until the next value is added. */
  sorted(): Uint32Array {
    const values = this.#values.subarray(0, this.#count).sort();
    this.#count = 0;
    return values;
  }
}
