/**
 * Polls the authoritative servers of every hostname, and of every name that its aliases lead to, each server by itself and
 * with RD=0: for A once a second, which decides when a change is seen, and for what stands beside it every 10 s. Where A
 * changes, the others are asked at once.
 */
import type { Entry } from '../core/entry.ts';
import type { Cancel, Clock, DnsPort, DnsReply } from '../core/ports.ts';
import type { Scenario } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { findAuthorities, lookUpAuthorities, type FoundAuthorities, type SocketAddress } from './authorities.ts';
import { newPoll, type Poll } from './poll.ts';

export interface AuthorityWatchOptions {
  readonly clock: Clock;
  readonly dns: DnsPort;
  readonly scenario: Scenario;
  readonly entry: (entry: Entry) => void;
  /** Where name servers that are looked up listen; left out: 53. Those that the scenario gives have ports of their own. */
  readonly nameServerPort?: number;
}

export interface AuthorityWatch {
  /** Resolves when each server of a hostname has been asked for its addresses, answered or not. */
  start(): Promise<void>;
  stop(): void;
}

const addressEveryS = 1;
const besideEveryS = 10;
const besideFirstWithinS = 2;
const answerWithinS = 4;
/** Links of one chain; real ones have two or three. */
const chainLengthMax = 8;
/** Links of one hostname that are ever watched: answers that name others each time must not make us ask for ever. */
const linkCountMax = 16;
/** Servers that were not found are looked up again so much later, and each time twice as much, up to the most. */
const lookUpAgainS = { first: 2, most: 60 };

/** A name whose servers are polled: a hostname, or a link of its chain. */
interface Watched {
  readonly name: string;
  /** The zone that it is in; '' = not known. */
  readonly zone: string;
  /** The hostname whose chain it is in; its own name for a hostname. */
  readonly root: string;
  /** Links from the hostname. */
  readonly depth: number;
  readonly servers: readonly SocketAddress[];
}

type Question = 'A' | 'AAAA' | 'CNAME' | 'HTTPS' | 'SOA';
type Answered = Extract<DnsReply, { kind: 'answered' }>;

