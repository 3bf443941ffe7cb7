/** What a preflight asks DNS: each authority with RD=0, each resolver, and the sides' own names. Runs on any `DnsPort`. */
import { newJournal } from '../analysis/journal.ts';
import { newSides, type Sides } from '../analysis/sides.ts';
import { askedTypes, type Asked, type NameFacts, type ServerFacts, type SideName } from '../checks/facts.ts';
import type { Seen } from '../checks/memory.ts';
import { isAuthority, recordSetsOf } from '../checks/record-sets.ts';
import { normalName } from '../core/dns-chain.ts';
import type { Entry } from '../core/entry.ts';
import type { Clock, DnsPort, DnsReply, DnsServer } from '../core/ports.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import { findAuthorities, type FoundAuthorities } from '../watch/authorities.ts';

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
  readonly resolvers: readonly { readonly name: string; readonly server: DnsServer }[];
}

const answerWithinS = 5;

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
      return { hostname, found, resolvers: scenario.resolvers.filter(({ name }) => asking.has(name)) };
    }),
  );
}

/** How many questions one look asks. */
export function questionCount(names: readonly WatchedName[]): number {
  return (
    names.reduce((sum, { found, resolvers }) => sum + found.servers.length + resolvers.length, 0) * askedTypes.length
  );
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

/** `before`: taken over, by server, where `isAsked` says that nothing is to be asked. */
export function lookAtNames(
  ports: NamePorts,
  names: readonly WatchedName[],
  of: {
    readonly side: SideAddresses;
    readonly before?: readonly NameFacts[];
    readonly isAsked?: (hostname: string, server: string) => boolean;
  },
): Promise<readonly NameFacts[]> {
  const { side, before = [], isAsked = () => true } = of;
  return Promise.all(
    names.map(async ({ hostname, found, resolvers }) => {
      const known = before.find((name) => name.hostname === hostname);
      const look = async (
        server: DnsServer,
        name: string,
        isRecursive: boolean,
        old?: ServerFacts,
      ): Promise<ServerFacts> =>
        old !== undefined && !isAsked(hostname, name)
          ? old
          : { server: name, asked: await askAll(ports, { server, hostname, isRecursive, side }) };
      const [authorities, answers] = await Promise.all([
        Promise.all(
          found.servers.map(({ address, port }, i) =>
            look({ kind: 'udp', address, port }, serverText(address, port), false, known?.authorities[i]),
          ),
        ),
        Promise.all(resolvers.map(({ name, server }, i) => look(server, name, true, known?.resolvers[i]))),
      ]);
      const { error: authoritiesError } = found;
      return { hostname, authorities, areGiven: found.found === 'given', authoritiesError, resolvers: answers };
    }),
  );
}

async function askAll(
  ports: NamePorts,
  of: {
    readonly server: DnsServer;
    readonly hostname: string;
    readonly isRecursive: boolean;
    readonly side: SideAddresses;
  },
): Promise<readonly Asked[]> {
  const { server, hostname, isRecursive, side } = of;
  return Promise.all(
    askedTypes.map(async (type): Promise<Asked> => {
      const reply = await ask(ports, server, hostname, type, isRecursive);
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

/** For the memory: what each authority served, at the end of its answer. */
export function seenOf({ hostname, authorities }: NameFacts, nowMs: number): Seen {
  const servers = authorities.map((server) => ({
    server: server.server,
    sets: isAuthority(server)
      ? recordSetsOf(hostname, server.asked).map(({ name, type, ttlS }) => ({ name, type, ttlS }))
      : null,
  }));
  return { hostname, atMs: nowMs, servers };
}

export function wallClock(startedAtMs: number): (atNs: number) => number {
  return (atNs) => startedAtMs + nsToMs(atNs);
}
