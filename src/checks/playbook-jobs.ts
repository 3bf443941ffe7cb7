/** Jobs by the clock: never on at both sides, and at neither no longer than must be (domain.md, 0.10, E8–E10, E15). */
import type { ScheduleSeen } from '../core/platform.ts';
import { countOf, durationText, listText } from '../core/quantity-text.ts';
import type { Side } from '../core/scenario.ts';
import { schedulesOf, type PlaybookFacts, type Read } from './playbook-facts.ts';
import { firingsBetween, type Firings } from './playbook-firings.ts';
import { bothOffSpans, bothOnTimes, isBusy, isNamesake, type BothOff } from './playbook-exclusion.ts';
import { ofSide, unnamedRow, unreadRow } from './playbook-platforms.ts';
import { stateOf, stepRow, titleOf, wayOf, type CheckSaid, type StepRow } from './playbook-step.ts';

const sources: Readonly<Record<Side, string>> = {
  old: 'EventBridge rules, Scheduler, ECS tasks; Kubernetes CronJobs and Jobs',
  new: 'Kubernetes CronJobs and Jobs; EventBridge rules, Scheduler, ECS tasks',
};

/** `isOver`: both sides have had their turn, and what this step was for is behind us. */
export function jobsOff(facts: PlaybookFacts, side: Side, isOver: boolean): CheckSaid {
  const read = schedulesOf(facts.platforms[side]);
  const title = titleOf(facts.look.scenario, side);
  if (read?.kind === 'told' && isOver && side === wayOf(facts).entering) {
    const found = 'names are switched and its jobs are on: this step was before that';
    return ofSide(facts, side, sources[side], [stepRow('not-applicable', title, found)]);
  }
  return ofSide(facts, side, sources[side], jobRows(facts, side, read, offRow));
}

function jobRows(
  facts: PlaybookFacts,
  side: Side,
  read: Read<readonly ScheduleSeen[]> | null,
  of: (job: ScheduleSeen) => readonly StepRow[],
): readonly StepRow[] {
  const title = titleOf(facts.look.scenario, side);
  if (read === null) return [unnamedRow(facts, side, 'kubernetes, or aws with ecs or schedules,')];
  if (read.kind === 'not-told') return [unreadRow(`jobs of ${title}`, read.why)];
  const asked = facts.look.scenario.sides[side].kubernetes?.cronJobs ?? [];
  const absent = asked.filter((name) => !read.value.some((job) => job.kind === 'cron-job' && job.name === name));
  const missing = absent.map((name) => {
    const toDo = `Deploy ${name}, or take it from cronJobs under sides.${side}.`;
    return stepRow('fail', name, 'there is no CronJob of this name', { toDo });
  });
  if (read.value.length + missing.length === 0) {
    return [stepRow('not-applicable', title, 'has no job that starts by the clock')];
  }
  return [...missing, ...read.value.flatMap(of)];
}

function offRow(job: ScheduleSeen): readonly StepRow[] {
  const { name, isEnabled, activeCount } = job;
  if (isEnabled) return [stepRow('fail', name, `is ${stateText(job)}`, { toDo: switchText(job, false) })];
  if (activeCount === null) {
    const toDo = 'Name the ECS cluster (aws with ecs), and its tasks tell.';
    return [stepRow('unknown', name, `is ${stateText(job)}; whether one runs is not known`, { toDo })];
  }
  if (activeCount > 0) {
    const found = `is ${stateText(job)}, and ${countOf(activeCount, 'job')} of it runs`;
    return [stepRow('fail', name, found, { toDo: `Wait until the running job of ${name} has ended.`, canWait: true })];
  }
  return [stepRow('pass', name, `is ${stateText(job)}, and none of it runs`)];
}

function stateText({ kind, isEnabled }: ScheduleSeen): string {
  if (kind === 'cron-job') return isEnabled ? 'not suspended' : 'suspended';
  return isEnabled ? 'enabled' : 'disabled';
}

function switchText({ kind, name }: ScheduleSeen, isOn: boolean): string {
  switch (kind) {
    case 'cron-job':
      return `kubectl patch cronjob ${name} -p '{"spec":{"suspend":${!isOn}}}'`;
    case 'event-rule':
      return `aws events ${isOn ? 'enable' : 'disable'}-rule --name ${name}`;
    case 'scheduler':
      return `Set the schedule ${name} to ${isOn ? 'ENABLED' : 'DISABLED'} (aws scheduler update-schedule takes all of it again).`;
  }
}

// ── never both ───────────────────────────────────────────────────────────────────────────────────────────────────────

