/** What Route 53's API says of the names: the policy by which it answers, health checks that may undo a switch, and how far a change is. */
import { listText } from '../core/quantity-text.ts';
import { linksOf, type PolicyRecord } from '../core/record-policy.ts';
import { askedTtlS, changesRecords, isSideName } from '../core/record-set.ts';
import type { Service, Side } from '../core/scenario.ts';
import { rowsOf, someTime, type CheckResult, type Rows } from './check.ts';
import type { Facts, PolicyFacts, Route53Facts } from './facts.ts';
import { sidesOf } from './records.ts';

export function route53(facts: Facts, service: Service): readonly CheckResult[] {
  const { route53: said } = facts;
  if (said === undefined || !changesRecords(facts.scenario)) return [];
  const rows = rowsOf(service.name, 'route53');
  const hostnames = new Set(service.checks.map(({ hostname }) => hostname.toLowerCase()));
  const policies = said.policies.filter(({ hostname }) => hostnames.has(hostname));
  return [
    ...blindRows(rows, said),
    ...unheardRows(rows, said, [...hostnames, ...linksOf(policies.flatMap((policy) => policy.policies))]),
    ...policies.flatMap((policy) => policyRows(facts, said, rows, policy)),
    ...changeRows(facts, rows, said),
  ];
}

/** Of each observer that cannot see; what of it was seen before still stands. */
function blindRows(rows: Rows, { blind }: Route53Facts): readonly CheckResult[] {
  return blind.map(({ what, why, mayPass }) =>
    rows.unknown({
      subject: what,
      observed: why,
      expected: 'read access to Route 53 (docs/route53.md)',
      text: `Route 53 could not be asked for ${what}: ${why}. It would say whether the TTL can be lowered, by which weights or health checks names are answered, and whether all name servers have a change; without route53 in the scenario it is not asked.`,
      ...(mayPass ? { heals: someTime } : {}),
    }),
  );
}

/** What is not yet heard of, and no observer has said why: a look is slow, or stuck. */
function unheardRows(rows: Rows, { policies, blind }: Route53Facts, names: readonly string[]): readonly CheckResult[] {
  if (blind.length > 0) return [];
  const unheard = [...new Set(names)].filter((name) => !policies.some((policy) => policy.name === name));
  return unheard.map((name) =>
    rows.unknown({
      subject: name,
      observed: 'nothing heard',
      expected: 'the records of its hosted zone',
      text: `Route 53 has not said yet by which records ${name} is answered: their weights, health checks and TTLs are not known.`,
      heals: someTime,
    }),
  );
}

// ── policies ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function policyRows(
  facts: Facts,
  said: Route53Facts,
  rows: Rows,
  { name, hostname, policies }: PolicyFacts,
): readonly CheckResult[] {
  if (policies.length === 0) {
    // A link may lead out of Route 53.
    if (name !== hostname) return [];
    const text = `No zone of the account has ${name}: how it is answered is known by its answers alone.`;
    const about = { subject: name, observed: 'in no zone', expected: 'a hosted zone that has it', text };
    return [rows.unknown({ ...about, decides: false })];
  }
  const groups = policies.flatMap(({ zone, records }) =>
    [...Map.groupBy(records, ({ type }) => type)].map(([type, of]) => ({
      what: `${name} ${type}${zone.isPrivate ? ' (private zone)' : ''}`,
      records: of,
    })),
  );
  return [
    ...groups.flatMap((group) => ttlRows(facts, rows, name, group)),
    ...groups.map((group) => groupRow(facts, said, rows, group)),
    ...twoZonesRow(rows, name, policies),
  ];
}

interface Group {
  /** The name and the type, for people. */
  readonly what: string;
  readonly records: readonly PolicyRecord[];
}

/** From here only one of several records is seen; users elsewhere get the others. */
function ttlRows({ scenario }: Facts, rows: Rows, name: string, { what, records }: Group): readonly CheckResult[] {
  const limitS = askedTtlS(scenario);
  if (isSideName(scenario, name)) return [];
  return highRecords(records, limitS).map(({ ttlS, setIdentifier, audience }) => {
    const which = [setIdentifier, audience].filter((part) => part !== '').join(', ');
    const subject = which === '' ? what : `${what} (${which})`;
    return rows.fail({
      subject,
      observed: `${ttlS} s`,
      expected: `at most ${limitS} s`,
      text: `The record ${subject} has TTL ${ttlS} s in Route 53. Lower it to ${limitS} s or less, or say change.ttlS.`,
      heals: someTime,
    });
  });
}

/** No TTL can be set on an alias. */
export function highRecords(records: readonly PolicyRecord[], limitS: number): readonly PolicyRecord[] {
  return records.filter(({ alias, ttlS }) => alias === null && ttlS !== null && ttlS > limitS);
}

