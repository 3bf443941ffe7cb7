/**
 * The authoritative servers of a name: those the scenario gives, or those found by asking for the NS records of the name
 * and then of each parent, with the addresses of each server's name. The zone above may name other servers than the zone
 * itself: resolvers meet both, so both sets are asked for, and all of them are servers.
 */
import { normalName } from '../core/dns-chain.ts';
import type { EntryOf } from '../core/entry.ts';
import type { Clock, DnsPort, DnsRecord, DnsReply } from '../core/ports.ts';
import type { Resolver, Scenario } from '../core/scenario.ts';
import { isSettled } from '../core/record-set.ts';
import { sToNs } from '../core/time.ts';

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

type Found = EntryOf<'authorities-found'>;
export type NameServer = NonNullable<Found['nameServers']>[number];
export type NsSet = NonNullable<Found['nsSets']>[number];

export interface FoundAuthorities {
  readonly zone: string;
  readonly servers: readonly SocketAddress[];
  readonly found: Found['found'];
  /** Why there are none; '' else. */
  readonly error: string;
  /** Looking again would find the same: there is nothing to look up, or nobody to ask. */
  readonly isForGood: boolean;
  readonly nameServers: readonly NameServer[];
  readonly nsSets: readonly NsSet[];
  /** Name servers whose addresses could not be looked up: resolvers may find them all the same. */
  readonly unfound: readonly string[];
}

export interface LookUpPorts {
  readonly clock: Clock;
  readonly dns: DnsPort;
  /** Where the server at this address listens; left out: 53. */
  readonly portOf?: (address: string) => number;
}

const answerWithinS = 5;
/** More than any zone has; a hostile answer must not make us ask thousands. */
const nameServerCountMax = 26;
const serverCountMax = 50;
/** Of the zone above, so many are asked: all of them should say the same. */
const parentCountMax = 3;

export async function findAuthorities(
  ports: LookUpPorts,
  scenario: Scenario,
  hostname: string,
  resolver: Resolver | undefined,
): Promise<FoundAuthorities> {
  if (typeof scenario.authorities !== 'string') {
    return { ...nothing, servers: scenario.authorities, found: 'given', isForGood: true };
  }
  if (scenario.authorities === 'none') return neverAny('the scenario has none');
  return lookUpAuthorities(ports, hostname, resolver);
}

export async function lookUpAuthorities(
  ports: LookUpPorts,
  name: string,
  resolver: Resolver | undefined,
): Promise<FoundAuthorities> {
  if (isAddress(name)) return neverAny(`${name} is an address`);
  if (resolver === undefined) return neverAny('no resolver to look them up with');
  if (resolver.server.kind === 'getaddrinfo') return neverAny('getaddrinfo cannot look up NS records');
  const look = newLook(ports, resolver);
  const labels = normalName(name).split('.');
  // The last label alone is a top-level domain: its servers know nothing of the name.
  for (let i = 0; i < labels.length - 1; i += 1) {
    const zone = labels.slice(i).join('.');
    const reply = await look.resolve(zone, 'NS');
    if (reply.kind === 'failed') return { ...nothing, zone, error: `NS ${zone}: ${reply.error || reply.reason}` };
    const names = nsNames(reply.answers, zone);
    if (names.length > 0) return serversOf(look, zone, names);
  }
  return { ...nothing, error: `no NS records found above ${name}` };
}

const nothing: FoundAuthorities = {
  zone: '',
  servers: [],
  found: 'none',
  error: '',
  isForGood: false,
  nameServers: [],
  nsSets: [],
  unfound: [],
};

function neverAny(error: string): FoundAuthorities {
  return { ...nothing, error, isForGood: true };
}

interface Look {
  resolve(name: string, type: 'NS' | 'A' | 'AAAA'): Promise<DnsReply>;
  /** A server itself for the NS records of a zone. */
  askServer(address: string, zone: string): Promise<DnsReply>;
  portOf(address: string): number;
  /** Names of servers about whose addresses nobody said anything; filled as they are looked up. */
  readonly unheard: Set<string>;
}

function newLook({ clock, dns, portOf = () => 53 }: LookUpPorts, resolver: Resolver): Look {
  const deadline = (): number => clock.nowNs() + sToNs(answerWithinS);
  return {
    resolve: (name, type) =>
      // With its end dot a name is whole: no search list of a system resolver applies.
      dns.query(resolver.server, { name: `${name}.`, type }, { recursionDesired: true, deadlineNs: deadline() }),
    askServer: (address, zone) =>
      dns.query(
        { kind: 'udp', address, port: portOf(address) },
        { name: `${zone}.`, type: 'NS' },
        { recursionDesired: false, deadlineNs: deadline() },
      ),
    portOf,
    unheard: new Set(),
  };
}

