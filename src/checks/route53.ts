/** What Route 53's API says of the names: the policy by which it answers, health checks that may undo a switch, and how far a change is. */
import { listText } from '../core/quantity-text.ts';
import type { PolicyRecord } from '../core/record-policy.ts';
import { changesRecords } from '../core/record-set.ts';
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
    ...policies.flatMap((policy) => policyRows(facts, said, rows, policy)),
    ...changeRows(rows, said),
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
  return [...groups.map((group) => groupRow(facts, said, rows, group)), ...twoZonesRow(rows, name, policies)];
}

interface Group {
  /** The name and the type, for people. */
  readonly what: string;
  readonly records: readonly PolicyRecord[];
}

/** Where a health check of the side that is moved to fails, Route 53 goes on answering with the other. */
function groupRow(facts: Facts, { health }: Route53Facts, rows: Rows, { what, records }: Group): CheckResult {
  const { entering, leaving } = sidesOf(facts);
  const said = { subject: what, observed: policyText(records), expected: 'an answer that a switch decides' };
  const hasOther = records.some((record) => sideOfRecord(facts, record) === leaving);
  const unhealthy = records.filter((record) => {
    const found = health.find(({ id }) => id === record.healthCheckId);
    return hasOther && found?.isHealthy === false && sideOfRecord(facts, record) === entering;
  });
  const [first] = unhealthy;
  if (first !== undefined) {
    const text = `The health check ${first.healthCheckId ?? ''} of ${facts.scenario.sides[entering].title} fails: Route 53 would go on answering for ${what} with ${facts.scenario.sides[leaving].title}, whatever is switched. Mend what it looks at first.`;
    return rows.fail({ ...said, text, heals: someTime });
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
function changeRows(rows: Rows, { change }: Route53Facts): readonly CheckResult[] {
  if (change === null) return [];
  const said = { subject: `change ${change.id}`, observed: change.status, expected: 'INSYNC' };
  if (change.status === 'INSYNC') {
    return [rows.pass({ ...said, text: `All name servers of Route 53 have the change ${change.id}.` })];
  }
  const text = `Not all name servers of Route 53 have the change ${change.id} yet.`;
  return [rows.fail({ ...said, text, heals: someTime })];
}