/** Where a health check of the side that is moved to fails, Route 53 goes on answering with the other. */
function groupRow(facts: Facts, { health }: Route53Facts, rows: Rows, { what, records }: Group): CheckResult {
  const { entering, leaving } = sidesOf(facts);
  const said = { subject: what, observed: policyText(records), expected: 'an answer that a switch decides' };
  const hasOther = records.some((record) => sideOfRecord(facts, record) === leaving);
  const checked = records.filter(
    (record) => hasOther && record.healthCheckId !== null && sideOfRecord(facts, record) === entering,
  );
  const healthOf = ({ healthCheckId }: PolicyRecord): boolean | null =>
    health.find(({ id }) => id === healthCheckId)?.isHealthy ?? null;
  const first = checked.find((record) => healthOf(record) === false);
  if (first !== undefined) {
    const text = `The health check ${first.healthCheckId ?? ''} of ${facts.scenario.sides[entering].title} fails: Route 53 would go on answering for ${what} with ${facts.scenario.sides[leaving].title}, whatever is switched. Mend what it looks at first.`;
    return rows.fail({ ...said, text, heals: someTime });
  }
  const unsure = checked.find((record) => healthOf(record) === null);
  if (unsure !== undefined) {
    const id = unsure.healthCheckId ?? '';
    const text = `Nobody knows whether the health check ${id} of ${facts.scenario.sides[entering].title} passes: if it fails, Route 53 goes on answering for ${what} with ${facts.scenario.sides[leaving].title}, whatever is switched. Its checkers would tell (route53:GetHealthCheckStatus); of one that is calculated of others, look at these.`;
    return rows.unknown({ ...said, text, heals: someTime });
  }
  return rows.pass({ ...said, text: `Route 53 answers for ${what} by this policy: ${policyText(records)}.` });
}

/** `weighted 90:10 (ecs:eks), TTL 60 s`; `alias to shop-1.us-west-1.elb.amazonaws.com, TTL 60 s`. */
function policyText(records: readonly PolicyRecord[]): string {
  const ttls = [...new Set(records.map(({ ttlS }) => (ttlS === null ? 'that of its target' : `${ttlS} s`)))];
  return `${policyName(records)}, TTL ${listText(ttls)}`;
}

function policyName(records: readonly PolicyRecord[]): string {
  const [first] = records;
  if (first?.policy === 'simple') return first.alias === null ? 'simple' : `alias to ${first.alias.name}`;
  const labels = records.map(({ setIdentifier }) => setIdentifier);
  if (first?.policy !== 'weighted') return `${first?.policy ?? ''} (${labels.join(', ')})`;
  return `weighted ${records.map(({ weight }) => weight ?? 0).join(':')} (${labels.join(':')})`;
}

function twoZonesRow(rows: Rows, name: string, policies: PolicyFacts['policies']): readonly CheckResult[] {
  if (new Set(policies.map(({ zone }) => zone.isPrivate)).size < 2) return [];
  const text = `${name} is in a public and in a private zone: both have to be changed, or the clients in the networks of the private one stay.`;
  const zones = policies.map(({ zone }) => zone.id);
  return [
    rows.unknown({ subject: name, decides: false, observed: listText(zones), expected: 'one zone to change', text }),
  ];
}

function sideOfRecord({ addresses, sideNames }: Facts, { type, values, alias }: PolicyRecord): Side | null {
  const names = alias !== null ? [alias.name, alias.name.replace(/^dualstack\./, '')] : type === 'CNAME' ? values : [];
  const named = sideNames.find(({ name }) => names.includes(name.toLowerCase()));
  if (named !== undefined) return named.side;
  const of = (side: Side): boolean => values.some((value) => addresses[side].includes(value));
  return of('old') === of('new') ? null : of('old') ? 'old' : 'new';
}

// ── a change ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The TTL is low when all name servers have the change that lowered it: also those that cannot be asked from here. */
function changeRows({ scenario }: Facts, rows: Rows, { change, blind }: Route53Facts): readonly CheckResult[] {
  if (change === null) {
    const id = scenario.route53?.changeId ?? null;
    if (id === null || blind.length > 0) return [];
    const text = `Route 53 has not said yet whether all of its name servers have the change ${id}.`;
    const about = { subject: `change ${id}`, observed: 'nothing heard', expected: 'INSYNC', text };
    return [rows.unknown({ ...about, heals: someTime })];
  }
  const said = { subject: `change ${change.id}`, observed: change.status, expected: 'INSYNC' };
  if (change.status === 'INSYNC') {
    return [rows.pass({ ...said, text: `All name servers of Route 53 have the change ${change.id}.` })];
  }
  const text = `Not all name servers of Route 53 have the change ${change.id} yet.`;
  return [rows.fail({ ...said, text, heals: someTime })];
}