export function jobsExclusive(facts: PlaybookFacts): CheckSaid {
  const { scenario } = facts.look;
  const reads = (['old', 'new'] as const).map((side) => ({ side, read: schedulesOf(facts.platforms[side]) }));
  const [old, now] = reads.map(({ read }) => (read?.kind === 'told' ? read.value : []));
  const readAtMs = Math.min(facts.platforms.old.readAtMs, facts.platforms.new.readAtMs);
  const said = (rows: readonly StepRow[]): CheckSaid => ({
    rows,
    source: `${sources.old}; earlier readings`,
    readAtMs,
  });
  const blind = reads.flatMap(({ side, read }) => {
    if (read === null) return [unnamedRow(facts, side, 'kubernetes, or aws with ecs or schedules,')];
    return read.kind === 'not-told' ? [unreadRow(`jobs of ${titleOf(scenario, side)}`, read.why)] : [];
  });
  if (blind.length > 0) return said(blind);
  if ((old?.length ?? 0) === 0 || (now?.length ?? 0) === 0) {
    return said([stepRow('not-applicable', 'jobs', 'one side has no job that starts by the clock')]);
  }
  return said([...nowRows(old ?? [], now ?? []), ...overTimeRows(facts)]);
}

/** Jobs that have no namesake on the other side may be the same under another name: nobody knows. */
function nowRows(old: readonly ScheduleSeen[], now: readonly ScheduleSeen[]): readonly StepRow[] {
  const hasNamesake = ({ name }: ScheduleSeen, others: readonly ScheduleSeen[]): boolean =>
    others.some((other) => isNamesake(name, other.name));
  const pairs = old.flatMap((one) =>
    now.filter((other) => isNamesake(one.name, other.name)).map((other) => ({ one, other })),
  );
  const rows = pairs.map(({ one, other }) => {
    const found = `${stateText(one)} on the old side${runsText(one)}, ${stateText(other)} on the new${runsText(other)}`;
    const [isOldBusy, isNewBusy] = [isBusy(one), isBusy(other)];
    if (isOldBusy === false || isNewBusy === false) return stepRow('pass', one.name, found);
    if (isOldBusy === null || isNewBusy === null) {
      return stepRow('unknown', one.name, found, { toDo: 'Name the ECS cluster (aws with ecs), and its tasks tell.' });
    }
    const toDo = one.isEnabled
      ? `Both may do the same work: ${switchText(one, false)}`
      : 'Wait until the job that runs has ended.';
    return stepRow('fail', one.name, found, { toDo, canWait: !one.isEnabled || !other.isEnabled });
  });
  const aloneOld = old.filter((one) => !hasNamesake(one, now) && isBusy(one) !== false);
  const aloneNew = now.filter((one) => !hasNamesake(one, old) && isBusy(one) !== false);
  if (aloneOld.length > 0 && aloneNew.length > 0) {
    const found = `${names(aloneOld)} on the old side and ${names(aloneNew)} on the new are on or may be running, and may be the same jobs`;
    const toDo =
      'Call the same job alike on both sides, or name those in scope: schedules under aws, cronJobs under kubernetes.';
    return [...rows, stepRow('unknown', 'jobs of different names', found, { toDo })];
  }
  if (rows.length > 0) return rows;
  return [
    stepRow(
      'pass',
      'jobs',
      `on at ${aloneOld.length > 0 ? 'the old side' : aloneNew.length > 0 ? 'the new side' : 'neither side'} alone`,
    ),
  ];
}

function runsText({ isEnabled, activeCount }: ScheduleSeen): string {
  if (isEnabled) return '';
  return activeCount === null ? ' (whether one runs is not known)' : activeCount > 0 ? ' but running' : '';
}

function names(jobs: readonly ScheduleSeen[]): string {
  return listText(jobs.map(({ name }) => name));
}

function overTimeRows(facts: PlaybookFacts): readonly StepRow[] {
  const bothOn = bothOnTimes(facts.readings).map(({ name, job, fromMs, toMs, untilMs, mayHaveRun }) => {
    const found = `was on at both sides as read from ${clock(fromMs)} to ${clock(toMs)}`;
    // Off again before it was due, it did nothing twice.
    if (!mayHaveRun && countOfFirings(firingsBetween(job, { fromMs, toMs: untilMs })) === 0) {
      return stepRow('pass', name, `${found}, and was not due in that time`);
    }
    const toDo = `Look at what ${name} did in that time: it may have been done twice.`;
    return stepRow('fail', name, found, { toDo, isPast: true });
  });
  return [...bothOn, ...bothOffSpans(facts.readings, wayOf(facts)).map((span) => offSpanRow(span, facts.look.nowMs))];
}

