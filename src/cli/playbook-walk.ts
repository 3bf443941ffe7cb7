/**
 * Walks an operator through a playbook. Each step is looked at, done (by its command or by hand), and looked at again until
 * it is so, within a bound. A step that fails ends the walk; one of which nothing is known goes on only when somebody says
 * so.
 */
import { checkStep, saidOf, type PlannedStep, type StepResult } from '../checks/playbook.ts';
import type { PlaybookFacts } from '../checks/playbook-facts.ts';
import type { StepRow } from '../checks/playbook-step.ts';
import { detailLines, stepMarks } from '../checks/playbook-text.ts';
import type { PlaybookCheck, StepSaid } from '../core/playbook.ts';
import { partsFor, type Part } from './playbook-look.ts';

export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** '' = it was started. */
  readonly error: string;
}

export interface WalkPorts {
  readonly look: (parts: ReadonlySet<Part>) => Promise<PlaybookFacts>;
  /** A line of the operator's; null: there is nobody, or it was stopped. */
  readonly ask: (text: string) => Promise<string | null>;
  readonly run: (command: readonly string[]) => Promise<CommandEnd>;
  /** Into the running watch, where there is one: a text, or what is so of a step. */
  readonly mark: (mark: string | StepSaid) => void;
  readonly say: (text: string) => void;
  /** Shown in place of what it showed before. */
  readonly count: (text: string) => void;
  readonly nowMs: () => number;
  /** Ends early when it is stopped. */
  readonly wait: (ms: number) => Promise<void>;
  readonly stopSignal: AbortSignal;
}

export interface WalkOptions {
  readonly isRollback: boolean;
  /** Name of the first step; null: the first of all. */
  readonly from: string | null;
  /** All of the playbook, where only some are walked; left out: those that are. */
  readonly all?: readonly PlannedStep[];
  readonly acceptUnknown: readonly string[];
  /** How long a step may take to become so after it was done. */
  readonly patienceMs: number;
}

/** As exit statuses: 0 all steps are done, 3 one failed, 4 stopped or not known, 5 a command failed. */
export type WalkEnd = 0 | 3 | 4 | 5;

const pollMs = 5000;
/** Whoever waits for an hour does not ask AWS all the while. */
const pollMsMax = 30_000;
/** Nothing was done since: what was read for the step before is good for this one, too. */
const freshMs = 15_000;
/** After something was done, a platform may need a moment to say so; Route 53 takes up to a minute. */
const settleMs = 120_000;

