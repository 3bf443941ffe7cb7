/**
 * All that is asked of AWS and Kubernetes, and so all that has to be allowed. Every call names its action, of the type that
 * this table makes, so none can be made that is not in it; `docs/permissions/` is written from it, and `cutwatch doctor`
 * tries what a scenario needs of it. Nothing here changes anything there.
 */
import type { AwsSpec } from '../core/platform.ts';
import type { Route53Spec } from '../core/scenario.ts';
import { helmRevisions, isOptional, kinds, resourcesOf } from './kubernetes-resources.ts';

// ── AWS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A statement of the policy. `resources` with a name in capitals is for whoever uses it to fill in. */
export interface AwsStatement {
  readonly resources: readonly string[];
  /** Which keys of a scenario lead to these calls. */
  readonly neededFor: string;
}

export type AwsSid = (typeof awsActions)[AwsAction];

const anyResource = ['*'];
const side = 'sides.<side>.aws';

/** By Sid. Describe… of Elastic Load Balancing and of EC2, and CloudWatch's metrics, can be limited to no resource. */
export const awsStatements: Readonly<Record<AwsSid, AwsStatement>> = {
  LoadBalancers: { resources: anyResource, neededFor: `${side} (loadBalancer, or dns: addresses)` },
  LoadBalancerAddresses: { resources: anyResource, neededFor: `${side} (loadBalancer, or dns: addresses)` },
  Traffic: { resources: anyResource, neededFor: `${side} (loadBalancer, or dns: addresses)` },
  Tasks: { resources: anyResource, neededFor: `${side}.ecs` },
  Rules: { resources: anyResource, neededFor: `${side}.ecs or ${side}.schedules` },
  Schedules: { resources: anyResource, neededFor: `${side}.ecs or ${side}.schedules` },
  ZonesByName: { resources: anyResource, neededFor: 'route53 without zoneId' },
  Zones: { resources: ['arn:aws:route53:::hostedzone/ZONE_ID'], neededFor: 'route53' },
  HealthChecks: { resources: ['arn:aws:route53:::healthcheck/*'], neededFor: 'route53' },
  Changes: {
    resources: ['arn:aws:route53:::change/*'],
    neededFor: 'route53 (changeId, or a mark that names a change)',
  },
};

/** Each call, and the statement that allows it. */
export const awsActions = {
  'elasticloadbalancing:DescribeLoadBalancers': 'LoadBalancers',
  'elasticloadbalancing:DescribeLoadBalancerAttributes': 'LoadBalancers',
  'elasticloadbalancing:DescribeListeners': 'LoadBalancers',
  'elasticloadbalancing:DescribeRules': 'LoadBalancers',
  'elasticloadbalancing:DescribeTargetGroups': 'LoadBalancers',
  'elasticloadbalancing:DescribeTargetGroupAttributes': 'LoadBalancers',
  'elasticloadbalancing:DescribeTags': 'LoadBalancers',
  'elasticloadbalancing:DescribeTargetHealth': 'LoadBalancers',
  'ec2:DescribeNetworkInterfaces': 'LoadBalancerAddresses',
  'cloudwatch:GetMetricData': 'Traffic',
  'ecs:ListServices': 'Tasks',
  'ecs:DescribeServices': 'Tasks',
  'ecs:ListTasks': 'Tasks',
  'ecs:DescribeTasks': 'Tasks',
  'ecs:DescribeContainerInstances': 'Tasks',
  'ecs:DescribeClusters': 'Tasks',
  'events:ListRuleNamesByTarget': 'Rules',
  'events:ListRules': 'Rules',
  'events:DescribeRule': 'Rules',
  'scheduler:ListSchedules': 'Schedules',
  'scheduler:GetSchedule': 'Schedules',
  'route53:ListHostedZonesByName': 'ZonesByName',
  'route53:GetHostedZone': 'Zones',
  'route53:ListResourceRecordSets': 'Zones',
  'route53:GetHealthCheck': 'HealthChecks',
  'route53:GetHealthCheckStatus': 'HealthChecks',
  'route53:GetChange': 'Changes',
} as const;

