/** Every step of a playbook, forth or back: what its check says, which is next, and what all of them come to. */
import {
  playbookChecks,
  type PlaybookCheck,
  type PlaybookStep,
  type StepSaid,
  type StepState,
} from '../core/playbook.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import { schedulesOf, type PlatformFacts, type PlaybookFacts } from './playbook-facts.ts';
import { jobsExclusive, jobsOff, jobsOn } from './playbook-jobs.ts';
import { connectionAgeLowered, connectionKey, drained } from './playbook-leaving.ts';
import {
  converged,
  dnsSwitched,
  enteringSideAnswers,
  rollbackReady,
  sideOfNames,
  ttlAgedOut,
  ttlLowered,
} from './playbook-names.ts';
import { deployed, deploySafety, helmRollbackPossible, ready } from './playbook-platforms.ts';
import type { JobReading, Reading } from './playbook-readings.ts';
import { mirrorOf, stateOf, stepRow, wayOf, type CheckSaid, type StepRow } from './playbook-step.ts';

/** A step as it is taken in one direction. */
export interface PlannedStep {
  /** From 1. */
  readonly number: number;
  readonly name: string;
  readonly check: PlaybookCheck | null;
  readonly title: string;
  readonly note: string;
  readonly command: readonly string[] | null;
}

export interface StepResult extends Omit<PlannedStep, 'command'> {
  readonly state: StepState;
  readonly rows: readonly StepRow[];
  readonly source: string;
  /** Wall clock; null: nothing was read for it. */
  readonly readAtMs: number | null;
}

export interface Playbook {
  readonly scenario: string;
  readonly isRollback: boolean;
  /** Titles of the sides. */
  readonly from: string;
  readonly to: string;
  readonly atMs: number;
  readonly steps: readonly StepResult[];
  /** The first step that has not passed; null: all that apply have. */
  readonly next: string | null;
  readonly state: 'pass' | 'fail' | 'unknown';
}

const titles: Readonly<Record<PlaybookCheck, string>> = {
  'ttl-lowered': 'TTL lowered',
  'ttl-aged-out': 'old TTL aged out',
  'connection-age-lowered': 'connection age lowered on {leaving}',
  'new-side-deployed': '{entering} deployed',
  'new-side-ready': '{entering} ready',
  'new-side-answers': '{entering} answers',
  'cron-suspended-on-new': 'jobs off on {new}',
  'helm-rollback-possible': 'Helm can roll back',
  'rollback-ready': '{leaving} can be gone back to',
  'ecs-schedules-disabled': 'jobs off on {old}',
  'jobs-exclusive': 'jobs never on at both sides',
  'dns-switched': 'names lead to {entering}',
  converged: 'resolvers have converged',
  'cron-enabled': 'jobs on on {entering}',
  'deploy-safety': 'deployments to come are safe',
  'old-drained': '{leaving} drained',
};

/** The playbook of the scenario, or the default one; of a rollback its mirror. */
export function stepsOf(scenario: Scenario, isRollback: boolean): readonly PlannedStep[] {
  const given: readonly PlaybookStep[] =
    scenario.playbook ??
    playbookChecks.map((check) => ({ name: check, check, title: '', note: '', command: null, rollback: null }));
  const commands = new Map(given.map(({ check, rollback }) => [check, rollback]));
  const taken = given.flatMap((step): readonly Omit<PlannedStep, 'number'>[] => {
    const { check, name, note, title, command, rollback } = step;
    if (!isRollback) return [{ name, check, title: title || titleOf(scenario, isRollback, check), note, command }];
    // What no machine can see has a way back only where somebody says which.
    if (check === null) return rollback === null ? [] : [{ name, check, title, note, command: rollback }];
    const mirror = mirrorOf(check);
    const own = titleOf(scenario, isRollback, mirror.check);
    return [{ ...mirror, title: own, note: '', command: commands.get(mirror.check) ?? null }];
  });
  return taken.map((step, i) => ({ number: i + 1, ...step }));
}

function titleOf({ sides }: Scenario, isRollback: boolean, check: PlaybookCheck | null): string {
  if (check === null) return '';
  const [entering, leaving] = isRollback ? [sides.old, sides.new] : [sides.new, sides.old];
  const of: Readonly<Record<string, string>> = {
    entering: entering.title,
    leaving: leaving.title,
    old: sides.old.title,
    new: sides.new.title,
  };
  return titles[check].replaceAll(/\{(\w+)\}/g, (_, key: string) => of[key] ?? '');
}

// ── what they say ────────────────────────────────────────────────────────────────────────────────────────────────────

export function checkStep(facts: PlaybookFacts, planned: PlannedStep): StepResult {
  const { number, name, check, title, note } = planned;
  const step = { number, name, check, title, note };
  if (step.check === null) {
    const rows = [stepRow('not-applicable', step.title, 'no machine can see it; --step asks whether it is done')];
    return { ...step, state: 'not-applicable', rows, source: '', readAtMs: null };
  }
  const { rows, source, readAtMs } = said(facts, step.check);
  // Where nothing was looked at, nothing is known.
  const known = rows.length > 0 ? rows : [stepRow('unknown', step.title, 'there was nothing to look at')];
  return { ...step, state: stateOf(known), rows: known, source, readAtMs };
}

