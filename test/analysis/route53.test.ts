/** What is concluded from what Route 53's API says, and from what it did not say. */
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/core/entry.ts';
import type { PolicyRecord, RecordPolicy } from '../../src/core/record-policy.ts';
import { sToNs } from '../../src/core/time.ts';
import { analysisOf, hostname, newAddress, oldAddress } from './kit.ts';

const lanes = [{ slots: '.'.repeat(60), at: `${'o'.repeat(25)}n` }];

const analysed = (...entries: readonly Entry[]) => analysisOf({ lanes, entries });

function findings(...entries: readonly Entry[]): string[] {
  return analysed(...entries)
    .findings.filter(({ kind }) => kind.startsWith('route53') || kind.startsWith('observer'))
    .map(({ kind, severity, text, evidence }) => [`${severity} ${kind}: ${text}`, ...evidence].join(' | '));
}

function record(more: Partial<PolicyRecord>): PolicyRecord {
  return {
    type: 'A',
    policy: 'simple',
    setIdentifier: '',
    weight: null,
    failover: null,
    audience: '',
    ttlS: 60,
    values: [oldAddress],
    alias: null,
    healthCheckId: null,
    ...more,
  };
}

const publicZone = { id: 'ZPUB', name: 'shop.example', isPrivate: false };

function seen(atS: number, records: readonly PolicyRecord[], more: Partial<RecordPolicy> = {}): Entry {
  const policies = records.length === 0 ? [] : [{ zone: publicZone, recordName: hostname, records, ...more }];
  const previousAskedAtNs = atS < 30 ? null : sToNs(atS - 30);
  return {
    type: 'record-policy-seen',
    atNs: sToNs(atS + 0.2),
    name: hostname,
    askedAtNs: sToNs(atS),
    previousAskedAtNs,
    policies,
  };
}

function healthSeen(atS: number, id: string, healthyCount: number): Entry {
  const health = { id, isHealthy: healthyCount > 2, healthyCount, checkerCount: 16 };
  const askedAtNs = sToNs(atS);
  return { type: 'record-health-seen', atNs: sToNs(atS + 0.1), askedAtNs, previousAskedAtNs: null, health };
}

const alias = { target: 'load-balancer', name: 'shop-1.us-west-1.elb.amazonaws.com' } as const;
const [ecs, eks] = [{ setIdentifier: 'ecs' }, { setIdentifier: 'eks', values: [newAddress] }] as const;

test('a simple record is nothing to tell', () => {
  expect(findings(seen(1, [record({})]))).toEqual([]);
});

test('an alias to a load balancer: TTL 60, and nobody can lower it', () => {
  const aliased = record({ values: [], alias: { ...alias, evaluatesTargetHealth: false } });
  expect(findings(seen(1, [aliased]))).toEqual([
    `info route53-alias: ${hostname} A is an alias to the load balancer shop-1.us-west-1.elb.amazonaws.com: its TTL is 60 s, and cannot be lowered.`,
  ]);
});

describe('weights', () => {
  const weighted = (old: number, now: number) => [
    record({ ...ecs, policy: 'weighted', weight: old }),
    record({ ...eks, policy: 'weighted', weight: now }),
  ];

  test('are known by policy, with each time they were changed', () => {
    expect(findings(seen(1, weighted(90, 10)), seen(31, weighted(7, 13)))).toEqual([
      `info route53-weights: Route 53 answers for ${hostname} A by weight, 7:13 (ecs:eks): 65 % of them with the new side, as far as health checks leave it the choice. | 2026-11-20T10:00:01.200Z: 90:10 (ecs:eks) | 2026-11-20T10:00:31.200Z: 7:13 (ecs:eks)`,
    ]);
  });

  test('beside an alias a record with another TTL gets another share than its weight', () => {
    const [, now] = weighted(1, 1);
    const old = record({
      ...ecs,
      policy: 'weighted',
      weight: 1,
      values: [],
      alias: { ...alias, evaluatesTargetHealth: true },
    });
    const told = findings(seen(1, [old, { ...(now as PolicyRecord), ttlS: 5 }]));
    expect(told[0]).toContain('warn route53-sibling-ttls');
    expect(told[0]).toContain('eks: TTL 5 s');
    expect(findings(seen(1, [old, now as PolicyRecord])).filter((text) => text.startsWith('warn'))).toEqual([]);
  });
});

describe('failover', () => {
  const failover = [
    record({ ...eks, policy: 'failover', failover: 'PRIMARY', healthCheckId: 'h-new' }),
    record({ ...ecs, policy: 'failover', failover: 'SECONDARY' }),
  ];

  test("the new side's health check fails: Route 53 answers with the old side, whatever was switched", () => {
    expect(findings(seen(1, failover), healthSeen(2, 'h-new', 16), healthSeen(41, 'h-new', 1))).toEqual([
      `warn route53-unhealthy: The health check of the new side's record of ${hostname} A (eks) fails: Route 53 answers with the old side instead, whatever was switched. | h-new: 1 of 16 checkers say healthy, from 2026-11-20T10:00:41.100Z to 2026-11-20T10:01:12.000Z`,
    ]);
  });

  test('one that failed only before the change is nothing to tell', () => {
    expect(findings(seen(1, failover), healthSeen(2, 'h-new', 1), healthSeen(12, 'h-new', 16))).toEqual([]);
  });

  test('where there is nothing else to answer with, it is not instead', () => {
    const alone = [record({ ...eks, policy: 'failover', failover: 'PRIMARY', healthCheckId: 'h-new' })];
    expect(findings(seen(1, alone), healthSeen(41, 'h-new', 1))).toEqual([]);
  });

  test('a primary record without a health check never fails over', () => {
    const [primary, secondary] = failover as [PolicyRecord, PolicyRecord];
    expect(findings(seen(1, [{ ...primary, healthCheckId: null }, secondary]))).toEqual([
      `warn route53-no-health-check: The primary record of ${hostname} A has no health check, so Route 53 always takes it to be healthy: it never fails over. | eks`,
    ]);
  });
});

