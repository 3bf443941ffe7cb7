/** The records are there on every authority, in every family, and lead to the side that is to be left (domain.md, 0.11). */
import { countOf, listText } from '../core/quantity-text.ts';
import { changesRecords } from '../core/record-set.ts';
import type { Service, Side } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult, type Rows } from './check.ts';
import type { Asked, Facts, NameFacts, ServerFacts } from './facts.ts';
import { isPrivate } from './private-names.ts';
import { addressesAsked, hasAddresses, isAuthority, limitTtlS, namesOf } from './record-sets.ts';

type Family = (typeof families)[number];

export function records(facts: Facts, service: Service): readonly CheckResult[] {
  if (!changesRecords(facts.scenario)) return [];
  return namesOf(facts, service).flatMap((name) => nameRows(facts, service, name));
}

function nameRows(facts: Facts, service: Service, name: NameFacts): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'record');
  if (!name.authorities.some(isAuthority)) {
    return isPrivate(facts) && name.resolvers.length > 0 ? [leads(facts, rows, name)] : [];
  }
  const hops = hopsOf(name);
  const missed = hops.flatMap(({ hostname, servers }) =>
    servers
      .filter(({ asked }) => !hasAddresses(asked))
      .map(({ server, asked }) => missing(rows, hostname, server, asked)),
  );
  const uneven = hops.flatMap((hop) => unevenRows(rows, hop));
  if (missed.length + uneven.length > 0) return missed.length > 0 ? missed : uneven;
  const last = hops
    .flatMap(({ servers }) => servers.flatMap(({ asked }) => asked))
    .filter((one) => !leadsOn(name, one));
  const present = families.filter((family) => has(last, family));
  const servers = name.authorities.filter(isAuthority);
  return [
    leads(facts, rows, name),
    rows.pass({
      subject: name.hostname,
      observed: `${listText(present)} on ${countOf(servers.length, 'name server')}`,
      expected: 'on every name server',
      text: `Change it in one step (UPSERT, one nsupdate message): a gap between DELETE and CREATE is remembered for ${negativeText(servers.flatMap(({ asked }) => asked))}.`,
    }),
    ...familyRows(facts, rows, name, { present, asked: last }),
    ...hintRows(facts, rows, name),
  ];
}

const families = ['A', 'AAAA'] as const;

/** The name itself, or a name that its chain leads to outside the zone, and the servers that know it. */
interface Hop {
  readonly hostname: string;
  readonly servers: readonly ServerFacts[];
}

function hopsOf({ hostname, authorities, links }: NameFacts): readonly Hop[] {
  return [{ hostname, servers: authorities }, ...links.map(({ name, servers }) => ({ hostname: name, servers }))].map(
    (hop) => ({ ...hop, servers: hop.servers.filter(isAuthority) }),
  );
}

/** The server knows only whereto the name leads, and the servers of that name were asked too. */
function leadsOn({ links }: NameFacts, { reply }: Asked): boolean {
  if (reply.kind === 'failed' || reply.addresses.length > 0) return false;
  return links.some(({ name }) => name === reply.chain.at(-1));
}

function unevenRows(rows: Rows, { hostname, servers }: Hop): readonly CheckResult[] {
  return families.flatMap((family) => {
    const on = servers.filter(({ asked }) => has(asked, family)).map(({ server }) => server);
    if (on.length === 0 || on.length === servers.length) return [];
    return [
      rows.fail({
        subject: `${hostname} ${family}`,
        observed: `on ${countOf(on.length, 'name server')} of ${servers.length}`,
        expected: 'on every name server',
        text: `${listText(on)} alone ${on.length === 1 ? 'has' : 'have'} ${family} records of ${hostname}: resolvers remember what the others say is not there.`,
      }),
    ];
  });
}

function missing(rows: Rows, hostname: string, server: string, asked: readonly Asked[]): CheckResult {
  const rcode =
    asked.map(({ reply }) => (reply.kind === 'answered' ? reply.rcode : '')).find((one) => one !== '') ?? '';
  return rows.fail({
    subject: `${hostname} on ${server}`,
    observed: rcode === 'NXDOMAIN' ? 'NXDOMAIN' : 'no address',
    expected: 'A or AAAA records',
    text: `${server} says that ${hostname} has no address; resolvers that ask it remember that for ${negativeText(asked)}. Create the record, and wait as long.`,
  });
}

function has(asked: readonly Asked[], family: Family): boolean {
  return asked.some(({ type, side }) => type === family && side !== 'none');
}

/** How long "there is none" is kept; the chain of an alias may lead out of the zone, then no SOA is seen, and it is null. */
function negativeTtlS(asked: readonly Asked[]): number | null {
  const ttlsS = asked.flatMap(({ reply }) =>
    reply.kind === 'answered' && reply.addresses.length === 0 && reply.chain.length === 0 && reply.ttlS > 0
      ? [reply.ttlS]
      : [],
  );
  return ttlsS.length === 0 ? null : Math.max(...ttlsS);
}

function negativeText(asked: readonly Asked[]): string {
  const ttlS = negativeTtlS(asked);
  return ttlS === null ? "the zone's negative TTL (900 s in Route 53)" : `${ttlS} s`;
}

