/** The records are there on every authority, in every family, and lead to the side that is to be left (domain.md, 0.11). */
import { countOf, listText } from '../core/quantity-text.ts';
import { changesRecords } from '../core/record-set.ts';
import type { Service, Side } from '../core/scenario.ts';
import { rowsOf, type CheckResult, type Rows } from './check.ts';
import type { Asked, Facts, NameFacts } from './facts.ts';
import { isPrivate } from './private-names.ts';
import { addressesAsked, hasAddresses, isAuthority, namesOf } from './record-sets.ts';

type Family = 'A' | 'AAAA';

export function records(facts: Facts, service: Service): readonly CheckResult[] {
  if (!changesRecords(facts.scenario)) return [];
  return namesOf(facts, service).flatMap((name) => nameRows(facts, service, name));
}

function nameRows(facts: Facts, service: Service, name: NameFacts): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'record');
  const servers = name.authorities.filter(isAuthority);
  if (servers.length === 0) return isPrivate(facts) && name.resolvers.length > 0 ? [leads(facts, rows, name)] : [];
  const without = servers.filter(({ asked }) => !hasAddresses(asked));
  if (without.length > 0) return without.map(({ server, asked }) => missing(rows, name, server, asked));
  const families = (['A', 'AAAA'] as const).map((family) => ({
    family,
    on: servers.filter(({ asked }) => has(asked, family)).map(({ server }) => server),
  }));
  const uneven = families.filter(({ on }) => on.length > 0 && on.length < servers.length);
  if (uneven.length > 0) {
    return uneven.map(({ family, on }) =>
      rows.fail({
        subject: `${name.hostname} ${family}`,
        observed: `on ${countOf(on.length, 'name server')} of ${servers.length}`,
        expected: 'on every name server',
        text: `${listText(on)} alone ${on.length === 1 ? 'has' : 'have'} ${family} records of ${name.hostname}: resolvers remember what the others say is not there.`,
      }),
    );
  }
  const present = families.filter(({ on }) => on.length > 0).map(({ family }) => family);
  return [
    leads(facts, rows, name),
    rows.pass({
      subject: name.hostname,
      observed: `${listText(present)} on ${countOf(servers.length, 'name server')}`,
      expected: 'on every name server',
      text: `Change it in one step (UPSERT, one nsupdate message): a gap between DELETE and CREATE is remembered for ${negativeText(servers.flatMap(({ asked }) => asked))}.`,
    }),
    ...familyRows(facts, rows, name, present),
    ...hintRows(facts, rows, name),
  ];
}

function missing(rows: Rows, { hostname }: NameFacts, server: string, asked: readonly Asked[]): CheckResult {
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

/** How long "there is none" is kept; the chain of an alias may lead out of the zone, then no SOA is seen. */
function negativeText(asked: readonly Asked[]): string {
  const ttlsS = asked.flatMap(({ reply }) =>
    reply.kind === 'answered' && reply.addresses.length === 0 && reply.chain.length === 0 && reply.ttlS > 0
      ? [reply.ttlS]
      : [],
  );
  return ttlsS.length === 0 ? "the zone's negative TTL (900 s in Route 53)" : `${Math.max(...ttlsS)} s`;
}

// ── where they lead ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Where no authority can be asked, resolvers are. */
function leads(facts: Facts, rows: Rows, { hostname, authorities, resolvers }: NameFacts): CheckResult {
  const { entering, leaving } = sidesOf(facts);
  const sides = new Set(
    (isPrivate(facts) ? resolvers : authorities.filter(isAuthority))
      .flatMap(({ asked }) => addressesAsked(asked).map(({ side }) => side))
      .filter((side) => side !== 'none'),
  );
  const title = (side: Side): string => facts.scenario.sides[side].title;
  const said = { subject: `${hostname} leads to`, observed: [...sides].join(', '), expected: leaving };
  if (sides.has(leaving) && sides.size === 1) return rows.pass({ ...said, text: `It leads to ${title(leaving)}.` });
  if (sides.has(entering) && sides.size === 1) {
    // A rollback may be looked at before the switch: whether the way back is open.
    const decides = !facts.isRollback;
    const text = `${hostname} leads to ${title(entering)} already: there is nothing to switch${decides ? '' : ' back'}.`;
    return rows.fail({ ...said, decides, text });
  }
  const text = sides.has('unknown')
    ? `${hostname} leads to addresses that the scenario gives to no side.`
    : `${hostname} leads to both sides.`;
  return rows.unknown({ ...said, decides: false, text });
}

export function sidesOf({ scenario }: Facts): { readonly entering: Side; readonly leaving: Side } {
  return scenario.change.direction === 'old-to-new'
    ? { entering: 'new', leaving: 'old' }
    : { entering: 'old', leaving: 'new' };
}

function familyRows(facts: Facts, rows: Rows, name: NameFacts, present: readonly Family[]): readonly CheckResult[] {
  const { entering } = sidesOf(facts);
  const addresses = facts.addresses[entering];
  if (addresses.length === 0) return [];
  const after: readonly Family[] = (['A', 'AAAA'] as const).filter((family) =>
    addresses.some((address) => address.includes(':') === (family === 'AAAA')),
  );
  const said = {
    subject: `${name.hostname} families`,
    observed: listText(present),
    expected: `${listText(after)}, as ${facts.scenario.sides[entering].title} has`,
  };
  const goes = present.filter((family) => !after.includes(family));
  const comes = after.filter((family) => !present.includes(family));
  if (goes.length > 0) {
    const text = `${facts.scenario.sides[entering].title} has no ${listText(goes)} address: these records of ${name.hostname} must go in the same change, or their users stay behind.`;
    return [rows.fail({ ...said, decides: false, text })];
  }
  if (comes.length > 0) {
    const asked = name.authorities
      .flatMap((server) => server.asked)
      .filter(({ type }) => comes.includes(type as Family));
    const text = `${listText(comes)} will be new: for up to ${negativeText(asked)} some resolvers remember that there is none, and their users go by ${listText(present)} meanwhile.`;
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
