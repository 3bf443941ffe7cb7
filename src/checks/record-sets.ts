/** What the authorities and resolvers of a name were asked, as the records that a change changes. */
import { aliasOf as aliasOfSet, changingSets, isSettled, limitTtlSOf, type RecordSet } from '../core/record-set.ts';
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
export function aliasOf({ sideNames }: Facts, set: RecordSet): string | null {
  return aliasOfSet(sideNames, set);
}

export function looksLikeAlias(facts: Facts, { hostname, authorities, links }: NameFacts): boolean {
  const sets = authorities.flatMap(({ asked }) => changingSets(facts.scenario, hostname, asked));
  return links.length === 0 && sets.length > 0 && sets.every((set) => aliasOf(facts, set) !== null);
}

/** What a cache may show at most, once all is lowered that can be. */
export function limitTtlS({ scenario, sideNames }: Facts, { hostname, authorities }: NameFacts): number {
  const sets = authorities.flatMap(({ asked }) => changingSets(scenario, hostname, asked));
  return limitTtlSOf(scenario, sideNames, sets);
}
