import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AwsSpec } from '../../src/core/platform.ts';
import { newClock } from '../../src/net/clock.ts';
import { readAws, type AwsRead } from '../../src/platforms/aws-read.ts';
import type { Told } from '../../src/platforms/told.ts';
import { groupArn, service, shopWorld, target, task, taskArn } from './aws-shop.ts';
import { startFakeAws, type FakeAws } from './fake-aws.ts';
import { useFakeAccount } from './fake-account.ts';

const spec: AwsSpec = {
  region: 'us-west-1',
  profile: null,
  loadBalancers: ['shop-1'],
  ecs: { cluster: 'shop', services: [] },
  schedules: [],
};
const nowMs = 1_796_001_000_000 + 17_000;

let aws: FakeAws;
const account = useFakeAccount();
beforeAll(async () => {
  aws = await startFakeAws();
  account.use(aws.url);
});
beforeEach(() => {
  Object.assign(aws.world, shopWorld());
  aws.calls.length = 0;
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
});

function read(more: Partial<AwsSpec> = {}, dnsNames: readonly string[] = []): Promise<AwsRead> {
  return readAws({
    spec: { ...spec, ...more },
    dnsNames,
    clock: newClock(process.hrtime.bigint()),
    wallNowMs: () => nowMs,
    budget: (call) => call(),
    signal: new AbortController().signal,
  });
}

function valueOf<T>(answer: Told<T> | null | undefined): T {
  if (answer?.kind !== 'told') throw new Error(`not told: ${JSON.stringify(answer)}`);
  return answer.value;
}

