/** `sides.<side>.aws`: what of AWS is looked at beside the probes, and by whose credentials. */
import type { AwsInput } from './input.ts';
import { checkedText, list, map, optional, text } from './leaves.ts';
import { z } from 'zod';

/** Of 32 letters, digits and hyphens: what else is in it is an ARN or a DNS name. */
const loadBalancer = (): z.ZodString => checkedText('the name of a load balancer', loadBalancerProblem);

function loadBalancerProblem(value: string): string | null {
  if (value.startsWith('arn:')) return 'expected the name of a load balancer, not its ARN: it is after app/ in there';
  return /^[A-Za-z0-9-]{1,32}$/.test(value)
    ? null
    : 'expected the name of a load balancer, such as shop-1 (its DNS name stands in addresses, as "dns:…")';
}

export function regionProblem(value: string): string | null {
  return /^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(value) ? null : 'expected a region such as us-west-1';
}

function scheduleProblem(value: string): string | null {
  return /^(?:[\w.-]+\/)?[\w.-]*\*?$/.test(value)
    ? null
    : 'expected the name of a rule or schedule (group/name where it has a group), or how they begin and *';
}

export const awsInput: z.ZodType<AwsInput> = map('a map such as { region: us-west-1, loadBalancer: shop-1 }', {
  region: optional(
    checkedText('a region such as us-west-1', regionProblem),
    'AWS region; by default that of the profile or the environment.',
  ),
  profile: optional(
    text('the name of a profile'),
    'Profile of the AWS configuration files; by default as the environment says.',
  ),
  loadBalancer: optional(
    z.union([loadBalancer(), list(loadBalancer(), 'a list of names of load balancers')], {
      error: 'expected the name of a load balancer, or a list of names',
    }),
    'Its load balancers, by name; by default those whose DNS names are among addresses.',
  ),
  ecs: optional(
    map('a map such as { cluster: shop, services: [orders] }', {
      cluster: text('the name of a cluster').meta({ description: 'Name or ARN of the ECS cluster.' }),
      services: optional(
        list(text('the name of a service'), 'a list of names of services'),
        'Its services; by default all of the cluster.',
      ),
    }),
    'Tasks behind the load balancers, deployments, and who runs scheduled jobs.',
  ),
  schedules: optional(
    list(checkedText('the name of a rule or schedule', scheduleProblem), 'a list of names'),
    'EventBridge rules and Scheduler schedules that start jobs, by name, * at the end for all that begin so; by default those that start tasks in the cluster.',
  ),
});
