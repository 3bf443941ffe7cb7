/**
 * What our readers make of AWS as moto plays it: a load balancer, its rules and targets, tasks, schedules and metrics that
 * were made by the SDK's own calls. And the answers of our fake, which can do what moto cannot, have the shape of moto's.
 */
import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { EC2 } from '@aws-sdk/client-ec2';
import { ECS } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridge } from '@aws-sdk/client-eventbridge';
import { Scheduler } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AwsSpec } from '../../src/core/platform.ts';
import { newClock } from '../../src/net/clock.ts';
import { readAws, type AwsRead } from '../../src/platforms/aws-read.ts';
import type { Told } from '../../src/platforms/told.ts';
import { groupArn, shopArn, shopWorld, taskArn } from '../platforms/aws-shop.ts';
import { startFakeAws } from '../platforms/fake-aws.ts';
import { useFakeAccount } from '../platforms/fake-account.ts';
import { describeMoto, startMoto, type Moto } from './servers/moto.ts';

const region = 'us-west-1';
const minuteMs = 60_000;

/** What was made there. */
interface Made {
  readonly shopArn: string;
  readonly shopDns: string;
  readonly listenerArn: string;
  readonly groups: Readonly<Record<'orders' | 'next' | 'billing', string>>;
  readonly clusterArn: string;
  readonly tasks: readonly string[];
  readonly addresses: readonly string[];
  readonly minuteAtMs: number;
}

