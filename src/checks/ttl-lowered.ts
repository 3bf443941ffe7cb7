/** The TTL is low on every authority: each server, each type, each link that the change may change (domain.md, E1). */
import { aliasTtlS, askedTtlS, changesRecords, changingSets, isSettled, type RecordSet } from '../core/record-set.ts';
import type { Service } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult, type Healing } from './check.ts';
import type { Facts, Link, NameFacts, ServerFacts } from './facts.ts';
import { addressesAsked, aliasOf, isAuthority, namesOf } from './record-sets.ts';
import { isPrivate, privateTtlLowered } from './private-names.ts';
import { ageOf } from './ttl-aged-out.ts';

export function ttlLowered(facts: Facts, service: Service): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'ttl-lowered');
  if (!changesRecords(facts.scenario)) {
    const { via } = facts.scenario.change;
    const text = `By change.via: ${via} no record changes.`;
    return [rows.notApplicable({ subject: service.name, observed: '', expected: '', text })];
  }
  return namesOf(facts, service).flatMap((name) => {
    if (isPrivate(facts)) return privateTtlLowered(facts, service, name);
    if (name.authorities.length === 0) return [noAuthorities(rows, name)];
    const { hostname } = name;
    return [
      ...name.authorities.flatMap((server) => serverRows(facts, service, { name, hostname }, server)),
      ...unfoundRows(facts, service, hostname, name.unfound),
      ...name.links.flatMap((link) => linkRows(facts, service, name, link)),
    ];
  });
}

function noAuthorities(rows: ReturnType<typeof rowsOf>, { hostname, authoritiesError }: NameFacts): CheckResult {
  return rows.unknown({
    subject: hostname,
    observed: authoritiesError,
    expected: 'authoritative servers to ask',
    text: `Nobody knows the TTL of ${hostname}: ${authoritiesError}. Name its servers under authorities.`,
  });
}

/** `hostname`: of the name, or of a link of its chain. */
interface About {
  readonly name: NameFacts;
  readonly hostname: string;
}

function serverRows(facts: Facts, service: Service, about: About, server: ServerFacts): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'ttl-lowered');
  const { name, hostname } = about;
  const expected = `at most ${askedTtlS(facts.scenario)} s`;
  if (!isAuthority(server)) {
    const subject = `${hostname} on ${server.server}`;
    const observed = whyNot(server);
    if (name.areGiven && observed === 'REFUSED' && name.authorities.some(isAuthority)) {
      const text = `${server.server} has other zones than that of ${hostname}.`;
      return [rows.notApplicable({ subject, observed, expected, text })];
    }
    const other = otherAddress(about, server);
    if (observed === 'no route from here' && other !== undefined) {
      const text = `This machine has no route to ${server.server}; the same name server answers for ${hostname} at ${other}.`;
      return [rows.notApplicable({ subject, observed, expected, text })];
    }
    const text = `${server.server} does not say what it serves for ${hostname} (${observed}), but resolvers may ask it.`;
    return [rows.unknown({ subject, observed, expected, text, heals: someTime })];
  }
  return changingSets(facts.scenario, hostname, server.asked).map((set) => setRow(facts, service, about, server, set));
}

/** Where the same name server was heard, mostly over IPv4. */
function otherAddress({ name, hostname }: About, { alsoAt = [] }: ServerFacts): string | undefined {
  return serversOf(name, hostname).find((one) => alsoAt.includes(one.server) && isAuthority(one))?.server;
}

function serversOf({ links, authorities }: NameFacts, hostname: string): readonly ServerFacts[] {
  return links.find((link) => link.name === hostname)?.servers ?? authorities;
}

/** Resolvers may find what we could not. */
function unfoundRows(
  facts: Facts,
  service: Service,
  hostname: string,
  unfound: readonly string[] = [],
): readonly CheckResult[] {
  const expected = `at most ${askedTtlS(facts.scenario)} s`;
  return unfound.map((name) =>
    rowsOf(service.name, 'ttl-lowered').unknown({
      subject: `${hostname} on ${name}`,
      observed: 'no address found',
      expected,
      text: `The address of ${name}, a name server for ${hostname}, could not be looked up, but resolvers may ask it.`,
      heals: someTime,
    }),
  );
}

function setRow(facts: Facts, service: Service, about: About, { server }: ServerFacts, set: RecordSet): CheckResult {
  const rows = rowsOf(service.name, 'ttl-lowered');
  const limitS = askedTtlS(facts.scenario);
  const what = `${set.name} ${set.type}`;
  const said = { subject: `${what} on ${server}`, observed: `${set.ttlS} s`, expected: `at most ${limitS} s` };
  if (set.ttlS <= limitS) return rows.pass({ ...said, text: `${server} serves ${what} with TTL ${set.ttlS} s.` });
  const alias = aliasOf(facts, set);
  if (alias !== null) {
    const text = `${what} has the addresses of ${alias} and TTL ${aliasTtlS} s: an alias, whose TTL nobody can set.`;
    return rows.notApplicable({ ...said, text });
  }
  const hint =
    set.ttlS === aliasTtlS
      ? ` If it is an alias to a load balancer, that is not possible: name the load balancer as dns: in sides, and it is known.`
      : about.hostname === about.name.hostname
        ? ''
        : sideHint(about.hostname);
  return rows.fail({
    ...said,
    heals: healing(facts, about, set),
    text: `${server} serves ${what} with TTL ${set.ttlS} s. Lower it to ${limitS} s or less, or say change.ttlS.${hint}`,
  });
}

/** Where some server has it low already, the others are on their way; else somebody has to lower it first. */
function healing(facts: Facts, { name, hostname }: About, { name: owner, type, ttlS }: RecordSet): Healing {
  const limitS = askedTtlS(facts.scenario);
  const isUnderWay = serversOf(name, hostname).some(({ asked }) =>
    changingSets(facts.scenario, hostname, asked).some(
      (set) => set.name === owner && set.type === type && set.ttlS <= limitS,
    ),
  );
  return isUnderWay ? { atMs: ageOf(facts, name.hostname).earliestMs(ttlS), isEarliest: true } : someTime;
}

/** The chain goes on where our authorities know nothing; the change may be made there as well. */
function linkRows(facts: Facts, service: Service, name: NameFacts, link: Link): readonly CheckResult[] {
  if (link.servers.length > 0) {
    return [
      ...link.servers.flatMap((server) => serverRows(facts, service, { name, hostname: link.name }, server)),
      ...unfoundRows(facts, service, link.name, link.unfound),
    ];
  }
  const said = { subject: link.name, observed: link.error, expected: 'authoritative servers to ask' };
  const text = `${name.hostname} leads to ${link.name}, whose TTL nobody knows: ${link.error}.${sideHint(link.name)}`;
  return [rowsOf(service.name, 'ttl-lowered').unknown({ ...said, text })];
}

function sideHint(link: string): string {
  return ` If ${link} is a side's own name, which the change does not touch, give it as dns:${link} in sides.`;
}

function whyNot({ asked }: ServerFacts): string {
  for (const { reply } of addressesAsked(asked)) {
    if (reply.kind === 'failed' && noRoute.has(reply.error)) return 'no route from here';
    if (reply.kind === 'failed') return reply.reason === 'timed-out' ? 'no answer' : reply.error || reply.reason;
    if (!isSettled(reply.rcode)) return reply.rcode;
    if (!reply.authoritative) return 'answers, but not as an authority';
  }
  return '';
}

/** What the kernel says where this machine has no such address, or no way there; the server itself says neither. */
const noRoute: ReadonlySet<string> = new Set(['ENETUNREACH', 'EADDRNOTAVAIL']);