export async function walk(
  steps: readonly PlannedStep[],
  { isRollback, from, all = steps, acceptUnknown, patienceMs }: WalkOptions,
  ports: WalkPorts,
): Promise<WalkEnd> {
  const { ask, say, mark, stopSignal } = ports;
  const first = from === null ? 0 : steps.findIndex(({ name }) => name === from);
  const accepted: string[] = [];
  let last: { readonly facts: PlaybookFacts; readonly parts: ReadonlySet<Part>; readonly atMs: number } | null = null;
  for (const step of steps.slice(first)) {
    say(`\nStep ${step.number} of ${all.length}: ${step.name} (${step.title})`);
    if (step.note !== '') say(step.note);
    const end = await take(step);
    if (end !== null) {
      say(`To go on from here: --step --from ${step.name}${isRollback ? ' --rollback' : ''}`);
      return end;
    }
  }
  const but = accepted.length === 0 ? '' : ` Not known, and accepted: ${accepted.join(', ')}.`;
  say(`\nThe playbook is done.${but}`);
  return 0;

  /** null: it is done. */
  async function take(step: PlannedStep): Promise<WalkEnd | null> {
    if (step.check === null) return takeUnseen(step);
    const before = await lookBefore(step);
    if (stopSignal.aborted) return stopped();
    if (isDone(before)) return done(before);
    show(before);
    if (step.check === 'dns-switched') {
      const end = await lookAgain(step);
      if (end !== null) return end;
    }
    const isDoing = await mayDo(step, before);
    if (stopSignal.aborted) return stopped();
    if (typeof isDoing !== 'boolean') {
      if (isDone(isDoing)) return done(isDoing);
      mark(saidOf(isDoing));
      return isDoing.state === 'fail' ? 3 : 4;
    }
    mark(isDoing ? beginText(step) : `playbook: step ${step.name} begins`);
    if (isDoing) {
      const end = await doIt(step);
      if (end !== null) return end;
    }
    const after = await becomeSo(step, isDoing);
    if (stopSignal.aborted) return stopped();
    if (isDone(after)) return done(after);
    show(after);
    if (isAcceptable(after) && (await isAccepted(step, after))) {
      accepted.push(step.name);
      mark(saidOf(after, true));
      return null;
    }
    mark(saidOf(after));
    return stopSignal.aborted ? stopped() : after.state === 'fail' ? 3 : 4;
  }

  /**
   * Whether its command is to run, or the operator is to do it. A result: there is nothing more to do, for it is so by
   * itself, or nobody knows and nobody accepted that.
   */
  async function mayDo(step: PlannedStep, before: StepResult): Promise<boolean | StepResult> {
    const { name, command } = step;
    if (isPast(before)) return false;
    if (command === null) return before.state === 'fail' && !isWaiting(before);
    if (before.state === 'unknown') {
      if (acceptUnknown.includes(name)) return true;
      const text = `Nobody knows whether it is so already. To run its command all the same, type accept ${name}: `;
      return (await ask(text))?.trim() === `accept ${name}` ? true : before;
    }
    if (!isWaiting(before)) return true;
    const answer = await ask(`Time alone may mend it. Run the command of ${name}, run it again? y/N: `);
    if (answer !== null) return /^y(?:es)?$/i.test(answer.trim());
    if (stopSignal.aborted) return before;
    say(`nobody answers: it is waited for before the command of ${name} runs`);
    const waited = await becomeSo(step, false);
    if (stopSignal.aborted || isDone(waited)) return waited;
    show(waited);
    if (waited.state === 'unknown' && !acceptUnknown.includes(name)) return waited;
    // It took a while: what was so before may be so no longer.
    return step.check === 'dns-switched' && (await lookAgain(step)) !== null ? waited : true;
  }

  /** What no machine can see: its command says it, or the operator. */
  async function takeUnseen(step: PlannedStep): Promise<WalkEnd | null> {
    mark(beginText(step));
    const end = await doIt(step);
    if (end === null)
      mark(
        unseen(
          step,
          'not-applicable',
          step.command === null ? 'the operator says that it is done' : 'its command ended with status 0',
        ),
      );
    return end;
  }

  async function look(step: PlannedStep): Promise<StepResult> {
    const [parts, atMs] = [partsFor([step.check]), ports.nowMs()];
    const facts = await ports.look(parts);
    last = { facts, parts, atMs };
    return checkStep(facts, step);
  }

  function lookBefore(step: PlannedStep): StepResult | Promise<StepResult> {
    if (last === null || ports.nowMs() - last.atMs > freshMs) return look(step);
    const { facts, parts } = last;
    return [...partsFor([step.check])].every((part) => parts.has(part)) ? checkStep(facts, step) : look(step);
  }

  function done(result: StepResult): null {
    const { name, state } = result;
    say(`${stepMarks[state]} ${name}: ${result.rows.find((row) => row.state === state)?.found ?? state}`);
    for (const line of detailLines(result)) say(`  ${line}`);
    mark(saidOf(result));
    return null;
  }

  function show(result: StepResult): void {
    say(`${stepMarks[result.state]} ${result.name}`);
    for (const line of detailLines(result)) say(`  ${line}`);
  }

  function stopped(): WalkEnd {
    say('stopped');
    return 4;
  }

  async function doIt(step: PlannedStep): Promise<WalkEnd | null> {
    const { name, command } = step;
    last = null;
    if (command === null) {
      const answer = await ask('Do it, then press Enter: ');
      return answer === null ? stopped() : null;
    }
    say(`running the command of ${name}: ${command[0]} …`);
    const { exitCode, signal, error } = await ports.run(command);
    if (exitCode === 0) return null;
    const why = error === '' ? (signal === null ? `ended with status ${exitCode}` : `was ended by ${signal}`) : error;
    say(`${stepMarks.fail} the command of ${name} ${why}`);
    mark(unseen(step, 'fail', `its command ${why}`));
    return 5;
  }

  /** What no check says. */
  function unseen({ name, check }: PlannedStep, result: StepSaid['result'], why: string): StepSaid {
    return { step: name, check, result, isAccepted: false, observedAtMs: null, evidence: [why] };
  }

  /** Seconds before names are switched, what was so before must be so still: above all that no job runs twice. */
  async function lookAgain(step: PlannedStep): Promise<WalkEnd | null> {
    const earlier = all.filter(({ number }) => number < step.number);
    const areJobsOn = earlier.some(({ check }) => check === 'cron-enabled');
    const again = earlier.filter(
      ({ check }) => check !== null && mustHold.has(check) && !(areJobsOn && ofJobs.has(check)),
    );
    if (again.length === 0) return null;
    const facts = await ports.look(partsFor(again.map(({ check }) => check)));
    if (stopSignal.aborted) return stopped();
    const isTaken = (one: StepResult): boolean =>
      isAcceptable(one) && (accepted.includes(one.name) || acceptUnknown.includes(one.name));
    const bad = again.map((one) => checkStep(facts, one)).filter((one) => !isDone(one) && !isTaken(one));
    for (const one of bad) {
      show(one);
      mark(saidOf(one));
    }
    if (bad.length === 0) return null;
    if (bad.some(({ state }) => state === 'fail')) {
      say('Names are not switched: what was so before is so no longer.');
      return 3;
    }
    const names = bad.map(({ name }) => name).join(' ');
    say(
      `Names are not switched: nobody knows whether what was so before is so still. --accept-unknown ${names} accepts it.`,
    );
    return 4;
  }

  async function becomeSo(step: PlannedStep, wasDone: boolean): Promise<StepResult> {
    const beganMs = ports.nowMs();
    for (;;) {
      const result = await look(step);
      const passedMs = ports.nowMs() - beganMs;
      const boundMs = boundOf(result, wasDone);
      if (isDone(result) || stopSignal.aborted || passedMs >= boundMs) return result;
      const [why = ''] = missingRows(result).map(({ subject, found }) => `${subject}: ${found}`);
      ports.count(`waiting for ${step.name}, ${Math.ceil((boundMs - passedMs) / 1000)} s at the most: ${why}`);
      await ports.wait(Math.min(Math.max(pollMs, Math.min(pollMsMax, passedMs / 10)), boundMs - passedMs));
    }
  }

  /** Who does not answer for so long after something was done may not answer for hours. */
  function boundOf(result: StepResult, wasDone: boolean): number {
    if (isWaiting(result)) return result.state === 'fail' ? patienceMs : Math.min(patienceMs, settleMs);
    return wasDone && result.state === 'fail' ? Math.min(patienceMs, settleMs) : 0;
  }

  async function isAccepted({ name }: PlannedStep, { state }: StepResult): Promise<boolean> {
    if (acceptUnknown.includes(name)) {
      say(`${state === 'unknown' ? 'not known' : 'was not so before'}, and accepted by --accept-unknown ${name}`);
      return true;
    }
    const why = state === 'unknown' ? 'Nobody knows whether it is so.' : 'What was cannot be mended any more.';
    const answer = await ask(`${why} To go on all the same, type accept ${name}: `);
    return answer?.trim() === `accept ${name}`;
  }

  /** The mark of the switch itself is what a run takes as the beginning of the change. */
  function beginText({ name, check }: PlannedStep): string {
    if (check === 'dns-switched') return isRollback ? 'rollback by the playbook' : 'switch by the playbook';
    return `playbook: step ${name} begins`;
  }
}

const mustHold: ReadonlySet<PlaybookCheck> = new Set([
  'ttl-lowered',
  'ttl-aged-out',
  'new-side-ready',
  'cron-suspended-on-new',
  'ecs-schedules-disabled',
  'jobs-exclusive',
]);
const ofJobs: ReadonlySet<PlaybookCheck> = new Set(['cron-suspended-on-new', 'ecs-schedules-disabled']);

function isDone({ state }: StepResult): boolean {
  return state === 'pass' || state === 'not-applicable';
}

function missingRows({ rows, state }: StepResult): readonly StepRow[] {
  return rows.filter((row) => row.decides && row.state === state);
}

/** It is so now, and was not before: nothing that is done now mends that. */
function isPast(result: StepResult): boolean {
  return result.state === 'fail' && missingRows(result).every((row) => row.isPast === true);
}

/** What somebody may take upon themselves. */
function isAcceptable(result: StepResult): boolean {
  return result.state === 'unknown' || isPast(result);
}

/** Time alone may mend all of it. */
function isWaiting(result: StepResult): boolean {
  return missingRows(result).every(({ canWait }) => canWait);
}
