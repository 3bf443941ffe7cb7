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

/** Times are s since the switch; null = not by the horizon, or never. Shares are 0 to 1, of users by weight. */
export interface Emptying {
  readonly t50S: number | null;
  readonly t90S: number | null;
  readonly t99S: number | null;
  /** From then on there are only those who stay. */
  readonly lastS: number | null;
  /** Never leave: they ask DNS never again, or names go on leading there. */
  readonly stayRatio: number;
  /** Still there at the horizon, but not for good: when these leave, a longer forecast would say. */
  readonly laterRatio: number;
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

/** Of those who ask DNS again, the share whom it may still lead there. */
export function ledSharesOf(tallies: readonly Tally[], instants: readonly number[]): readonly number[] {
  const asking = tallies.filter(({ group }) => asksAgain(group));
  return instants.map(
    (atNs) =>
      weightedMean(
        asking.map(({ group: { weightRatio }, userCount, freeFromNs }) => {
          const ledCount = freeFromNs.filter((fromNs) => fromNs > atNs).length;
          return { weightRatio, mean: ledCount / userCount, standardError: 0 };
        }),
      ).mean,
  );
}

function asksAgain({ client, resolver }: Group): boolean {
  return resolver !== null && client.archetype.resolve.kind !== 'once';
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

/** @param leadsAway names lead away from there for good in the end, so that whoever asks them leaves, if later than we look */
export function emptyingOf(
  tallies: readonly Tally[],
  { instants, leadsAway }: { readonly instants: readonly number[]; readonly leadsAway: boolean },
): Emptying {
  const shares = sharesOf(tallies, instants.length);
  const atHorizonRatio = shares.at(-1) ?? 0;
  const stays = (by: Holder): boolean => !leadsAway || by === 'never-asks';
  const stayRatio = weightOf(tallies, (counts, by) => (stays(by) ? (counts.at(-1) ?? 0) : 0));
  const lastIndex = leadsAway ? shares.findLastIndex((share) => share > stayRatio) : -1;
  return {
    t50S: emptiedS(instants, shares, 0.5),
    t90S: emptiedS(instants, shares, 0.1),
    t99S: emptiedS(instants, shares, 0.01),
    lastS: lastIndex === -1 && stayRatio > 0 ? null : emptiedS(instants, shares, stayRatio),
    stayRatio,
    laterRatio: atHorizonRatio - stayRatio,
    heldAtT90: heldBy(tallies, (counts) => counts[shares.findLastIndex((share) => share > 0.1)] ?? 0),
    heldLast: heldBy(tallies, (counts, by) => {
      const stayCount = stays(by) ? (counts.at(-1) ?? 0) : 0;
      return lastIndex === -1 ? stayCount : Math.max(0, (counts[lastIndex] ?? 0) - stayCount);
    }),
  };
}

type CountOf = (counts: Uint32Array, by: Holder) => number;

/** Largest first. */
function heldBy(tallies: readonly Tally[], countOf: CountOf): readonly Held[] {
  const weights = holders.map((by) => ({
    by,
    weight: weightOf(tallies, (counts, holder) => (holder === by ? countOf(counts, by) : 0)),
  }));
  const whole = weights.reduce((sum, { weight }) => sum + weight, 0);
  return weights
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ by, weight }) => ({ by, ratio: weight / whole }));
}

/** The share of users, by weight, who are counted. */
function weightOf(tallies: readonly Tally[], countOf: CountOf): number {
  return weightedMean(
    tallies.map(({ group: { weightRatio }, userCount, counts }) => {
      const count = holders.reduce((sum, holder) => sum + countOf(counts[holder], holder), 0);
      return { weightRatio, mean: count / userCount, standardError: 0 };
    }),
  ).mean;
}
