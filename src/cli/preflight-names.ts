/** What a preflight asks DNS: each authority with RD=0, each resolver, and the sides' own names. Runs on any `DnsPort`. */
import { newJournal } from '../analysis/journal.ts';
import { newSides, type Sides } from '../analysis/sides.ts';
import { askedTypes, type Asked, type NameFacts, type ServerFacts, type SideName } from '../checks/facts.ts';
import type { ResolverLook } from '../checks/lives.ts';
import type { Seen } from '../checks/memory.ts';
import { addressesAsked, isAuthority } from '../checks/record-sets.ts';
import { isSettled, isSideName, recordSetsOf } from '../core/record-set.ts';
import { normalName } from '../core/dns-chain.ts';
import type { Entry } from '../core/entry.ts';
import type { Clock, DnsPort, DnsReply, DnsServer } from '../core/ports.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import { findAuthorities, lookUpAuthorities, type FoundAuthorities, type SocketAddress } from '../watch/authorities.ts';

export interface NamePorts {
  readonly clock: Clock;
  readonly dns: DnsPort;
  /** Wall clock at an instant of `clock`. */
  readonly wallMs: (atNs: number) => number;
}

/** A hostname, and which servers are asked about it. */
export interface WatchedName {
  readonly hostname: string;
  readonly found: FoundAuthorities;
  /** Outside its zone, up to a side's own name. */
  readonly links: readonly { readonly name: string; readonly found: FoundAuthorities }[];
  readonly resolvers: readonly { readonly name: string; readonly server: DnsServer }[];
}

const answerWithinS = 5;
/** Links out of the zone; real chains have one or two. */
const linkCountMax = 8;

export function watchedNames(ports: NamePorts, scenario: Scenario): Promise<readonly WatchedName[]> {
  const hostnames = [...new Set(scenario.services.flatMap(({ checks }) => checks.map(({ hostname }) => hostname)))];
  return Promise.all(
    hostnames.map(async (hostname) => {
      const asking = new Set(
        scenario.services
          .filter(({ checks }) => checks.some((check) => check.hostname === hostname))
          .flatMap(({ resolvers }) => resolvers),
      );
      const found = await findAuthorities(ports, scenario, hostname, scenario.resolvers[0]);
      const links = await linksOf(ports, scenario, hostname, found);
      // getaddrinfo says no TTL, and nothing can be concluded from what it says.
      const resolvers = scenario.resolvers.filter(
        ({ name, server }) => asking.has(name) && server.kind !== 'getaddrinfo',
      );
      return { hostname, found, links, resolvers };
    }),
  );
}

/** Follows an alias that leads out of what its authorities know, to whose authorities those are, and so on. */
async function linksOf(
  ports: NamePorts,
  scenario: Scenario,
  hostname: string,
  from: FoundAuthorities,
): Promise<WatchedName['links']> {
  const links: { name: string; found: FoundAuthorities }[] = [];
  let name = hostname;
  let servers: readonly SocketAddress[] = from.servers;
  while (links.length < linkCountMax) {
    const end = await endOf(ports, name, servers);
    if (end === null || isSideName(scenario, end) || links.some((link) => link.name === end)) break;
    const found = await lookUpAuthorities(ports, end, scenario.resolvers[0]);
    links.push({ name: end, found });
    ({ servers } = found);
    name = end;
  }
  return links;
}

/** What was looked up at first no longer is all: some name server was not found, or a chain leads where nobody looked. */
export function isOutgrown(scenario: Scenario, watched: readonly WatchedName[], names: readonly NameFacts[]): boolean {
  const isPartial = watched.some(({ found, links }) =>
    [found, ...links.map((link) => link.found)].some(({ unfound }) => unfound.length > 0),
  );
  return (
    isPartial ||
    names.some(({ authorities, links }) => {
      const asked = [...authorities, ...links.flatMap(({ servers }) => servers)].flatMap((one) => one.asked);
      const ends = asked.flatMap(({ reply }) => (reply.kind === 'failed' ? [] : [unfollowedEnd(reply)]));
      return ends.some((end) => end !== null && !isSideName(scenario, end) && !links.some(({ name }) => name === end));
    })
  );
}

/** Where the alias leads to that the server does not follow; null: nowhere, or it says what is there. */
function unfollowedEnd(reply: Extract<DnsReply, { kind: 'answered' }>): string | null {
  const isFollowed = reply.addresses.length > 0 || reply.authority.some((record) => record.type === 'SOA');
  return isFollowed ? null : (reply.chain.at(-1) ?? null);
}

