/**
 * The tail to expect of a switch: how many users the side that is left still has, over time, what holds them there, and
 * what it costs to remove that side early. Simulated user by user, from a seed; docs/forecast.md has the assumptions.
 */
import type { Scenario, Service, Side } from '../core/scenario.ts';
import { nsToS, sToNs } from '../core/time.ts';
import type { Setting, World } from '../core/world.ts';
import { planOf, type ForecastPlan } from './forecast-plan.ts';
import { live, populationOf, type Group, type Population } from './forecast-population.ts';
import {
  emptiedS,
  instantsBetween,
  meanOf,
  newTally,
  sumOf,
  weightedMean,
  weightsS,
  type Mean,
  type Tally,
} from './forecast-tally.ts';
import { holders, type Holder } from './forecast-user.ts';

export interface ForecastOptions {
  readonly scenario: Scenario;
  readonly world: World;
  readonly setting: Setting;
  readonly seed: number;
  /** So many populations of about a hundred users. */
  readonly populationCount: number;
  /** Mean distance of two requests of a user. */
  readonly requestEveryS: number;
  /** How long after the switch is looked at; null = until the last who leaves by himself should have. */
  readonly horizonS: number | null;
}

export interface Forecast {
  readonly schemaVersion: 1;
  readonly scenario: string;
  readonly seed: number;
  readonly populationCount: number;
  readonly requestEveryS: number;
  readonly weightsAssumed: boolean;
  readonly leaving: { readonly side: Side; readonly title: string };
  readonly services: readonly ServiceForecast[];
  /** Names of services whose hostname nothing in the script moves. */
  readonly unmoved: readonly string[];
}

/** Times are s since the switch; null = not within the horizon. Shares are 0 to 1, of users by weight. */
export interface ServiceForecast {
  /** Those for which all is the same. */
  readonly names: readonly string[];
  readonly horizonS: number;
  readonly userCount: number;
  /** The largest standard error of a share of `curve`. */
  readonly shareError: number;
  /** The longest that a resolver keeps the record when the world begins. */
  readonly ttlS: number;
  readonly all: Emptying;
  readonly clients: readonly ClientForecast[];
  readonly curve: readonly { readonly atS: number; readonly ratio: number }[];
  readonly removal: readonly Removal[];
  /** Of those who leave by themselves: 99 % have by then. */
  readonly leaversT99S: number | null;
  readonly removedAtS: number | null;
}

/** How the side that is left empties. */
export interface Emptying {
  readonly t50S: number | null;
  readonly t90S: number | null;
  readonly t99S: number | null;
  /** Nobody was seen there after this but those who never leave; null = all of them stay. */
  readonly lastS: number | null;
  /** Still there at the horizon. */
  readonly neverRatio: number;
  readonly heldAtT90: readonly Held[];
  readonly heldLast: readonly Held[];
}

export interface Held {
  readonly by: Holder;
  /** Of those who are there then. */
  readonly ratio: number;
}

export interface ClientForecast extends Emptying {
  readonly client: string;
  readonly standsFor: string;
  readonly weightRatio: number;
  readonly userCount: number;
}

/** The side that is left is removed so long after the switch. Whoever holds a connection connects anew. */
export interface Removal {
  readonly afterS: number;
  /** Led there at that moment. */
  readonly hitRatio: number;
  /** Led there for ever: down until they are restarted or told otherwise. */
  readonly stuckRatio: number;
  /** Expected downtime of a user who is not stuck. */
  readonly downS: Mean;
}

const usersPerPopulation = 100;
const removalsMin: readonly number[] = [0, 1, 2, 5, 10, 15, 30, 60];
/** Where answers live for seconds, so do the questions: parts of a life instead of minutes. */
const removalsOfLife: readonly number[] = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3];

/** Services with the same names, steps and resolvers share a forecast. */
export function forecast(options: ForecastOptions): Forecast {
  const { scenario, world, setting, seed, populationCount, requestEveryS } = options;
  const { change } = scenario;
  const unmoved: string[] = [];
  const cases = new Map<string, { names: string[]; plan: ForecastPlan; service: Service }>();
  for (const service of scenario.services) {
    const plan = planOf({ world, setting, change, hostname: service.checks[0]?.hostname ?? '' });
    if (plan === null) {
      unmoved.push(service.name);
      continue;
    }
    const key = JSON.stringify([plan.steps.map(({ atNs, action }) => [atNs, action.kind]), service.resolvers]);
    const same = cases.get(key);
    if (same === undefined) cases.set(key, { names: [service.name], plan, service });
    else same.names.push(service.name);
  }
  const leaving = change.direction === 'old-to-new' ? 'old' : 'new';
  return {
    schemaVersion: 1,
    scenario: scenario.name,
    seed,
    populationCount,
    requestEveryS,
    weightsAssumed: !scenario.weightsGiven,
    leaving: { side: leaving, title: scenario.sides[leaving].title },
    services: [...cases.values()].map(({ names, plan, service }) => forecastOf(names, plan, service, options)),
    unmoved,
  };
}

