/**
 * The objective on stale targets. One counts for certain where failures were proved to be its own (P2 or better); one that
 * was confirmed and hurt no probe may have hurt users. Where targets were to be watched and could not be, nobody knows.
 */
import type { Analysis, LaneAnalysis, ServiceAnalysis } from '../core/analysis.ts';
import { boundsText, countOf, countText, durationText, listText } from '../core/quantity-text.ts';
import type { Objectives } from '../core/scenario.ts';
import type { StaleTarget } from '../core/stale-target.ts';
import { nsToMs } from '../core/time.ts';
import type { Reason } from '../core/verdict.ts';
import { judgeInterval } from './interval.ts';

export function staleTargets(
  analysis: Analysis,
  service: ServiceAnalysis,
  judgedLanes: readonly LaneAnalysis[],
  objectives: Objectives,
): Reason {
  const limit = objectives.staleTargetCountMax;
  const reasonOf = ({ severity, value, observed, text }: Omit<Reason, 'objective' | 'service' | 'limit'>): Reason => ({
    objective: 'staleTargetCountMax',
    service: service.name,
    severity,
    value,
    limit,
    observed,
    text,
  });
  const watch = analysis.targetWatch?.find((one) => one.service === service.name);
  const window = judgedWindow(judgedLanes);
  const own = (analysis.staleTargets ?? []).filter(
    (stale) => stale.services.includes(service.name) && window !== null && isIn(stale, window),
  );
  const suspected = own.filter(({ target, proof }) => target === null && proof === 'P1');
  const suspicion =
    suspected.length === 0
      ? ''
      : ` Failures near a rollout look like it (${countOf(suspected.length, 'time')}), which proves nothing.`;
  const { untold = [] } = watch ?? {};
  if (watch === undefined || watch.sides.length === 0) {
    const why = untold.length === 0 ? 'Nothing watched the targets of the load balancers' : sentence(listText(untold));
    const text = `${why}, so stale ones were neither found nor ruled out.${suspicion}`;
    return reasonOf({ severity: 'warn', value: 'inconclusive', observed: null, text });
  }
  const gaps = watch.gaps.filter((gap) => window !== null && isIn(gap, window));
  const targets = own.filter(isOfTarget);
  const min = countTargets(targets.filter(({ proof }) => proof === 'P2' || proof === 'P3'));
  // One that ends and still serves hurts nobody until something fails.
  const max = countTargets(targets.filter(({ fault, proof }) => proof !== null || fault !== 'late-deregistration'));
  const named = [...new Set(targets.map(({ target }) => target ?? ''))];
  const names =
    named.length === 0 ? '' : ` (${listText(named.slice(0, namedMax))}${named.length > namedMax ? ' …' : ''})`;
  if (gaps.length > 0) {
    const blindMs = window === null ? 0 : nsToMs(coveredNs(gaps, window));
    const why = [...new Set(gaps.map((gap) => gap.why))];
    const isMissed = min > limit;
    const toKnow = isMissed ? '' : ' To know: an observer that is never blind.';
    const text = `At least ${countOf(min, 'stale target')}${names}, limit ${countText(limit)}; who watched the targets could not see for ${durationText(blindMs, 'up')} of the time judged (${listText(why)}), so there may have been more.${suspicion}${toKnow}`;
    return reasonOf({ severity: 'fail', value: isMissed ? 'fail' : 'inconclusive', observed: null, text });
  }
  const observed = { min, max };
  const value = judgeInterval(observed, limit);
  const narrowed =
    value === 'inconclusive'
      ? ' No probe is proved to have failed by the others. To know: a higher rate, or the access log of the load balancer.'
      : '';
  const besides = untold.length === 0 ? '' : ` Not counted: ${listText(untold)}.`;
  const text = `Stale targets ${boundsText(observed, countText)}, limit ${countText(limit)}${names}.${besides}${narrowed}${suspicion}`;
  return reasonOf({ severity: 'fail', value, observed, text });
}

const namedMax = 3;

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function isOfTarget({ target, fault }: StaleTarget): boolean {
  return target !== null && fault !== 'missing-target' && fault !== 'drain-race';
}

/** A target that was stale twice is one. */
function countTargets(stale: readonly StaleTarget[]): number {
  return new Set(stale.map(({ side, group, target }) => `${side} ${group} ${target ?? ''}`)).size;
}

interface Window {
  readonly fromAtNs: number;
  readonly toAtNs: number;
}

function judgedWindow(lanes: readonly LaneAnalysis[]): Window | null {
  const windows = lanes.flatMap(({ judgedPart }) => judgedPart ?? []);
  if (windows.length === 0) return null;
  return {
    fromAtNs: Math.min(...windows.map(({ fromAtNs }) => fromAtNs)),
    toAtNs: Math.max(...windows.map(({ toAtNs }) => toAtNs)),
  };
}

/** Several observers may be blind at once. */
function coveredNs(gaps: readonly Window[], { fromAtNs, toAtNs }: Window): number {
  let [sumNs, reachedNs] = [0, fromAtNs];
  for (const gap of gaps.toSorted((a, b) => a.fromAtNs - b.fromAtNs)) {
    const untilNs = Math.min(gap.toAtNs, toAtNs);
    sumNs += Math.max(0, untilNs - Math.max(gap.fromAtNs, reachedNs));
    reachedNs = Math.max(reachedNs, untilNs);
  }
  return sumNs;
}

function isIn(span: Window, window: Window): boolean {
  return span.fromAtNs < window.toAtNs && window.fromAtNs < span.toAtNs;
}
