/**
 * What a run does next. Pure: the live analysis and a few facts in, one step out; asked again about once a second, or when
 * a `wait` says that there may be something to do.
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
  /**
   * `untilNs`: as far as is known now there is nothing to do before, unless the command ends. Where that is not sure, what
   * comes in may change it: an answer under way, a resolver that turns out to break the TTL.
   */
  | { readonly kind: 'wait'; readonly untilNs: number; readonly isSure: boolean }
  | { readonly kind: 'start-command' }
  | { readonly kind: 'withhold-command'; readonly why: string }
  | { readonly kind: 'stop'; readonly why: EndReason };

const waitForCommand: Step = { kind: 'wait', untilNs: Infinity, isSure: true };

/** Where no TTL is known, a failed command's change is waited for so long. */
const ttlAssumedS = 60;

export function decide(analysis: Analysis, change: ChangeSpec, facts: RunFacts): Step {
  if (facts.isStopAsked) return { kind: 'stop', why: 'interrupted' };
  if (facts.command === 'not-started') return beforeCommand(analysis, change, facts);
  const changedAtNs = analysis.services.flatMap((service) => service.changes.map((seen) => seen.usedAtNs));
  const isEvident = analysis.services.every((service) => service.changes.some((seen) => seen.isEvident));
  if (!isEvident) return beforeEvidence(analysis, change, facts, changedAtNs);
  if (facts.command === 'running') return waitForCommand;
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
  if (watchedNs < baselineNs) return { kind: 'wait', untilNs: facts.probingSinceNs + baselineNs, isSure: true };
  const isThere = facts.mode === 'cutover' && isOnTargetAlready(analysis, change);
  if (isThere && !facts.startsAnyway) {
    const side = change.direction === 'old-to-new' ? 'new' : 'old';
    const why = `every answer comes from the ${side} side already: the change was made before, or the sides are swapped`;
    return { kind: 'withhold-command', why };
  }
  const unqualified = analysis.services.filter((service) => !hasQualifiedLane(analysis, service));
  if (unqualified.length === 0 || facts.startsAnyway || facts.mode === 'rollback') return { kind: 'start-command' };
  // As long again for a service that only just came up; then the truth is that nobody would notice the change break it.
  if (watchedNs < 2 * baselineNs) return { kind: 'wait', untilNs: facts.nowNs, isSure: false };
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
  if (facts.command === 'running') return waitForCommand;
  // Evidence that comes now has its tail before it.
  const untilNs = facts.nowNs + sToNs(change.tailS);
  const waitOr = (giveUpNs: number, why: EndReason): Step =>
    facts.nowNs < giveUpNs
      ? { kind: 'wait', untilNs: Math.min(giveUpNs, untilNs), isSure: false }
      : { kind: 'stop', why };
  if (facts.command === 'failed' && facts.commandEndedAtNs !== null) {
    // What a failed command did change would show within two TTLs.
    const patienceS = Math.min(2 * ttlOf(analysis) + 10, change.waitS);
    return waitOr(facts.commandEndedAtNs + sToNs(patienceS), 'command-failed');
  }
  const sinceNs = facts.commandEndedAtNs ?? Math.max(facts.probingSinceNs + sToNs(change.baselineS), ...changedAtNs);
  // After a command what was to change has changed, and caches are all that can hide it. By hand, services move one by one.
  const patienceS =
    facts.command === 'ended'
      ? Math.min(change.waitS, Math.max(change.convergenceTimeoutS, 2 * ttlOf(analysis) + 10))
      : change.waitS;
  return waitOr(sinceNs + sToNs(patienceS), 'nothing-changed');
}

function ttlOf(analysis: Analysis): number {
  return Math.max(0, ...analysis.services.map((service) => service.ttlS.after ?? service.ttlS.before ?? ttlAssumedS));
}

