/**
 * The tail to expect of a switch: how many users the side that is left still has, over time, what holds them there, and
 * what it costs to remove that side early. Simulated user by user, from a seed; docs/forecast.md has what it assumes.
 */
import type { Scenario, Service, Side } from '../core/scenario.ts';
import { nsToS, sToNs } from '../core/time.ts';
import type { Setting, World } from '../core/world.ts';
import { emptyingOf, ledSharesOf, shareErrorOf, sharesOf, tallyOf, type Emptying } from './forecast-emptying.ts';
import { planOf, type ForecastPlan } from './forecast-plan.ts';
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
  readonly horizonS: number;
  readonly userCount: number;
  /** The largest standard error of a share of `curve`. */
  readonly shareError: number;
  /** How long an answer lives in the resolvers that keep it longest, before anything is done to the names. */
  readonly lifeS: number;
  readonly all: Emptying;
  readonly clients: readonly ClientForecast[];
  readonly curve: readonly { readonly atS: number; readonly ratio: number }[];
  readonly removals: readonly Removal[];
  /** 99 % of those who are not there at the horizon have left by then; null = all are. */
  readonly leaversT99S: number | null;
  /** By then 99 % of those whom DNS leads away would no longer connect there anew, kept connections apart; null = it leads nobody away. */
  readonly ledAwayT99S: number | null;
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

/** Services with the same steps and resolvers share a forecast: all else is the same for them. */
export function forecast(options: ForecastOptions): Forecast {
  const { scenario, world, setting, seed, populationCount, requestEveryS } = options;
  const { change } = scenario;
  const leaving = change.direction === 'old-to-new' ? 'old' : 'new';
  const unmoved: string[] = [];
  const cases = new Map<string, { readonly names: string[]; readonly plan: ForecastPlan; readonly service: Service }>();
  for (const service of scenario.services) {
    const plan = planOf({ world, setting, change, hostname: service.checks[0]?.hostname ?? '' });
    if (plan === null) {
      unmoved.push(service.name);
      continue;
    }
    const key = JSON.stringify([plan.steps, service.resolvers]);
    const known = cases.get(key);
    if (known === undefined) cases.set(key, { names: [service.name], plan, service });
    else known.names.push(service.name);
  }
  return {
    schemaVersion: 1,
    scenario: scenario.name,
    seed,
    populationCount,
    requestEveryS,
    weightsAssumed: !scenario.weightsGiven,
    leaving: { side: leaving, title: scenario.sides[leaving].title },
    services: [...cases.values()].map(({ names, plan, service }) => {
      const population = populationOf({ ...options, plan, clients: scenario.clients, resolvers: service.resolvers });
      return { names, ...forecastOf(population, options) };
    }),
    unmoved,
  };
}

function forecastOf(population: Population, options: ForecastOptions): Omit<ServiceForecast, 'names'> {
  const { plan, groups } = population;
  const { clients, change } = options.scenario;
  const horizonNs = sToNs(
    options.horizonS ?? Math.max(change.convergenceTimeoutS + change.tailS, nsToS(longestNs(population))),
  );
  const lives = groups.map(({ periodNs }) => periodNs).filter((periodNs) => periodNs > 0);
  const lowered = plan.steps.flatMap(({ action }) =>
    action.kind === 'lower-ttl' ? sToNs(Math.max(1, action.ttlS)) : [],
  );
  const stepNs = Math.ceil(Math.min(horizonNs, ...lives, ...lowered) / instantsPerLife);
  const instants = instantsBetween(0, horizonNs, stepNs);
  const userCount = options.populationCount * Math.max(1, Math.round(usersPerPopulation / groups.length));

  const tallies = groups.map((group) => tallyOf(population, group, { instants, userCount }));
  const all = emptyingOf(tallies, instants);
  const shares = sharesOf(tallies, instants.length);
  const leavers = shares.map((share) => (share - all.stayRatio) / (1 - all.stayRatio));
  const led = ledSharesOf(tallies, instants);
  const lifeS = nsToS(Math.max(0, ...lives));
  const horizonS = nsToS(horizonNs);
  return {
    horizonS,
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
          ...emptyingOf(own, instants),
        },
      ];
    }),
    curve: instants.map((atNs, i) => ({ atS: nsToS(atNs), ratio: shares[i] ?? 0 })),
    removals: removalsAfterS(plan, { lifeS, horizonS }).map((afterS) =>
      removalOf({ population, tallies, afterS, horizonNs, stepNs }),
    ),
    leaversT99S: all.stayRatio === 1 ? null : emptiedS(instants, leavers, 0.01),
    ledAwayT99S: led === null ? null : emptiedS(instants, led, 0.01),
  };
}

/** When the last who leaves by himself should have. Where names do not lead away for good, nobody need be waited for. */
function longestNs({ plan, groups }: Population): number {
  const { settled, leaving, steps } = plan;
  if (settled === null || settled.side === leaving) return steps.at(-1)?.atNs ?? 0;
  return settled.fromNs + Math.max(0, ...groups.map(({ stayNs }) => stayNs));
}
