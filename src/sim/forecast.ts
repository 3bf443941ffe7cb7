/**
 * The tail to expect of a switch: how many users the side that is left still has, over time, what holds them there, and
 * what it costs to remove that side early. Simulated user by user, from a seed; docs/forecast.md has what it assumes.
 */
import type { Scenario, Side } from '../core/scenario.ts';
import { nsToS, sToNs } from '../core/time.ts';
import type { Setting, World } from '../core/world.ts';
import { casesOf } from './forecast-cases.ts';
import { emptyingOf, ledSharesOf, shareErrorOf, sharesOf, tallyOf, type Emptying } from './forecast-emptying.ts';
import { populationOf, type Population } from './forecast-population.ts';
import { removalOf, removalsAfterS, type Removal } from './forecast-removal.ts';
import { emptiedS, instantsBetween } from './forecast-statistics.ts';

export interface ForecastOptions {
  readonly scenario: Scenario;
  readonly world: World;
  readonly setting: Setting;
  readonly seed: number;
  /** So many populations of about fifty users. */
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
  /** Services whose hostname nothing in the script moves. */
  readonly unmoved: readonly string[];
}

/** Times are s since the switch, shares 0 to 1, of users by weight. */
export interface ServiceForecast {
  /** The services of which all this is true. */
  readonly names: readonly string[];
  /** How their forecast comes to be another than that of other services; `null` = there are none such. */
  readonly differsBy: string | null;
  readonly horizonS: number;
  /** Names lead away from that side for good in the end. Where they do not, nobody leaves for good. */
  readonly leadsAway: boolean;
  readonly userCount: number;
  /** The largest standard error of a share of `curve`. */
  readonly shareError: number;
  /** How long an answer lives in the resolvers that keep it longest, before anything is done to the names. */
  readonly lifeS: number;
  readonly all: Emptying;
  readonly clients: readonly ClientForecast[];
  readonly curve: readonly { readonly atS: number; readonly ratio: number }[];
  readonly removals: readonly Removal[];
  /** 99 % of those who do not stay have left by then; null = not by the horizon, or nobody leaves. */
  readonly leaversT99S: number | null;
  /** Of those who ask DNS, by then 99 % would no longer connect there anew, kept connections apart; null = not by the horizon. */
  readonly ledAwayT99S: number | null;
  /** From then on nobody whom DNS leads would: removing the side takes nobody down but those who stay. */
  readonly ledAwayLastS: number | null;
}

export interface ClientForecast extends Emptying {
  readonly client: string;
  readonly standsFor: string;
  readonly weightRatio: number;
  readonly userCount: number;
}

const usersPerPopulation = 50;
/** The shortest life of a cached answer is looked at so many times. */
const instantsPerLife = 60;

export function forecast(options: ForecastOptions): Forecast {
  const { scenario, world, setting, seed, populationCount, requestEveryS } = options;
  const { change } = scenario;
  const leaving = change.direction === 'old-to-new' ? 'old' : 'new';
  const { cases, unmoved } = casesOf({ services: scenario.services, world, setting, change });
  return {
    schemaVersion: 1,
    scenario: scenario.name,
    seed,
    populationCount,
    requestEveryS,
    weightsAssumed: !scenario.weightsGiven,
    leaving: { side: leaving, title: scenario.sides[leaving].title },
    services: cases.map(({ names, differsBy, plan, resolvers }) => {
      const population = populationOf({ ...options, plan, clients: scenario.clients, resolvers });
      return { names, differsBy, ...forecastOf(population, options) };
    }),
    unmoved,
  };
}

function forecastOf(population: Population, options: ForecastOptions): Omit<ServiceForecast, 'names' | 'differsBy'> {
  const { plan, groups } = population;
  const { clients, change } = options.scenario;
  const { leadsAway, removedAtNs } = plan;
  const watchedNs = sToNs(change.convergenceTimeoutS + change.tailS);
  const horizonNs =
    options.horizonS === null ? Math.max(watchedNs, longestNs(population), removedAtNs ?? 0) : sToNs(options.horizonS);
  const lives = groups.map(({ periodNs }) => periodNs).filter((periodNs) => periodNs > 0);
  const lowered = plan.steps.flatMap(({ action }) =>
    action.kind === 'lower-ttl' ? sToNs(Math.max(1, action.ttlS)) : [],
  );
  const stepNs = Math.ceil(Math.min(horizonNs, ...lives, ...lowered) / instantsPerLife);
  const instants = instantsBetween(0, horizonNs, stepNs);
  const userCount = options.populationCount * Math.max(1, Math.round(usersPerPopulation / groups.length));

  const tallies = groups.map((group) => tallyOf(population, group, { instants, userCount }));
  const all = emptyingOf(tallies, { instants, leadsAway });
  const shares = sharesOf(tallies, instants.length);
  const leavers = shares.map((share) => (share - all.stayRatio) / (1 - all.stayRatio));
  const led = ledSharesOf(tallies, instants);
  const ledAwayLastS = leadsAway ? emptiedS(instants, led, 0) : null;
  const lifeS = nsToS(Math.max(0, ...lives));
  const horizonS = nsToS(horizonNs);
  return {
    horizonS,
    leadsAway,
    userCount: userCount * groups.length,
    shareError: shareErrorOf(tallies, instants.length),
    lifeS,
    all,
    clients: clients.flatMap((client): ClientForecast[] => {
      const own = tallies.filter(({ group }) => group.client === client);
      if (own.length === 0) return [];
      return [
        {
          client: client.name,
          standsFor: client.archetype.standsFor,
          weightRatio: client.weightRatio,
          userCount: userCount * own.length,
          ...emptyingOf(own, { instants, leadsAway }),
        },
      ];
    }),
    curve: instants.map((atNs, i) => ({ atS: nsToS(atNs), ratio: shares[i] ?? 0 })),
    removals: removalsAfterS(plan, { lifeS, horizonS, harmlessFromS: ledAwayLastS }).map((afterS) =>
      removalOf({
        population,
        tallies,
        talliedAtNs: instants,
        afterS,
        followedNs: Math.max(horizonNs, longestNs(population)),
        stepNs,
      }),
    ),
    leaversT99S: !leadsAway || all.stayRatio === 1 ? null : emptiedS(instants, leavers, 0.01),
    ledAwayT99S: leadsAway ? emptiedS(instants, led, 0.01) : null,
    ledAwayLastS,
  };
}

/** When the last who leaves by himself should have. Where names do not lead away for good, nobody need be waited for. */
function longestNs({ plan, groups }: Population): number {
  const { settled, leadsAway, steps } = plan;
  if (settled === null || !leadsAway) return steps.at(-1)?.atNs ?? 0;
  return settled.fromNs + Math.max(0, ...groups.map(({ stayNs }) => stayNs));
}
