/** What a run asks of platforms beside its probes, and what it must be allowed to do for that. */
import type { AwsSpec, KubernetesSpec } from '../core/platform.ts';
import type { Scenario } from '../core/scenario.ts';

type Rows = readonly (readonly string[])[];

/** Rows of who is asked, for what, and by which permissions. */
export function platformRows({ route53, sides }: Scenario): Rows {
  return [
    ...(route53 === undefined ? [] : route53Rows(route53)),
    ...[sides.old, sides.new].flatMap(({ side, aws, kubernetes }) => [
      ...(aws === undefined ? [] : awsRows(`AWS, ${side} side`, aws)),
      ...(kubernetes === undefined ? [] : kubernetesRows(`Kubernetes, ${side} side`, kubernetes)),
    ]),
  ];
}

function route53Rows({ profile, zoneId, changeId }: NonNullable<Scenario['route53']>): Rows {
  const zones = zoneId === null ? 'route53:ListHostedZonesByName' : `route53:GetHostedZone of ${zoneId}`;
  return [
    ['Route 53', credentialsOf(profile), `policies of the records: ${zones}, route53:ListResourceRecordSets`],
    ['', '', 'health checks that they have: route53:GetHealthCheck, route53:GetHealthCheckStatus'],
    ['', '', `change ${changeId ?? 'that a mark names'}: route53:GetChange`],
  ];
}

function awsRows(who: string, { profile, loadBalancers, ecs }: AwsSpec): Rows {
  const which = loadBalancers.length === 0 ? "of the side's names" : loadBalancers.join(', ');
  return [
    [who, credentialsOf(profile), `load balancers ${which}: elasticloadbalancing:Describe…`],
    ['', '', 'their addresses and traffic: ec2:DescribeNetworkInterfaces, cloudwatch:GetMetricData'],
    ...(ecs === null ? [] : [['', '', `tasks and schedules of cluster ${ecs.cluster}: ecs:List…, ecs:Describe…`]]),
  ];
}

function kubernetesRows(who: string, { context, namespace }: KubernetesSpec): Rows {
  const whose = context === null ? 'the current context' : `context ${context}`;
  return [
    [who, whose, `namespace ${namespace}: list and watch pods, endpoint slices, deployments, cron jobs, jobs,`],
    ['', '', 'ingresses and target group bindings; never secrets'],
  ];
}

function credentialsOf(profile: string | null): string {
  return profile === null ? 'credentials as the environment has them' : `profile ${profile}`;
}
