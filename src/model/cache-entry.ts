/**
 * What a resolver's cache learns from one reply of an authority: each set of records of its own, with its own life
 * (RFC 2181, 5.2; domain.md, A.1), and that a name or a type does not exist (RFC 2308).
 */
import type { DnsQuestion, DnsRecord } from '../core/ports.ts';
import { nsPerS, sToNs } from '../core/time.ts';
import type { ResolverConduct } from '../core/world.ts';
import type { DnsContent } from './world-model.ts';
import { bareName } from './zones.ts';

export interface CacheEntry {
  /** Bare. */
  readonly name: string;
  /** `any`: nothing of that name exists. */
  readonly type: string;
  readonly kind: 'records' | 'no-data' | 'no-name';
  /** Of a negative entry: the SOA that came with it. */
  readonly records: readonly DnsRecord[];
  readonly receivedTtlS: number;
  /** Within the resolver's limits. */
  readonly ttlS: number;
  readonly endsAtNs: number;
}

export type TtlLimits = Pick<ResolverConduct, 'minTtlS' | 'maxTtlS' | 'negativeTtlSMax'>;

/** Nothing is cached of a negative answer without a SOA (RFC 2308, 5), and nothing of a failure. */
export function entriesOf(
  question: DnsQuestion,
  reply: DnsContent,
  { limits, nowNs }: { readonly limits: TtlLimits; readonly nowNs: number },
): readonly CacheEntry[] {
  const entries: CacheEntry[] = [];
  const add = (
    kind: CacheEntry['kind'],
    name: string,
    type: string,
    records: readonly DnsRecord[],
    ttlS: number,
  ): void => {
    // A negative answer is no record: the lower limit is not for it (BIND, dnsmasq).
    const heldS =
      kind === 'records'
        ? Math.min(Math.max(ttlS, limits.minTtlS), limits.maxTtlS)
        : Math.min(ttlS, limits.negativeTtlSMax);
    entries.push({ name, type, kind, records, receivedTtlS: ttlS, ttlS: heldS, endsAtNs: nowNs + sToNs(heldS) });
  };
  const sets = Map.groupBy(reply.answers, (record) => `${bareName(record.name)}|${record.type}`);
  let last = bareName(question.name);
  for (const set of sets.values()) {
    const [head] = set;
    if (head === undefined) continue;
    // Were they different, the lowest counts (RFC 2181, 5.2).
    add('records', bareName(head.name), head.type, set, Math.min(...set.map(({ ttlS }) => ttlS)));
    if (head.type === 'CNAME' && question.type !== 'CNAME' && bareName(head.name) === last) last = bareName(head.data);
  }
  const soa = reply.authority.find(({ type }) => type === 'SOA');
  if (soa === undefined || sets.has(`${last}|${question.type}`)) return entries;
  const ttlS = Math.min(soa.ttlS, Number(soa.data.split(' ').at(-1)));
  if (reply.rcode === 'NXDOMAIN') add('no-name', last, 'any', [soa], ttlS);
  else add('no-data', last, question.type, [soa], ttlS);
  return entries;
}

export function isLive(entry: CacheEntry, nowNs: number): boolean {
  return nowNs < entry.endsAtNs;
}

/** As shown to clients: whole seconds, begun ones count. It is 0 only for what may not be kept at all. */
export function remainingS(entry: CacheEntry, nowNs: number): number {
  return Math.max(0, Math.ceil((entry.endsAtNs - nowNs) / nsPerS));
}

export function hasSameRecords(a: CacheEntry, b: CacheEntry): boolean {
  const data = (entry: CacheEntry): string =>
    entry.records
      .map((record) => record.data)
      .toSorted()
      .join();
  return a.kind === b.kind && data(a) === data(b);
}
