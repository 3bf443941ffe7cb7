/** The old side of the founding story on the fake AWS: an ALB before two ECS services, with a job by night. */
import { emptyWorld, type FakeWorld } from './fake-aws.ts';

const account = 'us-west-1:123456789012';
export const shopArn: string = `arn:aws:elasticloadbalancing:${account}:loadbalancer/app/shop-1/50dc6c495c0c9188`;
export const groupArn = (name: string): string =>
  `arn:aws:elasticloadbalancing:${account}:targetgroup/${name}/73e2d6bc24d8a067`;
export const clusterArn: string = `arn:aws:ecs:${account}:cluster/shop`;
export const taskArn = (name: string): string => `arn:aws:ecs:${account}:task/shop/${name}`;

export function target(Id: string, State: string, Reason?: string): Readonly<Record<string, unknown>> {
  return {
    Target: { Id, Port: 8080, AvailabilityZone: 'us-west-1a' },
    HealthCheckPort: '8080',
    TargetHealth: { State, Reason },
  };
}

function group(name: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    TargetGroupArn: groupArn(name),
    TargetGroupName: name,
    Port: 8080,
    VpcId: 'vpc-1',
    TargetType: 'ip',
    HealthCheckIntervalSeconds: 15,
    HealthCheckTimeoutSeconds: 6,
    HealthyThresholdCount: 3,
    UnhealthyThresholdCount: 2,
    ...more,
  };
}

/** A task in a subnet, with an address of its own. */
export function task(
  name: string,
  address: string,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    taskArn: taskArn(name),
    clusterArn,
    group: 'service:orders',
    startedBy: 'ecs-svc/1111111111111111111',
    taskDefinitionArn: `arn:aws:ecs:${account}:task-definition/orders:7`,
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    healthStatus: 'UNKNOWN',
    availabilityZone: 'us-west-1a',
    createdAt: 1_796_000_000,
    attachments: [
      {
        id: 'a',
        type: 'ElasticNetworkInterface',
        status: 'ATTACHED',
        details: [
          { name: 'networkInterfaceId', value: 'eni-1' },
          { name: 'privateIPv4Address', value: address },
        ],
      },
    ],
    containers: [{ name: 'app', networkInterfaces: [{ privateIpv4Address: address }] }],
    ...more,
  };
}

/** A task that shares its instance's address. */
export function bridgeTask(name: string): Readonly<Record<string, unknown>> {
  return task(name, '', {
    group: 'service:billing',
    containerInstanceArn: `arn:aws:ecs:${account}:container-instance/shop/ci-1`,
    attachments: [],
    containers: [
      { name: 'app', networkBindings: [{ containerPort: 8080, hostPort: 32_769, protocol: 'tcp' }] },
      { name: 'proxy', networkBindings: [{ containerPort: 9000, hostPort: 32_770, protocol: 'tcp' }] },
    ],
  });
}

export function service(
  name: string,
  group: string,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    serviceName: name,
    serviceArn: `arn:aws:ecs:${account}:service/shop/${name}`,
    clusterArn,
    status: 'ACTIVE',
    loadBalancers: [{ targetGroupArn: groupArn(group), containerName: 'app', containerPort: 8080 }],
    deployments: [
      {
        id: 'ecs-svc/1111111111111111111',
        status: 'PRIMARY',
        desiredCount: 2,
        runningCount: 2,
        pendingCount: 0,
        rolloutState: 'COMPLETED',
        rolloutStateReason: 'ECS deployment ecs-svc/1111111111111111111 completed.',
        updatedAt: 1_796_000_123.5,
      },
    ],
    ...more,
  };
}

const forward = (...weights: readonly (readonly [string, number])[]): readonly unknown[] => [
  {
    Type: 'forward',
    ForwardConfig: { TargetGroups: weights.map(([name, Weight]) => ({ TargetGroupArn: groupArn(name), Weight })) },
  },
];
const host = (...Values: readonly string[]): unknown => ({
  Field: 'host-header',
  HostHeaderConfig: { Values },
  Values,
});
const path = (...Values: readonly string[]): unknown => ({
  Field: 'path-pattern',
  PathPatternConfig: { Values },
  Values,
});

