/** What an ECS task is as an endpoint of its service and as somebody who has an address; pure. */
import type { Container, Deployment, Service, Task } from '@aws-sdk/client-ecs';
import type { EndpointSeen, RolloutSeen, WorkloadSeen } from '../core/platform.ts';

/** Where a service's tasks are registered: which group, and by which port of which container. */
export interface Registration {
  readonly groupArn: string;
  readonly containerName: string;
  readonly containerPort: number;
}

export function registrationsOf({ loadBalancers = [], taskSets = [] }: Service): readonly Registration[] {
  return [...loadBalancers, ...taskSets.flatMap((set) => set.loadBalancers ?? [])].flatMap((one) =>
    one.targetGroupArn === undefined
      ? []
      : [
          {
            groupArn: one.targetGroupArn,
            containerName: one.containerName ?? '',
            containerPort: one.containerPort ?? 0,
          },
        ],
  );
}

/** `orders` of `service:orders`; null: it was started by nobody's service. */
export function serviceOfTask({ group = '' }: Task): string | null {
  return group.startsWith('service:') ? group.slice('service:'.length) : null;
}

/** ECS's words for a task's life, in the order of it. */
const pendingStatuses = ['PROVISIONING', 'PENDING', 'ACTIVATING'];
const goneStatuses = ['STOPPED', 'DELETED'];

export function stateOfTask({ lastStatus = '', desiredStatus = '' }: Task): WorkloadSeen['state'] {
  if (goneStatuses.includes(lastStatus)) return 'gone';
  if (desiredStatus === 'STOPPED') return 'terminating';
  if (pendingStatuses.includes(lastStatus)) return 'pending';
  return lastStatus === 'RUNNING' ? 'running' : 'terminating';
}

/** Where its definition has no health check, ECS says UNKNOWN for ever: such a task is ready when it runs. */
function isReadyTask(task: Task): boolean {
  return stateOfTask(task) === 'running' && task.healthStatus !== 'UNHEALTHY';
}

/** Of its own network interface (awsvpc); '' in bridge and host mode, where it has that of its instance. */
export function addressOfTask({ attachments = [], containers = [] }: Task): string {
  const details = attachments
    .filter(({ type }) => type === 'ElasticNetworkInterface' || type === 'eni')
    .flatMap((attachment) => attachment.details ?? []);
  const detail = (name: string): string | undefined => details.find((one) => one.name === name)?.value;
  const interfaces = containers.flatMap(({ networkInterfaces = [] }) => networkInterfaces);
  return (
    detail('privateIPv4Address') ??
    interfaces.find(({ privateIpv4Address }) => privateIpv4Address !== undefined)?.privateIpv4Address ??
    detail('privateIPv6Address') ??
    interfaces.find(({ ipv6Address }) => ipv6Address !== undefined)?.ipv6Address ??
    ''
  );
}

/** By ARN of the container instance, the EC2 instance that it is. */
export type Instances = ReadonlyMap<string, string>;

export function workloadOf(task: Task): WorkloadSeen {
  const told = task.stoppingAt ?? task.stoppedAt;
  return {
    kind: 'task',
    name: nameOfTask(task),
    uid: task.taskArn ?? '',
    address: addressOfTask(task),
    state: stateOfTask(task),
    isReady: isReadyTask(task),
    endsSinceMs: told?.getTime() ?? null,
    ...(task.stoppedAt === undefined ? {} : { endedAtMs: task.stoppedAt.getTime() }),
    ...(task.stopCode === undefined ? {} : { endReason: task.stopCode }),
    hasTargetHealthGate: false,
    owner: serviceOfTask(task),
    revision: task.taskDefinitionArn?.replace(/^.*\//, '') ?? null,
  };
}

/** The last part of its ARN. */
function nameOfTask({ taskArn = '' }: Task): string {
  return taskArn.replace(/^.*\//, '');
}

/** null: it has ended, or not yet begun to have an address. */
export function endpointOf(
  task: Task,
  { registrations, instances }: { readonly registrations: readonly Registration[]; readonly instances: Instances },
): EndpointSeen | null {
  const state = stateOfTask(task);
  const address = addressOfTask(task);
  const instanceId = address === '' ? (instances.get(task.containerInstanceArn ?? '') ?? null) : null;
  if (state === 'gone' || (address === '' && instanceId === null)) return null;
  const ports =
    address === '' ? hostPorts(task.containers ?? [], registrations) : registrations.map((one) => one.containerPort);
  return {
    address,
    instanceId,
    ports: [...new Set(ports)].toSorted((a, b) => a - b),
    name: nameOfTask(task),
    uid: task.taskArn ?? '',
    isReady: isReadyTask(task),
    // While it is deregistered its containers run on; they are told to end at STOPPING.
    isServing: task.lastStatus === 'RUNNING' || task.lastStatus === 'DEACTIVATING',
    isTerminating: state === 'terminating',
    zone: task.availabilityZone ?? null,
  };
}

/** Those under which the registered containers are reached on their instance; all of them where nothing is registered. */
function hostPorts(containers: readonly Container[], registrations: readonly Registration[]): readonly number[] {
  const bindings = containers.flatMap(({ name, networkBindings = [] }) =>
    networkBindings.map((one) => ({ ...one, name })),
  );
  return bindings.flatMap(({ name, containerPort, hostPort }) => {
    const isRegistered = registrations.some((one) => one.containerName === name && one.containerPort === containerPort);
    return hostPort !== undefined && (registrations.length === 0 || isRegistered) ? [hostPort] : [];
  });
}

/** Of the newest deployment; those it replaces are in what its tasks are. null: ECS deploys nothing there. */
export function rolloutOf({ serviceName = '', deployments = [] }: Service): RolloutSeen | null {
  const primary = deployments.find(({ status }) => status === 'PRIMARY');
  if (primary === undefined) return null;
  const { id = '', desiredCount = 0, runningCount = 0, pendingCount = 0, rolloutStateReason = '' } = primary;
  return {
    name: serviceName,
    revision: id,
    desiredCount,
    updatedCount: runningCount + pendingCount,
    readyCount: runningCount,
    state: rolloutState(primary, deployments.length === 1),
    reason: rolloutStateReason,
  };
}

/** `rolloutState` is there for rolling updates only. */
function rolloutState(
  { rolloutState: state, desiredCount, runningCount }: Deployment,
  isOnly: boolean,
): RolloutSeen['state'] {
  if (state === 'FAILED') return 'failed';
  if (state !== undefined) return state === 'COMPLETED' ? 'complete' : 'progressing';
  return isOnly && runningCount === desiredCount ? 'complete' : 'progressing';
}
