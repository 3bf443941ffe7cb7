/** `sides.<side>.kubernetes`: what of a cluster is looked at beside the probes, and by whose kubeconfig. */
import type { KubernetesSpec } from '../core/platform.ts';
import type { KubernetesInput } from './input.ts';
import { checkedText, list, map, optional, text } from './leaves.ts';
import type { z } from 'zod';

/** RFC 1123, as the API server wants it: of services and namespaces. */
function labelProblem(example: string): (value: string) => string | null {
  return (value) => {
    if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) return null;
    const [namespace, name, ...rest] = value.split('/');
    const isQualified = namespace !== '' && name !== undefined && name !== '' && rest.length === 0;
    const hint = isQualified ? ` (all are of one namespace: write namespace: ${namespace}, and "${name}" here)` : '';
    return `expected a name such as ${example}: small letters, digits and hyphens${hint}`;
  };
}

/** A CronJob may have dots in its name, and leaves room for what its Jobs append. */
function cronJobProblem(value: string): string | null {
  return /^[a-z0-9](?:[a-z0-9.-]{0,50}[a-z0-9])?$/.test(value)
    ? null
    : 'expected a name such as nightly-report: small letters, digits, dots and hyphens, 52 at most';
}

export const kubernetesInput: z.ZodType<KubernetesInput> = map('a map such as { context: prod, namespace: shop }', {
  kubeconfig: optional(
    text('a path to a kubeconfig'),
    'Path of a kubeconfig, seen from where cutwatch is started; by default KUBECONFIG, else ~/.kube/config, else the cluster that cutwatch runs in.',
  ),
  context: optional(text('the name of a context'), 'Context of the kubeconfig; by default its current one.'),
  namespace: optional(
    checkedText('the name of a namespace', labelProblem('shop')),
    'Namespace that is looked at.',
    'default',
  ),
  services: optional(
    list(checkedText('the name of a service', labelProblem('orders')), 'a list of names of services'),
    'Services whose endpoints are followed; by default all that an Ingress or a TargetGroupBinding of the namespace leads to.',
  ),
  cronJobs: optional(
    list(checkedText('the name of a CronJob', cronJobProblem), 'a list of names of CronJobs'),
    'CronJobs that must not run on both sides at once; by default all of the namespace.',
  ),
});

export function kubernetesOf({ kubeconfig, context, namespace, services, cronJobs }: KubernetesInput): KubernetesSpec {
  return {
    kubeconfig: kubeconfig ?? null,
    context: context ?? null,
    namespace: namespace ?? 'default',
    services: services ?? [],
    cronJobs: cronJobs ?? [],
  };
}