/** Where the alias leads to that the first server with an answer does not follow; null: it leads nowhere. */
async function endOf(ports: NamePorts, name: string, servers: readonly SocketAddress[]): Promise<string | null> {
  for (const { address, port } of servers) {
    const reply = await ask(ports, { kind: 'udp', address, port }, name, 'A', false);
    if (reply.kind !== 'answered' || !reply.authoritative) continue;
    return unfollowedEnd(reply);
  }
  return null;
}

/** How many questions one look asks. */
export function questionCount(names: readonly WatchedName[]): number {
  const servers = names.flatMap(({ found, links, resolvers }) => [
    ...[found, ...links.map((link) => link.found)].flatMap((one) => one.servers),
    ...resolvers,
  ]);
  return servers.length * askedTypes.length;
}

// ── the sides' own names ─────────────────────────────────────────────────────────────────────────────────────────────

export interface SideAddresses {
  readonly sideNames: readonly SideName[];
  /** With those that the scenario gives. */
  readonly addresses: Readonly<Record<Side, readonly string[]>>;
  /** Says whose an address or an answer is, as the analysis of a run does. */
  readonly sides: Sides;
}

export async function lookAtSideNames(ports: NamePorts, scenario: Scenario): Promise<SideAddresses> {
  const resolver = scenario.resolvers[0];
  const entries: Entry[] = [];
  const sideNames: SideName[] = [];
  const addresses: Record<Side, string[]> = { old: [], new: [] };
  for (const side of ['old', 'new'] as const) {
    for (const given of scenario.sides[side].addresses) {
      if (given.kind === 'address') addresses[side].push(given.address);
      if (given.kind !== 'name' || resolver === undefined) continue;
      const found: string[] = [];
      for (const question of ['A', 'AAAA'] as const) {
        const reply = await ask(ports, resolver.server, given.name, question, true);
        const { name } = given;
        const about = { watch: 'side', server: resolver.name, name, question, side } as const;
        entries.push({
          type: 'dns-answered',
          atNs: ports.clock.nowNs(),
          ...about,
          reply,
          previousSentAtNs: null,
          sameCount: 0,
        });
        if (reply.kind === 'answered') found.push(...reply.addresses);
      }
      sideNames.push({ side, name: given.name, addresses: found });
      addresses[side].push(...found);
    }
  }
  const unique = { old: [...new Set(addresses.old)], new: [...new Set(addresses.new)] };
  const sides = newSides(scenario, newJournal(entries), { error: [], address: [], face: [], answer: [] });
  return { sideNames, addresses: unique, sides };
}

// ── one look ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export type IsAsked = (hostname: string, server: string) => boolean;

/** `before`: taken over, by server, where `isAsked` says that nothing is to be asked. */
export function lookAtNames(
  ports: NamePorts,
  names: readonly WatchedName[],
  of: {
    readonly side: SideAddresses;
    readonly before?: readonly NameFacts[];
    readonly isAsked?: IsAsked;
  },
): Promise<readonly NameFacts[]> {
  const { side, before = [], isAsked = () => true } = of;
  return Promise.all(
    names.map(async ({ hostname, found, links, resolvers }): Promise<NameFacts> => {
      const known = before.find((name) => name.hostname === hostname);
      async function look(asked: Question, old: ServerFacts | undefined): Promise<ServerFacts> {
        if (old !== undefined && !isAsked(hostname, asked.serverName)) return old;
        return { server: asked.serverName, asked: await askAll(ports, asked, side) };
      }
      const lookAll = (name: string, of: FoundAuthorities, old: readonly ServerFacts[] = []) =>
        Promise.all(
          of.servers.map(async (server) => {
            const asked = questionTo(server, name);
            const facts = await look(
              asked,
              old.find((one) => one.server === asked.serverName),
            );
            return { ...facts, alsoAt: alsoAt(of, server) };
          }),
        );
      const [authorities, linked, answers] = await Promise.all([
        lookAll(hostname, found, known?.authorities),
        Promise.all(
          links.map(async ({ name, found: of }, i) => ({
            name,
            servers: await lookAll(name, of, known?.links[i]?.servers),
            error: of.error,
            unfound: of.unfound,
          })),
        ),
        Promise.all(
          resolvers.map(({ name, server }, i) =>
            look({ server, serverName: name, name: hostname, isRecursive: true }, known?.resolvers[i]),
          ),
        ),
      ]);
      const { error: authoritiesError } = found;
      const areGiven = found.found === 'given';
      const { unfound } = found;
      return { hostname, authorities, links: linked, areGiven, authoritiesError, unfound, resolvers: answers };
    }),
  );
}

