/** What an authority serves about a hostname, as the sets of records that caches keep apart, and which of them change. */
import { normalName } from '../core/dns-chain.ts';
import type { Scenario, Service } from '../core/scenario.ts';
import type { Asked, Facts, NameFacts, ServerFacts } from './facts.ts';

export interface RecordSet {
  readonly name: string;
  readonly type: string;
  /** RFC 2181, 5.2: all of a set have one; where they do not, the largest is what some cache may keep. */
  readonly ttlS: number;
  readonly data: readonly string[];
}

/** Of the chain from the hostname on, each link and each type once, whatever question brought it. */
export function recordSetsOf(hostname: string, asked: readonly Asked[]): readonly RecordSet[] {
  const sets = new Map<string, { name: string; type: string; ttlS: number; data: string[] }>();
  for (const { type: question, reply } of asked) {
    if (reply.kind !== 'answered') continue;
    const names = new Set([normalName(hostname), ...reply.chain]);
    for (const { name, type, ttlS, data } of reply.answers) {
      if (!names.has(name) || (type !== 'CNAME' && type !== question)) continue;
      const key = `${name} ${type}`;
      const set = sets.get(key) ?? { name, type, ttlS, data: [] };
      set.ttlS = Math.max(set.ttlS, ttlS);
      if (!set.data.includes(data)) set.data.push(data);
      sets.set(key, set);
    }
  }
  return [...sets.values()];
}

/** A side's own name stays what it is: what changes is the link that leads to it. */
export function isSideName({ sides }: Scenario, name: string): boolean {
  return [sides.old, sides.new].some(({ addresses }) =>
    addresses.some((address) => address.kind === 'name' && normalName(address.name) === normalName(name)),
  );
}

/** Those that the change may change. */
export function changingSets(scenario: Scenario, hostname: string, asked: readonly Asked[]): readonly RecordSet[] {
  return recordSetsOf(hostname, asked).filter(({ name }) => !isSideName(scenario, name));
}

/** It answered for both families, and as one that knows. Some servers refuse questions for HTTPS: then there is none. */
export function isAuthority({ asked }: ServerFacts): boolean {
  return addressesAsked(asked).every(
    ({ reply }) => reply.kind === 'answered' && reply.authoritative && isSettled(reply.rcode),
  );
}

export function addressesAsked(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter(({ type }) => type !== 'HTTPS');
}

export function isSettled(rcode: string): boolean {
  return rcode === 'NOERROR' || rcode === 'NXDOMAIN';
}

/** In one family at least. */
export function hasAddresses(asked: readonly Asked[]): boolean {
  return addressesAsked(asked).some(({ side }) => side !== 'none');
}

export function namesOf({ names }: Facts, { checks }: Service): readonly NameFacts[] {
  const hostnames = new Set(checks.map(({ hostname }) => hostname));
  return names.filter(({ hostname }) => hostnames.has(hostname));
}

// ── how low a TTL has to be ──────────────────────────────────────────────────────────────────────────────────────────

/** Where the scenario does not say `change.ttlS` (domain: 30 to 60 s; more makes rollback slow, less is mishandled). */
const ttlSDefault = 60;
/** Of a Route 53 alias to a load balancer, which nobody can set. */
export const aliasTtlS = 60;

export function askedTtlS({ change }: Scenario): number {
  return change.ttlS ?? ttlSDefault;
}

/** The load balancer's name that a set is an alias of; null: it is none, or cannot be told. */
export function aliasOf({ sideNames }: Facts, set: RecordSet): string | null {
  if (set.ttlS !== aliasTtlS || (set.type !== 'A' && set.type !== 'AAAA')) return null;
  const target = sideNames.find(({ addresses }) => set.data.every((address) => addresses.includes(address)));
  return target?.name ?? null;
}

export function looksLikeAlias(facts: Facts, { hostname, authorities, links }: NameFacts): boolean {
  const sets = authorities.flatMap(({ asked }) => changingSets(facts.scenario, hostname, asked));
  return links.length === 0 && sets.length > 0 && sets.every((set) => aliasOf(facts, set) !== null);
}

/** What a cache may show at most, once all is lowered that can be. */
export function limitTtlS(facts: Facts, { hostname, authorities }: NameFacts): number {
  const asked = askedTtlS(facts.scenario);
  if (asked >= aliasTtlS) return asked;
  const sets = authorities.flatMap(({ asked: all }) => changingSets(facts.scenario, hostname, all));
  return sets.some((set) => aliasOf(facts, set) !== null) ? aliasTtlS : asked;
}

/** By `via: cdn` and `via: deploy` no record changes. */
export function changesRecords({ change }: Scenario): boolean {
  return change.via === 'dns' || change.via === 'weights';
}