describe('load balancers', () => {
  test('of a name, with all pages of listeners, rules and groups, what leads where and by which share', async () => {
    const { loadBalancers } = await read();
    const [shop, ...others] = valueOf(loadBalancers).loadBalancers;
    expect(others).toEqual([]);
    expect(shop).toMatchObject({ name: 'shop-1', kind: 'application', clientKeepAliveS: 3600, idleTimeoutS: 61 });
    expect(shop?.addresses).toEqual([
      '10.0.0.50',
      '10.0.1.50',
      '10.0.2.50',
      '198.51.100.7',
      '198.51.100.8',
      '2001:db8::7',
    ]);
    expect(shop?.groups.map(({ name, owner, cluster, rules }) => ({ name, owner, cluster, rules }))).toEqual([
      {
        name: 'orders',
        owner: 'shop/orders',
        cluster: null,
        rules: [
          { hosts: ['orders.shop.example'], paths: [], weightRatio: 3 / 7 },
          { hosts: [], paths: ['/old/*'], weightRatio: 1 },
        ],
      },
      {
        name: 'orders-next',
        owner: 'shop/orders-v2',
        cluster: 'prod',
        rules: [
          { hosts: ['orders.shop.example'], paths: [], weightRatio: 4 / 7 },
          { hosts: ['billing.shop.example'], paths: [], weightRatio: 1, isForSome: true },
        ],
      },
      {
        name: 'billing',
        owner: 'shop/billing',
        cluster: null,
        rules: [{ hosts: ['billing.shop.example'], paths: ['/api/*', '/ready'], weightRatio: 1 }],
      },
      { name: 'retired', owner: null, cluster: null, rules: [] },
      { name: 'thumbnails', owner: null, cluster: null, rules: [] },
    ]);
    expect(shop?.groups[0]).toMatchObject({
      targetType: 'ip',
      port: 8080,
      vpcId: 'vpc-1',
      deregistrationDelayS: 37,
      slowStartS: 30,
      healthCheck: { intervalS: 15, timeoutS: 6, healthyCount: 3, unhealthyCount: 2 },
    });
    // What the group does not say is AWS's default.
    expect(shop?.groups[2]).toMatchObject({ targetType: 'instance', deregistrationDelayS: 300, slowStartS: 0 });
  });

  test.for([
    ['dualstack.shop-1-1234.US-west-1.elb.amazonaws.com'],
    ['lb.elsewhere.example', 'SHOP-1-1234.us-west-1.elb.amazonaws.com.'],
  ])('are found by the DNS names %s', async (names) => {
    const { loadBalancers } = await read({ loadBalancers: [] }, names);
    expect(valueOf(loadBalancers).loadBalancers.map(({ name }) => name)).toEqual(['shop-1']);
  });

  test('that are not there are said; those that are, are read', async () => {
    const { loadBalancers } = await read({ loadBalancers: ['shop-1', 'shop-2'] });
    expect(valueOf(loadBalancers)).toMatchObject({
      isComplete: false,
      unseen: ['there is no load balancer named shop-2'],
      loadBalancers: [{ name: 'shop-1' }],
    });
    expect((await read({ loadBalancers: [] }, ['a.example', 'b.example'])).loadBalancers).toMatchObject({
      reason: 'missing',
      why: 'no load balancer has the DNS name a.example or b.example',
    });
  });

  test('whose interfaces may not be looked at have no addresses, and that is said', async () => {
    aws.world.faults['DescribeNetworkInterfaces'] = 'denied';
    const { loadBalancers } = valueOf((await read()).loadBalancers);
    expect(loadBalancers[0]?.addresses).toEqual([]);
    expect(valueOf((await read()).loadBalancers)).toMatchObject({
      isComplete: true,
      unseen: [expect.stringMatching(/^the addresses of shop-1 are not known: .*ec2:DescribeNetworkInterfaces.*IAM/)],
    });
  });

  test('a network load balancer has its listeners’ defaults for rules, and no keep-alive of clients', async () => {
    const [, , shop] = aws.world.loadBalancers;
    aws.world.loadBalancers = [{ ...shop, Type: 'network' }];
    aws.world.attributes = {};
    aws.world.listeners = Object.fromEntries(
      Object.keys(aws.world.listeners).map((arn) => [
        arn,
        [{ ListenerArn: 'l443', DefaultActions: [{ Type: 'forward', TargetGroupArn: groupArn('orders') }] }],
      ]),
    );
    const { loadBalancers } = valueOf((await read()).loadBalancers);
    expect(loadBalancers[0]).toMatchObject({ kind: 'network', clientKeepAliveS: null, idleTimeoutS: null });
    expect(loadBalancers[0]?.groups[0]?.rules).toEqual([{ hosts: [], paths: [], weightRatio: 1 }]);
    expect(aws.calls).not.toContain('DescribeRules');
  });

  test('targets are told with state and reason, in order; those of functions are not asked for', async () => {
    const { targets } = await read();
    expect(valueOf(targets.get(groupArn('orders')))).toEqual([
      { id: '10.0.0.1', port: 8080, zone: 'us-west-1a', state: 'healthy', reason: '' },
      { id: '10.0.0.2', port: 8080, zone: 'us-west-1a', state: 'draining', reason: 'Target.DeregistrationInProgress' },
    ]);
    expect(valueOf(targets.get(groupArn('orders-next')))).toEqual([]);
    expect(targets.has(groupArn('thumbnails'))).toBe(false);
  });

  test.for(['initial', 'unhealthy', 'unhealthy.draining', 'unused', 'unavailable'])(
    'a target may be %s',
    async (state) => {
      aws.world.health[groupArn('orders')] = [target('10.0.0.1', state, 'Elb.InternalError')];
      const { targets } = await read();
      expect(valueOf(targets.get(groupArn('orders')))).toMatchObject([{ state, reason: 'Elb.InternalError' }]);
    },
  );

  test('a state that nobody knows yet is not guessed at', async () => {
    aws.world.health[groupArn('orders')] = [target('10.0.0.1', 'resting')];
    const { targets } = await read();
    expect(targets.get(groupArn('orders'))).toMatchObject({
      kind: 'not-told',
      why: expect.stringContaining('(resting)'),
    });
  });
});

