import { describe, expect, test } from 'vitest';
import type { Route53Facts } from '../../src/checks/facts.ts';
import { exitCodeOf, preflight } from '../../src/checks/preflight.ts';
import { aliasOf, limitTtlS } from '../../src/checks/record-sets.ts';
import { route53 } from '../../src/checks/route53.ts';
import { ttlLowered } from '../../src/checks/ttl-lowered.ts';
import type { PolicyRecord, RecordPolicy } from '../../src/core/record-policy.ts';
import { factsOf, hostname, nameFacts, newAddress, oldAddress, scenarioOf, server } from './kit.ts';

function record(more: Partial<PolicyRecord>): PolicyRecord {
  const plain = { type: 'A', policy: 'simple', setIdentifier: '', weight: null, failover: null, audience: '' } as const;
  return { ...plain, ttlS: 60, values: [oldAddress], alias: null, healthCheckId: null, ...more };
}

const publicZone = { id: 'ZPUB', name: 'shop.test', isPrivate: false };

function saidOf(records: readonly PolicyRecord[], more: Partial<Route53Facts> = {}): Route53Facts {
  const policies: readonly RecordPolicy[] =
    records.length === 0 ? [] : [{ zone: publicZone, recordName: hostname, records }];
  return { policies: [{ name: hostname, hostname, policies }], health: [], change: null, blind: [], ...more };
}

function rows(said: Route53Facts, change?: string): readonly string[] {
  const facts = factsOf({ route53: said, ...(change === undefined ? {} : { scenario: scenarioOf(change) }) });
  return facts.scenario.services
    .flatMap((service) => route53(facts, service))
    .map(({ result, decides, observed, text, heals }) =>
      [result, decides ? '' : '(no reason to wait)', heals === null ? '' : '(may pass)', `${observed}: ${text}`]
        .filter((part) => part !== '')
        .join(' '),
    );
}

const [ecs, eks] = [{ setIdentifier: 'ecs' }, { setIdentifier: 'eks', values: [newAddress] }] as const;
const failover = [
  record({ ...ecs, policy: 'failover', failover: 'SECONDARY' }),
  record({ ...eks, policy: 'failover', failover: 'PRIMARY', healthCheckId: 'h-new' }),
];
const unhealthy = { id: 'h-new', isHealthy: false, healthyCount: 1, checkerCount: 16 };

test('a scenario that does not ask Route 53 has no row of it', () => {
  const facts = factsOf();
  expect(facts.scenario.services.flatMap((service) => route53(facts, service))).toEqual([]);
});

test.for([
  { records: [record({})], expected: 'simple, TTL 60 s' },
  {
    records: [
      record({ ...ecs, policy: 'weighted', weight: 90 }),
      record({ ...eks, policy: 'weighted', weight: 10, ttlS: 5 }),
    ],
    expected: 'weighted 90:10 (ecs:eks), TTL 60 s and 5 s',
  },
  { records: failover, expected: 'failover (ecs, eks), TTL 60 s' },
])('the policy is known: $expected', ({ records, expected }) => {
  expect(rows(saidOf(records, { health: [{ ...unhealthy, isHealthy: true }] }))).toEqual([
    `pass ${expected}: Route 53 answers for ${hostname} A by this policy: ${expected}.`,
  ]);
});

test('where the health check of the side that is moved to fails, a switch would not switch', () => {
  expect(rows(saidOf(failover, { health: [unhealthy] }))).toEqual([
    `fail (may pass) failover (ecs, eks), TTL 60 s: The health check h-new of nginx/EKS fails: Route 53 would go on answering for ${hostname} A with ALB/ECS, whatever is switched. Mend what it looks at first.`,
  ]);
  expect(rows(saidOf(failover, { health: [{ ...unhealthy, isHealthy: true }] }))[0]).toMatch(/^pass/);
  const nobodyKnows = /^unknown \(may pass\) .*Nobody knows whether the health check h-new of nginx\/EKS passes/;
  expect(rows(saidOf(failover, { health: [{ ...unhealthy, isHealthy: null }] }))[0]).toMatch(nobodyKnows);
  expect(rows(saidOf(failover))[0]).toMatch(nobodyKnows);
});

test('a health check of a record that has no other to give way to does not hinder', () => {
  const alone = [record({ ...eks, healthCheckId: 'h-new' })];
  expect(rows(saidOf(alone, { health: [unhealthy] }))[0]).toMatch(/^pass/);
});

test('each of several records has a TTL of its own, also the one that is not given here', () => {
  const geo = { policy: 'geolocation', setIdentifier: 'asia', audience: 'Asia', ttlS: 86_400 } as const;
  const said = saidOf([record({ ...geo, setIdentifier: 'eu', audience: 'Europe', ttlS: 60 }), record(geo)]);
  expect(rows(said)[0]).toMatch(/^fail \(may pass\) 86400 s: The record .* A \(asia, Asia\) has TTL 86400 s/);
  expect(exitCodeOf(preflight(factsOf({ route53: said })))).toBe(3);
});

test('what nothing was heard of is not known, and nor is a change', () => {
  const found = preflight(
    factsOf({
      scenario: scenarioOf('change: { ttlS: 60 }\nroute53: { changeId: C1 }'),
      route53: { policies: [], health: [], change: null, blind: [] },
    }),
  );
  expect([exitCodeOf(found), found.canWait]).toEqual([4, true]);
  expect(found.safeToSwitch.because).toEqual([
    `Route 53 has not said yet by which records ${hostname} is answered: their weights, health checks and TTLs are not known.`,
    'Route 53 has not said yet whether all of its name servers have the change C1.',
  ]);
});