export type AwsAction = keyof typeof awsActions;
export type Route53Action = Extract<AwsAction, `route53:${string}`>;
export type SideAction = Exclude<AwsAction, Route53Action>;

export function actionsOfStatement(sid: AwsSid): readonly AwsAction[] {
  return (Object.keys(awsActions) as AwsAction[]).filter((action) => awsActions[action] === sid);
}

/** What a side's `aws` leads to; `dnsNames` are those among its addresses. */
export function awsActionsOf(spec: AwsSpec, dnsNames: readonly string[]): readonly SideAction[] {
  const hasLoadBalancers = spec.loadBalancers.length > 0 || dnsNames.length > 0;
  const { ecs, schedules } = spec;
  return [
    ...(hasLoadBalancers ? loadBalancerActions : []),
    ...(ecs === null ? [] : ecsActionsOf(ecs, schedules)),
    ...(schedules.length > 0 ? namedActionsOf(schedules) : ecs === null ? [] : scheduleActionsOfCluster),
  ];
}

const loadBalancerActions: readonly SideAction[] = [
  'elasticloadbalancing:DescribeLoadBalancers',
  'elasticloadbalancing:DescribeLoadBalancerAttributes',
  'elasticloadbalancing:DescribeListeners',
  'elasticloadbalancing:DescribeRules',
  'elasticloadbalancing:DescribeTargetGroups',
  'elasticloadbalancing:DescribeTargetGroupAttributes',
  'elasticloadbalancing:DescribeTags',
  'elasticloadbalancing:DescribeTargetHealth',
  'ec2:DescribeNetworkInterfaces',
  'cloudwatch:GetMetricData',
];

/** Services that are named need not be listed; the cluster's ARN is asked for only where schedules are found by it. */
function ecsActionsOf(
  { cluster, services }: NonNullable<AwsSpec['ecs']>,
  schedules: readonly string[],
): readonly SideAction[] {
  const isArnNeeded = schedules.length === 0 && !cluster.startsWith('arn:');
  return [
    ...(services.length === 0 ? (['ecs:ListServices'] as const) : []),
    'ecs:DescribeServices',
    'ecs:ListTasks',
    'ecs:DescribeTasks',
    'ecs:DescribeContainerInstances',
    ...(isArnNeeded ? (['ecs:DescribeClusters'] as const) : []),
  ];
}

const scheduleActionsOfCluster: readonly SideAction[] = [
  'events:ListRuleNamesByTarget',
  'events:DescribeRule',
  'scheduler:ListSchedules',
  'scheduler:GetSchedule',
];

/** How they begin needs a list; a rule is never in a group. */
function namedActionsOf(names: readonly string[]): readonly SideAction[] {
  const ofRules = names.filter((name) => !name.includes('/'));
  return [
    ...(ofRules.some((name) => name.endsWith('*')) ? (['events:ListRules'] as const) : []),
    ...(ofRules.some((name) => !name.endsWith('*')) ? (['events:DescribeRule'] as const) : []),
    ...(names.some((name) => name.endsWith('*')) ? (['scheduler:ListSchedules'] as const) : []),
    'scheduler:GetSchedule',
  ];
}

export function route53ActionsOf({ zoneId }: Pick<Route53Spec, 'zoneId'>): readonly Route53Action[] {
  return [
    zoneId === null ? 'route53:ListHostedZonesByName' : 'route53:GetHostedZone',
    'route53:ListResourceRecordSets',
    'route53:GetHealthCheck',
    'route53:GetHealthCheckStatus',
    'route53:GetChange',
  ];
}

// ── Kubernetes ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface KubernetesRule {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly ('list' | 'watch')[];
  /** A cluster may do without it, or those who give permissions; less is known then. */
  readonly isOptional: boolean;
}

/** Of one namespace. */
export const kubernetesRules: readonly KubernetesRule[] = [
  ...kinds.map((kind): KubernetesRule => {
    const { group, name } = resourcesOf('')[kind];
    return { group, resource: name, verbs: ['list', 'watch'], isOptional: isOptional(kind) };
  }),
  { group: helmRevisions('').group, resource: helmRevisions('').name, verbs: ['list'], isOptional: true },
];