describe('ECS', () => {
  test('endpoints are the tasks of a service that live, by their own address or their instance and port', async () => {
    const { endpoints } = valueOf((await read()).ecs);
    expect([...endpoints.keys()]).toEqual(['shop/orders', 'shop/billing', 'shop/worker']);
    expect(endpoints.get('shop/orders')).toEqual([
      {
        address: '10.0.0.1',
        instanceId: null,
        ports: [8080],
        name: 'a1',
        uid: taskArn('a1'),
        isReady: true,
        isServing: true,
        isTerminating: false,
        zone: 'us-west-1a',
      },
      expect.objectContaining({ name: 'a3', isReady: false, isServing: true, isTerminating: true }),
    ]);
    expect(endpoints.get('shop/billing')).toMatchObject([{ address: '', instanceId: 'i-0abc', ports: [32_769] }]);
    expect(endpoints.get('shop/worker')).toEqual([]);
  });

  test('a task with a failing health check runs and is not ready', async () => {
    aws.world.tasks = [task('a1', '10.0.0.1', { healthStatus: 'UNHEALTHY' })];
    const { endpoints } = valueOf((await read()).ecs);
    expect(endpoints.get('shop/orders')).toMatchObject([{ isReady: false, isServing: true, isTerminating: false }]);
  });

  test('workloads are all tasks of the cluster, those that ended too, and when they were told to', async () => {
    const { workloads } = valueOf((await read()).ecs);
    expect(workloads.map(({ name, state, owner, address }) => [name, state, owner, address])).toEqual([
      ['a1', 'running', 'orders', '10.0.0.1'],
      ['a2', 'gone', 'orders', '10.0.0.2'],
      ['a3', 'terminating', 'orders', '10.0.0.3'],
      ['a4', 'pending', 'orders', ''],
      ['b1', 'running', 'billing', ''],
      ['n1', 'running', null, '10.0.0.7'],
      ['n2', 'gone', null, '10.0.0.8'],
    ]);
    expect(workloads[1]).toMatchObject({
      kind: 'task',
      uid: taskArn('a2'),
      revision: 'orders:7',
      endsSinceMs: 1_796_000_200_250,
      endedAtMs: 1_796_000_231_000,
      endReason: 'ServiceSchedulerInitiated',
    });
    expect(workloads[0]).toMatchObject({ endsSinceMs: null });
  });

  test.for([
    { state: 'complete', deployments: [{ status: 'PRIMARY', rolloutState: 'COMPLETED' }] },
    { state: 'progressing', deployments: [{ status: 'PRIMARY', rolloutState: 'IN_PROGRESS' }, { status: 'ACTIVE' }] },
    {
      state: 'failed',
      deployments: [{ status: 'PRIMARY', rolloutState: 'FAILED', rolloutStateReason: 'circuit breaker' }],
    },
    { state: 'complete', deployments: [{ status: 'PRIMARY', desiredCount: 3, runningCount: 3 }] },
    { state: 'progressing', deployments: [{ status: 'PRIMARY', desiredCount: 3, runningCount: 2 }] },
    {
      state: 'progressing',
      deployments: [{ status: 'PRIMARY', desiredCount: 3, runningCount: 3 }, { status: 'ACTIVE' }],
    },
  ])('a deployment is $state by $deployments', async ({ state, deployments }) => {
    aws.world.services = [service('orders', 'orders', { deployments })];
    expect(valueOf((await read()).ecs).rollouts).toMatchObject([{ rollout: { name: 'orders', state } }]);
  });

  test('only services that are asked for are told; one that is not there is said', async () => {
    const { endpoints, missing } = valueOf(
      (await read({ ecs: { cluster: 'shop', services: ['orders', 'ordres'] } })).ecs,
    );
    expect([...endpoints.keys()]).toEqual(['shop/orders']);
    expect(missing).toEqual(['there is no service ordres in the ECS cluster shop']);
    expect(aws.calls).not.toContain('ListServices');
  });
});

describe('schedules', () => {
  test('of the cluster: rules and schedules with state, expression and what runs of them; those that wait for an event are none', async () => {
    expect(valueOf((await read()).schedules)).toEqual(
      [
        { name: 'shop-audit', isEnabled: true, expression: 'rate(7 minutes)', activeCount: 0, lastRunAtMs: null },
        {
          name: 'shop-nightly',
          isEnabled: true,
          expression: 'cron(0 2 * * ? *)',
          activeCount: 1,
          lastRunAtMs: 1_796_000_400_000,
        },
        { name: 'shop-off', isEnabled: false, expression: 'rate(1 hour)', activeCount: 0, lastRunAtMs: null },
        {
          kind: 'scheduler',
          name: 'reports/hourly',
          isEnabled: false,
          activeCount: 0,
          timeZone: null,
          lastRunAtMs: null,
        },
        {
          kind: 'scheduler',
          name: 'shop-invoices-of-the-month',
          timeZone: 'Europe/Berlin',
          activeCount: 0,
          lastRunAtMs: 1_796_000_100_000,
        },
      ].map((more) => ({
        kind: 'event-rule',
        isEnabled: true,
        expression: 'cron(30 3 1 * ? *)',
        timeZone: 'UTC',
        startingDeadlineS: null,
        ...more,
      })),
    );
  });

  test('by name, in a group, and by how they begin', async () => {
    const { schedules } = await read({ ecs: null, schedules: ['shop-n*', 'reports/hourly', 'shop-off'] });
    expect(valueOf(schedules).map(({ name, activeCount }) => [name, activeCount])).toEqual([
      ['shop-nightly', null],
      ['shop-off', null],
      ['reports/hourly', null],
    ]);
    expect((await read({ schedules: ['nightly'] })).schedules).toMatchObject({
      kind: 'not-told',
      why: 'there is no rule and no schedule named nightly',
    });
  });

  test('what is denied is not told, and never taken for off', async () => {
    aws.world.faults['GetSchedule'] = 'denied';
    expect((await read()).schedules).toMatchObject({
      kind: 'not-told',
      reason: 'denied',
      why: expect.stringContaining('scheduler:GetSchedule'),
    });
  });
});