function forecastOf(
  names: readonly string[],
  plan: ForecastPlan,
  service: Service,
  { scenario, seed, populationCount, requestEveryS, horizonS }: ForecastOptions,
): ServiceForecast {
  const { clients, change } = scenario;
  const population = populationOf({ plan, clients, resolvers: service.resolvers, seed, requestEveryS });
  const { groups } = population;
  const lifeNs = Math.max(0, ...groups.map(({ periodNs }) => periodNs));
  const horizonNs = sToNs(
    horizonS ?? Math.max(change.convergenceTimeoutS + change.tailS, nsToS(longestNs(population))),
  );
  const periods = groups.map(({ periodNs }) => periodNs).filter((periodNs) => periodNs > 0);
  const stepNs = Math.round(Math.min(horizonNs, ...periods) / 60);
  const instants = instantsBetween(0, horizonNs, stepNs);
  const userNumbers = populationCount * Math.max(1, Math.round(usersPerPopulation / groups.length));

  const tallies = groups.map((group) => tallyOf({ population, group, instants, userCount: userNumbers }));
  const parts = groups.map((group, i) => ({ group, tally: tallies[i] ?? newTally(0) }));
  const all = emptyingOf(parts, instants);
  const shares = sharesOf(parts, instants);
  const { neverRatio } = all;
  return {
    names,
    horizonS: nsToS(horizonNs),
    userCount: parts.reduce((sum, { tally }) => sum + tally.userCount, 0),
    shareError: Math.max(...instants.map((_, i) => shareErrorAt(parts, i))),
    ttlS: nsToS(lifeNs),
    all,
    clients: clients.map((client): ClientForecast => {
      const own = parts.filter(({ group }) => group.client === client);
      const { name, weightRatio, archetype } = client;
      const userCount = own.reduce((sum, { tally }) => sum + tally.userCount, 0);
      return { client: name, standsFor: archetype.standsFor, weightRatio, userCount, ...emptyingOf(own, instants) };
    }),
    curve: instants.map((atNs, i) => ({ atS: nsToS(atNs), ratio: shares[i] ?? 0 })),
    removal: removalsS(plan, nsToS(lifeNs), nsToS(horizonNs)).map((afterS) =>
      removalOf({ population, afterS, horizonNs, stepNs, userCount: userNumbers }),
    ),
    leaversT99S:
      neverRatio === 1
        ? null
        : emptiedS(
            instants,
            shares.map((share) => (share - neverRatio) / (1 - neverRatio)),
            0.01,
          ),
    removedAtS: plan.removedAtNs === null ? null : nsToS(plan.removedAtNs),
  };
}

/** When the last who leaves by himself should have. */
function longestNs({ plan, groups }: Population): number {
  const lastStepNs = plan.steps.at(-1)?.atNs ?? 0;
  return (plan.settledFromNs ?? lastStepNs) + Math.max(0, ...groups.map(({ stayNs }) => stayNs));
}

// ── over time ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Part {
  readonly group: Group;
  readonly tally: Tally;
}

function tallyOf({
  population,
  group,
  instants,
  userCount,
}: {
  readonly population: Population;
  readonly group: Group;
  readonly instants: readonly number[];
  readonly userCount: number;
}): Tally {
  const { leaving } = population.plan;
  const tally = newTally(instants.length);
  for (let number = 0; number < userCount; number += 1) {
    live({ population, group, number, removedAtNs: Infinity, instants }, (i, { side, by }) => {
      if (side === leaving) tally.counts[by][i] = (tally.counts[by][i] ?? 0) + 1;
    });
  }
  return { ...tally, userCount };
}

function countAt({ counts }: Tally, i: number): number {
  return holders.reduce((sum, holder) => sum + (counts[holder][i] ?? 0), 0);
}

