/**
 * The users of one service: of each client, behind each of its resolvers, many that differ in the phase of their caches
 * and connections and in when they ask. Each lives long enough before the switch to have forgotten how he began.
 */
import { newRandom } from '../core/random.ts';
import type { Random } from '../core/ports.ts';
import {
  authorityClient,
  type Archetype,
  type Client,
  type ConnectPolicy,
  type ResolvePolicy,
  type Side,
} from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { newWarmResolver, periodOf } from './forecast-names.ts';
import type { ForecastPlan } from './forecast-plan.ts';
import { keepingOf, serverKeepingOf, type ServerKeeping } from './forecast-server.ts';
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
  /** How long before the switch its users may have begun: by then nothing tells when it was. */
  readonly turnNs: number;
  /** How long after the names have settled they may stay there, but for those who never leave. */
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
  const users = clients.filter(({ name }) => name !== authorityClient);
  const groups = users.flatMap((client): Group[] => {
    const { resolve, connect } = client.archetype;
    if (resolve.kind === 'pinned') {
      return [{ client, resolver: null, weightRatio: client.weightRatio, periodNs: 0, turnNs: 0, stayNs: 0 }];
    }
    const keptNs = keptNsOf(connect, keepingOf(connect, server), requestEveryNs);
    return known.map((resolver) => {
      const { periodNs, ttlS } = periodOf(plan, resolver, newRandom(seed, `period of ${resolver}`));
      const ownNs = cacheNsOf(resolve, ttlS);
      return {
        client,
        resolver,
        weightRatio: client.weightRatio / known.length,
        periodNs,
        // A connection is as old as chance has it; what else is kept turns over thrice, so that chance has it too.
        turnNs: keptNs > 0 ? keptNs : ownNs === 0 ? 0 : 3 * (ownNs + requestEveryNs),
        stayNs: sToNs(ttlS) + ownNs + keptNs + 5 * requestEveryNs,
      };
    });
  });
  return { plan, groups, server, seed, requestEveryNs };
}

/** How long the client itself keeps an answer; 0 where it does not, or for ever. */
function cacheNsOf(resolve: ResolvePolicy, ttlS: number): number {
  switch (resolve.kind) {
    case 'fixed':
      return sToNs(resolve.s + resolve.graceS);
    case 'refresh':
      return sToNs(resolve.s);
    case 'ttl':
      // An expired answer is used once more, whatever the grace: it makes the cache ask, and the next request has the new one.
      return sToNs(Math.min(Math.max(ttlS, resolve.minS), resolve.maxS));
    case 'per-connection':
    case 'once':
    case 'on-break':
    case 'pinned':
      return 0;
  }
}

/** How long a connection in steady use lasts; 0 where there is none, or no end to it. */
function keptNsOf(connect: ConnectPolicy, server: ServerKeeping, requestEveryNs: number): number {
  if (connect.kind === 'new') return 0;
  const own = { maxAgeS: 0, maxRequests: 0, ...connect };
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

/**
 * Lives one user's life and shows where a request of his would go at each instant; the instants at which it cannot go to
 * the side that is left any more are left out. Returns from when on he connects to the other side whenever he connects
 * anew; Infinity = not by the last instant.
 */
export function live(options: LifeOptions, see: (index: number, reach: Reach) => void): number {
  const { population, group, number, instants } = options;
  const { plan, seed, requestEveryNs } = population;
  const label = `${group.client.name} ${group.resolver ?? ''} ${number}`;
  const rhythm = newRandom(seed, `${label} requests`);
  const fromNs = -requestEveryNs - Math.round(rhythm() * group.turnNs);
  const user = userOf(options, fromNs, newRandom(seed, `${label} names`));
  let requestNs = fromNs;
  let settled: { readonly fromNs: number; readonly side: Side } | null = null;
  for (const [i, atNs] of instants.entries()) {
    for (; requestNs <= atNs; requestNs += gapNs(rhythm, requestEveryNs)) user.request(requestNs);
    const reach = user.reach(atNs);
    see(i, reach);
    if (settled === null) {
      const side = user.settledOn(atNs);
      if (side !== null) settled = { fromNs: atNs, side };
    }
    if (settled === null || settled.side !== reach.side) continue;
    // He is where he will be.
    if (settled.side === plan.leaving) for (let rest = i + 1; rest < instants.length; rest += 1) see(rest, reach);
    break;
  }
  return settled === null || settled.side === plan.leaving ? Infinity : settled.fromNs;
}

function userOf({ population, group, removedAtNs }: LifeOptions, fromNs: number, random: Random): User {
  const { plan, server } = population;
  const { resolver, periodNs } = group;
  return newUser({
    archetype: settled(group.client.archetype, plan),
    names: resolver === null ? null : newWarmResolver({ plan, resolver, fromNs, periodNs, random }),
    sideOf: (addresses) => sideOf(plan, addresses) ?? (resolver === null ? plan.leaving : null),
    leaving: plan.leaving,
    settledSide: plan.settled?.side ?? null,
    server: keepingOf(group.client.archetype.connect, server),
    removedAtNs,
  });
}

/** Whoever has written down an address of the side that is left has the first one. */
function settled(archetype: Archetype, { leaving, setting: { places } }: ForecastPlan): Archetype {
  if (archetype.resolve.kind !== 'pinned' || archetype.resolve.address !== null) return archetype;
  return { ...archetype, resolve: { kind: 'pinned', address: places.sides[leaving][0] ?? '' } };
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
