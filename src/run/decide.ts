/**
 * What a run does next. Pure: the live analysis and a few facts in, one step out; asked again about once a second.
 *
 * baseline ─(qualified)→ command, or wait for a change ─(evident)→ convergence ─→ tail ─→ stop.
 */
import type { Analysis, ServiceAnalysis } from '../core/analysis.ts';
import type { EntryOf, RunMode } from '../core/entry.ts';
import type { ChangeSpec } from '../core/scenario.ts';
import { nsToS, sToNs } from '../core/time.ts';

export interface RunFacts {
  readonly nowNs: number;
  /** When the first slot was due. */
  readonly probingSinceNs: number;
  readonly mode: RunMode;
  readonly command: 'none' | 'not-started' | 'running' | 'ended' | 'failed';
  /** Null while there is no command or it has not ended. */
  readonly commandEndedAtNs: number | null;
  readonly isStopAsked: boolean;
  readonly startsAnyway: boolean;
}

type EndReason = EntryOf<'run-ended'>['why'];

export type Step =
  | { readonly kind: 'wait' }
  | { readonly kind: 'start-command' }
  | { readonly kind: 'withhold-command'; readonly why: string }
  | { readonly kind: 'stop'; readonly why: EndReason };

const wait: Step = { kind: 'wait' };

/** Where no TTL is known, a failed command's change is waited for so long. */
const ttlAssumedS = 60;

export function decide(analysis: Analysis, change: ChangeSpec, facts: RunFacts): Step {
  if (facts.isStopAsked) return { kind: 'stop', why: 'interrupted' };
  if (facts.command === 'not-started') return beforeCommand(analysis, change, facts);
  const changedAtNs = analysis.services.flatMap((service) => service.changes.map((seen) => seen.usedAtNs));
  const isEvident = analysis.services.every((service) => service.changes.some((seen) => seen.isEvident));
  if (!isEvident) return beforeEvidence(analysis, change, facts, changedAtNs);
  if (facts.command === 'running') return wait;
  return afterEvidence(analysis, change, facts, Math.max(...changedAtNs));
}

/** Whoever makes the change by hand may begin: the baseline has been watched, and every service has a client that is well. */
export function isReadyForChange(analysis: Analysis, change: ChangeSpec, facts: RunFacts): boolean {
  return (
    facts.command === 'none' &&
    facts.nowNs - facts.probingSinceNs >= sToNs(change.baselineS) &&
    analysis.services.every((service) => service.changes.length === 0 && hasQualifiedLane(analysis, service))
  );
}

function beforeCommand(analysis: Analysis, change: ChangeSpec, facts: RunFacts): Step {
  const watchedNs = facts.nowNs - facts.probingSinceNs;
  const baselineNs = facts.mode === 'rollback' ? 0 : sToNs(change.baselineS);
  if (watchedNs < baselineNs) return wait;
  const isThere = facts.mode === 'cutover' && isOnTargetAlready(analysis, change);
  if (isThere && !facts.startsAnyway) {
    const side = change.direction === 'old-to-new' ? 'new' : 'old';
    const why = `every answer comes from the ${side} side already: the change was made before, or the sides are swapped`;
    return { kind: 'withhold-command', why };
  }
  const unqualified = analysis.services.filter((service) => !hasQualifiedLane(analysis, service));
  if (unqualified.length === 0 || facts.startsAnyway || facts.mode === 'rollback') return { kind: 'start-command' };
  // As long again for a service that only just came up; then the truth is that nobody would notice the change break it.
  if (watchedNs < 2 * baselineNs) return wait;
  const names = unqualified.map((service) => service.name).join(', ');
  const most = mostFrequentFailure(analysis, unqualified);
  const but = most === null ? '' : ` (most of its probes: ${most})`;
  const why = `no lane of ${names} had 10 good answers in a row in ${Math.round(nsToS(watchedNs))} s of baseline${but}`;
  return { kind: 'withhold-command', why };
}

/** Nobody was on the side that is to be left. */
function isOnTargetAlready(analysis: Analysis, change: ChangeSpec): boolean {
  const [leaving, target] = change.direction === 'old-to-new' ? (['old', 'new'] as const) : (['new', 'old'] as const);
  const lanes = analysis.lanes.filter((lane) => lane.role === 'client' && lane.judged);
  return lanes.some((lane) => lane.sides[target] > 0) && lanes.every((lane) => lane.sides[leaving] === 0);
}

function mostFrequentFailure(analysis: Analysis, services: readonly ServiceAnalysis[]): string | null {
  const names = new Set(services.map((service) => service.name));
  const counts = new Map<string, number>();
  for (const lane of analysis.lanes) {
    if (!names.has(lane.service) || !lane.judged) continue;
    for (const [kind, count] of Object.entries(lane.classes)) counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

function hasQualifiedLane(analysis: Analysis, service: ServiceAnalysis): boolean {
  return analysis.lanes.some((lane) => lane.service === service.name && lane.judged && lane.qualified);
}

function beforeEvidence(analysis: Analysis, change: ChangeSpec, facts: RunFacts, changedAtNs: readonly number[]): Step {
  if (facts.command === 'running') return wait;
  if (facts.command === 'failed' && facts.commandEndedAtNs !== null) {
    // What a failed command did change would show within two TTLs.
    const patienceNs = sToNs(Math.min(2 * ttlOf(analysis) + 10, change.waitS));
    return facts.nowNs - facts.commandEndedAtNs < patienceNs ? wait : { kind: 'stop', why: 'command-failed' };
  }
  const sinceNs = facts.commandEndedAtNs ?? Math.max(facts.probingSinceNs + sToNs(change.baselineS), ...changedAtNs);
  // After a command what was to change has changed, and caches are all that can hide it. By hand, services move one by one.
  const patienceS =
    facts.command === 'ended'
      ? Math.min(change.waitS, Math.max(change.convergenceTimeoutS, 2 * ttlOf(analysis) + 10))
      : change.waitS;
  return facts.nowNs - sinceNs < sToNs(patienceS) ? wait : { kind: 'stop', why: 'nothing-changed' };
}

function ttlOf(analysis: Analysis): number {
  return Math.max(0, ...analysis.services.map((service) => service.ttlS.after ?? service.ttlS.before ?? ttlAssumedS));
}

function afterEvidence(analysis: Analysis, change: ChangeSpec, facts: RunFacts, changedAtNs: number): Step {
  const isTailWatched = analysis.services.every((service) => service.tail.isWhole);
  // A compliant client that may still turn up on the old side would begin the tail anew.
  const leavesByNs = Math.max(
    0,
    ...analysis.lanes.filter((lane) => lane.judged && lane.qualified).map((lane) => lane.leavesOldByAtNs ?? 0),
  );
  const isOver = isTailWatched && facts.nowNs > leavesByNs && hasRecovered(analysis, change, facts.nowNs);
  if (isOver) return { kind: 'stop', why: 'tail-watched' };
  const lastNs = Math.max(changedAtNs, leavesByNs) + sToNs(change.convergenceTimeoutS + change.tailS);
  return facts.nowNs < lastNs ? wait : { kind: 'stop', why: 'not-converged' };
}

/** Whoever was down has been up again for as long as the tail is asked to be. */
function hasRecovered(analysis: Analysis, change: ChangeSpec, nowNs: number): boolean {
  const lanes = analysis.lanes.filter((lane) => lane.judged && lane.qualified && lane.series === 'raw');
  return lanes.every((lane) => {
    const last = lane.outages.at(-1);
    return last === undefined || (last.firstGoodAtNs !== null && nowNs - last.firstGoodAtNs >= sToNs(change.tailS));
  });
}
