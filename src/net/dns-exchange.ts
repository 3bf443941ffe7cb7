/** What every way of asking DNS has in common: making a query, and turning what happened into a value. */
import { randomBytes, randomInt } from 'node:crypto';
import type { DnsQuestion, DnsReply } from '../core/ports.ts';
import { mixCase } from '../wire/dns-name.ts';
import { decodeReply, encodeQuery } from '../wire/dns-message.ts';
import type { DnsAnswer } from '../wire/dns-message.ts';
import { codeOf, isOwnTrouble } from './trouble.ts';

export type DnsFailure = Omit<Extract<DnsReply, { kind: 'failed' }>, 'sentAtNs' | 'endedAtNs'>;
/** A `DnsReply` without its times, which the port adds. */
export type Asked = DnsAnswer | DnsFailure;

/** One question within one `query` call; both times on the port's clock. */
export interface Ask extends DnsQuestion {
  readonly recursionDesired: boolean;
  readonly deadlineNs: number;
}

export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

export const timedOut: DnsFailure = { kind: 'failed', reason: 'timed-out', error: 'no answer' };

export function malformed(why: string): DnsFailure {
  return { kind: 'failed', reason: 'malformed', error: why };
}

export function unreachable(why: string): DnsFailure {
  return { kind: 'failed', reason: 'unreachable', error: why };
}

/** Only the code of an error is kept: its message has addresses and ports in it. */
export function failureOf(error: Error): DnsFailure {
  const code = codeOf(error);
  // What a UDP socket says when every port is taken.
  const isOurs = isOwnTrouble(code) || code === 'EADDRINUSE';
  return isOurs ? { kind: 'failed', reason: 'own-trouble', error: code } : unreachable(code);
}

/**
 * A query as bytes with a new random id, each time it is called. A resolver is asked in lower case, as users' programs ask
 * it: the case may decide what it answers from its cache (docs/decisions/0011). An authoritative server, which is asked as
 * resolvers ask it, gets a random case.
 */
export function newQuery(ask: Ask): Uint8Array {
  return encodeQuery({
    id: randomInt(0x1_0000),
    name: ask.recursionDesired ? ask.name.toLowerCase() : mixCase(ask.name, randomBytes(32)),
    type: ask.type,
    recursionDesired: ask.recursionDesired,
  });
}

/** For transports on which nothing but the reply can come and nothing is cut: TCP, TLS and HTTPS. */
export function concludeReply(reply: Uint8Array, query: Uint8Array): Asked {
  const decoded = decodeReply(reply, query);
  switch (decoded.kind) {
    case 'answered':
      return decoded;
    case 'truncated':
      return malformed('truncated although not over UDP');
    case 'unrelated':
    case 'malformed':
      return malformed(decoded.why);
  }
}

/** Without any server: for what a file or the C library says, which know neither TTL nor chain. */
export function plainAnswer(
  rcode: 'NOERROR' | 'NXDOMAIN',
  addresses: readonly string[],
  ask: Ask,
  ttlS = 0,
): DnsAnswer {
  return {
    kind: 'answered',
    rcode,
    authoritative: false,
    ede: 0,
    answers: addresses.map((data) => ({ name: ask.name, type: ask.type, ttlS, data })),
    authority: [],
    chain: [],
    addresses,
    ttlS,
  };
}
