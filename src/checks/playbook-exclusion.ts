/** When a job was on at both sides, and when at neither, as far as readings tell. */
import type { Side } from '../core/scenario.ts';
import type { JobReading, Reading } from './playbook-readings.ts';
import type { Way } from './playbook-step.ts';

/**
 * Whether two names are of one job: equal but for case and separators, or one with more words before or after, as
 * `nightly-report` and `shop-nightly-report`, or a schedule in a group, `shop/nightly-report`.
 */
export function isNamesake(a: string, b: string): boolean {
  const [short = '', long = ''] = [a, b].map(words).toSorted((x, y) => x.length - y.length);
  return long === short || long.startsWith(`${short}-`) || long.endsWith(`-${short}`);
}

function words(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

/** The same, for the few names that many readings repeat. */
function newNamesakes(): (a: string, b: string) => boolean {
  const known = new Map<string, Map<string, boolean>>();
  return (a, b) => {
    const ofA = known.get(a) ?? new Map<string, boolean>();
    known.set(a, ofA);
    const found = ofA.get(b) ?? isNamesake(a, b);
    ofA.set(b, found);
    return found;
  };
}

/** Whether a job may do something just now; null: it is off, and whether one of it still runs is not known. */
export function isBusy({ isEnabled, activeCount }: Pick<JobReading, 'isEnabled' | 'activeCount'>): boolean | null {
  if (isEnabled) return true;
  return activeCount === null ? null : activeCount > 0;
}

/** One job at one reading. */
interface Turn {
  readonly atMs: number;
  readonly job: JobReading;
  readonly isOn: Readonly<Record<Side, boolean>>;
}

/**
 * Of each job of a side, whether it and what stands for it on the other are on: its namesakes, and where it has none all
 * that have none there. A reading that did not see both sides tells nothing.
 */
function turnsOf(
  readings: readonly Reading[],
  side: Side,
  isOn: (job: JobReading) => boolean,
  isSame: (a: string, b: string) => boolean = newNamesakes(),
): ReadonlyMap<string, readonly Turn[]> {
  const other: Side = side === 'old' ? 'new' : 'old';
  const turns = new Map<string, Turn[]>();
  for (const { atMs, jobs } of readings) {
    const [own, others] = [jobs[side], jobs[other]];
    if (own === null || others === null) continue;
    const alone = others.filter(({ name }) => !own.some((one) => isSame(one.name, name)));
    for (const job of own) {
      const namesakes = others.filter(({ name }) => isSame(job.name, name));
      const standIns = namesakes.length > 0 ? namesakes : alone;
      const on = { old: false, new: false, [side]: isOn(job), [other]: standIns.some(isOn) };
      const ofJob = turns.get(job.name) ?? [];
      turns.set(job.name, ofJob);
      ofJob.push({ atMs, job, isOn: on });
    }
  }
  return turns;
}

export interface BothOn {
  readonly name: string;
  /** Whose firings fell into it. */
  readonly job: JobReading;
  /** First and last reading that saw it so. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The next one; the last, where there is none. */
  readonly untilMs: number;
  /** One of it ran at a reading, on either side, or may have. */
  readonly mayHaveRun: boolean;
}

/** Of jobs with a namesake: of others nobody knows whether they are the same. */
export function bothOnTimes(readings: readonly Reading[]): readonly BothOn[] {
  const isSame = newNamesakes();
  const withNamesakes = readings.map((reading) => {
    const { old, new: now } = reading.jobs;
    const jobs = {
      old: old?.filter((one) => now?.some(({ name }) => isSame(one.name, name)) ?? false) ?? null,
      new: now?.filter((one) => old?.some(({ name }) => isSame(name, one.name)) ?? false) ?? null,
    };
    return { ...reading, jobs };
  });
  // Of what was not known no past is told: the look of now decides by it.
  const wasOn = (job: JobReading): boolean => isBusy(job) === true;
  return [...turnsOf(withNamesakes, 'old', wasOn, isSame)].flatMap(([name, turns]) =>
    runsOf(turns, ({ isOn }) => isOn.old && isOn.new).flatMap(({ from, to }): readonly BothOn[] => {
      const [first, last] = [turns[from], turns[to]];
      if (first === undefined || last === undefined) return [];
      const [fromMs, toMs] = [first.atMs, last.atMs];
      const mayHaveRun = readings.some(
        ({ atMs, jobs }) =>
          atMs >= fromMs &&
          atMs <= toMs &&
          [jobs.old, jobs.new].some((own) => own?.some((job) => isSame(name, job.name) && job.activeCount !== 0)),
      );
      return [{ name, job: first.job, fromMs, toMs, untilMs: turns[to + 1]?.atMs ?? toMs, mayHaveRun }];
    }),
  );
}

export interface BothOff {
  readonly name: string;
  /** Whose firings were missed. */
  readonly job: JobReading;
  /** Seen off first and last. */
  readonly offFromMs: number;
  readonly offToMs: number;
  /** The readings around it that saw it on; null: it is still off. */
  readonly lastOnMs: number;
  readonly nextOnMs: number | null;
}

/** From when it was last on: what was off before the first reading is no gap of this switch. */
export function bothOffSpans(readings: readonly Reading[], { leaving }: Way): readonly BothOff[] {
  return [...turnsOf(readings, leaving, ({ isEnabled }) => isEnabled)].flatMap(([name, turns]) =>
    runsOf(turns, ({ isOn }) => !isOn.old && !isOn.new).flatMap(({ from, to }): readonly BothOff[] => {
      const [before, first, last] = [turns[from - 1], turns[from], turns[to]];
      if (before === undefined || first === undefined || last === undefined) return [];
      const nextOnMs = turns[to + 1]?.atMs ?? null;
      const { job } = before;
      return [{ name, job, offFromMs: first.atMs, offToMs: last.atMs, lastOnMs: before.atMs, nextOnMs }];
    }),
  );
}

/** First and last index of each unbroken run. */
function runsOf<T>(
  items: readonly T[],
  isIn: (item: T) => boolean,
): readonly { readonly from: number; readonly to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const [i, item] of items.entries()) {
    if (!isIn(item)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.to === i - 1) last.to = i;
    else runs.push({ from: i, to: i });
  }
  return runs;
}
