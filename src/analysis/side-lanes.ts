/**
 * How each of a side's own addresses was doing at an instant, by the side's own lanes: which ask no DNS, so that what fails
 * there too is the side. A lane that mixes failures and good answers was not down: behind it something is.
 */
import type { Cause } from '../core/analysis.ts';
import { addressKey } from './address.ts';
import { findClusters, findImpaired, isInside } from './clusters.ts';
import { findGaps } from './gaps.ts';
import type { Definitions } from './gathered.ts';
import type { LaneView } from './lane-view.ts';
import type { SightingFacts } from './sighting-facts.ts';
import { Spans, type Span } from './spans.ts';

export interface SideLanes {
  areAllDown(side: string, atNs: number): boolean;
  /** The side's own lanes failed as well, about then: all of them, that of this address, or some of their slots. */
  causeAt(facts: SightingFacts, atNs: number): Extract<Cause, 'side-down' | 'address-down' | 'side-impaired'> | null;
}

interface SideLane {
  readonly side: string;
  readonly key: string;
  /** Nothing was good, from the good slot before to the one after. */
  readonly down: Spans;
  /** Where good slots and failures mix. */
  readonly mixed: Spans;
}

/** @param views of one service: on the same address another may be well. */
export function newSideLanes(views: readonly LaneView[], definitions: Definitions): SideLanes {
  const lanes = views.filter((view) => view.lane.role === 'side').map(sideLane);
  /** By address number. */
  const lanesAt = new Map<number, readonly SideLane[]>();

  function areAllDown(side: string, atNs: number): boolean {
    const all = lanes.filter((lane) => lane.side === `side:${side}`);
    return all.length > 0 && all.every((lane) => lane.down.has(atNs));
  }

  function isAt(address: number, state: 'down' | 'mixed', atNs: number): boolean {
    let own = lanesAt.get(address);
    if (own === undefined) {
      const key = addressKey(definitions.address[address] ?? '');
      own = lanes.filter((lane) => lane.key === key);
      lanesAt.set(address, own);
    }
    return own.some((lane) => lane[state].has(atNs));
  }

  return {
    areAllDown,
    causeAt(facts, atNs) {
      if (areAllDown(facts.side, atNs)) return 'side-down';
      // An address that answers, if only to say that what is behind it does not, is there.
      if (!facts.isAnswered && isAt(facts.address, 'down', atNs)) return 'address-down';
      return isAt(facts.address, 'mixed', atNs) ? 'side-impaired' : null;
    },
  };
}

function sideLane(view: LaneView): SideLane {
  const gaps = findGaps(view.meaning, 0, view.slotCount, null);
  const impaired = findClusters(gaps, view.lane.ratePerSecond).flatMap((cluster) => findImpaired(view, gaps, cluster));
  const down: Span[] = [];
  for (let gap = 0; gap < gaps.count; gap += 1) {
    if ((gaps.failedCount[gap] as number) === 0 || isInside(impaired, gaps, gap)) continue;
    down.push(around(view, gaps.first[gap] as number, gaps.last[gap] as number));
  }
  const mixed = impaired.map(({ firstSlot, lastSlot }) => around(view, firstSlot, lastSlot));
  return {
    side: view.lane.client,
    key: addressKey(view.lane.address ?? ''),
    down: new Spans(down),
    mixed: new Spans(mixed),
  };
}

/** A good slot was served at some instant between its sending and its end, so that much about it is not known. */
function around(view: LaneView, firstSlot: number, lastSlot: number): Span {
  return {
    fromNs: firstSlot === 0 ? 0 : view.dueNs(firstSlot - 1),
    toNs: lastSlot + 1 < view.slotCount ? view.endedNs(lastSlot + 1) : view.untilNs,
  };
}