// ── where they lead ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Where no authority can be asked, resolvers are. */
function leads(facts: Facts, rows: Rows, name: NameFacts): CheckResult {
  const { entering, leaving } = sidesOf(facts);
  const { hostname } = name;
  const servers = isPrivate(facts) ? name.resolvers : hopsOf(name).flatMap((hop) => hop.servers);
  const sides = new Set(
    servers
      .flatMap(({ asked }) => addressesAsked(asked).filter((one) => !leadsOn(name, one)))
      .map(({ side }) => side)
      .filter((side) => side !== 'none'),
  );
  const title = (side: Side): string => facts.scenario.sides[side].title;
  const said = { subject: `${hostname} leads to`, observed: [...sides].join(', '), expected: leaving };
  if (sides.has(leaving) && sides.size === 1) return rows.pass({ ...said, text: `It leads to ${title(leaving)}.` });
  // A rollback may be looked at before the switch: whether the way back is open. Or in the midst of it, which is no
  // reason to stay.
  const decides = !facts.isRollback;
  if (sides.has(entering) && sides.size === 1) {
    const text = `${hostname} leads to ${title(entering)} already: there is nothing to switch${decides ? '' : ' back'}.`;
    return rows.fail({ ...said, decides, text });
  }
  if (sides.has('unknown') || sides.size === 0) {
    const text = `${hostname} leads to addresses that the scenario gives to no side: name them, or the load balancer that has them as dns:, in sides.`;
    return rows.unknown({ ...said, text, heals: someTime });
  }
  const text = `${hostname} leads to both sides.`;
  // By weights both are given, on purpose.
  if (facts.scenario.change.via === 'weights') return rows.pass({ ...said, text });
  return rows.fail({ ...said, decides, text, heals: someTime });
}

export function sidesOf({ scenario }: Facts): { readonly entering: Side; readonly leaving: Side } {
  return scenario.change.direction === 'old-to-new'
    ? { entering: 'new', leaving: 'old' }
    : { entering: 'old', leaving: 'new' };
}

function familyRows(
  facts: Facts,
  rows: Rows,
  name: NameFacts,
  { present, asked }: { readonly present: readonly Family[]; readonly asked: readonly Asked[] },
): readonly CheckResult[] {
  const title = facts.scenario.sides[sidesOf(facts).entering].title;
  const addresses = facts.addresses[sidesOf(facts).entering];
  if (addresses.length === 0) return [];
  const after = families.filter((family) => addresses.some((address) => address.includes(':') === (family === 'AAAA')));
  const said = {
    subject: `${name.hostname} families`,
    observed: listText(present),
    expected: `${listText(after)}, as ${title} has`,
  };
  const goes = present.filter((family) => !after.includes(family));
  const comes = after.filter((family) => !present.includes(family));
  const absent = asked.filter(({ type }) => comes.some((family) => family === type));
  if (comes.length > 0 && goes.length === present.length) {
    // What caches hold of the families that come is their only answer: it counts like a TTL (RFC 2308, 5).
    const ttlS = negativeTtlS(absent);
    const text = `${title} has ${listText(comes)} addresses alone, and ${name.hostname} none yet: for up to ${negativeText(absent)} after the switch some resolvers remember that, and their users have no address at all. Lower the SOA record's minimum to ${limitTtlS(facts, name)} s first, or publish ${listText(comes)} records before.`;
    return [
      ttlS === null
        ? rows.unknown({ ...said, text })
        : rows.fail({ ...said, decides: ttlS > limitTtlS(facts, name), text }),
    ];
  }
  if (goes.length > 0) {
    const text = `${title} has no ${listText(goes)} address: these records of ${name.hostname} must go in the same change, or their users stay behind.`;
    return [rows.fail({ ...said, decides: false, text })];
  }
  if (comes.length > 0) {
    const text = `${listText(comes)} will be new: for up to ${negativeText(absent)} some resolvers remember that there is none, and their users go by ${listText(present)} meanwhile.`;
    return [rows.pass({ ...said, decides: false, text })];
  }
  return [];
}

/** Browsers connect to the addresses that an HTTPS record hints at (RFC 9460, 7.3): they must change too. */
function hintRows(facts: Facts, rows: Rows, { hostname, authorities }: NameFacts): readonly CheckResult[] {
  const data = authorities.flatMap(({ asked }) =>
    asked.flatMap(({ type, reply }) =>
      type === 'HTTPS' && reply.kind === 'answered' ? reply.answers.filter((one) => one.type === 'HTTPS') : [],
    ),
  );
  const hinting = data.find((record) => /\bipv[46]hint=/.test(record.data));
  if (hinting === undefined) return [];
  return [
    rows.fail({
      subject: `${hostname} HTTPS`,
      decides: false,
      observed: hinting.data,
      expected: 'no address hints, or changed with the addresses',
      text: `The HTTPS record of ${hostname} has address hints: change them in the same step, or browsers stay on ${facts.scenario.sides[sidesOf(facts).leaving].title}.`,
    }),
  ];
}