test('the health check of the side that is left does not hinder', () => {
  const old = failover.map((one) =>
    one.setIdentifier === 'ecs' ? { ...one, healthCheckId: 'h-new' } : { ...one, healthCheckId: null },
  );
  expect(rows(saidOf(old, { health: [unhealthy] }))[0]).toMatch(/^pass/);
});

describe('a change to be followed', () => {
  test('that is PENDING keeps it from being safe, and passes by itself', () => {
    const facts = factsOf({ route53: saidOf([record({})], { change: { id: 'C1', status: 'PENDING' } }) });
    const found = preflight(facts);
    expect([exitCodeOf(found), found.canWait]).toEqual([3, true]);
    expect(found.safeToSwitch.because).toEqual(['Not all name servers of Route 53 have the change C1 yet.']);
  });

  test('that is INSYNC passes', () => {
    const facts = factsOf({ route53: saidOf([record({})], { change: { id: 'C1', status: 'INSYNC' } }) });
    expect(exitCodeOf(preflight(facts))).toBe(0);
  });
});

describe('what could not be asked is unknown, and says what it would tell', () => {
  const blind = { what: 'records of orders.shop.test', why: 'there are no AWS credentials', mayPass: false };

  test('no credentials: nothing that waiting mends', () => {
    const facts = factsOf({ route53: { policies: [], health: [], change: null, blind: [blind] } });
    const found = preflight(facts);
    expect([exitCodeOf(found), found.canWait]).toEqual([4, false]);
    expect(found.safeToSwitch.because).toEqual([
      'Route 53 could not be asked for records of orders.shop.test: there are no AWS credentials. It would say whether the TTL can be lowered, by which weights or health checks names are answered, and whether all name servers have a change; without route53 in the scenario it is not asked.',
    ]);
  });

  test('throttled: that may pass', () => {
    const found = preflight(factsOf({ route53: { ...saidOf([]), blind: [{ ...blind, mayPass: true }] } }));
    expect([exitCodeOf(found), found.canWait]).toEqual([4, true]);
  });
});

test('a name that no zone has is worth knowing; a link that leads out of Route 53 is not', () => {
  expect(rows(saidOf([]))).toEqual([
    `unknown (no reason to wait) in no zone: No zone of the account has ${hostname}: how it is answered is known by its answers alone.`,
  ]);
  const link = { name: 'lb.elsewhere.test', hostname, policies: [] };
  expect(rows({ ...saidOf([record({})]), policies: [...saidOf([record({})]).policies, link] })).toHaveLength(1);
});

test('a public and a private zone must both be changed', () => {
  const policy: RecordPolicy = { zone: publicZone, recordName: hostname, records: [record({})] };
  const twice = { ...policy, zone: { ...publicZone, id: 'ZPRV', isPrivate: true } };
  const said = { ...saidOf([]), policies: [{ name: hostname, hostname, policies: [policy, twice] }] };
  expect(rows(said).at(-1)).toMatch(/^unknown \(no reason to wait\) ZPUB and ZPRV: .* both have to be changed/);
});

describe('an alias is known by policy, and not only by what it looks like', () => {
  const change = 'change: { ttlS: 30 }';
  const scenario = scenarioOf(change);
  const names = [nameFacts({ authorities: [server('ns-1', [`${hostname} 60 A ${oldAddress}`])] })];
  const alias = {
    target: 'load-balancer',
    name: 'shop-1.us-west-1.elb.amazonaws.com',
    evaluatesTargetHealth: true,
  } as const;
  const results = (said: Route53Facts | null, sideNames: ReturnType<typeof factsOf>['sideNames'] = []) => {
    const facts = factsOf({ scenario, names, sideNames, ...(said === null ? {} : { route53: said }) });
    return {
      rows: facts.scenario.services.flatMap((service) => ttlLowered(facts, service)).map(({ result }) => result),
      limitS: limitTtlS(facts, names[0] as (typeof names)[0]),
      alias: aliasOf(facts, { name: hostname, type: 'A', ttlS: 60, data: [oldAddress] }),
    };
  };
  const sideNames = [{ side: 'old', name: 'shop-1.elb.test', addresses: [oldAddress] }] as const;

  test('its TTL cannot be lowered: not applicable', () => {
    expect(results(null)).toEqual({ rows: ['fail'], limitS: 30, alias: null });
    const known = saidOf([record({ values: [], alias })]);
    expect(results(known)).toEqual({ rows: ['not-applicable'], limitS: 60, alias: alias.name });
  });

  test('a plain record with the addresses of a load balancer and TTL 60 is none', () => {
    expect(results(null, sideNames).rows).toEqual(['not-applicable']);
    expect(results(saidOf([record({})]), sideNames)).toEqual({ rows: ['fail'], limitS: 30, alias: null });
  });

  test('where Route 53 could not be asked, it is told by what it looks like', () => {
    const blind = { what: 'records', why: 'throttled', mayPass: true };
    const said = { policies: [], health: [], change: null, blind: [blind] };
    expect(results(said, sideNames).rows).toEqual(['not-applicable']);
  });
});