function afterEvidence(analysis: Analysis, change: ChangeSpec, facts: RunFacts, changedAtNs: number): Step {
  const { nowNs } = facts;
  // A compliant client that may still turn up on the old side would begin the tail anew.
  const leavesByNs = Math.max(
    0,
    ...analysis.lanes.filter((lane) => lane.judged && lane.qualified).map((lane) => lane.leavesOldByAtNs ?? 0),
  );
  const overNs = Math.max(...analysis.services.map((service) => tailWatchedAtNs(service, nowNs)), leavesByNs + 1);
  const recoveredNs = recoveredAtNs(analysis, change, nowNs);
  const wholeNs = Math.max(wholeAtNs(analysis, change), allGoneAtNs(analysis, change, nowNs));
  const isOver = nowNs >= overNs && nowNs >= recoveredNs;
  if (isOver && nowNs >= wholeNs) return { kind: 'stop', why: 'tail-watched' };
  const giveUpNs = Math.max(changedAtNs, leavesByNs) + sToNs(change.convergenceTimeoutS + change.tailS);
  // What converged late has its tail before it.
  const isInTail = nowNs < overNs && analysis.services.every(({ tail }) => tail.isWhole || tail.watchedS > 0);
  const lastNs = isInTail ? giveUpNs + sToNs(change.tailS) : giveUpNs;
  if (nowNs >= lastNs) return { kind: 'stop', why: isOver ? 'tail-watched' : 'not-converged' };
  return { kind: 'wait', untilNs: Math.min(lastNs, Math.max(overNs, recoveredNs, wholeNs)), isSure: false };
}

/** When its tail will have been watched to its end, if nobody turns up on the old side any more. */
function tailWatchedAtNs({ tail }: ServiceAnalysis, nowNs: number): number {
  return tail.isWhole ? 0 : nowNs + Math.max(1, sToNs(tail.askedS - tail.watchedS));
}

/** When whoever was down will have been up again for as long as the tail is asked to be, if it stays up from now on. */
function recoveredAtNs(analysis: Analysis, change: ChangeSpec, nowNs: number): number {
  const lanes = analysis.lanes.filter((lane) => lane.judged && lane.qualified && lane.series === 'raw');
  const tailNs = sToNs(change.tailS);
  return Math.max(
    0,
    ...lanes.map((lane) => {
      const last = lane.outages.at(-1);
      if (last === undefined) return 0;
      return last.firstGoodAtNs === null ? nowNs + Math.max(1, tailNs) : last.firstGoodAtNs + tailNs;
    }),
  );
}

/**
 * After a deployment, when nobody will have failed in part for as long as the tail is asked to be: what a target left behind
 * does to its share of requests goes on when the rollout has long been over, and how long is what one wants to know.
 */
function wholeAtNs(analysis: Analysis, change: ChangeSpec): number {
  if (change.via !== 'deploy') return 0;
  const lanes = analysis.lanes.filter((lane) => lane.judged && lane.qualified && lane.series === 'raw');
  return Math.max(0, ...lanes.flatMap(({ impaired }) => impaired.map(({ toAtNs }) => toAtNs + sToNs(change.tailS))));
}

/**
 * When no judged client will have been on the side left for as long as the tail is asked to be. Compliant ones begin the tail
 * themselves; those whose resolver breaks the TTL do not, and they are users as well.
 */
function allGoneAtNs(analysis: Analysis, change: ChangeSpec, nowNs: number): number {
  if (change.via !== 'dns' && change.via !== 'cdn') return 0;
  const leavingOf = new Map(
    analysis.services.map(({ name, changes }) => [name, changes.at(-1)?.direction === 'new-to-old' ? 'new' : 'old']),
  );
  const lanes = analysis.lanes.filter((lane) => lane.judged && lane.qualified && lane.leavesOldByAtNs !== null);
  return Math.max(
    0,
    ...lanes.flatMap(({ service, stretches }) => {
      const last = stretches.findLast(({ state }) => state === leavingOf.get(service));
      if (last === undefined) return [];
      const isThere = last === stretches.at(-1);
      return [isThere ? nowNs + Math.max(1, sToNs(change.tailS)) : last.toAtNs + sToNs(change.tailS)];
    }),
  );
}