describeMoto('AWS', () => {
  const account = useFakeAccount();
  let moto: Moto;
  let made: Made;
  beforeAll(async () => {
    moto = await startMoto();
    account.use(moto.url);
    made = await makeShop();
  }, 120_000);
  afterAll(() => moto[Symbol.asyncDispose]());

  const spec: AwsSpec = {
    region,
    profile: null,
    loadBalancers: ['shop-1'],
    ecs: { cluster: 'shop', services: ['orders'] },
    schedules: [],
  };
  const read = (more: Partial<AwsSpec> = {}, dnsNames: readonly string[] = []): Promise<AwsRead> =>
    readAws({
      spec: { ...spec, ...more },
      dnsNames,
      clock: newClock(process.hrtime.bigint()),
      wallNowMs: () => made.minuteAtMs + 5 * minuteMs + 17_000,
      budget: (call) => call(),
      signal: new AbortController().signal,
    });

  test('a load balancer, what leads where by which share, and whose the groups are', async () => {
    const { loadBalancers } = valueOf((await read()).loadBalancers);
    expect(loadBalancers).toMatchObject([
      {
        arn: made.shopArn,
        name: 'shop-1',
        dnsName: made.shopDns,
        kind: 'application',
        clientKeepAliveS: 90,
        idleTimeoutS: 61,
        addresses: ['10.0.0.50'],
      },
    ]);
    const groups = Object.fromEntries(loadBalancers[0]?.groups.map((group) => [group.name, group]) ?? []);
    expect(groups['orders']).toMatchObject({
      arn: made.groups.orders,
      targetType: 'ip',
      port: 8080,
      owner: 'shop/orders',
      deregistrationDelayS: 37,
      slowStartS: 30,
      healthCheck: { intervalS: 15, timeoutS: 6, healthyCount: 3, unhealthyCount: 2 },
      rules: [{ hosts: ['orders.shop.example'], paths: ['/api/*'], weightRatio: 3 / 7 }],
    });
    expect(groups['next']).toMatchObject({
      owner: 'shop/orders-v2',
      cluster: 'prod',
      rules: [
        // Only requests with a header of canaries.
        { hosts: ['billing.shop.example'], paths: [], weightRatio: 1, isForSome: true },
        { hosts: ['orders.shop.example'], paths: ['/api/*'], weightRatio: 4 / 7 },
      ],
    });
    expect(groups['billing']).toMatchObject({ owner: null, rules: [{ hosts: [], paths: [], weightRatio: 1 }] });
    const byDns = await read({ loadBalancers: [] }, [`dualstack.${made.shopDns.toUpperCase()}`]);
    expect(valueOf(byDns.loadBalancers).loadBalancers).toMatchObject([{ name: 'shop-1' }]);
  });

  test('the targets of a group', async () => {
    const { targets } = await read();
    expect(valueOf(targets.get(made.groups.orders)).map(({ id, port }) => [id, port])).toEqual([
      ['10.0.0.1', 8080],
      ['10.0.0.2', 8081],
    ]);
    expect(valueOf(targets.get(made.groups.next))).toEqual([]);
  });

  test('tasks with the addresses of their interfaces, and the service whose they are', async () => {
    const { clusterArn, endpoints, workloads, owners } = valueOf((await read()).ecs);
    expect(clusterArn).toBe(made.clusterArn);
    expect(Object.fromEntries(owners)).toEqual({ [made.groups.orders]: 'shop/orders' });
    expect(workloads.map(({ uid }) => uid).toSorted()).toEqual(made.tasks.toSorted());
    expect(workloads.map(({ address }) => address).toSorted()).toEqual(made.addresses.toSorted());
    expect(workloads.every(({ revision }) => revision === 'orders:1')).toBe(true);
    expect([...endpoints.keys()]).toEqual(['shop/orders']);
  });

  // moto's tasks go on to their end as they are looked at: how many run is not for us to say.
  test('rules and schedules that start tasks in the cluster, and whether they are on', async () => {
    expect(valueOf((await read()).schedules)).toMatchObject([
      {
        kind: 'event-rule',
        name: 'nightly',
        isEnabled: false,
        expression: 'cron(0 2 * * ? *)',
        activeCount: expect.any(Number),
      },
      {
        kind: 'scheduler',
        name: 'invoices',
        isEnabled: true,
        expression: 'rate(7 minutes)',
        timeZone: 'Europe/Berlin',
      },
    ]);
    const named = valueOf((await read({ schedules: ['night*', 'reports/weekly'] })).schedules);
    expect(named.map(({ name, isEnabled }) => [name, isEnabled])).toEqual([
      ['nightly', false],
      ['reports/weekly', false],
    ]);
    expect((await read({ schedules: ['hourly'] })).schedules).toMatchObject({ kind: 'not-told', reason: 'missing' });
  });

  test('requests by the minute', async () => {
    const requests = valueOf((await read()).traffic).filter(({ metric }) => metric === 'RequestCount');
    const at = (sum: number): unknown => requests.find((one) => one.sum === sum)?.periodFromMs;
    expect(at(41)).toBe(made.minuteAtMs);
    expect(requests.filter(({ isAssumedZero }) => !isAssumedZero)).toHaveLength(1);
    expect(requests.find(({ periodFromMs }) => periodFromMs === made.minuteAtMs + minuteMs)).toMatchObject({
      sum: 0,
      isAssumedZero: true,
    });
  });

  test('what is not there is missing, by name', async () => {
    const nothing = await read({ loadBalancers: ['shop-2'], ecs: { cluster: 'none', services: ['orders'] } });
    expect(nothing.loadBalancers).toMatchObject({ reason: 'missing', why: 'there is no load balancer named shop-2' });
    expect(nothing.ecs).toMatchObject({ reason: 'missing' });
  });

  test('our fake answers with nothing that moto does not, but for what moto cannot do', async () => {
    const ofMoto = await answersOf({
      ...made,
      arn: made.shopArn,
      group: made.groups.orders,
      task: made.tasks[0] ?? '',
    });
    await using fake = await startFakeAws(shopWorld());
    fake.world.pageSize = 100;
    account.use(fake.url);
    const ofFake = await answersOf({
      arn: shopArn,
      listenerArn: 'l443',
      group: groupArn('orders'),
      task: taskArn('a2'),
      minuteAtMs: made.minuteAtMs,
    });
    account.use(moto.url);
    const invented = Object.entries(ofFake).flatMap(([action, paths]) => {
      const known = ofMoto[action] ?? new Set();
      return [...paths].filter((path) => !known.has(path)).map((path) => `${action} ${path}`);
    });
    expect(invented.toSorted()).toEqual(onlyInFake);
    const silent = Object.entries(ofFake).filter(([, paths]) => paths.size === 0);
    expect(silent).toEqual([]);
  });
});

