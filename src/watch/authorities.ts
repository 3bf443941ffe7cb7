/**
 * The authoritative servers of a hostname: those the scenario gives, or those found by asking for the NS records of the
 * name and then of each parent, with the addresses of each server's name. Only the zone that holds the hostname itself;
 * the zones of a CNAME's targets are not followed.
 */
import type { Clock, DnsPort, DnsReply } from '../core/ports.ts';
import type { Resolver, Scenario } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export interface FoundAuthorities {
  readonly zone: string;
  readonly servers: readonly SocketAddress[];
  readonly found: 'given' | 'ns-lookup' | 'none';
  /** Why there are none; '' else. */
  readonly error: string;
}

const answerWithinS = 5;
/** More name servers than any zone has; a hostile answer must not make us ask thousands. */
const serverCountMax = 26;

export async function findAuthorities(
  ports: { readonly clock: Clock; readonly dns: DnsPort },
  scenario: Scenario,
  hostname: string,
  resolver: Resolver | undefined,
): Promise<FoundAuthorities> {
  if (typeof scenario.authorities !== 'string') {
    return { zone: '', servers: scenario.authorities, found: 'given', error: '' };
  }
  if (scenario.authorities === 'none') return { zone: '', servers: [], found: 'none', error: 'the scenario has none' };
  if (resolver === undefined)
    return { zone: '', servers: [], found: 'none', error: 'no resolver to look them up with' };
  if (resolver.server.kind === 'getaddrinfo') {
    return { zone: '', servers: [], found: 'none', error: 'getaddrinfo cannot look up NS records' };
  }

  const ask = (name: string, type: 'NS' | 'A' | 'AAAA'): Promise<DnsReply> =>
    ports.dns.query(
      resolver.server,
      // With its end dot a name is whole: no search list of a system resolver applies.
      { name: `${name.replace(/\.$/, '')}.`, type },
      { recursionDesired: true, deadlineNs: ports.clock.nowNs() + sToNs(answerWithinS) },
    );

  const labels = hostname.replace(/\.$/, '').split('.');
  // The last label alone is a top-level domain: its servers know nothing of the hostname.
  for (let i = 0; i < labels.length - 1; i += 1) {
    const zone = labels.slice(i).join('.');
    const reply = await ask(zone, 'NS');
    if (reply.kind === 'failed') {
      return { zone, servers: [], found: 'none', error: `NS ${zone}: ${reply.error || reply.reason}` };
    }
    // Behind an alias stand the NS records of the alias's target: those servers know nothing of this name.
    const isOwn = (name: string): boolean => name.replace(/\.$/, '').toLowerCase() === zone.toLowerCase();
    const names = reply.answers.filter(({ type, name }) => type === 'NS' && isOwn(name)).map(({ data }) => data);
    if (names.length === 0) continue;
    const addresses = new Set<string>();
    for (const name of names.slice(0, serverCountMax)) {
      for (const type of ['A', 'AAAA'] as const) {
        const found = await ask(name, type);
        if (found.kind === 'answered') for (const address of found.addresses) addresses.add(address);
      }
    }
    const servers = [...addresses].slice(0, 2 * serverCountMax).map((address) => ({ address, port: 53 }));
    const error = servers.length === 0 ? `no address for the name servers of ${zone}` : '';
    return { zone, servers, found: servers.length === 0 ? 'none' : 'ns-lookup', error };
  }
  return { zone: '', servers: [], found: 'none', error: `no NS records found above ${hostname}` };
}
