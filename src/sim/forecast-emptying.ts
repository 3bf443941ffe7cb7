/** How the side that is left empties: its users over time, when they had gone, and what held those who had not. */
import { live, type Group, type Population } from './forecast-population.ts';
import { emptiedS, weightedMean } from './forecast-statistics.ts';
import { holders, type Holder } from './forecast-user.ts';

/** One group over time. */
export interface Tally {
  readonly group: Group;
  readonly userCount: number;
  /** At each instant, how many the side that is left still had, by what held them. */
  readonly counts: Readonly<Record<Holder, Uint32Array>>;
  /** By user: from when on any new connection of his is to the other side, ns. */
  readonly freeFromNs: Float64Array;
}

/** Times are s since the switch; null = not within the horizon. Shares are 0 to 1, of users by weight. */
export interface Emptying {
  readonly t50S: number | null;
  readonly t90S: number | null;
  readonly t99S: number | null;
  /** After this there were only those who are there at the horizon as well; null = nobody left, or not for good. */
  readonly lastS: number | null;
  /** Still there at the horizon. */
  readonly stayRatio: number;
  /** What held those who were there when a tenth was left. */
  readonly heldAtT90: readonly Held[];
  /** What held the last who left; where nobody left, those who stay. */
  readonly heldLast: readonly Held[];
}

export interface Held {
  readonly by: Holder;
  /** Of those who are there then. */
  readonly ratio: number;
}

export function tallyOf(
  population: Population,
  group: Group,
  { instants, userCount }: { readonly instants: readonly number[]; readonly userCount: number },
): Tally {
  const { leaving } = population.plan;
  const counts = Object.fromEntries(holders.map((holder) => [holder, new Uint32Array(instants.length)])) as Record<
    Holder,
    Uint32Array
  >;
  const freeFromNs = Float64Array.from({ length: userCount }, (_, number) =>
    live({ population, group, number, removedAtNs: Infinity, instants }, (i, { side, by }) => {
      if (side === leaving) counts[by][i] = (counts[by][i] ?? 0) + 1;
    }),
  );
  return { group, userCount, counts, freeFromNs };
}

/** The share of users that the side still has, at each instant. */
export function sharesOf(tallies: readonly Tally[], instantCount: number): readonly number[] {
  return Array.from({ length: instantCount }, (_, i) => shareAt(tallies, i).mean);
}

/** Of those whom DNS leads away for good at some time, the share whom it may still lead there. */
export function ledSharesOf(tallies: readonly Tally[], instants: readonly number[]): readonly number[] | null {
  const ratioOf = (is: (freeFromNs: number) => boolean): number =>
    weightedMean(
      tallies.map(({ group: { weightRatio }, userCount, freeFromNs }) => {
        return { weightRatio, mean: freeFromNs.filter(is).length / userCount, standardError: 0 };
      }),
    ).mean;
  const whole = ratioOf((freeFromNs) => freeFromNs < Infinity);
  if (whole === 0) return null;
  return instants.map((atNs) => ratioOf((freeFromNs) => freeFromNs < Infinity && freeFromNs > atNs) / whole);
}

/** The largest standard error of those. */
export function shareErrorOf(tallies: readonly Tally[], instantCount: number): number {
  return Math.max(0, ...Array.from({ length: instantCount }, (_, i) => shareAt(tallies, i).standardError));
}

function shareAt(tallies: readonly Tally[], i: number): { readonly mean: number; readonly standardError: number } {
  return weightedMean(
    tallies.map(({ group: { weightRatio }, userCount, counts }) => {
      const mean = holders.reduce((sum, holder) => sum + (counts[holder][i] ?? 0), 0) / userCount;
      return { weightRatio, mean, standardError: Math.sqrt((mean * (1 - mean)) / userCount) };
    }),
  );
}

export function emptyingOf(tallies: readonly Tally[], instants: readonly number[]): Emptying {
  const shares = sharesOf(tallies, instants.length);
  const stayRatio = shares.at(-1) ?? 0;
  const lastIndex = shares.findLastIndex((share) => share > stayRatio);
  // Where more are there at the end than before, they were led back.
  const isEmptied = lastIndex !== -1 && shares.every((share) => share >= stayRatio);
  return {
    t50S: emptiedS(instants, shares, 0.5),
    t90S: emptiedS(instants, shares, 0.1),
    t99S: emptiedS(instants, shares, 0.01),
    lastS: isEmptied ? emptiedS(instants, shares, stayRatio) : null,
    stayRatio,
    heldAtT90: heldBy(tallies, (counts) => counts[shares.findLastIndex((share) => share > 0.1)] ?? 0),
    heldLast: heldBy(tallies, (counts) => {
      const stayCount = counts.at(-1) ?? 0;
      return !isEmptied ? stayCount : Math.max(0, (counts[lastIndex] ?? 0) - stayCount);
    }),
  };
}

/** Largest first. */
function heldBy(tallies: readonly Tally[], countOf: (counts: Uint32Array) => number): readonly Held[] {
  const weights = holders.map((by) => ({
    by,
    mean: weightedMean(
      tallies.map(({ group: { weightRatio }, userCount, counts }) => {
        return { weightRatio, mean: countOf(counts[by]) / userCount, standardError: 0 };
      }),
    ).mean,
  }));
  const whole = weights.reduce((sum, { mean }) => sum + mean, 0);
  return weights
    .filter(({ mean }) => mean > 0)
    .toSorted((a, b) => b.mean - a.mean)
    .map(({ by, mean }) => ({ by, ratio: mean / whole }));
}