function sharesOf(parts: readonly Part[], instants: readonly number[]): readonly number[] {
  const whole = parts.reduce((sum, { group }) => sum + group.weightRatio, 0);
  return instants.map((_, i) =>
    parts.reduce(
      (sum, { group, tally }) => sum + (group.weightRatio / whole) * (countAt(tally, i) / tally.userCount),
      0,
    ),
  );
}

function shareErrorAt(parts: readonly Part[], i: number): number {
  const errors = parts.map(({ group, tally }) => {
    const mean = countAt(tally, i) / tally.userCount;
    return { mean, standardError: Math.sqrt((mean * (1 - mean)) / tally.userCount), weightRatio: group.weightRatio };
  });
  return weightedMean(errors).standardError;
}

function emptyingOf(parts: readonly Part[], instants: readonly number[]): Emptying {
  const shares = sharesOf(parts, instants);
  const neverRatio = shares.at(-1) ?? 0;
  const [t50S, t90S, t99S] = [0.5, 0.1, 0.01].map((ratio) => emptiedS(instants, shares, ratio)) as [
    number | null,
    number | null,
    number | null,
  ];
  const hasLeavers = shares.some((share) => share > neverRatio);
  return {
    t50S,
    t90S,
    t99S,
    lastS: hasLeavers || neverRatio === 0 ? emptiedS(instants, shares, neverRatio) : null,
    neverRatio,
    heldAtT90: heldAt(
      parts,
      shares.findLastIndex((share) => share > 0.1),
    ),
    heldLast: heldAt(
      parts,
      shares.findLastIndex((share) => share > neverRatio),
    ),
  };
}

/** Largest first. */
function heldAt(parts: readonly Part[], i: number): readonly Held[] {
  const weights = holders.map((by) => ({
    by,
    weight: parts.reduce(
      (sum, { group, tally }) => sum + (group.weightRatio * (tally.counts[by][i] ?? 0)) / tally.userCount,
      0,
    ),
  }));
  const whole = weights.reduce((sum, { weight }) => sum + weight, 0);
  return weights
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ by, weight }) => ({ by, ratio: weight / whole }));
}

// ── removed too early ────────────────────────────────────────────────────────────────────────────────────────────────

/** Whole minutes, or parts of a life where answers live for less than one; and when the script does it. */
function removalsS({ removedAtNs }: ForecastPlan, lifeS: number, horizonS: number): readonly number[] {
  const usual = lifeS < 30 ? removalsOfLife.map((lives) => lives * lifeS) : removalsMin.map((minutes) => minutes * 60);
  const own = removedAtNs === null || removedAtNs < 0 ? [] : [nsToS(removedAtNs)];
  return [...new Set([...usual.filter((afterS) => afterS <= horizonS), ...own])].toSorted((a, b) => a - b);
}

function removalOf({
  population,
  afterS,
  horizonNs,
  stepNs,
  userCount,
}: {
  readonly population: Population;
  readonly afterS: number;
  readonly horizonNs: number;
  readonly stepNs: number;
  readonly userCount: number;
}): Removal {
  const { groups, plan } = population;
  const removedAtNs = sToNs(afterS);
  const instants = instantsBetween(removedAtNs, removedAtNs + horizonNs, stepNs);
  const weights = weightsS(instants);
  const fates = groups.map((group) => {
    const { weightRatio } = group;
    const downS: number[] = [];
    let [hitCount, stuckCount] = [0, 0];
    for (let number = 0; number < userCount; number += 1) {
      let ownS = 0;
      let isStuck = false;
      live({ population, group, number, removedAtNs, instants }, (i, { side }) => {
        isStuck = side === plan.leaving && i === instants.length - 1;
        if (side !== plan.leaving) return;
        ownS += weights[i] ?? 0;
        if (i === 0) hitCount += 1;
      });
      if (isStuck) stuckCount += 1;
      else downS.push(ownS);
    }
    return { weightRatio, hitRatio: hitCount / userCount, stuckRatio: stuckCount / userCount, down: sumOf(downS) };
  });
  const stuckRatio = fates.reduce((sum, fate) => sum + fate.weightRatio * fate.stuckRatio, 0);
  const freeRatio = 1 - stuckRatio;
  const freed = fates.map(({ weightRatio, stuckRatio: own, down }) => {
    return { ...meanOf(down), weightRatio: freeRatio === 0 ? 0 : (weightRatio * (1 - own)) / freeRatio };
  });
  return {
    afterS,
    hitRatio: fates.reduce((sum, fate) => sum + fate.weightRatio * fate.hitRatio, 0),
    stuckRatio,
    downS: weightedMean(freed),
  };
}
