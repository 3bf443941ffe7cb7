/** The TTL is low on every authority: each server, each type, each link that the change may change (domain.md, E1). */
import type { Service } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult, type Healing } from './check.ts';
import type { Facts, NameFacts, ServerFacts } from './facts.ts';
import {
  addressesAsked,
  aliasOf,
  aliasTtlS,
  askedTtlS,
  changesRecords,
  changingSets,
  isAuthority,
  isSettled,
  isSideName,
  namesOf,
  type RecordSet,
} from './record-sets.ts';
import { ageOf } from './ttl-aged-out.ts';

export function ttlLowered(facts: Facts, service: Service): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'ttl-lowered');
  if (!changesRecords(facts.scenario)) {
    const { via } = facts.scenario.change;
    const text = `By change.via: ${via} no record changes.`;
    return [rows.notApplicable({ subject: service.name, observed: '', expected: '', text })];
  }
  return namesOf(facts, service).flatMap((name) => {
    if (name.authorities.length === 0) return [noAuthorities(rows, name)];
    const ofServers = name.authorities.flatMap((server) => serverRows(facts, service, name, server));
    return [...ofServers, ...leadsOut(facts, rows, name)];
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

function serverRows(facts: Facts, service: Service, name: NameFacts, server: ServerFacts): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'ttl-lowered');
  const expected = `at most ${askedTtlS(facts.scenario)} s`;
  if (!isAuthority(server)) {
    const subject = `${name.hostname} on ${server.server}`;
    const observed = whyNot(server);
    if (name.areGiven && observed === 'REFUSED' && name.authorities.some(isAuthority)) {
      const text = `${server.server} has other zones than that of ${name.hostname}.`;
      return [rows.notApplicable({ subject, observed, expected, text })];
    }
    const text = `${server.server} does not say what it serves for ${name.hostname} (${observed}), but resolvers may ask it.`;
    return [rows.unknown({ subject, observed, expected, text, heals: someTime })];
  }
  return changingSets(facts.scenario, name.hostname, server.asked).map((set) =>
    setRow(facts, service, name, server, set),
  );
}

function setRow(facts: Facts, service: Service, name: NameFacts, { server }: ServerFacts, set: RecordSet): CheckResult {
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
      : '';
  return rows.fail({
    ...said,
    heals: healing(facts, name, set),
    text: `${server} serves ${what} with TTL ${set.ttlS} s. Lower it to ${limitS} s or less, or say change.ttlS.${hint}`,
  });
}

/** Where some server has it low already, the others are on their way; else somebody has to lower it first. */
function healing(facts: Facts, { hostname, authorities }: NameFacts, { name, type, ttlS }: RecordSet): Healing {
  const limitS = askedTtlS(facts.scenario);
  const isUnderWay = authorities.some(({ asked }) =>
    changingSets(facts.scenario, hostname, asked).some(
      (set) => set.name === name && set.type === type && set.ttlS <= limitS,
    ),
  );
  return isUnderWay ? { atMs: ageOf(facts, hostname).earliestMs(ttlS), isEarliest: true } : someTime;
}

/** The chain goes on where our authorities know nothing: those records are somebody else's. */
function leadsOut(facts: Facts, rows: ReturnType<typeof rowsOf>, { hostname, authorities }: NameFacts): CheckResult[] {
  const ends = authorities.flatMap(({ asked }) =>
    asked.flatMap(({ type, reply }) =>
      type === 'A' && reply.kind === 'answered' && reply.addresses.length === 0 ? reply.chain.slice(-1) : [],
    ),
  );
  return [...new Set(ends)]
    .filter((end) => !isSideName(facts.scenario, end))
    .map((end) =>
      rows.unknown({
        subject: end,
        decides: false,
        observed: 'in another zone',
        expected: '',
        text: `${hostname} leads to ${end}, in another zone. Its TTL is not looked at: it matters if the change is made there.`,
      }),
    );
}

function whyNot({ asked }: ServerFacts): string {
  for (const { reply } of addressesAsked(asked)) {
    if (reply.kind === 'failed') return reply.reason === 'timed-out' ? 'no answer' : reply.error || reply.reason;
    if (!isSettled(reply.rcode)) return reply.rcode;
    if (!reply.authoritative) return 'answers, but not as an authority';
  }
  return '';
}
