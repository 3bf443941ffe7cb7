/**
 * What a resolver learns from one reply about the name it asked for: a set of records, or that there is none (RFC 2308).
 * Each set has its own life (RFC 2181, 5.2; domain.md, A.1). The rest of a chain in the same reply is not believed: Unbound
 * and BIND ask for each alias's target by itself, and so does the model.
 */
import type { DnsQuestion, DnsRecord } from '../core/ports.ts';
import { nsPerS, sToNs } from '../core/time.ts';
import type { ResolverConduct } from '../core/world.ts';
import type { DnsContent } from './world-model.ts';
import { bareName } from './zones.ts';

export interface CacheEntry {
  /** Bare. */
  readonly name: string;
  readonly kind: 'records' | 'no-data' | 'no-name';
  /** `any`: nothing of that name exists. */
  readonly type: DnsQuestion['type'] | 'any';
  /** Of a negative entry: the SOA that came with it. */
  readonly records: readonly DnsRecord[];
  readonly receivedTtlS: number;
  /** Within the resolver's limits. */
  readonly ttlS: number;
  readonly endsAtNs: number;
}

export type TtlLimits = Pick<ResolverConduct, 'minTtlS' | 'maxTtlS' | 'negativeTtlSMax'>;

/** `null`: a reply that says nothing that may be kept, as "there is none" without a SOA (RFC 2308, 5). */
export function entryOf(
  question: DnsQuestion,
  reply: DnsContent,
  { limits, nowNs }: { readonly limits: TtlLimits; readonly nowNs: number },
): CacheEntry | null {
  const name = bareName(question.name);
  const own = reply.answers.filter((record) => bareName(record.name) === name);
  for (const type of [question.type, 'CNAME'] as const) {
    const records = own.filter((record) => record.type === type);
    if (records.length === 0) continue;
    // Were they different, the lowest counts (RFC 2181, 5.2).
    const receivedTtlS = Math.min(...records.map(({ ttlS }) => ttlS));
    const ttlS = Math.min(Math.max(receivedTtlS, limits.minTtlS), limits.maxTtlS);
    return { name, kind: 'records', type, records, receivedTtlS, ttlS, endsAtNs: nowNs + sToNs(ttlS) };
  }
  const soa = reply.authority.find(({ type }) => type === 'SOA');
  if (soa === undefined) return null;
  const kind = reply.rcode === 'NXDOMAIN' ? 'no-name' : 'no-data';
  const type = kind === 'no-name' ? 'any' : question.type;
  const receivedTtlS = Math.min(soa.ttlS, Number(soa.data.split(' ').at(-1)));
  // The lower limit is for negative answers too in Unbound and dnsmasq; BIND has another one for them.
  const ttlS = Math.max(Math.min(receivedTtlS, limits.negativeTtlSMax), limits.minTtlS);
  return { name, kind, type, records: [soa], receivedTtlS, ttlS, endsAtNs: nowNs + sToNs(ttlS) };
}

export function keyOf({ name, type }: { readonly name: string; readonly type: string }): string {
  return `${name}|${type}`;
}

export function isLive(entry: CacheEntry, nowNs: number): boolean {
  return nowNs < entry.endsAtNs;
}

/**
 * As shown to clients, in whole seconds. Real servers count on a clock of whole seconds: what they show is up to a second
 * more or less than what is left, and the end comes up to a second early (BIND, dnsmasq) or late (Unbound 1.17, with TTL
 * 0). The model ends on time and shows the nearest second, but 0 only of what may not be kept at all.
 */
export function remainingS(entry: CacheEntry, nowNs: number): number {
  return entry.ttlS === 0 ? 0 : Math.max(1, Math.round((entry.endsAtNs - nowNs) / nsPerS));
}

export function saysTheSame(a: CacheEntry, b: CacheEntry): boolean {
  const text = (entry: CacheEntry): string =>
    entry.records
      .map(({ data }) => data)
      .toSorted()
      .join();
  return a.kind === b.kind && text(a) === text(b);
}
