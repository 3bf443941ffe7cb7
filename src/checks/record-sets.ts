/** What the authorities and resolvers of a name were asked, as the records that a change changes. */
import {
  aliasOf as aliasOfSet,
  askedTtlS,
  changingSets,
  isSettled,
  limitTtlSOf,
  type NamedAddresses,
  type RecordSet,
} from '../core/record-set.ts';
import type { Service } from '../core/scenario.ts';
import type { Asked, Facts, NameFacts, ServerFacts } from './facts.ts';

/** It answered for both families, and as one that knows. Some servers refuse questions for HTTPS: then there is none. */
export function isAuthority({ asked }: ServerFacts): boolean {
  return addressesAsked(asked).every(
    ({ reply }) => reply.kind === 'answered' && reply.authoritative && isSettled(reply.rcode),
  );
}

export function addressesAsked(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter(({ type }) => type !== 'HTTPS');
}

/** In one family at least. */
export function hasAddresses(asked: readonly Asked[]): boolean {
  return addressesAsked(asked).some(({ side }) => side !== 'none');
}

export function namesOf({ names }: Facts, { checks }: Service): readonly NameFacts[] {
  const hostnames = new Set(checks.map(({ hostname }) => hostname));
  return names.filter(({ hostname }) => hostnames.has(hostname));
}

/** The load balancer's name that a set is an alias of; null: it is none, or cannot be told. */
export function aliasOf(facts: Facts, set: RecordSet): string | null {
  return aliasOfSet(aliasNames(facts, set), set);
}

/** What the set is an alias of where Route 53 says so; else the names that it may be one of. */
function aliasNames(facts: Facts, { name, type, data }: RecordSet): readonly NamedAddresses[] {
  const known = aliasByPolicy(facts, name, type);
  if (known === undefined) return facts.sideNames;
  return known === null ? [] : [{ name: known, addresses: data }];
}

/** The load balancer that Route 53 has an alias to for these records; null: none; undefined: it does not say. */
function aliasByPolicy({ route53: said }: Facts, name: string, type: string): string | null | undefined {
  const records = said?.policies
    .filter((policy) => policy.name === name.toLowerCase())
    .flatMap(({ policies }) => policies.flatMap((policy) => policy.records))
    .filter((record) => record.type === type);
  if (records === undefined || records.length === 0) return undefined;
  return records.find(({ alias }) => alias?.target === 'load-balancer')?.alias?.name ?? null;
}

export function looksLikeAlias(facts: Facts, { hostname, authorities, links }: NameFacts): boolean {
  const sets = authorities.flatMap(({ asked }) => changingSets(facts.scenario, hostname, asked));
  return links.length === 0 && sets.length > 0 && sets.every((set) => aliasOf(facts, set) !== null);
}

/** What a cache may show at most, once all is lowered that can be. */
export function limitTtlS(facts: Facts, { hostname, authorities }: NameFacts): number {
  const { scenario } = facts;
  const sets = authorities.flatMap(({ asked }) => changingSets(scenario, hostname, asked));
  return Math.max(askedTtlS(scenario), ...sets.map((set) => limitTtlSOf(scenario, aliasNames(facts, set), [set])));
}
