/** What AWS and Kubernetes say of the model's platforms, as their observers would tell it. */
import type {
  EndpointSeen,
  LoadBalancerSeen,
  RolloutSeen,
  TargetGroupSeen,
  TargetSeen,
  WorkloadSeen,
} from '../core/platform.ts';
import type { Side, SideSpec } from '../core/scenario.ts';
import type { AlbSpec, Setting } from '../core/world.ts';
import type { ReplicaSeen, ServiceSeen } from '../model/world-model.ts';

/** Who says whose tasks or pods are behind a group, and how a service is called there. */
export function ownerOf({ aws, kubernetes }: SideSpec, service: string): string | null {
  if (kubernetes !== undefined) return `${kubernetes.namespace}/${service}`;
  return aws?.ecs === undefined || aws.ecs === null ? null : `${aws.ecs.cluster}/${service}`;
}

export function groupArn(side: Side, service: string): string {
  return `arn:aws:elasticloadbalancing:${regions[side]}:000000000000:targetgroup/${groupName(service)}/${side}`;
}

const regions: Readonly<Record<Side, string>> = { old: 'us-west-1', new: 'us-west-2' };

/** Names of groups have 32 characters at the most. */
function groupName(service: string): string {
  return `${service.slice(0, 29)}-tg`;
}

export function loadBalancerOf(
  spec: SideSpec,
  alb: AlbSpec,
  { services, setting }: { readonly services: readonly ServiceSeen[]; readonly setting: Setting },
): LoadBalancerSeen {
  const { side, aws } = spec;
  const dnsName = setting.loadBalancerNames[side][0] ?? `${side}.elb.amazonaws.com`;
  const name = aws?.loadBalancers[0] ?? dnsName.split('.')[0] ?? side;
  return {
    arn: `arn:aws:elasticloadbalancing:${regions[side]}:000000000000:loadbalancer/app/${name}/${side}`,
    name,
    dnsName,
    kind: 'application',
    clientKeepAliveS: alb.clientKeepAliveS,
    idleTimeoutS: alb.idleTimeoutS,
    addresses: setting.places.sides[side],
    groups: services.map(({ service, hostnames }): TargetGroupSeen => ({
      arn: groupArn(side, service),
      name: groupName(service),
      targetType: 'ip',
      port: 8080,
      vpcId: null,
      rules: [{ hosts: hostnames, paths: [], weightRatio: 1 }],
      deregistrationDelayS: alb.deregistrationDelayS,
      slowStartS: 0,
      healthCheck: alb.healthCheck,
      owner: ownerOf(spec, service),
    })),
  };
}

/** The order is that of addresses, so that the same targets are the same fact. */
export function targetsOf({ replicas }: ServiceSeen): readonly TargetSeen[] {
  return replicas
    .flatMap(({ target, health }): TargetSeen[] => {
      if (health === null) return [];
      return [{ ...placeOf(target), zone: null, state: health, reason: reasons[health] }];
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const reasons = {
  initial: 'Elb.InitialHealthChecking',
  healthy: '',
  unhealthy: 'Target.FailedHealthChecks',
  draining: 'Target.DeregistrationInProgress',
} as const;

function placeOf(target: string): { readonly id: string; readonly port: number } {
  const [id = '', port = ''] = target.split(':');
  return { id, port: Number(port) };
}

/** Of an ended pod nothing is left; of one that has not begun, there is no address yet. */
export function endpointsOf({ service, replicas }: ServiceSeen): readonly EndpointSeen[] {
  return replicas
    .filter(({ state }) => state === 'ready' || state === 'terminating')
    .map(({ target, state }): EndpointSeen => {
      const { id, port } = placeOf(target);
      return {
        address: id,
        instanceId: null,
        ports: [port],
        name: replicaName(service, target),
        uid: target,
        isReady: state === 'ready',
        isServing: true,
        isTerminating: state === 'terminating',
        zone: null,
      };
    })
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

/** No address is given twice in a world, so that its last two numbers name the pod. */
function replicaName(service: string, target: string): string {
  return `${service}-${placeOf(target).id.split('.').slice(2).join('-')}`;
}

const workloadStates = { starting: 'pending', ready: 'running', terminating: 'terminating', gone: 'gone' } as const;

export function workloadOf(
  { service }: ServiceSeen,
  { target, state }: ReplicaSeen,
  about: { readonly kind: WorkloadSeen['kind']; readonly revision: string; readonly endsSinceMs: number | null },
): WorkloadSeen {
  return {
    ...about,
    name: replicaName(service, target),
    uid: target,
    address: state === 'starting' ? '' : placeOf(target).id,
    state: workloadStates[state],
    isReady: state === 'ready',
    hasTargetHealthGate: false,
    owner: service,
  };
}

/** @param updated those of the rollout that is under way, or was the last */
export function rolloutOf(
  { service, replicas }: ServiceSeen,
  about: { readonly revision: string; readonly desiredCount: number; readonly updated: ReadonlySet<string> },
): RolloutSeen {
  const updated = replicas.filter(({ target, state }) => about.updated.has(target) && state !== 'gone');
  const readyCount = replicas.filter(({ state }) => state === 'ready').length;
  const isComplete =
    updated.filter(({ state }) => state === 'ready').length >= about.desiredCount && readyCount === about.desiredCount;
  return {
    name: service,
    revision: about.revision,
    desiredCount: about.desiredCount,
    updatedCount: updated.length,
    readyCount,
    state: isComplete ? 'complete' : 'progressing',
    reason: isComplete ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
  };
}
