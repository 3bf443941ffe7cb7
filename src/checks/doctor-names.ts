/** Resolvers by each way that they are asked, and the authoritative servers over UDP and TCP. */
import { countOf, durationText } from '../core/quantity-text.ts';
import type { DnsReply } from '../core/ports.ts';
import { nsToMs } from '../core/time.ts';
import type { AuthorityFacts, DoctorFacts, ResolverFacts } from './doctor-facts.ts';
import { doctorRows, type DoctorRow } from './doctor-row.ts';

type Answered = Extract<DnsReply, { kind: 'answered' }>;

/** RFC 8914, 4: those that say what is wrong with a name or with who is asked. */
const extendedErrors: Readonly<Record<number, string>> = {
  3: 'stale answer',
  6: 'DNSSEC bogus',
  7: 'signature expired',
  9: 'DNSKEY missing',
  15: 'blocked',
  16: 'censored',
  17: 'filtered',
  18: 'prohibited',
  19: 'stale NXDOMAIN answer',
  20: 'not authoritative',
  22: 'no reachable authority',
  23: 'network error',
};

// ── resolvers ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function resolverRows({ resolvers }: DoctorFacts): readonly DoctorRow[] {
  return resolvers.map(resolverRow);
}

function resolverRow({ resolver, way, hostname, reply }: ResolverFacts): DoctorRow {
  const { pass, fail, unknown } = doctorRows('resolver');
  const subject = `${resolver} ${way} ${hostname}`;
  const who = `${resolver}, asked by ${way} for ${hostname},`;
  if (reply.kind === 'failed') {
    if (reply.reason === 'own-trouble') return unknown(subject, `${who} could not be asked: ${reply.error}.`);
    return fail(subject, `${who} gave no answer: ${reply.error}.`, { remedy: silenceRemedy(resolver, way) });
  }
  const took = `in ${durationText(nsToMs(reply.endedAtNs - reply.sentAtNs), 'up')}`;
  const more = extendedError(reply);
  if (reply.rcode === 'NOERROR' && reply.addresses.length > 0) {
    return pass(subject, `${who} has ${countOf(reply.addresses.length, 'address', 'addresses')} ${took}${more}.`);
  }
  const said = reply.rcode === 'NOERROR' ? 'has no address for it' : `answers ${reply.rcode}`;
  return fail(subject, `${who} ${said} ${took}${more}.`, { remedy: answerRemedy(reply, { resolver, hostname }) });
}

function extendedError({ ede }: Answered): string {
  if (ede === 0) return '';
  const name = extendedErrors[ede - 1];
  return ` (EDE ${ede - 1}${name === undefined ? '' : `, ${name}`})`;
}

function silenceRemedy(resolver: string, way: ResolverFacts['way']): string {
  switch (way) {
    case 'TCP':
      return `Let TCP to ${resolver} through, too: long answers come only so, and a run takes their lack for a failure.`;
    case 'TLS':
    case 'HTTPS':
      return `Check address, serverName and ca of ${resolver} in the scenario, and let it through the firewall.`;
    case 'UDP':
      return `Check the address of ${resolver} in the scenario, and whether this machine may ask it.`;
    case 'resolv.conf':
    case 'getaddrinfo':
      return 'Check /etc/resolv.conf of this machine, or name other resolvers in the scenario.';
  }
}

function answerRemedy(
  { rcode }: Answered,
  { resolver, hostname }: Pick<ResolverFacts, 'resolver' | 'hostname'>,
): string {
  if (rcode === 'REFUSED') return `${resolver} does not serve us: name a resolver that may be asked from here.`;
  if (rcode === 'SERVFAIL')
    return `${resolver} cannot reach the name servers of ${hostname}, or DNSSEC fails: dig +cd and +trace show which.`;
  return `Check the spelling of ${hostname}, or name a resolver that knows it: a private zone is known only within its network.`;
}

// ── authorities ──────────────────────────────────────────────────────────────────────────────────────────────────────

export function authorityRows({ authorities }: DoctorFacts): readonly DoctorRow[] {
  return authorities.flatMap(rowsOfName);
}

/** A server that cannot be reached from here is told, and matters only where no other can: then nobody sees the change. */
function rowsOfName({ hostname, error, servers }: AuthorityFacts): readonly DoctorRow[] {
  const { fail } = doctorRows('authority');
  if (servers.length === 0) {
    if (error === '') return [];
    return [
      fail(hostname, `No authoritative server of ${hostname} was found: ${error}.`, {
        remedy: 'List them under authorities, or write authorities: none for a private zone.',
      }),
    ];
  }
  const isReached = servers.some(({ way, reply }) => way === 'UDP' && isAuthoritative(reply));
  const rows = servers.map((one) => serverRow(hostname, one));
  if (isReached) return rows;
  return [
    fail(hostname, `None of the ${servers.length / 2} authoritative servers of ${hostname} answers over UDP.`, {
      remedy: 'Let UDP port 53 out of this network: without them nobody sees when the change was made.',
    }),
    ...rows,
  ];
}

function isAuthoritative(reply: DnsReply): boolean {
  return reply.kind === 'answered' && reply.authoritative;
}

function serverRow(hostname: string, { server, way, reply }: AuthorityFacts['servers'][number]): DoctorRow {
  const { pass, fail } = doctorRows('authority');
  const subject = `${server} ${way} ${hostname}`;
  const who = `${server}, asked by ${way} for ${hostname},`;
  if (reply.kind === 'failed') {
    return fail(subject, `${who} gave no answer: ${reply.error}.`, {
      decides: false,
      remedy: `Let ${way} to port 53 out of this network.`,
    });
  }
  if (!reply.authoritative) {
    return fail(subject, `${who} is not authoritative (${reply.rcode})${extendedError(reply)}.`, {
      decides: false,
      remedy: 'Correct the NS records, or authorities of the scenario.',
    });
  }
  return pass(subject, `${who} answers in ${durationText(nsToMs(reply.endedAtNs - reply.sentAtNs), 'up')}.`);
}
