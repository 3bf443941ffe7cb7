/**
 * Polls authoritative servers (RD=0, once a second for each hostname) and the sides' own names (every 5 s), and logs an
 * entry where an answer differs from the one before, else one in 10 s. Each poll is due by its number and never waits for
 * the one before; at most one is under way per watched name, so that a dead server is not asked more, only later.
 */
import type { Entry } from '../core/entry.ts';
import type { Cancel, Clock, DnsPort, DnsReply, DnsServer } from '../core/ports.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { findAuthorities, type SocketAddress } from './authorities.ts';

export interface WatchOptions {
  readonly clock: Clock;
  readonly dns: DnsPort;
  readonly scenario: Scenario;
  readonly entry: (entry: Entry) => void;
  /** An address of a side's own name, the first time it is seen. */
  readonly sideAddress: (side: Side, address: string) => void;
  /** It has not been among the answers for so long that it is no longer the side's: somebody else may have it soon. */
  readonly sideAddressGone: (side: Side, address: string) => void;
}

export interface Watch {
  /** Looks up authorities and side addresses once; resolves when each has been asked, answered or not. */
  start(): Promise<void>;
  stop(): void;
}

const authorityEveryS = 1;
const sideEveryS = 5;
const repeatedEveryS = 10;
const answerWithinS = 4;
/**
 * Names with many addresses give another selection each time: with 8 of 100, one is missed
 * in all of these 60 polls less than once in 100 times.
 */
const goneAfterS = 300;

interface Watched {
  readonly watch: 'authority' | 'side';
  readonly server: DnsServer;
  readonly serverName: string;
  readonly name: string;
  readonly question: 'A' | 'AAAA';
  readonly side: Side | null;
  readonly everyNs: number;
  /** Offset that keeps polls from firing together. */
  readonly staggerNs: number;
}

export function newWatch(options: WatchOptions): Watch {
  const { clock, dns, scenario } = options;
  const cancels = new Map<Watched, Cancel>();
  /** Per watched side's name and question: address → when it was last among the answers. */
  const seenAddresses = new Map<Watched, Map<string, number>>();
  let isStopped = false;

  function watchedOf(authorities: ReadonlyMap<string, readonly SocketAddress[]>): readonly Watched[] {
    const list: Omit<Watched, 'staggerNs'>[] = [];
    for (const [name, servers] of authorities) {
      for (const { address, port } of servers) {
        const serverName = nameOf({ address, port });
        const server: DnsServer = { kind: 'udp', address, port };
        for (const question of ['A', 'AAAA'] as const) {
          list.push({
            watch: 'authority',
            server,
            serverName,
            name,
            question,
            side: null,
            everyNs: sToNs(authorityEveryS),
          });
        }
      }
    }
    const resolver = scenario.resolvers[0];
    for (const side of ['old', 'new'] as const) {
      for (const address of scenario.sides[side].addresses) {
        if (address.kind !== 'name' || resolver === undefined) continue;
        for (const question of ['A', 'AAAA'] as const) {
          const { name } = address;
          list.push({
            watch: 'side',
            server: resolver.server,
            serverName: resolver.name,
            name,
            question,
            side,
            everyNs: sToNs(sideEveryS),
          });
        }
      }
    }
    return list.map((watched, i) => ({ ...watched, staggerNs: (watched.everyNs / list.length) * i }));
  }

  function noteAddresses(watched: Watched, side: Side, reply: Extract<DnsReply, { kind: 'answered' }>): void {
    const seen = seenAddresses.get(watched) ?? new Map<string, number>();
    seenAddresses.set(watched, seen);
    for (const address of reply.addresses) {
      const isNew = !seen.has(address);
      seen.set(address, reply.endedAtNs);
      if (isNew) options.sideAddress(side, address);
    }
    for (const [address, seenAtNs] of seen) {
      if (reply.addresses.length === 0 || reply.endedAtNs - seenAtNs < sToNs(goneAfterS)) continue;
      seen.delete(address);
      options.sideAddressGone(side, address);
    }
  }

  /** Polls for ever; resolves after the first answer. */
  function poll(watched: Watched): Promise<void> {
    let previousSentNs: number | null = null;
    let previousKey = '';
    let sameCount = 0;
    let loggedNs = 0;
    let isUnderWay = false;
    const startedNs = clock.nowNs();

    async function once(): Promise<void> {
      isUnderWay = true;
      const sentNs = clock.nowNs();
      const reply = await dns.query(
        watched.server,
        { name: watched.name, type: watched.question },
        { recursionDesired: watched.watch === 'side', deadlineNs: sentNs + sToNs(answerWithinS) },
      );
      isUnderWay = false;
      if (isStopped) return;
      const key = keyOf(reply);
      if (key !== previousKey || reply.endedAtNs - loggedNs >= sToNs(repeatedEveryS)) {
        const { watch, serverName: server, name, question, side } = watched;
        options.entry({
          type: 'dns-answered',
          atNs: clock.nowNs(),
          watch,
          server,
          name,
          question,
          side,
          reply,
          previousSentAtNs: previousSentNs,
          sameCount,
        });
        sameCount = 0;
        loggedNs = reply.endedAtNs;
      } else {
        sameCount += 1;
      }
      previousKey = key;
      previousSentNs = sentNs;
      if (watched.side !== null && reply.kind === 'answered') noteAddresses(watched, watched.side, reply);
    }

    function schedule(turn: number): void {
      if (isStopped) return;
      const dueNs = startedNs + watched.staggerNs + turn * watched.everyNs;
      cancels.set(
        watched,
        clock.at(dueNs, () => {
          if (!isUnderWay) void once();
          // After a stall the polls that were missed are not made up for.
          const missed = Math.floor((clock.nowNs() - dueNs) / watched.everyNs);
          schedule(turn + 1 + Math.max(0, missed));
        }),
      );
    }

    schedule(1);
    return once();
  }

  return {
    async start() {
      const hostnames = new Set(scenario.services.flatMap((service) => service.checks.map((check) => check.hostname)));
      const authorities = new Map<string, readonly SocketAddress[]>();
      await Promise.all(
        [...hostnames].map(async (name) => {
          const { zone, servers, found, error } = await findAuthorities(options, scenario, name, scenario.resolvers[0]);
          authorities.set(name, servers);
          const names = servers.map(nameOf);
          options.entry({ type: 'authorities-found', atNs: clock.nowNs(), name, zone, servers: names, found, error });
        }),
      );
      const sorted = new Map([...authorities].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      await Promise.all(watchedOf(sorted).map(poll));
    },
    stop() {
      isStopped = true;
      for (const cancel of cancels.values()) cancel();
    },
  };
}

function nameOf({ address, port }: SocketAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What must be equal for an answer to be called the same: everything but TTL, times and the order of addresses. */
function keyOf(reply: DnsReply): string {
  if (reply.kind === 'failed') return `failed ${reply.reason} ${reply.error}`;
  const addresses = reply.addresses.toSorted().join();
  return `${reply.rcode} ${reply.authoritative} ${reply.ede} ${reply.chain.join()} ${addresses}`;
}
