/** What the doctor asks DNS: every resolver and every authoritative server for each hostname, by each way there is. */
import type { AuthorityFacts, DnsWay, ResolverFacts } from '../checks/doctor-facts.ts';
import type { DnsQueryOptions, DnsQuestion, DnsReply, DnsServer } from '../core/ports.ts';
import type { LookedUp, Scenario, SocketAddress } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { isAddress } from '../scenario/network.ts';
import { findAuthorities } from '../watch/authorities.ts';
import { serverText, type NamePorts } from './preflight-names.ts';

export interface DoctorNamePorts extends NamePorts {
  /** Over TCP from the start, where a `DnsPort` asks so only after a truncated answer. */
  readonly dnsOverTcp: (server: SocketAddress, question: DnsQuestion, options: DnsQueryOptions) => Promise<DnsReply>;
}

const answerWithinS = 5;

export function lookAtResolvers(ports: DoctorNamePorts, scenario: Scenario): Promise<readonly ResolverFacts[]> {
  const asked = scenario.resolvers.flatMap(({ name, server }) => {
    const services = scenario.services.filter(({ resolvers }) => resolvers.includes(name));
    return hostnamesOf({ services }).flatMap((hostname) =>
      waysOf(server).map(async (way): Promise<ResolverFacts> => {
        const ask = (type: 'A' | 'AAAA'): Promise<DnsReply> => {
          const options = { recursionDesired: true, deadlineNs: deadlineOf(ports) };
          const question = { name: `${hostname}.`, type };
          return way === 'TCP' && server.kind === 'udp'
            ? ports.dnsOverTcp(server, question, options)
            : ports.dns.query(server, question, options);
        };
        return { resolver: name, way, hostname, reply: await ofEitherFamily(ask) };
      }),
    );
  });
  return Promise.all(asked);
}

/** A name may have addresses of the other family only. */
async function ofEitherFamily(ask: (type: 'A' | 'AAAA') => Promise<DnsReply>): Promise<DnsReply> {
  const reply = await ask('A');
  if (reply.kind === 'failed' || reply.rcode !== 'NOERROR' || reply.addresses.length > 0) return reply;
  const other = await ask('AAAA');
  return other.kind === 'answered' && other.addresses.length > 0 ? other : reply;
}

function waysOf({ kind }: DnsServer): readonly DnsWay[] {
  switch (kind) {
    case 'udp':
      return ['UDP', 'TCP'];
    case 'tls':
      return ['TLS'];
    case 'https':
      return ['HTTPS'];
    case 'system':
      return ['resolv.conf'];
    case 'getaddrinfo':
      return ['getaddrinfo'];
  }
}

export interface AuthoritiesSeen {
  readonly facts: readonly AuthorityFacts[];
  readonly found: NonNullable<LookedUp['authorities']>;
}

export async function lookAtAuthorities(ports: DoctorNamePorts, scenario: Scenario): Promise<AuthoritiesSeen> {
  const found = new Map<string, readonly SocketAddress[]>();
  if (scenario.authorities === 'none') return { facts: [], found };
  const facts = await Promise.all(
    hostnamesOf(scenario).map(async (hostname): Promise<AuthorityFacts> => {
      const { servers, error } = await findAuthorities(ports, scenario, hostname, scenario.resolvers[0]);
      found.set(hostname, servers);
      return { hostname, error, servers: await Promise.all(servers.flatMap((server) => askBoth(server, hostname))) };
    }),
  );
  return { facts, found };

  function askBoth(server: SocketAddress, hostname: string): Promise<AuthorityFacts['servers'][number]>[] {
    const options = { recursionDesired: false, deadlineNs: deadlineOf(ports) };
    const question = { name: `${hostname}.`, type: 'A' } as const;
    const name = serverText(server.address, server.port);
    const overUdp = ports.dns.query({ kind: 'udp', ...server }, question, options);
    const overTcp = ports.dnsOverTcp(server, question, options);
    return [
      overUdp.then((reply) => ({ server: name, way: 'UDP' as const, reply })),
      overTcp.then((reply) => ({ server: name, way: 'TCP' as const, reply })),
    ];
  }
}

/** Nobody is asked for an address. */
function hostnamesOf({ services }: Pick<Scenario, 'services'>): readonly string[] {
  const all = services.flatMap(({ checks }) => checks.map(({ hostname }) => hostname));
  return [...new Set(all)].filter((hostname) => !isAddress(hostname));
}

function deadlineOf({ clock }: NamePorts): number {
  return clock.nowNs() + sToNs(answerWithinS);
}
