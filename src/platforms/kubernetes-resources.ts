/** Which resources of a namespace are looked at, and what is kept of them. The Role in `docs/permissions/` follows from this. */
import type { BindingSeen, IngressSeen, RolloutSeen, WorkloadSeen } from '../core/platform.ts';
import type { Resource } from './kubernetes-api.ts';
import { helmRevisionSeen, type HelmRevisionSeen } from './kubernetes-helm.ts';
import { bindingSeen, ingressSeen, podSeen, sliceSeen, type SliceSeen } from './kubernetes-objects.ts';
import { rolloutSeen } from './kubernetes-rollout.ts';
import type { NotTold } from './told.ts';
import { cronJobSeen, jobSeen, type CronJobSeen, type JobSeen } from './kubernetes-schedules.ts';

/** What is kept of each. */
export interface Kinds {
  readonly endpointslices: SliceSeen;
  readonly pods: WorkloadSeen;
  readonly deployments: RolloutSeen;
  readonly targetgroupbindings: BindingSeen;
  readonly ingresses: IngressSeen;
  readonly cronjobs: CronJobSeen;
  readonly jobs: JobSeen;
}

export type Kind = keyof Kinds;

export type Resources = { readonly [K in Kind]: Resource<Kinds[K]> };

export function resourcesOf(namespace: string): Resources {
  const resource = <T>(name: string, groupVersion: string, read: Resource<T>['read']): Resource<T> => {
    const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion];
    return { name, group, version, namespace, read };
  };
  return {
    // Read at once, they are told in this order: what decides what a fact is before that fact.
    ingresses: resource('ingresses', 'networking.k8s.io/v1', (object) => ingressSeen(object, namespace)),
    targetgroupbindings: resource('targetgroupbindings', 'elbv2.k8s.aws/v1beta1', (object) =>
      bindingSeen(object, namespace),
    ),
    endpointslices: resource('endpointslices', 'discovery.k8s.io/v1', sliceSeen),
    pods: resource('pods', 'v1', podSeen),
    deployments: resource('deployments', 'apps/v1', rolloutSeen),
    jobs: resource('jobs', 'batch/v1', jobSeen),
    cronjobs: resource('cronjobs', 'batch/v1', cronJobSeen),
  };
}

export const kinds: readonly Kind[] = Object.keys(resourcesOf('')) as Kind[];

/** Without the AWS Load Balancer Controller there are no TargetGroupBindings, and nothing more to see of them. */
export function isOptional(kind: Kind): boolean {
  return kind === 'targetgroupbindings';
}

export function isAbsent(kind: Kind, { reason }: NotTold): boolean {
  return isOptional(kind) && reason === 'missing';
}

/** Needs a permission of its own (to list secrets, of which it gets names and labels), which many will not give. */
export function helmRevisions(namespace: string): Resource<HelmRevisionSeen> {
  return {
    name: 'secrets',
    group: '',
    version: 'v1',
    namespace,
    labelSelector: 'owner=helm',
    isMetadataOnly: true,
    read: helmRevisionSeen,
  };
}