function said(facts: PlaybookFacts, check: PlaybookCheck): CheckSaid {
  switch (check) {
    case 'ttl-lowered':
      return ttlLowered(facts);
    case 'ttl-aged-out':
      return ttlAgedOut(facts);
    case 'connection-age-lowered':
      return connectionAgeLowered(facts);
    case 'new-side-deployed':
      return deployed(facts);
    case 'new-side-ready':
      return ready(facts);
    case 'new-side-answers':
      return enteringSideAnswers(facts);
    case 'cron-suspended-on-new':
      return jobsOff(facts, 'new', areJobsOver(facts));
    case 'helm-rollback-possible':
      return helmRollbackPossible(facts);
    case 'rollback-ready':
      return rollbackReady(facts);
    case 'ecs-schedules-disabled':
      return jobsOff(facts, 'old', areJobsOver(facts));
    case 'jobs-exclusive':
      return jobsExclusive(facts);
    case 'dns-switched':
      return dnsSwitched(facts);
    case 'converged':
      return converged(facts);
    case 'cron-enabled':
      return jobsOn(facts);
    case 'deploy-safety':
      return deploySafety(facts);
    case 'old-drained':
      return drained(facts);
  }
}

function areJobsOver(facts: PlaybookFacts): boolean {
  const state = stateOf(dnsSwitched(facts).rows);
  return (state === 'pass' || state === 'not-applicable') && stateOf(jobsOn(facts).rows) === 'pass';
}

export function playbook(facts: PlaybookFacts, planned: readonly PlannedStep[], isRollback: boolean): Playbook {
  const steps = planned.map((step) => checkStep(facts, step));
  const { scenario, nowMs } = facts.look;
  const { entering, leaving } = wayOf(facts);
  const states = new Set(steps.map(({ state }) => state));
  return {
    scenario: scenario.name,
    isRollback,
    from: scenario.sides[leaving].title,
    to: scenario.sides[entering].title,
    atMs: nowMs,
    steps,
    next: steps.find(({ state }) => state === 'fail' || state === 'unknown')?.name ?? null,
    // Where nothing applies, nothing is known either.
    state: states.has('fail') ? 'fail' : states.has('unknown') || !states.has('pass') ? 'unknown' : 'pass',
  };
}

/** 0 all that apply pass, 3 some fail, 4 some are not known. */
export function playbookExitCode({ state }: Pick<Playbook, 'state'>): number {
  return state === 'pass' ? 0 : state === 'fail' ? 3 : 4;
}

/** The contract of `--json`: more may be added, nothing renamed. */
export function playbookJson({ scenario, isRollback, from, to, atMs, state, next, steps }: Playbook): string {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const json = {
    schemaVersion: 1,
    scenario,
    mode: isRollback ? 'rollback' : 'cutover',
    from,
    to,
    at: iso(atMs),
    state,
    next,
    steps: steps.map(({ readAtMs, ...step }) => ({ ...step, readAt: iso(readAtMs) })),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

// ── what is told to a run ────────────────────────────────────────────────────────────────────────────────────────────

export function saidOf({ name, check, state, rows, readAtMs }: StepResult, isAccepted: boolean = false): StepSaid {
  const deciding = rows.filter((row) => row.decides && row.state === state);
  const evidence = [...new Set(deciding.map(({ subject, found }) => `${subject}: ${found}`))];
  return { step: name, check, result: state, isAccepted, observedAtMs: readAtMs, evidence };
}

// ── what is remembered ───────────────────────────────────────────────────────────────────────────────────────────────

/** Of what was looked at; of all else nothing is remembered. */
export function readingOf({ look, platforms }: Omit<PlaybookFacts, 'readings'>, sentSides: boolean): Reading {
  const sent = (side: Side): number => (sentSides ? look.probes.filter((probe) => probe.side === side).length : 0);
  return {
    atMs: look.nowMs,
    jobs: { old: jobsRead(platforms.old), new: jobsRead(platforms.new) },
    connectionAgesS: { ...connectionAges(platforms.old, 'old'), ...connectionAges(platforms.new, 'new') },
    dns: sideOfNames(look),
    sentCounts: { old: sent('old'), new: sent('new') },
  };
}

function jobsRead(platform: PlatformFacts): readonly JobReading[] | null {
  const read = schedulesOf(platform);
  if (read?.kind !== 'told') return null;
  return read.value.map(({ name, isEnabled, expression, timeZone, activeCount }) => ({
    name,
    isEnabled,
    expression,
    timeZone,
    activeCount,
  }));
}

function connectionAges({ aws }: PlatformFacts, side: Side): Readonly<Record<string, number>> {
  const read = aws?.loadBalancers ?? null;
  if (read?.kind !== 'told') return {};
  return Object.fromEntries(
    read.value.flatMap(({ name, clientKeepAliveS: ageS }) =>
      ageS === null ? [] : [[connectionKey(side, name), ageS]],
    ),
  );
}
