/**
 * Requests that were under way on a target when its deregistration delay ended: the load balancer gives them up with 502
 * (S5, domain facts D.2). Nobody is stale then; the delay is shorter than the requests.
 */
import type { Side } from '../core/scenario.ts';
import type { StaleSignature } from '../core/stale-target.ts';
import { sToNs } from '../core/time.ts';
import { meanings, type LaneView } from './lane-view.ts';
import type { GroupHistory } from './targets-history.ts';

/** The delay of the group in which a request due and ended then was given up, s; null = it was not. */
export type DrainExpiry = (dueNs: number, endedNs: number) => number | null;

/** What the load balancer's nodes, and the way back, take. */
const slackNs = sToNs(1);

export function newDrainExpiry(histories: readonly Pick<GroupHistory, 'group' | 'targets'>[]): DrainExpiry {
  const ends = histories.flatMap(({ group: { deregistrationDelayS }, targets }) =>
    targets.flatMap(({ stretches }) =>
      stretches.flatMap(({ state, fromAtNs }, i) => {
        const before = stretches[i - 1];
        if (state !== 'draining' || before === undefined) return [];
        const delayNs = sToNs(deregistrationDelayS);
        // It was deregistered between two polls.
        return [
          {
            deregistrationDelayS,
            beganNs: fromAtNs,
            fromNs: before.toAtNs + delayNs,
            toNs: fromAtNs + delayNs + slackNs,
          },
        ];
      }),
    ),
  );
  return (dueNs, endedNs) =>
    ends.find(({ beganNs, fromNs, toNs }) => dueNs <= beganNs && fromNs <= endedNs && endedNs <= toNs)
      ?.deregistrationDelayS ?? null;
}

export interface DrainExpired {
  readonly side: Side;
  readonly delayS: number;
  /** Of all lanes; when the first and the last of them were due. */
  readonly failedCount: number;
  readonly fromNs: number;
  readonly toNs: number;
}

export interface DrainExpiredOptions {
  readonly side: Side;
  readonly views: readonly LaneView[];
  readonly histories: readonly GroupHistory[];
  readonly signatureAt: (view: LaneView, slot: number) => StaleSignature | null;
}

/** By the delay: groups of one service may differ. */
export function drainExpiredOf({ side, views, histories, signatureAt }: DrainExpiredOptions): DrainExpired[] {
  const expiry = newDrainExpiry(histories);
  const byDelay = new Map<number, DrainExpired>();
  for (const view of views) {
    const mayBe = view.facts.some(
      ({ failureClass }, sighting) => failureClass === '5xx-alb' && (view.tally.failed[sighting] as number) > 0,
    );
    if (!mayBe) continue;
    for (let slot = 0; slot < view.slotCount; slot += 1) {
      if (view.meaning[slot] !== meanings.failed || view.factsAt(slot).side !== side) continue;
      if (signatureAt(view, slot) !== 'S5') continue;
      const dueNs = view.dueNs(slot);
      const delayS = expiry(dueNs, view.endedNs(slot)) ?? 0;
      const own = byDelay.get(delayS) ?? { side, delayS, failedCount: 0, fromNs: dueNs, toNs: dueNs };
      byDelay.set(delayS, {
        ...own,
        failedCount: own.failedCount + 1,
        fromNs: Math.min(own.fromNs, dueNs),
        toNs: Math.max(own.toNs, dueNs),
      });
    }
  }
  return [...byDelay.values()];
}