/** What AWS documents and moto leaves out, as it never has a target that is ill or a task that has stopped by itself. */
const onlyInFake: readonly string[] = [
  'DescribeRules .Rules[].Conditions[].Values[]: string',
  'DescribeTargetHealth .TargetHealthDescriptions[].Target.AvailabilityZone: string',
  'DescribeTargetHealth .TargetHealthDescriptions[].TargetHealth.Reason: string',
  'DescribeTasks .tasks[].availabilityZone: string',
  'DescribeTasks .tasks[].containers[].networkInterfaces[].privateIpv4Address: string',
  'DescribeTasks .tasks[].createdAt: date',
  'DescribeTasks .tasks[].healthStatus: string',
  'DescribeTasks .tasks[].stopCode: string',
  'DescribeTasks .tasks[].stoppedAt: date',
  'DescribeTasks .tasks[].stoppingAt: date',
];

function valueOf<T>(answer: Told<T> | null | undefined): T {
  if (answer?.kind !== 'told') throw new Error(`not told: ${JSON.stringify(answer)}`);
  return answer.value;
}

/** Each place in what the SDK read of an answer, with the type that is there. */
function pathsOf(value: unknown, path = ''): readonly string[] {
  if (value === undefined) return [];
  if (value instanceof Date) return [`${path}: date`];
  if (Array.isArray(value)) return value.flatMap((one) => pathsOf(one, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [`${path}: ${typeof value}`];
  return Object.entries(value)
    .filter(([key]) => key !== '$metadata')
    .flatMap(([key, inner]) => pathsOf(inner, `${path}.${key}`));
}

interface About {
  readonly arn: string;
  readonly listenerArn: string;
  readonly group: string;
  readonly task: string;
  readonly minuteAtMs: number;
}

async function answersOf({
  arn,
  listenerArn,
  group,
  task,
  minuteAtMs,
}: About): Promise<Readonly<Record<string, ReadonlySet<string>>>> {
  const elbv2 = new ElasticLoadBalancingV2({ region });
  const ecs = new ECS({ region });
  const events = new EventBridge({ region });
  const scheduler = new Scheduler({ region });
  const answers: Readonly<Record<string, Promise<unknown>>> = {
    DescribeLoadBalancers: elbv2.describeLoadBalancers({}),
    DescribeLoadBalancerAttributes: elbv2.describeLoadBalancerAttributes({ LoadBalancerArn: arn }),
    DescribeListeners: elbv2.describeListeners({ LoadBalancerArn: arn }),
    DescribeRules: elbv2.describeRules({ ListenerArn: listenerArn }),
    DescribeTargetGroups: elbv2.describeTargetGroups({ LoadBalancerArn: arn }),
    DescribeTargetGroupAttributes: elbv2.describeTargetGroupAttributes({ TargetGroupArn: group }),
    DescribeTargetHealth: elbv2.describeTargetHealth({ TargetGroupArn: group }),
    DescribeServices: ecs.describeServices({ cluster: 'shop', services: ['orders'] }),
    ListTasks: ecs.listTasks({ cluster: 'shop' }),
    DescribeTasks: ecs.describeTasks({ cluster: 'shop', tasks: [task] }),
    DescribeClusters: ecs.describeClusters({ clusters: ['shop'] }),
    ListRules: events.listRules({}),
    ListSchedules: scheduler.listSchedules({}),
    GetMetricData: new CloudWatch({ region }).getMetricData({
      StartTime: new Date(minuteAtMs - minuteMs),
      EndTime: new Date(minuteAtMs + 2 * minuteMs),
      MetricDataQueries: [
        {
          Id: 'm0',
          MetricStat: {
            Metric: { Namespace: 'AWS/ApplicationELB', MetricName: 'RequestCount' },
            Period: 60,
            Stat: 'Sum',
          },
        },
      ],
    }),
  };
  const found = Object.entries(answers).map(
    async ([action, answer]) => [action, new Set(pathsOf(await answer))] as const,
  );
  return Object.fromEntries(await Promise.all(found));
}

// ── what is made there ───────────────────────────────────────────────────────────────────────────────────────────────

async function makeShop(): Promise<Made> {
  const ec2 = new EC2({ region });
  const { Vpc } = await ec2.createVpc({ CidrBlock: '10.0.0.0/16' });
  const VpcId = Vpc?.VpcId ?? '';
  // Without it moto's tasks fail to get an interface.
  await ec2.modifyVpcAttribute({ VpcId, EnableDnsHostnames: { Value: true } });
  const subnets = await Promise.all(
    ['a', 'b'].map(async (zone, i) => {
      const made = await ec2.createSubnet({ VpcId, CidrBlock: `10.0.${i}.0/24`, AvailabilityZone: `${region}${zone}` });
      return made.Subnet?.SubnetId ?? '';
    }),
  );
  const balancer = await makeBalancer(VpcId, subnets);
  await ec2.createNetworkInterface({
    SubnetId: subnets[0],
    Description: `ELB ${balancer.shopArn.replace(/^.*loadbalancer\//, '')}`,
    PrivateIpAddress: '10.0.0.50',
  });
  const cluster = await makeTasks(balancer.groups.orders, subnets[0] ?? '');
  await makeSchedules(cluster.clusterArn);
  const minuteAtMs = Math.floor(Date.now() / minuteMs) * minuteMs - 5 * minuteMs;
  await new CloudWatch({ region }).putMetricData({
    Namespace: 'AWS/ApplicationELB',
    MetricData: [
      {
        MetricName: 'RequestCount',
        Dimensions: [{ Name: 'LoadBalancer', Value: balancer.shopArn.replace(/^.*loadbalancer\//, '') }],
        Timestamp: new Date(minuteAtMs + 13_000),
        Value: 41,
      },
    ],
  });
  return { ...balancer, ...cluster, minuteAtMs };
}

async function makeBalancer(
  VpcId: string,
  Subnets: string[],
): Promise<Pick<Made, 'shopArn' | 'shopDns' | 'listenerArn' | 'groups'>> {
  const elbv2 = new ElasticLoadBalancingV2({ region });
  const group = async (Name: string): Promise<string> => {
    const made = await elbv2.createTargetGroup({
      Name,
      VpcId,
      Protocol: 'HTTP',
      Port: 8080,
      TargetType: 'ip',
      HealthCheckIntervalSeconds: 15,
      HealthCheckTimeoutSeconds: 6,
      HealthyThresholdCount: 3,
      UnhealthyThresholdCount: 2,
    });
    return made.TargetGroups?.[0]?.TargetGroupArn ?? '';
  };
  const groups = { orders: await group('orders'), next: await group('next'), billing: await group('billing') };
  await elbv2.createLoadBalancer({ Name: 'other', Subnets });
  const { LoadBalancers } = await elbv2.createLoadBalancer({ Name: 'shop-1', Subnets });
  const { LoadBalancerArn = '', DNSName = '' } = LoadBalancers?.[0] ?? {};
  await elbv2.modifyLoadBalancerAttributes({
    LoadBalancerArn,
    Attributes: [
      { Key: 'idle_timeout.timeout_seconds', Value: '61' },
      { Key: 'client_keep_alive.seconds', Value: '90' },
    ],
  });
  await elbv2.modifyTargetGroupAttributes({
    TargetGroupArn: groups.orders,
    Attributes: [
      { Key: 'deregistration_delay.timeout_seconds', Value: '37' },
      { Key: 'slow_start.duration_seconds', Value: '30' },
    ],
  });
  await elbv2.addTags({
    ResourceArns: [groups.next],
    Tags: [
      { Key: 'elbv2.k8s.aws/cluster', Value: 'prod' },
      { Key: 'ingress.k8s.aws/stack', Value: 'shop/web-front' },
      { Key: 'ingress.k8s.aws/resource', Value: 'shop/web-front-orders-v2:http' },
    ],
  });
  const { Listeners } = await elbv2.createListener({
    LoadBalancerArn,
    Protocol: 'HTTP',
    Port: 80,
    DefaultActions: [{ Type: 'forward', TargetGroupArn: groups.billing }],
  });
  const listenerArn = Listeners?.[0]?.ListenerArn ?? '';
  await elbv2.createRule({
    ListenerArn: listenerArn,
    Priority: 4,
    Conditions: [
      { Field: 'host-header', HostHeaderConfig: { Values: ['billing.shop.example'] } },
      { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-canary', Values: ['yes'] } },
    ],
    Actions: [{ Type: 'forward', TargetGroupArn: groups.next }],
  });
  await elbv2.createRule({
    ListenerArn: listenerArn,
    Priority: 5,
    Conditions: [
      { Field: 'host-header', HostHeaderConfig: { Values: ['orders.shop.example'] } },
      { Field: 'path-pattern', PathPatternConfig: { Values: ['/api/*'] } },
    ],
    Actions: [
      {
        Type: 'forward',
        ForwardConfig: {
          TargetGroups: [
            { TargetGroupArn: groups.orders, Weight: 3 },
            { TargetGroupArn: groups.next, Weight: 4 },
            { TargetGroupArn: groups.billing, Weight: 0 },
          ],
        },
      },
    ],
  });
  await elbv2.registerTargets({
    TargetGroupArn: groups.orders,
    Targets: [
      { Id: '10.0.0.2', Port: 8081 },
      { Id: '10.0.0.1', Port: 8080 },
    ],
  });
  return { shopArn: LoadBalancerArn, shopDns: DNSName, listenerArn, groups };
}

async function makeTasks(
  targetGroupArn: string,
  subnet: string,
): Promise<Pick<Made, 'clusterArn' | 'tasks' | 'addresses'>> {
  const ecs = new ECS({ region });
  const { cluster } = await ecs.createCluster({ clusterName: 'shop' });
  await ecs.registerTaskDefinition({
    family: 'orders',
    networkMode: 'awsvpc',
    containerDefinitions: [
      { name: 'app', image: 'shop', memory: 128, portMappings: [{ containerPort: 8080, hostPort: 8080 }] },
    ],
  });
  await ecs.createService({
    cluster: 'shop',
    serviceName: 'orders',
    taskDefinition: 'orders',
    desiredCount: 2,
    loadBalancers: [{ targetGroupArn, containerName: 'app', containerPort: 8080 }],
  });
  const { tasks = [] } = await ecs.runTask({
    cluster: 'shop',
    taskDefinition: 'orders',
    count: 2,
    launchType: 'FARGATE',
    startedBy: 'events-rule/nightly',
    networkConfiguration: { awsvpcConfiguration: { subnets: [subnet], securityGroups: [] } },
  });
  await ecs.stopTask({ cluster: 'shop', task: tasks[0]?.taskArn ?? '', reason: 'a test' });
  return {
    clusterArn: cluster?.clusterArn ?? '',
    tasks: tasks.map(({ taskArn = '' }) => taskArn),
    addresses: tasks.flatMap(({ attachments = [] }) =>
      attachments.flatMap(({ details = [] }) => details.find(({ name }) => name === 'privateIPv4Address')?.value ?? []),
    ),
  };
}

async function makeSchedules(clusterArn: string): Promise<void> {
  const events = new EventBridge({ region });
  const RoleArn = 'arn:aws:iam::123456789012:role/jobs';
  const EcsParameters = { TaskDefinitionArn: 'orders' };
  await events.putRule({ Name: 'nightly', ScheduleExpression: 'cron(0 2 * * ? *)', State: 'DISABLED' });
  await events.putTargets({ Rule: 'nightly', Targets: [{ Id: '1', Arn: clusterArn, RoleArn, EcsParameters }] });
  await events.putRule({ Name: 'on-upload', EventPattern: '{"source":["aws.s3"]}' });
  await events.putTargets({ Rule: 'on-upload', Targets: [{ Id: '1', Arn: clusterArn, RoleArn, EcsParameters }] });
  const scheduler = new Scheduler({ region });
  await scheduler.createScheduleGroup({ Name: 'reports' });
  const rest = { FlexibleTimeWindow: { Mode: 'OFF' } } as const;
  await scheduler.createSchedule({
    ...rest,
    Name: 'invoices',
    ScheduleExpression: 'rate(7 minutes)',
    ScheduleExpressionTimezone: 'Europe/Berlin',
    Target: { Arn: clusterArn, RoleArn, EcsParameters },
  });
  await scheduler.createSchedule({
    ...rest,
    Name: 'weekly',
    GroupName: 'reports',
    State: 'DISABLED',
    ScheduleExpression: 'rate(7 days)',
    Target: { Arn: 'arn:aws:lambda:us-west-1:123456789012:function:weekly', RoleArn },
  });
}
