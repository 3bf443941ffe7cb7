/** Why one slot failed, as far as the evidence tells. Nothing here changes what counts as failed. */
import type { Cause } from '../core/analysis.ts';
import { outcomes } from '../core/outcome.ts';
import type { Side } from '../core/scenario.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { nsPerMs, nsPerS } from '../core/time.ts';
import { addressKey } from './address.ts';
import type { Change } from './change.ts';
import type { Definitions } from './gathered.ts';
import { meanings, type LaneView } from './lane-view.ts';
import type { OwnNetwork } from './own-network.ts';
import type { SightingFacts } from './sighting-facts.ts';
import { sightingBits } from './sightings.ts';

export interface CauseContext {
  /** Those that every client must follow, in order of time. */
  readonly changes: readonly Change[];
  readonly sideLanes: SideLanes;
  readonly ownNetwork: OwnNetwork;
}

export function causeOf(view: LaneView, slot: number, context: CauseContext): Cause {
  const facts = view.factsAt(slot);
  if (context.ownNetwork.isSuspectAt(view.dueNs(slot))) return 'own-network-suspected';
  const outcome = outcomes[facts.outcome] ?? 'none';
  if (outcome.startsWith('dns-')) return 'dns-failed';
  if (outcome === 'tls-failed') return 'tls';
  if (facts.reading === 'right') return 'too-slow';
  if (facts.failureClass === 'header-mismatch' || facts.failureClass === 'body-mismatch') return 'wrong-answer';
  return causeOfLeft(view, slot, context) ?? causeOnSide(view, slot, context);
}

/** Failed on the side that a change had left: the client should not have been there any more. */
function causeOfLeft(view: LaneView, slot: number, context: CauseContext): Cause | null {
  const facts = view.factsAt(slot);
  // A side's own lane is there to say how the side is, whoever should have left it.
  if (view.lane.role === 'side') return null;
  const dueNs = view.dueNs(slot);
  const change = context.changes.findLast((one) => (leftAtNs(one) ?? Infinity) <= dueNs);
  if (change === undefined || facts.side !== change.leaving) return null;
  // Then it would have failed where it should have been, too.
  if (context.sideLanes.areAllDown(change.target, dueNs)) return 'side-down';
  if (isKept(facts) && bornNs(view, slot) < change.seen.usedAtNs) return 'kept-connection';
  const { resolve } = view.lane.archetype;
  if (resolve.kind === 'once' || resolve.kind === 'pinned') return 'pinned';
  return 'stale-answer';
}

/** When the first client could know: a mark or a command moves nobody, and what fails before that is no stale answer. */
function leftAtNs({ seen, authorityNotBeforeNs }: Change): number | null {
  return authorityNotBeforeNs ?? seen.identityAtNs;
}

function causeOnSide(view: LaneView, slot: number, context: CauseContext): Cause {
  const facts = view.factsAt(slot);
  if (facts.failureClass === '4xx' || facts.failureClass === 'unexpected-status') return 'wrong-answer';
  if (facts.failureClass === '5xx-app') return 'app-5xx';
  // 503 is said by an ALB that has nowhere to send to. Its 502 and 504, like nginx's, have many causes.
  if (facts.failureClass === '5xx-alb' && facts.status === 503) return 'no-target';
  const check = view.store.freshChecks.get(slot);
  // The connection died, and a new one at once was served: the place it led to was well.
  if (!facts.isAnswered && isKept(facts) && check !== undefined && isFreshCheckGood(view, check.sighting)) {
    return 'kept-connection';
  }
  return context.sideLanes.causeAt(facts, view.dueNs(slot)) ?? 'unattributed';
}

function isKept(facts: SightingFacts): boolean {
  return (facts.bits & sightingBits.kept) !== 0;
}

/** When the connection that this slot used was opened. */
function bornNs(view: LaneView, slot: number): number {
  return view.dueNs(slot) - view.store.slots.connectionAgeMs(slot) * nsPerMs;
}

export function isFreshCheckGood(view: LaneView, sighting: number): boolean {
  return view.facts[sighting]?.reading === 'right';
}

// ── the sides' own lanes ─────────────────────────────────────────────────────────────────────────────────────────────

/** How each of a side's own addresses was doing at an instant, by its own lane. */
export interface SideLanes {
  areAllDown(side: Side, atNs: number): boolean;
  /** The side's own lane at this address failed as well, about then. */
  causeAt(facts: SightingFacts, atNs: number): 'side-down' | 'address-down' | null;
}

export function newSideLanes(views: readonly LaneView[], definitions: Definitions): SideLanes {
  const lanes = views
    .filter((view) => view.lane.role === 'side')
    .map((view) => ({
      side: view.lane.client,
      key: addressKey(view.lane.address ?? ''),
      failedAround: failedAround(view),
    }));
  /** By address number. */
  const lanesAt = new Map<number, typeof lanes>();

  function areAllDown(side: string, atNs: number): boolean {
    const all = lanes.filter((lane) => lane.side === `side:${side}`);
    return all.length > 0 && all.every((lane) => lane.failedAround(atNs));
  }

  function isDownAt(address: number, atNs: number): boolean {
    let own = lanesAt.get(address);
    if (own === undefined) {
      const key = addressKey(definitions.address[address] ?? '');
      own = lanes.filter((lane) => lane.key === key);
      lanesAt.set(address, own);
    }
    return own.some((lane) => lane.failedAround(atNs));
  }

  return {
    areAllDown,
    causeAt(facts, atNs) {
      if (areAllDown(facts.side, atNs)) return 'side-down';
      return isDownAt(facts.address, atNs) ? 'address-down' : null;
    },
  };
}

/** Whether the lane has a failure in the same second, or half a second to either side of it. */
function failedAround(view: LaneView): (atNs: number) => boolean {
  const known = new Map<number, boolean>();
  return (atNs) => {
    const second = Math.floor(atNs / nsPerS);
    let hasFailed = known.get(second);
    if (hasFailed === undefined) {
      const from = slotsDueBefore(view.lane, (second - 0.5) * nsPerS);
      const to = Math.min(view.slotCount, slotsDueBefore(view.lane, (second + 1.5) * nsPerS));
      hasFailed = view.meaning.subarray(from, to).includes(meanings.failed);
      known.set(second, hasFailed);
    }
    return hasFailed;
  };
}