async function serversOf(look: Look, zone: string, names: readonly string[]): Promise<FoundAuthorities> {
  const [parent, listed] = await Promise.all([askParent(look, zone), addressesOf(look, names)]);
  const atParent = await addressesOf(look, without(parent.names, names));
  const known = [...listed, ...atParent];
  const children = await Promise.all(addressesIn(known).map((address) => askChild(look, zone, address)));
  const more = without(
    children.flatMap((child) => child.names),
    known.map(({ name }) => name),
  );
  const nameServers = [...known, ...(await addressesOf(look, more))].slice(0, nameServerCountMax);
  const servers = addressesIn(nameServers).map((address) => ({ address, port: look.portOf(address) }));
  const nsSets = [parent, ...children];
  const unfound = nameServers.filter(({ name }) => look.unheard.has(name)).map(({ name }) => name);
  const about = { zone, nameServers, nsSets, unfound };
  if (servers.length === 0) return { ...nothing, ...about, error: `no address for the name servers of ${zone}` };
  return { ...about, servers, found: 'ns-lookup', error: '', isForGood: unfound.length === 0 };
}

async function addressesOf(look: Look, names: readonly string[]): Promise<NameServer[]> {
  return Promise.all(
    names.slice(0, nameServerCountMax).map(async (name) => {
      const replies = await Promise.all([look.resolve(name, 'A'), look.resolve(name, 'AAAA')]);
      const addresses = replies.flatMap((reply) => (reply.kind === 'answered' ? reply.addresses : []));
      if (addresses.length === 0 && replies.some(isNoWord)) look.unheard.add(name);
      return { name, addresses, error: addresses.length > 0 ? '' : replies.map(whyNone).join(', ') };
    }),
  );
}

/** Neither that there is an address, nor that there is none. */
function isNoWord(reply: DnsReply): boolean {
  return reply.kind === 'failed' || !isSettled(reply.rcode);
}

function whyNone(reply: DnsReply): string {
  if (reply.kind === 'failed') return reply.error || reply.reason;
  return reply.rcode === 'NOERROR' ? 'no address' : reply.rcode;
}

function addressesIn(nameServers: readonly NameServer[]): readonly string[] {
  return [...new Set(nameServers.flatMap(({ addresses }) => addresses))].slice(0, serverCountMax);
}

/** What a server of the nearest zone above says: where it delegates to. */
async function askParent(look: Look, zone: string): Promise<NsSet> {
  const labels = zone.split('.');
  for (let i = 1; i < labels.length; i += 1) {
    const above = labels.slice(i).join('.');
    const reply = await look.resolve(above, 'NS');
    if (reply.kind === 'failed') return saysNothing(above, `NS ${above}: ${reply.error || reply.reason}`);
    const names = nsNames(reply.answers, above);
    if (names.length > 0) return askParents(look, zone, above, names);
  }
  return saysNothing('', `no NS records found above ${zone}`);
}

async function askParents(look: Look, zone: string, above: string, names: readonly string[]): Promise<NsSet> {
  const parents = addressesIn(await addressesOf(look, names.slice(0, parentCountMax)));
  for (const address of parents.slice(0, parentCountMax)) {
    const reply = await look.askServer(address, zone);
    // A referral has them in its authority section (RFC 1034, 4.3.2), a server of both zones in its answer.
    const delegated = reply.kind === 'answered' ? nsNames([...reply.answers, ...reply.authority], zone) : [];
    if (delegated.length > 0) return { at: 'parent', server: address, names: delegated, error: '' };
  }
  return saysNothing(
    above,
    parents.length === 0 ? `no address for the name servers of ${above}` : 'no delegation told',
  );
}

function saysNothing(server: string, error: string): NsSet {
  return { at: 'parent', server, names: [], error };
}

/** What a server of the zone says of itself and its siblings; only with authority it counts. */
async function askChild(look: Look, zone: string, address: string): Promise<NsSet> {
  const reply = await look.askServer(address, zone);
  const about = { at: 'child', server: address } as const;
  if (reply.kind === 'failed') return { ...about, names: [], error: reply.error || reply.reason };
  if (!reply.authoritative) return { ...about, names: [], error: `${reply.rcode} without authority` };
  const names = nsNames(reply.answers, zone);
  return { ...about, names, error: names.length > 0 ? '' : `${reply.rcode}, no NS records` };
}

/** Behind an alias stand the NS records of the alias's target: those servers know nothing of this name. */
function nsNames(records: readonly DnsRecord[], zone: string): readonly string[] {
  const own = records.filter(({ type, name }) => type === 'NS' && normalName(name) === zone);
  return [...new Set(own.map(({ data }) => normalName(data)))].toSorted().slice(0, nameServerCountMax);
}

function without(names: readonly string[], known: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => !known.includes(name));
}

function isAddress(name: string): boolean {
  return name.includes(':') || /^[\d.]+$/.test(name);
}
