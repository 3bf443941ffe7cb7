/** Why one slot failed, as far as the evidence tells. Nothing here changes what counts as failed. */
import type { Cause } from '../core/analysis.ts';
import { outcomes } from '../core/outcome.ts';
import { nsPerMs } from '../core/time.ts';
import type { Change } from './change.ts';
import type { LaneView } from './lane-view.ts';
import type { OwnNetwork } from './own-network.ts';
import type { SideLanes } from './side-lanes.ts';
import type { SightingFacts } from './sighting-facts.ts';
import { sightingBits } from './sightings.ts';
import type { TargetsRead } from './targets.ts';

export interface CauseContext {
  /** Those that every client must follow, in order of time. */
  readonly changes: readonly Change[];
  readonly sideLanes: SideLanes;
  readonly ownNetwork: OwnNetwork;
  /** What is known of the targets behind a load balancer. */
  readonly targets: Pick<TargetsRead, 'causeAt'>;
}

export function causeOf(view: LaneView, slot: number, context: CauseContext): Cause {
  const facts = view.factsAt(slot);
  if (context.ownNetwork.isSuspectAt(view.dueNs(slot))) return 'own-network-suspected';
  const outcome = outcomes[facts.outcome] ?? 'none';
  if (outcome.startsWith('dns-')) return 'dns-failed';
  const ofTarget = context.targets.causeAt(view, slot);
  if (ofTarget !== null) return causeOfLeft(view, slot, context) ?? ofTarget;
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
  // 503 is said by an ALB or an ingress-nginx that has nowhere to send to; 502 and 504 for a target that did not answer.
  const isOfFront = facts.failureClass === '5xx-alb' || facts.failureClass === '5xx-nginx';
  if (isOfFront) return facts.status === 503 ? 'no-target' : 'target-failed';
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