export function newAuthorityWatch(options: AuthorityWatchOptions): AuthorityWatch {
  const { clock, dns, scenario } = options;
  const resolver = scenario.resolvers[0];
  const given = typeof scenario.authorities === 'string' ? null : scenario.authorities;
  const portOf = (address: string): number =>
    given?.find((one) => one.address === address)?.port ?? options.nameServerPort ?? 53;
  /** By server, name and question. */
  const polls = new Map<string, Poll>();
  /** By hostname: its links, and when each may be looked up again. */
  const links = new Map<string, Map<string, number>>();
  const lookUpsDue = new Set<Cancel>();
  const isOverCap = new Set<string>();
  let isStopped = false;

  // ── polls ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  function watchName(watched: Watched): Promise<unknown> {
    return Promise.all(
      watched.servers.flatMap((server, i) => {
        const shareOfTurn = i / watched.servers.length;
        const beside = (['AAAA', 'CNAME', 'HTTPS', 'SOA'] as const).map((question, j) =>
          poll({ watched, server, question, shareOfTurn: (shareOfTurn + j / 4) % 1, beside: [] }),
        );
        return [...beside, poll({ watched, server, question: 'A', shareOfTurn, beside })].map((one) => one.ready);
      }),
    );
  }

  /** Names of one zone share servers, and hostnames share links: nobody is asked twice. */
  function poll(what: {
    readonly watched: Watched;
    readonly server: SocketAddress;
    readonly question: Question;
    readonly shareOfTurn: number;
    readonly beside: readonly Poll[];
  }): Poll {
    const { watched, question, beside } = what;
    // The SOA is at the top of the zone.
    const name = question === 'SOA' && watched.zone !== '' ? watched.zone : watched.name;
    const server = serverName(what.server);
    const key = `${server} ${name} ${question}`;
    const known = polls.get(key);
    if (known !== undefined) return known;
    const isOfAddresses = question === 'A' || question === 'AAAA';
    const everyS = question === 'A' ? addressEveryS : besideEveryS;
    const made = newPoll({
      clock,
      everyNs: sToNs(everyS),
      staggerNs: sToNs(isOfAddresses ? everyS : besideFirstWithinS) * what.shareOfTurn,
      isPrompt: isOfAddresses,
      ask: () =>
        dns.query(
          { kind: 'udp', ...what.server },
          { name, type: question },
          { recursionDesired: false, deadlineNs: clock.nowNs() + sToNs(answerWithinS) },
        ),
      keyOf,
      heard(reply) {
        if (isOfAddresses && reply.kind === 'answered' && reply.authoritative) followChain(watched, reply);
      },
      tell({ isChanged, ...told }) {
        const about = { watch: 'authority', server, name, question, side: null } as const;
        options.entry({ type: 'dns-answered', atNs: clock.nowNs(), ...about, ...told });
        if (isChanged) for (const other of beside) other.now();
      },
    });
    polls.set(key, made);
    return made;
  }

  // ── chains ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  function followChain(watched: Watched, reply: Answered): void {
    reply.chain.forEach((link, i) => {
      const depth = watched.depth + i + 1;
      // The servers that a scenario gives are taken to be all there are, for every name that they answer for.
      const isAnswered = isAnsweredIn(reply, link);
      if (depth <= chainLengthMax && !(given !== null && isAnswered))
        void watchLink(watched, { link, depth, isAnswered });
    });
  }

  async function watchLink(
    { root, servers }: Watched,
    { link, depth, isAnswered }: { readonly link: string; readonly depth: number; readonly isAnswered: boolean },
  ): Promise<void> {
    const known = links.get(root) ?? new Map<string, number>();
    links.set(root, known);
    if (clock.nowNs() < (known.get(link) ?? 0) || link === root) return;
    if (!known.has(link) && known.size >= linkCountMax) {
      noteOverCap(root);
      return;
    }
    known.set(link, Infinity);
    const found = await lookUpAuthorities({ clock, dns, portOf }, link, resolver);
    if (isStopped) return;
    if (found.servers.length === 0) known.set(link, clock.nowNs() + sToNs(lookUpAgainS.most));
    const before = new Set(servers.map(serverName));
    const isAnsweredBefore = isAnswered && found.servers.every((server) => before.has(serverName(server)));
    noteFound(link, found, { linkOf: root, isAnsweredBefore });
    if (!isAnsweredBefore) await watchName({ name: link, zone: found.zone, root, depth, servers: found.servers });
  }

  function noteOverCap(root: string): void {
    if (isOverCap.has(root)) return;
    isOverCap.add(root);
    const text = `The aliases of ${root} have led to ${linkCountMax} names; the servers of further ones are not watched.`;
    options.entry({ type: 'noted', atNs: clock.nowNs(), text });
  }

  // ── hostnames ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** When nobody answers at the start, nobody would be asked for all of the run. What is found later is told like the first. */
  async function lookUp(name: string, againS: number): Promise<void> {
    const authorities = await findAuthorities({ clock, dns, portOf }, scenario, name, resolver);
    if (isStopped) return;
    const { zone, servers, isForGood } = authorities;
    if (againS === lookUpAgainS.first || servers.length > 0) noteFound(name, authorities, {});
    if (servers.length === 0 && !isForGood) {
      const cancel = clock.at(clock.nowNs() + sToNs(againS), () => {
        lookUpsDue.delete(cancel);
        void lookUp(name, Math.min(2 * againS, lookUpAgainS.most));
      });
      lookUpsDue.add(cancel);
      return;
    }
    await watchName({ name, root: name, depth: 0, zone, servers });
  }

  function noteFound(
    name: string,
    { zone, servers, found, error, nameServers, nsSets }: FoundAuthorities,
    link: { readonly linkOf?: string; readonly isAnsweredBefore?: boolean },
  ): void {
    const names = servers.map(serverName);
    const looked = found === 'given' ? {} : { nameServers, nsSets };
    options.entry({
      type: 'authorities-found',
      atNs: clock.nowNs(),
      name,
      zone,
      servers: names,
      found,
      error,
      ...link,
      ...looked,
    });
  }

  return {
    async start() {
      const hostnames = new Set(scenario.services.flatMap((service) => service.checks.map((check) => check.hostname)));
      await Promise.all([...hostnames].toSorted().map((name) => lookUp(name, lookUpAgainS.first)));
    },
    stop() {
      isStopped = true;
      for (const one of polls.values()) one.stop();
      for (const cancel of lookUpsDue) cancel();
    },
  };
}

function serverName({ address, port }: SocketAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The answer has records of the link, or a SOA that says there are none: the server is one of the link's zone, too. */
function isAnsweredIn(reply: Answered, link: string): boolean {
  const isLast = reply.chain.at(-1) === link;
  const hasRecords = reply.answers.some(({ name }) => name === link);
  return hasRecords || (isLast && (reply.rcode === 'NXDOMAIN' || reply.authority.some(({ type }) => type === 'SOA')));
}

/** What must be equal for an answer to be called the same: everything but times, NSID and the order of records. */
function keyOf(reply: DnsReply): string {
  if (reply.kind === 'failed') return `failed ${reply.reason} ${reply.error}`;
  // Whoever is no authority counts down.
  const ttl = (ttlS: number): string => (reply.authoritative ? String(ttlS) : '');
  const records = reply.answers.map(({ name, type, ttlS, data }) => `${name} ${ttl(ttlS)} ${type} ${data}`).toSorted();
  return `${reply.rcode} ${reply.authoritative} ${reply.ede} ${reply.addresses.toSorted().join()} ${records.join()}`;
}
