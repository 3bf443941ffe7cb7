/**
 * DNS for lanes. All lanes that ask the same resolver for the same name within a second share one query ("we must not
 * cause the incident"); the answer's age is in every row and widens what may be concluded from it. One that waits longer
 * is asked again beside it: whoever is due now must not fail with a query that was lost while the resolver was away.
 */
import type { HeldAnswer } from '../clients/resolve-cache.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock, DnsPort, DnsReply, RowSink } from '../core/ports.ts';
import { msToNs, sToNs } from '../core/time.ts';

import type { Lane, Resolver } from '../core/scenario.ts';

export type Asked =
  | { readonly kind: 'held'; readonly held: HeldAnswer }
  | {
      readonly kind: 'failed';
      readonly outcome: Outcome;
      readonly error: string;
      /** The number of the answer's definition; 0 when there was none. */
      readonly answer: number;
      readonly receivedAtNs: number;
    };

export interface Answers {
  /** Never rejects. */
  ask(resolver: Resolver, lane: Lane): Promise<Asked>;
}

const sharedForNs = sToNs(1);

interface Shared {
  readonly pending: Promise<Asked>;
  /** When it was asked; once it is here, when that was. */
  sinceNs: number;
}

export function newAnswers(ports: { readonly clock: Clock; readonly dns: DnsPort; readonly sink: RowSink }): Answers {
  const { clock, dns, sink } = ports;
  const sharedByKey = new Map<string, Shared>();

  function conclude(resolver: Resolver, name: string, replies: readonly DnsReply[]): Asked {
    const answered = replies.filter((reply) => reply.kind === 'answered');
    const useful = answered.filter((reply) => reply.addresses.length > 0);
    const shown = useful.length > 0 ? useful : answered.slice(0, 1);
    const receivedAtNs = Math.max(...replies.map((reply) => reply.endedAtNs));
    const first = shown[0];
    if (first === undefined) {
      // None was answered at all.
      const failed = replies.find((reply) => reply.kind === 'failed');
      const outcome: Outcome =
        failed?.reason === 'timed-out'
          ? 'dns-timed-out'
          : failed?.reason === 'own-trouble'
            ? 'own-trouble'
            : 'dns-failed';
      return { kind: 'failed', outcome, error: failed?.error ?? '', answer: 0, receivedAtNs };
    }
    const addresses = shown.flatMap((reply) => reply.addresses);
    const chain = [...new Set(shown.flatMap((reply) => reply.chain))];
    const key = `${resolver.name}|${name}|${first.rcode}|${first.ede}|${first.authoritative}|${chain.join()}|${addresses.join()}`;
    const answer = sink.define('answer', key, () => ({
      server: resolver.name,
      name,
      rcode: first.rcode,
      ede: first.ede,
      authoritative: first.authoritative,
      chain,
      addresses,
    }));
    if (addresses.length > 0) {
      const ttlS = Math.min(...shown.map((reply) => reply.ttlS));
      return { kind: 'held', held: { answer, addresses, ttlS, receivedAtNs } };
    }
    if (first.rcode === 'NXDOMAIN') return { kind: 'failed', outcome: 'dns-nxdomain', error: '', answer, receivedAtNs };
    if (first.rcode !== 'NOERROR') {
      return { kind: 'failed', outcome: 'dns-servfail', error: first.rcode, answer, receivedAtNs };
    }
    return { kind: 'failed', outcome: 'dns-failed', error: 'no address', answer, receivedAtNs };
  }

  async function query(resolver: Resolver, lane: Lane, isBoth: boolean): Promise<Asked> {
    const deadlineNs = clock.nowNs() + msToNs(Math.min(lane.check.timeouts.connectMs, lane.check.timeouts.totalMs));
    const name = lane.check.hostname;
    const { server, authority } = resolver;
    const one = async (family: 4 | 6): Promise<DnsReply> => {
      const type = family === 4 ? 'A' : 'AAAA';
      const reply = await dns.query(server, { name, type }, { recursionDesired: authority === undefined, deadlineNs });
      const target = reply.kind === 'answered' && reply.addresses.length === 0 ? reply.chain.at(-1) : undefined;
      const beyond = authority?.beyond ?? null;
      if (reply.kind === 'failed' || target === undefined || beyond === null) return reply;
      const rest = await dns.query(beyond, { name: target, type }, { recursionDesired: true, deadlineNs });
      return rest.kind === 'failed' ? rest : joined(reply, rest);
    };
    const { families } = lane.archetype;
    if (isBoth) return conclude(resolver, name, await Promise.all(families.map(one)));
    const replies: DnsReply[] = [];
    for (const family of families) {
      const reply = await one(family);
      replies.push(reply);
      const isEmpty = reply.kind === 'answered' && reply.rcode === 'NOERROR' && reply.addresses.length === 0;
      if (!isEmpty) break;
    }
    return conclude(resolver, name, replies.slice(-1));
  }

  return {
    ask(resolver, lane) {
      const isBoth = lane.archetype.choose === 'happy-eyeballs';
      const key = `${resolver.name}|${lane.check.hostname}|${isBoth ? 'both' : 'one'}|${lane.archetype.families.join()}`;
      const shared = sharedByKey.get(key);
      if (shared !== undefined && clock.nowNs() - shared.sinceNs < sharedForNs) return shared.pending;
      const pending = query(resolver, lane, isBoth);
      const next: Shared = { pending, sinceNs: clock.nowNs() };
      sharedByKey.set(key, next);
      return pending.then((asked) => {
        next.sinceNs = asked.kind === 'held' ? asked.held.receivedAtNs : asked.receivedAtNs;
        return asked;
      });
    },
  };
}

type Answered = Extract<DnsReply, { kind: 'answered' }>;

/** What the authoritative server says of the name itself, and what its alias leads to. */
function joined(own: Answered, rest: Answered): Answered {
  const { rcode, addresses, endedAtNs } = rest;
  const ttlS = Math.min(own.ttlS, rest.ttlS);
  return { ...own, rcode, addresses, endedAtNs, ttlS, chain: [...own.chain, ...rest.chain] };
}
