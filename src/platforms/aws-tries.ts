/**
 * Each permission that a side's `aws` needs, tried once by the call that a run would make. One answer says what the next
 * question is about; where there is none it is about something that does not exist, since AWS says what is not allowed
 * before it says what is not there.
 */
import type { GetMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { AwsSpec } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import type { SdkClient } from './aws-client.ts';
import { newAwsClients, type AwsClients } from './aws-clients.ts';
import type { Budget } from './budget.ts';
import { findLoadBalancers } from './elbv2.ts';
import { awsActionsOf, type SideAction } from './permissions.ts';
import { notTold, told, type Told } from './told.ts';
import { triedOf, tryEach, type Tried } from './tried.ts';

export interface AwsTriesOptions {
  readonly spec: AwsSpec;
  readonly dnsNames: readonly string[];
  readonly clock: Clock;
  /** Wall clock, for CloudWatch. */
  readonly wallNowMs: () => number;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/** In the order of asking; it ends with the first that shows that all others would end in the same way. */
export async function tryAws(options: AwsTriesOptions): Promise<readonly Tried[]> {
  const { spec, dnsNames, clock, budget } = options;
  const clients = newAwsClients({ access: spec, clock, budget });
  const tries = newTries(clients, options);
  try {
    return await tryEach(awsActionsOf(spec, dnsNames), async (action) => {
      const { answer, isInvented } = await tries[action]();
      return triedOf(action, answer, isInvented);
    });
  } finally {
    clients.close();
  }
}

/** `isInvented`: it was about something of our making. */
interface Try {
  readonly answer: Told<unknown>;
  readonly isInvented: boolean;
}

/** Nobody has given anything this name. */
const nobody = 'cutwatch-doctor';
const nobodysId = '0'.repeat(32);

function newTries(
  clients: AwsClients,
  { spec, dnsNames, wallNowMs, signal }: AwsTriesOptions,
): Readonly<Record<SideAction, () => Promise<Try>>> {
  const { elbv2, ec2, ecs, events, scheduler, cloudWatch } = clients;
  const cluster = spec.ecs?.cluster ?? null;
  const schedule = spec.schedules.find((name) => !name.endsWith('*')) ?? null;
  /** What the answers before have shown. */
  let loadBalancer: string | null = null;
  let listener: string | null = null;
  let group: string | null = null;
  let service = spec.ecs?.services[0] ?? null;
  let task: string | null = null;
  let clusterArn = cluster?.startsWith('arn:') === true ? cluster : null;
  let rule = schedule?.includes('/') === false ? schedule : null;

  /** Of the account and region that we know of, as far as we know them. */
  async function inventedArn(client: SdkClient, serviceName: string, path: string): Promise<string> {
    const [, , , , account = nobodysId.slice(0, 12)] = (loadBalancer ?? clusterArn ?? '').split(':');
    const region = await client.config.region();
    return `arn:${partitionOf(region)}:${serviceName}:${region}:${account || nobodysId.slice(0, 12)}:${path}`;
  }
  const elbArn = (client: SdkClient, path: string): Promise<string> =>
    inventedArn(client, 'elasticloadbalancing', path);
  const loadBalancerOr = (client: SdkClient): Promise<string> | string =>
    loadBalancer ?? elbArn(client, `loadbalancer/app/${nobody}/${nobodysId.slice(0, 16)}`);
  const groupOr = (client: SdkClient): Promise<string> | string =>
    group ?? elbArn(client, `targetgroup/${nobody}/${nobodysId.slice(0, 16)}`);

  async function tried<Answer>(
    call: Promise<Told<Answer>>,
    { isInvented = false, found }: { readonly isInvented?: boolean; readonly found?: (answer: Answer) => void } = {},
  ): Promise<Try> {
    const answer = await call;
    if (answer.kind === 'told') found?.(answer.value);
    return { answer, isInvented };
  }

  return {
    'elasticloadbalancing:DescribeLoadBalancers': async () => {
      const selection = await findLoadBalancers(clients, { names: spec.loadBalancers, dnsNames }, signal);
      if (selection.kind === 'not-told') return { answer: selection, isInvented: false };
      const { found, missing } = selection.value;
      loadBalancer = found[0]?.LoadBalancerArn ?? null;
      return { answer: missing.length === 0 ? told(null) : notTold('missing', missing.join('; ')), isInvented: false };
    },
    'elasticloadbalancing:DescribeLoadBalancerAttributes': () =>
      tried(
        elbv2.ask(
          'elasticloadbalancing:DescribeLoadBalancerAttributes',
          async (client, options) =>
            client.describeLoadBalancerAttributes({ LoadBalancerArn: await loadBalancerOr(client) }, options),
          signal,
        ),
        { isInvented: loadBalancer === null },
      ),
    'elasticloadbalancing:DescribeListeners': () =>
      tried(
        elbv2.ask(
          'elasticloadbalancing:DescribeListeners',
          async (client, options) =>
            client.describeListeners({ LoadBalancerArn: await loadBalancerOr(client) }, options),
          signal,
        ),
        {
          isInvented: loadBalancer === null,
          found: ({ Listeners }) => (listener = Listeners?.[0]?.ListenerArn ?? null),
        },
      ),
    'elasticloadbalancing:DescribeRules': () =>
      tried(
        elbv2.ask(
          'elasticloadbalancing:DescribeRules',
          async (client, options) => {
            const invented = `listener/app/${nobody}/${nobodysId.slice(0, 16)}/${nobodysId.slice(0, 16)}`;
            return client.describeRules({ ListenerArn: listener ?? (await elbArn(client, invented)) }, options);
          },
          signal,
        ),
        { isInvented: listener === null },
      ),
    'elasticloadbalancing:DescribeTargetGroups': () =>
      tried(
        elbv2.ask(
          'elasticloadbalancing:DescribeTargetGroups',
          async (client, options) =>
            client.describeTargetGroups({ LoadBalancerArn: await loadBalancerOr(client) }, options),
          signal,
        ),
        {
          isInvented: loadBalancer === null,
          found: ({ TargetGroups }) => (group = TargetGroups?.[0]?.TargetGroupArn ?? null),
        },
      ),
    'elasticloadbalancing:DescribeTargetGroupAttributes': () =>
      tried(
        elbv2.ask(
          'elasticloadbalancing:DescribeTargetGroupAttributes',
          async (client, options) =>
            client.describeTargetGroupAttributes({ TargetGroupArn: await groupOr(client) }, options),
          signal,
        ),
        { isInvented: group === null },
      ),
    'elasticloadbalancing:DescribeTags': () =>
      tried(
        elbv2.ask(
          'elasticloadbalancing:DescribeTags',
          async (client, options) => client.describeTags({ ResourceArns: [await groupOr(client)] }, options),
          signal,
        ),
        { isInvented: group === null },
      ),
    'elasticloadbalancing:DescribeTargetHealth': () =>
      tried(
        elbv2.ask(
          'elasticloadbalancing:DescribeTargetHealth',
          async (client, options) => client.describeTargetHealth({ TargetGroupArn: await groupOr(client) }, options),
          signal,
        ),
        { isInvented: group === null },
      ),
    'ec2:DescribeNetworkInterfaces': () =>
      tried(
        ec2.ask(
          'ec2:DescribeNetworkInterfaces',
          (client, options) =>
            client.describeNetworkInterfaces(
              { Filters: [{ Name: 'description', Values: [`ELB app/${nobody}/${nobodysId}`] }] },
              options,
            ),
          signal,
        ),
      ),
    'cloudwatch:GetMetricData': () =>
      tried(
        cloudWatch.ask(
          'cloudwatch:GetMetricData',
          (client, options) => client.getMetricData(nobodysMinute(wallNowMs()), options),
          signal,
        ),
      ),
    'ecs:ListServices': () =>
      tried(
        ecs.ask(
          'ecs:ListServices',
          (client, options) => client.listServices({ ...of(cluster), maxResults: 1 }, options),
          signal,
        ),
        { found: ({ serviceArns }) => (service = serviceArns?.[0] ?? null) },
      ),
    'ecs:DescribeServices': () =>
      tried(
        ecs.ask(
          'ecs:DescribeServices',
          (client, options) => client.describeServices({ ...of(cluster), services: [service ?? nobody] }, options),
          signal,
        ),
      ),
    'ecs:ListTasks': () =>
      tried(
        ecs.ask(
          'ecs:ListTasks',
          (client, options) => client.listTasks({ ...of(cluster), maxResults: 1 }, options),
          signal,
        ),
        { found: ({ taskArns }) => (task = taskArns?.[0] ?? null) },
      ),
    'ecs:DescribeTasks': () =>
      tried(
        ecs.ask(
          'ecs:DescribeTasks',
          (client, options) => client.describeTasks({ ...of(cluster), tasks: [task ?? nobodysId] }, options),
          signal,
        ),
      ),
    'ecs:DescribeContainerInstances': () =>
      tried(
        ecs.ask(
          'ecs:DescribeContainerInstances',
          (client, options) =>
            client.describeContainerInstances({ ...of(cluster), containerInstances: [nobodysId] }, options),
          signal,
        ),
        // Only the cluster is named by the scenario, and that was asked about before.
        { isInvented: true },
      ),
    'ecs:DescribeClusters': () =>
      tried(
        ecs.ask(
          'ecs:DescribeClusters',
          (client, options) => client.describeClusters({ clusters: [cluster ?? nobody] }, options),
          signal,
        ),
        { found: ({ clusters }) => (clusterArn = clusters?.[0]?.clusterArn ?? null) },
      ),
    'events:ListRuleNamesByTarget': () =>
      tried(
        events.ask(
          'events:ListRuleNamesByTarget',
          async (client, options) => {
            const invented = await inventedArn(client, 'ecs', `cluster/${nobody}`);
            return client.listRuleNamesByTarget({ TargetArn: clusterArn ?? invented, Limit: 1 }, options);
          },
          signal,
        ),
        { isInvented: clusterArn === null, found: ({ RuleNames }) => (rule = RuleNames?.[0] ?? null) },
      ),
    'events:ListRules': () =>
      tried(events.ask('events:ListRules', (client, options) => client.listRules({ Limit: 1 }, options), signal)),
    // A name of the scenario may be that of a rule or of a schedule.
    'events:DescribeRule': () =>
      tried(
        events.ask(
          'events:DescribeRule',
          (client, options) => client.describeRule({ Name: rule ?? nobody }, options),
          signal,
        ),
        { isInvented: true },
      ),
    'scheduler:ListSchedules': () =>
      tried(
        scheduler.ask(
          'scheduler:ListSchedules',
          (client, options) => client.listSchedules({ MaxResults: 1 }, options),
          signal,
        ),
      ),
    'scheduler:GetSchedule': () =>
      tried(
        scheduler.ask(
          'scheduler:GetSchedule',
          (client, options) => {
            const [GroupName, Name] = schedule?.includes('/') === true ? schedule.split('/') : [undefined, schedule];
            return client.getSchedule({ GroupName, Name: Name ?? nobody }, options);
          },
          signal,
        ),
        { isInvented: true },
      ),
  };
}

function nobodysMinute(nowMs: number): GetMetricDataCommandInput {
  const Dimensions = [{ Name: 'LoadBalancer', Value: `app/${nobody}/${nobodysId.slice(0, 16)}` }];
  const Metric = { Namespace: 'AWS/ApplicationELB', MetricName: 'RequestCount', Dimensions };
  return {
    StartTime: new Date(nowMs - 60_000),
    EndTime: new Date(nowMs),
    MetricDataQueries: [{ Id: 'm0', MetricStat: { Metric, Period: 60, Stat: 'Sum' } }],
  };
}

/** Left out where there is none: then it is the default cluster. */
function of(cluster: string | null): { readonly cluster?: string } {
  return cluster === null ? {} : { cluster };
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