describe('CloudWatch', () => {
  test('a minute of which nothing is said had no traffic once the delay has passed, and is not known before', async () => {
    const minute = (count: number): number => Math.floor(nowMs / 60_000) * 60 - 60 * count;
    aws.world.metrics = {
      RequestCount: [
        [minute(9), 41],
        [minute(2), 7],
      ],
    };
    const traffic = valueOf((await read()).traffic);
    const requests = traffic.filter(({ metric }) => metric === 'RequestCount');
    expect(requests.map(({ periodFromMs, sum, isAssumedZero }) => [periodFromMs / 1000, sum, isAssumedZero])).toEqual([
      [minute(10), 0, true],
      [minute(9), 41, false],
      ...[8, 7, 6, 5, 4].map((count) => [minute(count), 0, true]),
      // It ended 2 min 17 s ago: 3 min are not over.
      [minute(2), 7, false],
    ]);
    expect(new Set(traffic.map(({ metric }) => metric))).toEqual(
      new Set(['RequestCount', 'ActiveConnectionCount', 'NewConnectionCount']),
    );
  });
});

test.for([
  { fault: 'denied', reason: 'denied' },
  { fault: 'throttled', reason: 'throttled' },
  { fault: 'expired', reason: 'no-credentials' },
] as const)(
  '$fault everywhere: nothing is told, why it is not is, and no secret with it',
  async ({ fault, reason }) => {
    for (const action of ['DescribeLoadBalancers', 'ListServices', 'ListRuleNamesByTarget', 'DescribeClusters']) {
      aws.world.faults[action] = fault;
    }
    const all = await read();
    expect(all).toMatchObject({ loadBalancers: { reason }, ecs: { reason }, schedules: { reason }, traffic: null });
    expect(JSON.stringify(all)).not.toContain('hunter2');
  },
);

test.for(['html', 'redirect', 'cut'] as const)(
  'a %s in place of an answer is none, and nothing of it is repeated',
  { timeout: 20_000 },
  async (fault) => {
    for (const action of ['DescribeLoadBalancers', 'ListServices', 'ListRuleNamesByTarget', 'DescribeClusters']) {
      aws.world.faults[action] = fault;
    }
    const all = await read();
    expect(all).toMatchObject({ loadBalancers: { kind: 'not-told' }, ecs: { kind: 'not-told' } });
    expect(JSON.stringify(all)).not.toMatch(/hunter2|html|u001b/);
  },
);

describe('answers that no AWS gives are no answers, and no exceptions', () => {
  test.for<readonly [what: string, action: string, answer: Readonly<Record<string, unknown>>]>([
    ['a service whose name is a number', 'DescribeServices', { services: [{ serviceName: 7, deployments: 'many' }] }],
    ['a task that is a text', 'DescribeTasks', { tasks: ['a1', 7, { taskArn: { a: 1 }, group: 5 }] }],
    ['a list of tasks that is none', 'ListTasks', { taskArns: 3 }],
  ])('%s', async ([, action, answer]) => {
    aws.world.answers[action] = answer;
    expect((await read()).ecs?.kind).toBe('not-told');
  });

  test('a task whose attachments are nested without end has no address', async () => {
    const attachments: unknown = JSON.parse(`${'['.repeat(900)}${']'.repeat(900)}`);
    aws.world.answers['DescribeTasks'] = { tasks: [{ taskArn: 'a1', group: 'service:orders', attachments }] };
    expect(valueOf((await read()).ecs).endpoints.get('shop/orders')).toEqual([]);
  });

  test('a rule in a state that nobody knows is not taken for off', async () => {
    aws.world.answers['DescribeRule'] = { Name: 'shop-off', ScheduleExpression: 'rate(1 hour)', State: { off: true } };
    expect(valueOf((await read()).schedules)).toContainEqual(
      expect.objectContaining({ name: 'shop-off', isEnabled: true }),
    );
  });

  test('of what CloudWatch told in part nothing is taken for zero', async () => {
    const results = ['m0', 'm1', 'm2'].map((Id) => ({ Id, StatusCode: 'PartialData', Timestamps: [], Values: [] }));
    aws.world.answers['GetMetricData'] = { MetricDataResults: results };
    expect((await read()).traffic).toMatchObject({ kind: 'not-told', why: expect.stringContaining('only a part') });
  });
});
