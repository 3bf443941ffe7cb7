/**
 * What looks like a stale target and is not proved (P1): failures of such a signature within two minutes of a rollout, of a
 * pod's or task's end, or of a deployment that somebody made. It needs no access to any platform, accuses nobody, and fails
 * no gate.
 */
import type { StaleSignature } from '../core/stale-target.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { meanings, type LaneView } from './lane-view.ts';
import { isOfDeadTarget } from './signatures.ts';
import { lookOf, type contextOf } from './stale-attribution.ts';

export interface Suspicion {
  readonly side: Side;
  readonly fromNs: number;
  readonly toNs: number;
  /** When the rollout, or what it is taken for, was. */
  readonly eventNs: number;
  readonly judgedFailedCount: number;
  readonly failedCount: number;
  readonly probeCount: number;
  readonly signatures: ReadonlyMap<StaleSignature, number>;
}

export interface SuspicionOptions {
  readonly side: Side;
  readonly views: readonly LaneView[];
  /** Rollouts, ends and deployments, in order of time. */
  readonly eventsNs: readonly number[];
  /** What is known of the load balancers. */
  readonly look: ReturnType<typeof contextOf>;
  /** It is explained already, or something better will be known of it. */
  readonly isTaken: (view: LaneView, slot: number, dueNs: number) => boolean;
}

const nearNs = sToNs(120);
/** Failures further apart than this are two matters. */
const apartNs = sToNs(30);
const failedCountMin = 3;

interface Failure {
  readonly dueNs: number;
  readonly eventNs: number;
  readonly isJudged: boolean;
  readonly signature: StaleSignature;
}

export function suspicionsOf(options: SuspicionOptions): Suspicion[] {
  const { side, views, eventsNs, look, isTaken } = options;
  if (eventsNs.length === 0) return [];
  const failures: Failure[] = [];
  const isNginx = views.some((view) => hasNginxPage(view, side));
  for (const view of views) {
    const mayBe = view.facts.some(
      (facts, sighting) => facts.side === side && (view.tally.failed[sighting] as number) > 0,
    );
    if (!mayBe) continue;
    for (let slot = 0; slot < view.slotCount; slot += 1) {
      if (view.meaning[slot] !== meanings.failed || view.factsAt(slot).side !== side) continue;
      const dueNs = view.dueNs(slot);
      const eventNs = eventsNs.findLast((ns) => ns <= dueNs);
      if (eventNs === undefined || dueNs - eventNs > nearNs) continue;
      const signature = lookOf(view, slot, { ...look, isNginx, isRolloutNear: true });
      if (signature === null || !isSuspicious(signature) || isTaken(view, slot, dueNs)) continue;
      failures.push({ dueNs, eventNs, isJudged: view.lane.judged, signature });
    }
  }
  return clustersOf(failures.toSorted((a, b) => a.dueNs - b.dueNs)).map((cluster) => {
    const [first, last] = [cluster[0] as Failure, cluster.at(-1) as Failure];
    const signatures = new Map<StaleSignature, number>();
    for (const { signature } of cluster) signatures.set(signature, (signatures.get(signature) ?? 0) + 1);
    return {
      side,
      fromNs: first.dueNs,
      toNs: last.dueNs,
      eventNs: first.eventNs,
      judgedFailedCount: cluster.filter(({ isJudged }) => isJudged).length,
      failedCount: cluster.length,
      probeCount: views.reduce((sum, view) => sum + seenBetween(view, side, first.dueNs, last.dueNs), 0),
      signatures,
    };
  });
}

/** Then an answer that took one connect timeout longer is one that nginx got elsewhere, at last. */
function hasNginxPage({ facts, tally }: LaneView, side: Side): boolean {
  return facts.some(
    (one, sighting) => one.side === side && one.failureClass === '5xx-nginx' && (tally.failed[sighting] as number) > 0,
  );
}

/** nginx that tried endpoints in vain is the same matter, one layer further in; a delay that was too short is another. */
function isSuspicious(signature: StaleSignature): boolean {
  if (signature === 'S5') return false;
  return isOfDeadTarget(signature) || signature === 'S9' || signature === 'S11';
}

function clustersOf(failures: readonly Failure[]): Failure[][] {
  const clusters: Failure[][] = [];
  for (const failure of failures) {
    const last = clusters.at(-1);
    const before = last?.at(-1);
    if (last !== undefined && before !== undefined && failure.dueNs - before.dueNs <= apartNs) last.push(failure);
    else clusters.push([failure]);
  }
  return clusters.filter((cluster) => cluster.length >= failedCountMin);
}

function seenBetween(view: LaneView, side: Side, fromNs: number, toNs: number): number {
  let count = 0;
  for (let slot = 0; slot < view.slotCount; slot += 1) {
    const dueNs = view.dueNs(slot);
    if (dueNs < fromNs) continue;
    if (dueNs > toNs) break;
    const meaning = view.meaning[slot];
    if ((meaning === meanings.good || meaning === meanings.failed) && view.factsAt(slot).side === side) count += 1;
  }
  return count;
}