interface Question {
  readonly server: DnsServer;
  readonly serverName: string;
  readonly name: string;
  readonly isRecursive: boolean;
}

/** The other addresses of each name server, so that one heard at one of them is known. */
function alsoAt({ nameServers, servers }: FoundAuthorities, { address }: SocketAddress): readonly string[] {
  const others = new Set(
    nameServers.filter(({ addresses }) => addresses.includes(address)).flatMap(({ addresses }) => addresses),
  );
  return servers
    .filter((server) => server.address !== address && others.has(server.address))
    .map((server) => serverText(server.address, server.port));
}

function questionTo({ address, port }: SocketAddress, name: string): Question {
  return { server: { kind: 'udp', address, port }, serverName: serverText(address, port), name, isRecursive: false };
}

function askAll(ports: NamePorts, question: Question, side: SideAddresses): Promise<readonly Asked[]> {
  const { server, name, isRecursive } = question;
  return Promise.all(
    askedTypes.map(async (type): Promise<Asked> => {
      const reply = await ask(ports, server, name, type, isRecursive);
      return { type, reply, endedAtMs: ports.wallMs(reply.endedAtNs), side: sideOf(reply, type, side) };
    }),
  );
}

function ask(
  { clock, dns }: NamePorts,
  server: DnsServer,
  name: string,
  type: (typeof askedTypes)[number],
  recursionDesired: boolean,
): Promise<DnsReply> {
  // With its end dot a name is whole: no search list of a system resolver applies.
  const whole = `${name.replace(/\.$/, '')}.`;
  const deadlineNs = clock.nowNs() + sToNs(answerWithinS);
  return dns.query(server, { name: whole, type }, { recursionDesired, deadlineNs });
}

/**
 * An alias that leads out of the zone is followed by no authority: then the target tells, if it is a side's own name, and
 * has addresses of the family or not.
 */
function sideOf(reply: DnsReply, type: Asked['type'], { sides, sideNames }: SideAddresses): Asked['side'] {
  if (reply.kind === 'failed') return 'unknown';
  if (type !== 'HTTPS' && reply.addresses.length === 0) {
    if (reply.chain.length === 0 || reply.authority.some((record) => record.type === 'SOA')) return 'none';
    const target = sideNames.find(({ name }) => normalName(name) === reply.chain.at(-1));
    if (target !== undefined && !target.addresses.some((one) => one.includes(':') === (type === 'AAAA'))) return 'none';
  }
  return sides.ofAnswer(type === 'HTTPS' ? [] : reply.addresses, reply.chain);
}

export function serverText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * For the memory: what each authority served; nothing of one that was not asked in this look. One that has several links
 * of the chain is one server.
 */
export function seenOf(name: NameFacts, nowMs: number, isAsked: IsAsked): Seen {
  const { hostname, authorities, links } = name;
  const said = [
    ...authorities.map((server) => ({ name: hostname, server })),
    ...links.flatMap(({ name, servers }) => servers.map((server) => ({ name, server }))),
  ];
  const servers = [...Map.groupBy(said, ({ server }) => server.server)].map(([server, all]) => {
    const known = isAsked(hostname, server) ? all.filter((one) => isAuthority(one.server)) : [];
    const sets = known.flatMap(({ name, server: { asked } }) =>
      recordSetsOf(name, asked).map((set) => ({ name: set.name, type: set.type, ttlS: set.ttlS })),
    );
    return { server, sets: known.length === 0 ? null : sets };
  });
  const isPartial = [{ error: name.authoritiesError, unfound: name.unfound }, ...links].some(
    ({ error, unfound = [] }) => error !== '' || unfound.length > 0,
  );
  return { hostname, atMs: nowMs, servers, ...(isPartial ? { isPartial } : {}) };
}

/** For the memory: what each resolver showed that answered in this look. */
export function resolversSeenOf({ hostname, resolvers }: NameFacts, isAsked: IsAsked): readonly ResolverLook[] {
  return resolvers.flatMap(({ server, asked }) => {
    const answered = addressesAsked(asked).filter(({ reply }) => reply.kind === 'answered' && isSettled(reply.rcode));
    if (!isAsked(hostname, server) || answered.length === 0) return [];
    const atMs = Math.ceil(Math.max(...answered.map(({ endedAtMs }) => endedAtMs)));
    const sets = recordSetsOf(hostname, asked).map(({ name, type, ttlS }) => ({ name, type, ttlS }));
    return [{ server, atMs, sets }];
  });
}

export function wallClock(startedAtMs: number): (atNs: number) => number {
  return (atNs) => startedAtMs + nsToMs(atNs);
}
