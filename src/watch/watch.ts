/**
 * Asks DNS beside the probes: authoritative servers (`authority-watch.ts`), and the sides' own names every 5 s, whose
 * addresses tell which side an answer is of.
 */
import type { Entry } from '../core/entry.ts';
import type { Clock, DnsPort, DnsReply } from '../core/ports.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { newAuthorityWatch } from './authority-watch.ts';
import { newPoll, type Poll } from './poll.ts';

export interface WatchOptions {
  readonly clock: Clock;
  readonly dns: DnsPort;
  readonly scenario: Scenario;
  readonly entry: (entry: Entry) => void;
  /** An address of a side's own name, the first time it is seen. */
  readonly sideAddress: (side: Side, address: string) => void;
  /** It has not been among the answers for so long that it is no longer the side's: somebody else may have it soon. */
  readonly sideAddressGone: (side: Side, address: string) => void;
  /** Where name servers that are looked up listen; left out: 53. */
  readonly nameServerPort?: number;
}

export interface Watch {
  /** Looks up authorities and side addresses once; resolves when each has been asked, answered or not. */
  start(): Promise<void>;
  stop(): void;
}

const sideEveryS = 5;
const answerWithinS = 4;
/**
 * Names with many addresses give another selection each time: with 8 of 100, one is missed
 * in all of these 60 polls less than once in 100 times.
 */
const goneAfterS = 300;

/** A side's own name, asked for one family. */
interface SideName {
  readonly side: Side;
  readonly name: string;
  readonly question: 'A' | 'AAAA';
}

export function newWatch(options: WatchOptions): Watch {
  const { clock, dns, scenario } = options;
  const authorities = newAuthorityWatch(options);
  const polls: Poll[] = [];
  let isStopped = false;

  /** With the resolver that lanes ask first. */
  function pollSides(): Poll[] {
    const resolver = scenario.resolvers[0];
    if (resolver === undefined) return [];
    const names = (['old', 'new'] as const).flatMap((side) =>
      scenario.sides[side].addresses.flatMap((address): SideName[] =>
        address.kind === 'name'
          ? (['A', 'AAAA'] as const).map((question) => ({ side, name: address.name, question }))
          : [],
      ),
    );
    return names.map(({ side, name, question }, i) => {
      const note = newAddressNote(options, side);
      return newPoll({
        clock,
        everyNs: sToNs(sideEveryS),
        staggerNs: (sToNs(sideEveryS) / names.length) * i,
        isPrompt: true,
        ask: () =>
          dns.query(
            resolver.server,
            { name, type: question },
            { recursionDesired: true, deadlineNs: clock.nowNs() + sToNs(answerWithinS) },
          ),
        keyOf,
        heard(reply) {
          if (reply.kind === 'answered') note(reply);
        },
        tell({ reply, previousSentAtNs, sameCount }) {
          const about = { watch: 'side', server: resolver.name, name, question, side } as const;
          options.entry({ type: 'dns-answered', atNs: clock.nowNs(), ...about, reply, previousSentAtNs, sameCount });
        },
      });
    });
  }

  return {
    async start() {
      if (isStopped) return;
      polls.push(...pollSides());
      await Promise.all([authorities.start(), ...polls.map((one) => one.ready)]);
    },
    stop() {
      isStopped = true;
      authorities.stop();
      for (const one of polls) one.stop();
    },
  };
}

/** Tells which addresses a name has got, and which it no longer has. */
function newAddressNote(
  { sideAddress, sideAddressGone }: WatchOptions,
  side: Side,
): (reply: Extract<DnsReply, { kind: 'answered' }>) => void {
  /** When each was last among the answers. */
  const seenNs = new Map<string, number>();
  return (reply) => {
    for (const address of reply.addresses) {
      const isNew = !seenNs.has(address);
      seenNs.set(address, reply.endedAtNs);
      if (isNew) sideAddress(side, address);
    }
    for (const [address, atNs] of seenNs) {
      if (reply.addresses.length === 0 || reply.endedAtNs - atNs < sToNs(goneAfterS)) continue;
      seenNs.delete(address);
      sideAddressGone(side, address);
    }
  };
}

/** What must be equal for an answer to be called the same: everything but TTL, times and the order of addresses. */
function keyOf(reply: DnsReply): string {
  if (reply.kind === 'failed') return `failed ${reply.reason} ${reply.error}`;
  const addresses = reply.addresses.toSorted().join();
  return `${reply.rcode} ${reply.authoritative} ${reply.ede} ${reply.chain.join()} ${addresses}`;
}
