/**
 * What an authority serves about a hostname, as the sets of records that caches keep apart, and which of them a change
 * changes. Whoever says that it is safe to switch, before a run or in it, goes by the same sets and the same limit.
 */
import { normalName } from './dns-chain.ts';
import type { DnsReply } from './ports.ts';
import type { Scenario } from './scenario.ts';

export interface RecordSet {
  readonly name: string;
  readonly type: string;
  /** RFC 2181, 5.2: all of a set have one; where they do not, the largest is what some cache may keep. */
  readonly ttlS: number;
  readonly data: readonly string[];
}

/** A question by its type, and what came back. */
export interface AskedType {
  readonly type: string;
  readonly reply: DnsReply;
}

/** Of the chain from the hostname on, each link and each type once, whatever question brought it. */
export function recordSetsOf(hostname: string, asked: readonly AskedType[]): readonly RecordSet[] {
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
export function changingSets(scenario: Scenario, hostname: string, asked: readonly AskedType[]): readonly RecordSet[] {
  return recordSetsOf(hostname, asked).filter(({ name }) => !isSideName(scenario, name));
}

/** The name is there, or is not: everything else is no word about it. */
export function isSettled(rcode: string): boolean {
  return rcode === 'NOERROR' || rcode === 'NXDOMAIN';
}

/** By `via: cdn` and `via: deploy` no record changes. */
export function changesRecords({ change }: Scenario): boolean {
  return change.via === 'dns' || change.via === 'weights';
}

// ── how low a TTL has to be ──────────────────────────────────────────────────────────────────────────────────────────

/** Where the scenario does not say `change.ttlS` (domain: 30 to 60 s; more makes rollback slow, less is mishandled). */
const ttlSDefault = 60;
/** Of a Route 53 alias to a load balancer, which nobody can set. */
export const aliasTtlS = 60;

export function askedTtlS({ change }: Scenario): number {
  return change.ttlS ?? ttlSDefault;
}

/** A name of a side, and the addresses that it has. */
export interface NamedAddresses {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** The load balancer's name that a set is an alias of; null: it is none, or cannot be told. */
export function aliasOf(sideNames: readonly NamedAddresses[], set: RecordSet): string | null {
  if (set.ttlS !== aliasTtlS || (set.type !== 'A' && set.type !== 'AAAA')) return null;
  const target = sideNames.find(({ addresses }) => set.data.every((address) => addresses.includes(address)));
  return target?.name ?? null;
}

/** What a cache may show at most, once all is lowered that can be. */
export function limitTtlSOf(
  scenario: Scenario,
  sideNames: readonly NamedAddresses[],
  sets: readonly RecordSet[],
): number {
  const asked = askedTtlS(scenario);
  if (asked >= aliasTtlS) return asked;
  return sets.some((set) => aliasOf(sideNames, set) !== null) ? aliasTtlS : asked;
}
