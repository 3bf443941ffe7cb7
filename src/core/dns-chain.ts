/**
 * What the records of a DNS reply come to: where the chain of aliases leads, which addresses stand at its end, and how
 * long that may be kept (RFC 1035, 2308). One place for real replies and simulated ones.
 */
import type { DnsQuestion, DnsRecord } from './ports.ts';

export interface DnsChain {
  /** CNAME targets in order, from the question's name on. */
  readonly chain: readonly string[];
  /** Of the question's type at the end of the chain, in the order of the answer. */
  readonly addresses: readonly string[];
  /** The lowest TTL along the chain and its addresses; for a negative answer that of RFC 2308; 0 unknown. */
  readonly ttlS: number;
}

const chainLengthMax = 16;

/** Names are in lower case without a dot at their end. A text instead: why the records are malformed. */
export function chainOf(
  question: DnsQuestion,
  reply: { readonly rcode: string; readonly answers: readonly DnsRecord[]; readonly authority: readonly DnsRecord[] },
): DnsChain | string {
  const followed = followAliases(reply.answers, question);
  if (typeof followed === 'string') return followed;
  const { chain, ttlsS, end } = followed;
  const found = reply.answers.filter((record) => record.name === end && record.type === question.type);
  const lastTtlsS = found.length > 0 ? found.map((record) => record.ttlS) : negativeTtlsS(reply.authority);
  const isSettled = reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN';
  return {
    chain,
    addresses: found.map((record) => record.data),
    ttlS: isSettled ? lowest([...ttlsS, ...lastTtlsS]) : 0,
  };
}

interface Aliases {
  readonly chain: readonly string[];
  readonly ttlsS: readonly number[];
  /** The name at which addresses are looked for. */
  readonly end: string;
}

/** Aliases from the question's name on, in whatever order the records came. */
function followAliases(answers: readonly DnsRecord[], question: DnsQuestion): Aliases | string {
  const chain: string[] = [];
  const ttlsS: number[] = [];
  let end = question.name;
  if (question.type === 'CNAME') return { chain, ttlsS, end };
  const aliases = new Map<string, DnsRecord>();
  for (const record of answers) {
    if (record.type === 'CNAME' && !aliases.has(record.name)) aliases.set(record.name, record);
  }
  for (let alias = aliases.get(end); alias !== undefined; alias = aliases.get(end)) {
    if (alias.data === question.name || chain.includes(alias.data)) return 'a loop of aliases';
    if (chain.length === chainLengthMax) return 'too many aliases';
    end = alias.data;
    chain.push(end);
    ttlsS.push(alias.ttlS);
  }
  return { chain, ttlsS, end };
}

/** RFC 2308, 5: how long "there is none" may be kept. */
function negativeTtlsS(authority: readonly DnsRecord[]): readonly number[] {
  const soa = authority.find((record) => record.type === 'SOA');
  return soa === undefined ? [] : [soa.ttlS, Number(soa.data.slice(soa.data.lastIndexOf(' ')))];
}

function lowest(ttlsS: readonly number[]): number {
  return ttlsS.length === 0 ? 0 : Math.min(...ttlsS);
}

/** Lower case, without the dot at the end; the root is `.`. */
export function normalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length > 1 && lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
