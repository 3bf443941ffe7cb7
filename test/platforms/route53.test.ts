/** What is read of Route 53, by the SDK, from a server of ours that can be as AWS is on a bad day. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newClock } from '../../src/net/clock.ts';
import { newBudget } from '../../src/platforms/budget.ts';
import { newRoute53, type Route53 } from '../../src/platforms/route53.ts';
import { record, secretInAnswers, startFakeRoute53, zone, type FakeRoute53 } from './fake-route53.ts';
import { newFasterClock } from './faster-clock.ts';

const clock = newFasterClock(newClock(process.hrtime.bigint()), 6);
const { signal } = new AbortController();
let fake: FakeRoute53;
let opened: Route53[] = [];

function route53(spec: { readonly zoneId?: string; readonly profile?: string } = {}): Route53 {
  const { zoneId = null, profile = null } = spec;
  const budget = newBudget({ clock, random: () => 0, callsPerSecond: 50 });
  const one = newRoute53({ spec: { profile, region: null, zoneId, changeId: null }, clock, budget });
  opened.push(one);
  return one;
}

beforeEach(async () => {
  fake = await startFakeRoute53();
  fake.zones = [zone('ZPUB', 'shop.example')];
  fake.records = { ZPUB: [] };
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL_ROUTE_53: fake.url,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'hunter2',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  })) {
    vi.stubEnv(name, value);
  }
  for (const name of ['AWS_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined);
});

afterEach(async () => {
  for (const one of opened) one.close();
  opened = [];
  await fake[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

const hostname = 'orders.shop.example';

async function policiesOf(name = hostname, spec = {}) {
  const found = await route53(spec).policies(name, signal);
  if (found.kind !== 'told') throw new Error(found.why);
  return found.value;
}

describe('records', () => {
  const simple = { alias: null, healthCheckId: null, weight: null, failover: null, audience: '', setIdentifier: '' };

  test.for([
    {
      claim: 'a simple record',
      set: record(`A ${hostname} 127.0.1.1 127.0.1.2`, { TTL: 300 }),
      expected: { ...simple, type: 'A', policy: 'simple', ttlS: 300, values: ['127.0.1.1', '127.0.1.2'] },
    },
    {
      claim: 'a CNAME, its target as we write names',
      set: record(`CNAME ${hostname} LB.shop.example.`),
      expected: { type: 'CNAME', policy: 'simple', values: ['lb.shop.example'] },
    },
    {
      claim: 'an alias to a load balancer: its TTL is 60, whatever anybody wants',
      set: record(`A ${hostname}`, {
        AliasTarget: {
          HostedZoneId: 'Z368ELLRRE2KJ0',
          DNSName: 'dualstack.shop-1.us-west-1.elb.amazonaws.com.',
          EvaluateTargetHealth: true,
        },
      }),
      expected: {
        policy: 'simple',
        ttlS: 60,
        values: [],
        alias: {
          target: 'load-balancer',
          name: 'dualstack.shop-1.us-west-1.elb.amazonaws.com',
          evaluatesTargetHealth: true,
        },
      },
    },
    {
      claim: 'an alias to a network load balancer, whose names have the region elsewhere',
      set: record(`A ${hostname}`, {
        AliasTarget: {
          HostedZoneId: 'Z18D5FSROUN65G',
          DNSName: 'k8s-shop-1a2b.elb.us-west-2.amazonaws.com',
          EvaluateTargetHealth: false,
        },
      }),
      expected: { ttlS: 60, alias: { target: 'load-balancer', evaluatesTargetHealth: false } },
    },
    {
      claim: 'an alias to a record of its own zone: the TTL is that of the record',
      set: record(`A ${hostname}`, {
        AliasTarget: { HostedZoneId: 'ZPUB', DNSName: 'eks.shop.example.', EvaluateTargetHealth: false },
      }),
      expected: { ttlS: null, alias: { target: 'record', name: 'eks.shop.example' } },
    },
    {
      claim: 'weighted',
      set: record(`A ${hostname} 127.0.1.1`, { SetIdentifier: 'ecs', Weight: 0, HealthCheckId: 'h-1' }),
      expected: { policy: 'weighted', setIdentifier: 'ecs', weight: 0, healthCheckId: 'h-1' },
    },
    {
      claim: 'failover',
      set: record(`A ${hostname} 127.0.1.1`, { SetIdentifier: 'eks', Failover: 'PRIMARY' }),
      expected: { policy: 'failover', failover: 'PRIMARY' },
    },
    {
      claim: 'latency',
      set: record(`A ${hostname} 127.0.1.1`, { SetIdentifier: 'eks', Region: 'us-west-2' }),
      expected: { policy: 'latency', audience: 'us-west-2' },
    },
    {
      claim: 'geolocation',
      set: record(`A ${hostname} 127.0.1.1`, {
        SetIdentifier: 'eks',
        GeoLocation: { CountryCode: 'US', SubdivisionCode: 'CA' },
      }),
      expected: { policy: 'geolocation', audience: 'US-CA' },
    },
    {
      claim: 'multivalue',
      set: record(`A ${hostname} 127.0.1.1`, { SetIdentifier: 'eks', MultiValueAnswer: true }),
      expected: { policy: 'multivalue' },
    },
  ])('$claim', async ({ set, expected }) => {
    fake.records = { ZPUB: [record('A other.shop.example 127.0.1.9'), set] };
    expect(await policiesOf()).toMatchObject([
      { zone: { id: 'ZPUB', name: 'shop.example', isPrivate: false }, recordName: hostname, records: [expected] },
    ]);
  });

  test('a name that the zone does not have is answered by the wildcard closest to it, and that is said', async () => {
    fake.records = { ZPUB: [record('A *.shop.example 127.0.1.8'), record('A *.eu.shop.example 127.0.1.9')] };
    const [near] = await policiesOf('orders.eu.shop.example');
    expect(near).toMatchObject({ recordName: '*.eu.shop.example', records: [{ values: ['127.0.1.9'] }] });
    const [far] = await policiesOf('a.b.shop.example');
    expect(far).toMatchObject({ recordName: '*.shop.example', records: [{ values: ['127.0.1.8'] }] });
  });

  test('records of one name come whole, however many pages they take', async () => {
    fake.pageSize = 3;
    const sets = Array.from({ length: 7 }, (_, i) =>
      record(`A ${hostname} 127.0.1.${i}`, { SetIdentifier: `s${i}`, Weight: i }),
    );
    fake.records = { ZPUB: [record('A aaa.shop.example 127.0.9.9'), ...sets, record('A z.shop.example 127.0.9.8')] };
    const [policy] = await policiesOf();
    expect(policy?.records.map(({ weight }) => weight)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe('zones', () => {
  test('of a public and a private zone of one name both answer, each to its own clients', async () => {
    fake.zones = [zone('ZPUB', 'shop.example'), zone('ZPRV', 'shop.example', true)];
    fake.records = { ZPUB: [record(`A ${hostname} 127.0.1.1`)], ZPRV: [record(`A ${hostname} 127.0.1.2`)] };
    const found = await policiesOf();
    expect(found.map(({ zone: { id, isPrivate } }) => [id, isPrivate])).toEqual([
      ['ZPUB', false],
      ['ZPRV', true],
    ]);
  });

  test('the zone with the longest name answers, wherever in the list it is', async () => {
    fake.pageSize = 2;
    fake.zones = [
      ...['aaa', 'bbb', 'ccc', 'ddd'].map((label) => zone(`Z${label.toUpperCase()}`, `${label}.shop.example`)),
      zone('ZPUB', 'shop.example'),
      zone('ZOTHER', 'shopping.example'),
      zone('ZEU', 'eu.shop.example'),
    ];
    fake.records = { ZEU: [record('A orders.eu.shop.example 127.0.1.1')], ZPUB: [] };
    expect(await policiesOf('orders.eu.shop.example')).toMatchObject([{ zone: { id: 'ZEU' } }]);
  });

  test('a private zone of one label is found', async () => {
    fake.zones = [zone('ZPRV', 'internal', true)];
    fake.records = { ZPRV: [record('A orders.shop.internal 127.0.1.1')] };
    expect(await policiesOf('orders.shop.internal')).toMatchObject([{ zone: { id: 'ZPRV', isPrivate: true } }]);
  });

  test('where one is named, no other is looked at', async () => {
    fake.zones = [zone('ZPUB', 'shop.example'), zone('ZPRV', 'shop.example', true)];
    fake.records = { ZPUB: [record(`A ${hostname} 127.0.1.1`)], ZPRV: [record(`A ${hostname} 127.0.1.2`)] };
    expect(await policiesOf(hostname, { zoneId: 'ZPRV' })).toMatchObject([{ zone: { id: 'ZPRV' } }]);
    expect(fake.asked).toEqual(['GetHostedZone', 'ListResourceRecordSets']);
  });

  test('they are looked up once', async () => {
    fake.records = { ZPUB: [record(`A ${hostname} 127.0.1.1`)] };
    const one = route53();
    await one.policies(hostname, signal);
    await one.policies(hostname, signal);
    expect(fake.asked.filter((action) => action === 'ListHostedZonesByName')).toHaveLength(1);
  });

  test('a name of nobody is in none', async () => {
    expect(await policiesOf('orders.elsewhere.test')).toEqual([]);
  });
});

describe('health checks', () => {
  test.for([
    { claim: 'more than 18 % of the checkers say healthy', health: { healthy: 3, of: 16 }, isHealthy: true },
    { claim: 'fewer do', health: { healthy: 2, of: 16 }, isHealthy: false },
    { claim: 'inverted', health: { healthy: 16, of: 16, config: { Inverted: true } }, isHealthy: false },
    { claim: 'disabled: healthy for ever', health: { config: { Disabled: true } }, isHealthy: true },
    { claim: 'calculated: nobody looks', health: { config: { Type: 'CALCULATED' } }, isHealthy: null },
    { claim: 'no checker has looked yet', health: { healthy: 0, of: 0 }, isHealthy: null },
  ])('$claim: $isHealthy', async ({ health, isHealthy }) => {
    fake.health = { 'h-1': health };
    const { healthy, of } = { healthy: 0, of: 0, ...health };
    expect(await route53().health('h-1', signal)).toEqual({
      kind: 'told',
      value: { id: 'h-1', isHealthy, healthyCount: healthy, checkerCount: of },
    });
  });
});

describe('why there is no answer is a sentence that says what to do', () => {
  const zonesAction = 'route53:ListHostedZonesByName';
  test.for([
    {
      mood: 'denied',
      reason: 'denied',
      why: `the AWS credentials in use may not do ${zonesAction}: allow it in IAM`,
    },
    {
      mood: 'throttled',
      reason: 'throttled',
      why: `AWS throttles ${zonesAction}: others of the account ask too much`,
    },
    { mood: 'slow', reason: 'timed-out', why: `AWS did not answer ${zonesAction} within 12 s` },
    { mood: 'broken', reason: 'other', why: `AWS answered ${zonesAction} with HTTP 503, ServiceUnavailable` },
    { mood: 'gone', reason: 'unreachable', why: `AWS cannot be reached for ${zonesAction} (ECONNRESET)` },
  ] as const)('$mood', async ({ mood, reason, why }) => {
    fake.mood = mood;
    const answer = await route53().policies(hostname, signal);
    expect(answer).toEqual({ kind: 'not-told', reason, why });
    expect(JSON.stringify(answer)).not.toContain(secretInAnswers);
  });

  test('what throttles is asked twice and no more', async () => {
    fake.mood = 'throttled';
    await route53().policies(hostname, signal);
    expect(fake.asked).toHaveLength(2);
  });

  test('no credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    expect(await route53().policies(hostname, signal)).toMatchObject({
      reason: 'no-credentials',
      why: 'there are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or name a profile in the scenario',
    });
    expect(await route53({ profile: 'prod' }).policies(hostname, signal)).toMatchObject({
      why: 'there are no credentials for the AWS profile prod',
    });
    expect(fake.asked).toEqual([]);
  });

  test('a change that the account does not know', async () => {
    expect(await route53().change('C404', signal)).toMatchObject({ reason: 'missing' });
  });

  test('one that is stopped meanwhile ends at once', async () => {
    fake.mood = 'slow';
    const stop = new AbortController();
    const answer = route53().policies(hostname, stop.signal);
    await vi.waitFor(() => expect(fake.asked).toHaveLength(1));
    stop.abort();
    expect(await answer).toMatchObject({ reason: 'stopped' });
  });
});