function offSpanRow(span: BothOff, nowMs: number): StepRow {
  const { name, job, offFromMs, lastOnMs, offToMs, nextOnMs } = span;
  const surely = firingsBetween(job, { fromMs: offFromMs, toMs: offToMs });
  const widest = firingsBetween(job, { fromMs: lastOnMs, toMs: nextOnMs ?? offToMs });
  const length = durationText((nextOnMs ?? Math.max(offToMs, nowMs)) - lastOnMs, 'up');
  const until = nextOnMs === null ? 'until now' : `to ${clock(nextOnMs)}`;
  const found = `was off at both sides from ${clock(lastOnMs)} ${until} at the most (${length}): ${missedText(surely, widest)}`;
  const hasMissed = countOfFirings(widest) !== 0;
  const toDo = hasMissed ? `Make up for the missed runs of ${name} where that is needed.` : '';
  return stepRow(hasMissed ? 'fail' : 'pass', name, found, { toDo, decides: false });
}

/** null: not known. */
function countOfFirings(firings: Firings): number | null {
  switch (firings.kind) {
    case 'at':
      return firings.atMs.length;
    case 'about':
      return firings.count;
    case 'unreadable':
      return null;
  }
}

const listedMax = 10;

function missedText(surely: Firings, widest: Firings): string {
  if (widest.kind === 'unreadable') return `missed firings are not known, for ${widest.why}`;
  if (widest.kind === 'about') {
    const least = surely.kind === 'about' ? surely.leastCount : 0;
    if (least === 0) return `perhaps ${countOf(widest.count, 'firing')} missed`;
    const atLeast = least === widest.count ? '' : `${least} to `;
    return `${atLeast}${countOf(widest.count, 'firing')} missed`;
  }
  const certain = new Set(surely.kind === 'at' ? surely.atMs : []);
  if (widest.atMs.length === 0) return 'no firing missed';
  const listed = widest.atMs.slice(0, listedMax).map((ms) => `${clock(ms)}${certain.has(ms) ? '' : ' (perhaps)'}`);
  const more = widest.atMs.length > listedMax ? ` and ${widest.atMs.length - listedMax} more` : '';
  return `missed firings: ${listed.join(', ')}${more}`;
}

function clock(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

// ── on again ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function jobsOn(facts: PlaybookFacts): CheckSaid {
  const { entering, leaving } = wayOf(facts);
  const title = titleOf(facts.look.scenario, leaving);
  const read = schedulesOf(facts.platforms[entering]);
  const rows = jobRows(facts, entering, read, (job) => [...onRow(job), ...catchUpRow(job, facts.look.nowMs)]);
  const left = schedulesOf(facts.platforms[leaving]);
  const ofLeft: readonly StepRow[] =
    stateOf(rows) === 'not-applicable'
      ? []
      : left === null
        ? [unnamedRow(facts, leaving, 'kubernetes, or aws with ecs or schedules,')]
        : left.kind === 'not-told'
          ? [unreadRow(`jobs of ${title}`, left.why)]
          : left.value.map((job) => {
              const subject = `${job.name} on ${title}`;
              if (!job.isEnabled) return stepRow('pass', subject, `is ${stateText(job)}`);
              return stepRow('fail', subject, `is ${stateText(job)}`, { toDo: switchText(job, false) });
            });
  return ofSide(facts, entering, sources[entering], [...rows, ...ofLeft]);
}

function onRow(job: ScheduleSeen): readonly StepRow[] {
  const found = `is ${stateText(job)}`;
  if (job.isEnabled) return [stepRow('pass', job.name, found)];
  return [stepRow('fail', job.name, found, { toDo: switchText(job, true) })];
}

/** Kubernetes counts runs skipped while suspended as missed, and starts one at once where no deadline forbids it. */
function catchUpRow(job: ScheduleSeen, nowMs: number): readonly StepRow[] {
  const { kind, name, isEnabled, startingDeadlineS, lastRunAtMs } = job;
  if (kind !== 'cron-job' || isEnabled) return [];
  const windowMs = startingDeadlineS === null ? Infinity : startingDeadlineS * 1000;
  const fromMs = Math.max(lastRunAtMs ?? -Infinity, nowMs - windowMs);
  const subject = `${name} when enabled`;
  if (!Number.isFinite(fromMs)) {
    const found = 'has never run here and has no startingDeadlineSeconds: a run may start at once';
    return [stepRow('unknown', subject, found, { toDo: 'See its creation time.', decides: false })];
  }
  const missed = firingsBetween(job, { fromMs, toMs: nowMs });
  const count = countOfFirings(missed);
  if (count === 0) return [];
  const toDo = 'If that must not be, set startingDeadlineSeconds before, or enable it right after a firing.';
  if (count === null) {
    return [stepRow('unknown', subject, 'a missed run may start at once', { toDo, decides: false })];
  }
  const many = count > 100 ? '; controllers before 1.21 start none after more than 100 misses' : '';
  const found = `${countOf(count, 'run')} missed since ${clock(fromMs)}: one starts at once${many}`;
  return [stepRow('fail', subject, found, { toDo, decides: false })];
}