export function shopWorld(): FakeWorld {
  const rules = [
    {
      RuleArn: 'r1',
      Priority: '1',
      Conditions: [host('orders.shop.example')],
      Actions: forward(['orders', 3], ['orders-next', 4]),
      IsDefault: false,
    },
    {
      RuleArn: 'r2',
      Priority: '2',
      Conditions: [host('billing.shop.example'), path('/api/*', '/ready')],
      Actions: forward(['billing', 1]),
      IsDefault: false,
    },
    {
      RuleArn: 'r3',
      Priority: '3',
      Conditions: [path('/old/*')],
      Actions: forward(['retired', 0], ['orders', 5]),
      IsDefault: false,
    },
    {
      RuleArn: 'r5',
      Priority: '4',
      Conditions: [
        host('billing.shop.example'),
        { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-canary', Values: ['yes'] } },
      ],
      Actions: forward(['orders-next', 1]),
      IsDefault: false,
    },
    { RuleArn: 'r4', Priority: 'default', Conditions: [], Actions: [{ Type: 'fixed-response' }], IsDefault: true },
  ];
  return {
    ...emptyWorld(),
    loadBalancers: [
      {
        LoadBalancerArn: 'arn:other',
        LoadBalancerName: 'other',
        DNSName: 'other-1.us-west-1.elb.amazonaws.com',
        Type: 'application',
      },
      { LoadBalancerArn: 'arn:gateway', LoadBalancerName: 'inspect', DNSName: '', Type: 'gateway' },
      {
        LoadBalancerArn: shopArn,
        LoadBalancerName: 'shop-1',
        DNSName: 'Shop-1-1234.us-west-1.elb.amazonaws.com',
        Type: 'application',
      },
    ],
    listeners: {
      [shopArn]: [
        { ListenerArn: 'l80', Port: 80, DefaultActions: [{ Type: 'redirect' }] },
        { ListenerArn: 'l443', Port: 443, DefaultActions: [{ Type: 'fixed-response' }] },
        { ListenerArn: 'l8443', Port: 8443, DefaultActions: [{ Type: 'fixed-response' }] },
      ],
    },
    rules: {
      l80: [{ RuleArn: 'r0', Priority: 'default', Conditions: [], Actions: [{ Type: 'redirect' }], IsDefault: true }],
      l443: rules,
      l8443: rules,
    },
    groups: {
      [shopArn]: [
        group('orders'),
        group('orders-next'),
        group('billing', { TargetType: 'instance' }),
        group('retired'),
        group('thumbnails', { TargetType: 'lambda', Port: undefined, VpcId: undefined }),
      ],
    },
    attributes: {
      [shopArn]: [
        { Key: 'idle_timeout.timeout_seconds', Value: '61' },
        { Key: 'client_keep_alive.seconds', Value: '3600' },
        { Key: 'access_logs.s3.enabled', Value: 'false' },
      ],
      [groupArn('orders')]: [
        { Key: 'deregistration_delay.timeout_seconds', Value: '37' },
        { Key: 'slow_start.duration_seconds', Value: '30' },
      ],
    },
    tags: {
      [groupArn('orders-next')]: [
        { Key: 'elbv2.k8s.aws/cluster', Value: 'prod' },
        { Key: 'ingress.k8s.aws/stack', Value: 'shop/web-front' },
        { Key: 'ingress.k8s.aws/resource', Value: 'shop/web-front-orders-v2:http' },
      ],
    },
    health: {
      [groupArn('orders')]: [
        target('10.0.0.2', 'draining', 'Target.DeregistrationInProgress'),
        target('10.0.0.1', 'healthy'),
      ],
      [groupArn('orders-next')]: [],
      [groupArn('billing')]: [
        { Target: { Id: 'i-0abc', Port: 32_769 }, TargetHealth: { State: 'unhealthy', Reason: 'Target.Timeout' } },
      ],
      [groupArn('retired')]: [target('10.0.0.9', 'unused', 'Target.NotInUse')],
    },
    interfaces: [
      {
        description: 'ELB app/shop-1/50dc6c495c0c9188',
        privateIpAddress: '10.0.0.50',
        association: { publicIp: '198.51.100.7' },
      },
      {
        description: 'ELB app/shop-1/50dc6c495c0c9188',
        privateIpAddress: '10.0.1.50',
        association: { publicIp: '198.51.100.8' },
      },
      {
        description: 'ELB app/shop-1/50dc6c495c0c9188',
        privateIpAddress: '10.0.2.50',
        ipv6AddressesSet: [{ ipv6Address: '2001:db8::7' }],
      },
      { description: 'ELB app/other/1', privateIpAddress: '10.0.9.9' },
    ],
    services: [
      service('orders', 'orders'),
      service('billing', 'billing'),
      service('worker', 'none', { loadBalancers: [] }),
    ],
    tasks: [
      task('a1', '10.0.0.1'),
      task('a2', '10.0.0.2', {
        desiredStatus: 'STOPPED',
        lastStatus: 'STOPPED',
        stoppingAt: 1_796_000_200.25,
        stoppedAt: 1_796_000_231,
        stopCode: 'ServiceSchedulerInitiated',
      }),
      task('a3', '10.0.0.3', { desiredStatus: 'STOPPED', lastStatus: 'DEACTIVATING', stoppingAt: 1_796_000_300 }),
      task('a4', '', { lastStatus: 'PROVISIONING', attachments: [], containers: [] }),
      bridgeTask('b1'),
      task('n1', '10.0.0.7', {
        group: 'family:nightly',
        startedBy: 'events-rule/shop-nightly',
        createdAt: 1_796_000_400,
      }),
      task('n2', '10.0.0.8', {
        group: 'family:nightly',
        startedBy: 'chronos-schedule/shop-invoices-of-the-month',
        lastStatus: 'STOPPED',
        desiredStatus: 'STOPPED',
        createdAt: 1_796_000_100,
      }),
    ],
    instances: [
      { containerInstanceArn: `arn:aws:ecs:${account}:container-instance/shop/ci-1`, ec2InstanceId: 'i-0abc' },
    ],
    eventRules: [
      { Name: 'shop-nightly', State: 'ENABLED', ScheduleExpression: 'cron(0 2 * * ? *)' },
      {
        Name: 'shop-audit',
        State: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS',
        ScheduleExpression: 'rate(7 minutes)',
      },
      { Name: 'shop-upload', State: 'ENABLED', EventPattern: '{}' },
      { Name: 'shop-off', State: 'DISABLED', ScheduleExpression: 'rate(1 hour)' },
    ],
    schedules: [
      schedule('shop-invoices-of-the-month', 'default', { ScheduleExpressionTimezone: 'Europe/Berlin' }),
      schedule('hourly', 'reports', { State: 'DISABLED' }),
      schedule('elsewhere', 'default', { Target: { Arn: 'arn:aws:lambda:x' } }),
    ],
  };
}

export function schedule(
  Name: string,
  GroupName: string,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    Arn: `arn:aws:scheduler:${account}:schedule/${GroupName}/${Name}`,
    Name,
    GroupName,
    State: 'ENABLED',
    ScheduleExpression: 'cron(30 3 1 * ? *)',
    LastModificationDate: 1_796_000_000,
    Target: { Arn: clusterArn },
    ...more,
  };
}
