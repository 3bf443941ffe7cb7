/** What is said of a stale target, and what proves it, in plain words. */
import type { Interval } from '../core/analysis.ts';
import { boundsText, countOf, durationBoundsText, durationText, ratioText } from '../core/quantity-text.ts';
import type { Proof, StaleCheck, TargetFault } from '../core/stale-target.ts';
import { nsToMs } from '../core/time.ts';
import type { FaultSpan, GroupHistory } from './targets-history.ts';
import type { Suspicion } from './stale-suspicion.ts';

export const proofWords: Readonly<Record<Proof, string>> = {
  P3: "proved by the load balancer's access log",
  P2: 'strong: while it was so they failed in the share that it explains, and hardly any failed else',
  P1: 'suggested by what failed and when, and not proved',
};

/** Follows the target's name, and "for 41 s". */
const faultWords: Readonly<Record<TargetFault, string>> = {
  'stale-gone': 'still got requests after its pod or task had gone',
  'stale-reused': "still got requests after its address had become another's",
  'late-deregistration': 'still got requests long after its pod or task was told to end',
  'drain-race': 'was draining, and its pod or task had gone: what was under way there failed',
  'missing-target': 'was ready, and no target',
  'no-target': 'had no target that gets requests',
};

export function textOf(
  span: FaultSpan,
  about: {
    readonly group: string;
    readonly windowMs: Interval;
    readonly expectedWindowMs: Interval | null;
    readonly proof: Proof | null;
    readonly failedCount: number;
    /** No other was stale at the same time; else a failure may have been that one's. */
    readonly isAlone: boolean;
  },
): string {
  const { group, windowMs, expectedWindowMs, proof, failedCount, isAlone } = about;
  const what = span.target === null ? `Target group ${group}` : `${span.target} of ${group}`;
  const owner = span.owner === null || span.target === null ? '' : ` (${span.owner})`;
  const expected = expectedWindowMs === null ? '' : ` (expected: at most ${durationText(expectedWindowMs.max, 'up')})`;
  const open = span.isOpenAtEnd ? ', and still when the run ended' : '';
  const countText = `${countOf(failedCount, 'failed probe')}${isAlone ? '' : ', its own or those of others that were stale,'}`;
  const failures = proof === null ? 'no probe failed by it' : `${countText} meanwhile, ${proofWords[proof]}`;
  return `${what}${owner} ${faultWords[span.fault]}, for ${durationBoundsText(windowMs)}${expected}${open}: ${failures}.`;
}

/** What the failures were held against, and the counter-check. */
export function checkText(check: StaleCheck): string[] {
  const { failedCount, probeCount, expectedRatio, outsideFailedCount, outsideProbeCount } = check;
  const inside =
    probeCount === 0
      ? 'while it was so, no probe whose share of stale targets is known'
      : `while it was so, ${countOf(failedCount, 'failure')} of ${countOf(probeCount, 'probe')} (${ratioText(failedCount / probeCount)}); by the share of stale among all that got requests ${boundsText(expectedRatio, ratioText)} were to be expected`;
  return [
    inside,
    `counter-check: while no target was stale, ${countOf(outsideFailedCount, 'failure')} of the same kind among ${countOf(outsideProbeCount, 'probe')}`,
  ];
}

export function stateEvidence(history: GroupHistory, span: FaultSpan, at: (ns: number) => string): string[] {
  const target = history.targets.find((one) => one.target === span.target);
  const stretches = (target?.stretches ?? []).filter(
    ({ fromAtNs, toAtNs }) => fromAtNs <= span.toNs && span.fromNs <= toAtNs,
  );
  return [
    `${history.group.name}: seen so from ${at(span.firstSeenNs)} to ${at(span.lastSeenNs)}, for the first time after ${at(span.fromNs)}`,
    ...stretches.map(
      ({ state, reason, fromAtNs, toAtNs }) =>
        `${span.target ?? ''} ${state}${reason === '' ? '' : ` (${reason})`} from ${at(fromAtNs)} to ${at(toAtNs)}`,
    ),
  ];
}

export function suspicionText(suspicion: Suspicion, isWatched: boolean): string {
  const { failedCount, probeCount, fromNs, toNs, eventNs } = suspicion;
  const after = durationText(nsToMs(fromNs - eventNs));
  const length = durationText(nsToMs(toNs - fromNs));
  const begins = `Within ${length}, beginning ${after} after a rollout, ${countOf(failedCount, 'probe')} of ${String(probeCount)} failed as they do while a load balancer sends to a target that has gone`;
  return isWatched
    ? `${begins}. Its targets were watched, and none that was stale for longer than two polls tell for certain explains them: a race of seconds between the end of pods and their deregistration.`
    : `${begins}. That is not proved: nobody told who is behind its targets.`;
}