test('a record that was gone between two looks was deleted and created, not changed in one step', () => {
  const told = findings(seen(1, [record({})]), seen(31, []), seen(51, [record({ values: [newAddress] })]));
  expect(told).toEqual([
    `warn route53-gap: ${hostname} was deleted in Route 53 and created again, not changed in one step (UPSERT): resolvers that asked meanwhile may say for a while that there is none. | gone after 2026-11-20T10:00:01.000Z and before 2026-11-20T10:00:31.200Z, there again before 2026-11-20T10:00:51.200Z`,
  ]);
  expect(findings(seen(1, [record({})]), seen(31, [record({ values: [newAddress] })]))).toEqual([]);
});

test('a wildcard that answers meanwhile is not the record', () => {
  const told = findings(
    seen(1, [record({})]),
    seen(31, [record({})], { recordName: '*.shop.example' }),
    seen(51, [record({})]),
  );
  expect(told[0]).toContain('warn route53-gap');
});

test('a name that no zone has, and one that a public and a private zone have', () => {
  expect(findings(seen(1, []))).toEqual([
    `info route53-no-record: No Route 53 zone that could be asked has ${hostname}: how it is answered is known by its answers alone.`,
  ]);
  const one = seen(1, [record({})]) as Extract<Entry, { type: 'record-policy-seen' }>;
  const [policy] = one.policies as [RecordPolicy];
  const twice = { ...policy, zone: { id: 'ZPRV', name: 'shop.example', isPrivate: true } };
  expect(findings({ ...one, policies: [policy, twice] })).toEqual([
    `info route53-two-zones: ${hostname} is in a public and in a private zone: clients in the networks of the private one get its records, all others those of the public one, and both have to be changed. | public zone ZPUB (shop.example) | private zone ZPRV (shop.example)`,
  ]);
});

describe('a change made through the API', () => {
  const changeSeen = (atS: number, status: 'PENDING' | 'INSYNC', previousS: number | null): Entry => ({
    type: 'dns-change-seen',
    atNs: sToNs(atS),
    id: 'C1',
    status,
    submittedAtMs: Date.UTC(2026, 10, 20, 10, 0, 24, 500),
    askedAtNs: sToNs(atS - 0.1),
    previousAskedAtNs: previousS === null ? null : sToNs(previousS),
  });

  test('INSYNC stands between two polls', () => {
    expect(findings(changeSeen(26, 'PENDING', null), changeSeen(48.2, 'INSYNC', 46.1))).toEqual([
      'info route53-change: The change C1 of Route 53, submitted at 2026-11-20T10:00:24.500Z, was on all its name servers by 2026-11-20T10:00:48.200Z and not before 2026-11-20T10:00:46.100Z (INSYNC). | 2026-11-20T10:00:26.000Z: PENDING | 2026-11-20T10:00:48.200Z: INSYNC',
    ]);
  });

  test('PENDING to the end is a warning', () => {
    expect(findings(changeSeen(26, 'PENDING', null))[0]).toMatch(/^warn route53-change: .* \(PENDING\)/);
  });
});

describe('an observer that cannot see', () => {
  const started: Entry = { type: 'observer-started', atNs: 0, observer: 'route53', side: null, what: 'records' };
  const blinded = (atS: number, sinceS: number, why: string): Entry => ({
    type: 'observer-blinded',
    atNs: sToNs(atS),
    observer: 'route53',
    sinceNs: sToNs(sinceS),
    why,
  });
  const recovered = (atS: number): Entry => ({ type: 'observer-recovered', atNs: sToNs(atS), observer: 'route53' });

  test('for a while is blind from its last look to the next that sees', () => {
    const entries = [started, blinded(13.7, 7.1, 'throttled'), recovered(31.3), blinded(44, 41, 'gone')];
    expect(analysed(...entries).observers).toEqual([
      {
        name: 'route53',
        side: null,
        what: 'records',
        hasSeen: true,
        gaps: [
          { fromAtNs: sToNs(7.1), toAtNs: sToNs(31.3), why: 'throttled' },
          { fromAtNs: sToNs(41), toAtNs: sToNs(72), why: 'gone' },
        ],
      },
    ]);
    expect(findings(...entries)[0]).toContain('could not see for 55.2 s in 2 stretches');
  });

  test('from the start to the end never saw anything, and says why', () => {
    expect(findings(started, blinded(0.4, 0, 'there are no AWS credentials'))).toEqual([
      'warn observer-blind: The observer route53 never saw anything (records): there are no AWS credentials. What was measured from outside stands without it. | 2026-11-20T10:00:00.000Z to 2026-11-20T10:01:12.000Z: there are no AWS credentials',
    ]);
  });

  test('changes nothing else', () => {
    const { findings: _, observers: __, ...without } = analysed();
    const { findings: ___, observers: ____, ...blind } = analysed(started, blinded(0.4, 0, 'no'));
    expect(blind).toEqual(without);
  });
});
