/**
 * The users of one service: of each client, behind each of its resolvers, many that differ in the phase of their caches
 * and connections and in when they ask. Each lives long enough before the switch to have forgotten how he began.
 */
import { newRandom } from '../core/random.ts';
import type { Random } from '../core/ports.ts';
import type { Client, ConnectPolicy, ResolvePolicy, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { newWarmResolver, periodOf } from './forecast-names.ts';
import type { ForecastPlan } from './forecast-plan.ts';
import { serverKeepingOf, type ServerKeeping } from './forecast-server.ts';
import { newUser, type Reach, type User } from './forecast-user.ts';

/** Users that differ in their phases only. */
export interface Group {
  readonly client: Client;
  /** Null: asks no resolver. */
  readonly resolver: string | null;
  /** Of all users of the service. */
  readonly weightRatio: number;
  /** From one fetch of its resolver's caches to the next; 0 = asks none. */
  readonly periodNs: number;
  /** How long after the names have settled its users may stay there, but for those who never leave. */
  readonly stayNs: number;
}

export interface Population {
  readonly plan: ForecastPlan;
  readonly groups: readonly Group[];
  readonly server: ServerKeeping;
  readonly seed: number;
  /** Mean distance of two requests of a user; each is drawn, without memory of the one before. */
  readonly requestEveryNs: number;
}

export interface PopulationOptions {
  readonly plan: ForecastPlan;
  readonly clients: readonly Client[];
  /** Of the service; those that the world has not are left out. */
  readonly resolvers: readonly string[];
  readonly seed: number;
  readonly requestEveryS: number;
}

export function populationOf(options: PopulationOptions): Population {
  const { plan, clients, seed, requestEveryS } = options;
  const server = serverKeepingOf(plan);
  const requestEveryNs = sToNs(requestEveryS);
  const known = options.resolvers.filter((name) => plan.conducts[name] !== undefined);
  const groups = clients.flatMap((client): Group[] => {
    const { resolve, connect } = client.archetype;
    const ownNs = cacheStayNs(resolve) + keptNs(connect, server, requestEveryNs);
    if (resolve.kind === 'pinned') {
      return [{ client, resolver: null, weightRatio: client.weightRatio, periodNs: 0, stayNs: 0 }];
    }
    return known.map((resolver) => {
      const { periodNs, ttlS } = periodOf(plan, resolver, newRandom(seed, `period of ${resolver}`));
      const weightRatio = client.weightRatio / known.length;
      return { client, resolver, weightRatio, periodNs, stayNs: sToNs(ttlS) + ownNs + 5 * requestEveryNs };
    });
  });
  return { plan, groups, server, seed, requestEveryNs };
}

/** How long the client's own memory may keep what it got, without its resolver's; 0 where that is for ever. */
function cacheStayNs(resolve: ResolvePolicy): number {
  switch (resolve.kind) {
    case 'fixed':
      return sToNs(resolve.s + resolve.graceS);
    case 'refresh':
      return sToNs(resolve.s);
    case 'ttl':
      return sToNs(resolve.minS);
    case 'per-connection':
    case 'once':
    case 'on-break':
    case 'pinned':
      return 0;
  }
}

/** How long a connection in steady use lasts; 0 where there is none, or no end to it. */
function keptNs(connect: ConnectPolicy, server: ServerKeeping, requestEveryNs: number): number {
  if (connect.kind === 'new') return 0;
  const own = connect.kind === 'keep-alive' ? connect : { maxAgeS: 0, maxRequests: 0 };
  const ageNs = Math.min(
    server.ageNs,
    own.maxAgeS > 0 ? sToNs(own.maxAgeS) : Infinity,
    own.maxRequests > 0 ? own.maxRequests * requestEveryNs : Infinity,
  );
  return Number.isFinite(ageNs) ? ageNs : 0;
}

export interface LifeOptions {
  readonly population: Population;
  readonly group: Group;
  /** Which user of the group: same number, same draws. */
  readonly number: number;
  /** When the side that is left is removed; Infinity = never. */
  readonly removedAtNs: number;
  /** When he is looked at, in order. */
  readonly instants: readonly number[];
}

/** Lives one user's life and shows where a request of his would go at each instant, up to where it will be `away` for good. */
export function live(options: LifeOptions, see: (index: number, reach: Reach) => void): void {
  const { population, group, number, instants } = options;
  const { plan, seed, requestEveryNs } = population;
  const label = `${group.client.name} ${group.resolver ?? ''} ${number}`;
  const rhythm = newRandom(seed, `${label} requests`);
  // Twice a whole turn of all that he keeps: by then nothing tells when he began.
  const turnNs = group.stayNs;
  const fromNs = plan.startNs - Math.round((1 + rhythm()) * turnNs);
  const user = userOf(options, fromNs, newRandom(seed, `${label} names`));
  let requestNs = fromNs;
  for (const [i, atNs] of instants.entries()) {
    for (; requestNs <= atNs; requestNs += gapNs(rhythm, requestEveryNs)) user.request(requestNs);
    const reach = user.reach(atNs);
    see(i, reach);
    if (!user.isDone(atNs)) continue;
    if (reach.side === plan.leaving) for (let rest = i + 1; rest < instants.length; rest += 1) see(rest, reach);
    return;
  }
}

function userOf({ population, group, removedAtNs }: LifeOptions, fromNs: number, random: Random): User {
  const { plan, server } = population;
  const { archetype } = group.client;
  const { resolver, periodNs } = group;
  return newUser({
    archetype,
    names: resolver === null ? null : newWarmResolver({ plan, resolver, fromNs, periodNs, random }),
    sideOf: (addresses) => sideOf(plan, addresses) ?? (resolver === null ? plan.leaving : null),
    leaving: plan.leaving,
    server,
    removedAtNs,
  });
}

function sideOf({ setting: { places } }: ForecastPlan, addresses: readonly string[]): Side | null {
  const [address] = addresses;
  if (address === undefined) return null;
  return places.sides.old.includes(address) ? 'old' : places.sides.new.includes(address) ? 'new' : null;
}

/** Exponential: a request is as likely at any moment as at any other. */
function gapNs(random: Random, meanNs: number): number {
  return Math.max(1, Math.round(-Math.log(1 - random()) * meanNs));
}
