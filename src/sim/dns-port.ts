/** DNS over UDP to the model's name servers and resolvers, with the patience of the real port. */
import { chainOf, normalName } from '../core/dns-chain.ts';
import { nextAttemptAtNs, udpAttemptCount } from '../core/dns-patience.ts';
import { assert } from '../core/errors.ts';
import type { Clock, DnsPort, DnsQuestion, DnsReply } from '../core/ports.ts';
import type { DnsContent, WorldModel } from '../model/world-model.ts';

export function newSimDnsPort({ clock, world }: { readonly clock: Clock; readonly world: WorldModel }): DnsPort {
  return {
    query(server, asked, { deadlineNs }) {
      assert(server.kind === 'udp', 'in a simulated world every DNS server is asked over UDP');
      const { address } = server;
      const question: DnsQuestion = { name: normalName(asked.name), type: asked.type };
      const sentAtNs = clock.nowNs();
      return new Promise((resolve) => {
        const timeOut = (): void =>
          resolve({ kind: 'failed', reason: 'timed-out', error: 'no answer', sentAtNs, endedAtNs: clock.nowNs() });

        function attempt(attemptsMade: number): void {
          const nowNs = clock.nowNs();
          const answered = world.ask(address, question, nowNs);
          if (answered !== null) {
            const { content, afterNs } = answered;
            if (nowNs + afterNs > deadlineNs) clock.at(deadlineNs, timeOut);
            else
              clock.at(nowNs + afterNs, () =>
                resolve(replyOf(question, content, { sentAtNs, endedAtNs: clock.nowNs() })),
              );
          } else if (attemptsMade === udpAttemptCount) {
            clock.at(deadlineNs, timeOut);
          } else {
            const attempts = { made: attemptsMade, max: udpAttemptCount };
            clock.at(nextAttemptAtNs(sentAtNs, deadlineNs, attempts), () => attempt(attemptsMade + 1));
          }
        }

        const literal = literalOf(question);
        if (literal !== null) resolve({ ...literal, sentAtNs, endedAtNs: sentAtNs });
        else if (sentAtNs >= deadlineNs) timeOut();
        else attempt(1);
      });
    },
  };
}

/** RFC 2181, 8: the highest TTL there is. */
const ttlSMax = 0x7fff_ffff;

type Answered = Extract<DnsReply, { kind: 'answered' }>;

/** An address instead of a name needs no server, and never gets old. Worlds have IPv4 only. */
function literalOf({ name, type }: DnsQuestion): Omit<Answered, 'sentAtNs' | 'endedAtNs'> | null {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(name)) return null;
  const addresses = type === 'A' ? [name] : [];
  const answers = addresses.map((data) => ({ name, type, ttlS: ttlSMax, data }));
  return {
    kind: 'answered',
    rcode: 'NOERROR',
    authoritative: false,
    ede: 0,
    answers,
    authority: [],
    chain: [],
    addresses,
    ttlS: ttlSMax,
  };
}

function replyOf(
  question: DnsQuestion,
  content: DnsContent,
  times: { readonly sentAtNs: number; readonly endedAtNs: number },
): DnsReply {
  const followed = chainOf(question, content);
  if (typeof followed === 'string') return { kind: 'failed', reason: 'malformed', error: followed, ...times };
  const { rcode, authoritative, ede, answers, authority } = content;
  return { kind: 'answered', rcode, authoritative, ede, answers, authority, ...followed, ...times };
}
