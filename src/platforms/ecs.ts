/**
 * What ECS says: the tasks of a cluster, those that ended within the last hour too (as long as ECS remembers them), and
 * the deployments of its services. All tasks are read and not only those of the services: who else has an address now, and
 * what a schedule started, is in them.
 */
import type { Service, Task } from '@aws-sdk/client-ecs';
import type { AwsSpec, EndpointSeen, RolloutSeen, WorkloadSeen } from '../core/platform.ts';
import { inBatches, readPages, type AwsClients } from './aws-clients.ts';
import {
  addressOfTask,
  endpointOf,
  registrationsOf,
  rolloutOf,
  serviceOfTask,
  stateOfTask,
  workloadOf,
} from './ecs-tasks.ts';
import { told, type Told } from './told.ts';

type EcsSpec = NonNullable<AwsSpec['ecs']>;
type Ecs = Pick<AwsClients, 'ecs'>;

export interface EcsRead {
  readonly clusterArn: string | null;
  /** By `cluster/service`, those of each. */
  readonly endpoints: ReadonlyMap<string, readonly EndpointSeen[]>;
  readonly workloads: readonly WorkloadSeen[];
  readonly rollouts: readonly { readonly rollout: RolloutSeen; readonly updatedAtMs: number | null }[];
  /** By ARN of the target group, the `cluster/service` whose tasks are registered in it. */
  readonly owners: ReadonlyMap<string, string>;
  /** Of each task, by whom and when it was started; for what schedules start. */
  readonly starts: readonly TaskStart[];
  /** Services that were asked for and are not there; sentences. */
  readonly missing: readonly string[];
}

export interface TaskStart {
  readonly startedBy: string;
  readonly isActive: boolean;
  /** When ECS was asked to start it. */
  readonly createdAtMs: number | null;
}

/** What does not change, from one reading to the next; filled in. */
export interface EcsKnown {
  /** Tasks that have ended, by ARN. */
  readonly ended: Map<string, Task>;
  /** EC2 instances by ARN of the container instance. */
  readonly instances: Map<string, string>;
}

export function nothingKnown(): EcsKnown {
  return { ended: new Map(), instances: new Map() };
}

export async function readEcsEndpoints(
  clients: Ecs,
  { spec, known }: { readonly spec: EcsSpec; readonly known: EcsKnown },
  signal: AbortSignal,
): Promise<Told<EcsRead>> {
  const names = await serviceNames(clients, spec, signal);
  if (names.kind === 'not-told') return names;
  const services = await readServices(clients, { cluster: spec.cluster, names: names.value }, signal);
  if (services.kind === 'not-told') return services;
  const tasks = await readTasks(clients, { cluster: spec.cluster, known }, signal);
  if (tasks.kind === 'not-told') return tasks;
  const instances = await readInstances(clients, { cluster: spec.cluster, tasks: tasks.value, known }, signal);
  if (instances.kind === 'not-told') return instances;

  const cluster = spec.cluster.replace(/^.*\//, '');
  const endpoints = new Map<string, readonly EndpointSeen[]>();
  const owners = new Map<string, string>();
  for (const service of services.value) {
    const name = service.serviceName ?? '';
    const registrations = registrationsOf(service);
    for (const { groupArn } of registrations) owners.set(groupArn, `${cluster}/${name}`);
    endpoints.set(
      `${cluster}/${name}`,
      tasks.value
        .filter((task) => serviceOfTask(task) === name)
        .map((task) => endpointOf(task, { registrations, instances: known.instances }))
        .filter((endpoint) => endpoint !== null),
    );
  }
  return told({
    clusterArn: clusterArnOf(services.value, tasks.value),
    endpoints,
    workloads: tasks.value.map(workloadOf),
    rollouts: services.value.flatMap((service) => {
      const rollout = rolloutOf(service);
      const updatedAt = service.deployments?.find(({ status }) => status === 'PRIMARY')?.updatedAt;
      return rollout === null ? [] : [{ rollout, updatedAtMs: updatedAt?.getTime() ?? null }];
    }),
    owners,
    starts: tasks.value.map((task) => ({
      startedBy: task.startedBy ?? '',
      isActive: stateOfTask(task) !== 'gone',
      createdAtMs: task.createdAt?.getTime() ?? null,
    })),
    missing: spec.services
      .filter((name) => !services.value.some(({ serviceName }) => serviceName === name))
      .map((name) => `there is no service ${name} in the ECS cluster ${cluster}`),
  });
}

async function serviceNames(clients: Ecs, spec: EcsSpec, signal: AbortSignal): Promise<Told<readonly string[]>> {
  if (spec.services.length > 0) return told(spec.services);
  return readPages(
    (nextToken) =>
      clients.ecs.ask(
        'ecs:ListServices',
        (client, options) => client.listServices({ cluster: spec.cluster, nextToken, maxResults: 100 }, options),
        signal,
      ),
    ({ serviceArns }) => serviceArns,
    ({ nextToken }) => nextToken,
  );
}

/** DescribeServices takes no more at once. */
const serviceCountMax = 10;
/** DescribeTasks and DescribeContainerInstances take no more at once. */
const describedCountMax = 100;

async function readServices(
  clients: Ecs,
  { cluster, names }: { readonly cluster: string; readonly names: readonly string[] },
  signal: AbortSignal,
): Promise<Told<readonly Service[]>> {
  const services: Service[] = [];
  for (const batch of inBatches(names, serviceCountMax)) {
    const described = await clients.ecs.ask(
      'ecs:DescribeServices',
      (client, options) => client.describeServices({ cluster, services: [...batch] }, options),
      signal,
    );
    if (described.kind === 'not-told') return described;
    // One that was deleted is shown as INACTIVE for a while.
    services.push(...(described.value.services ?? []).filter(({ status }) => status !== 'INACTIVE'));
  }
  return told(services);
}

/** In the order of ARNs. Tasks that are told to end, and those that have ended, are listed as STOPPED. */
async function readTasks(
  clients: Ecs,
  { cluster, known }: { readonly cluster: string; readonly known: EcsKnown },
  signal: AbortSignal,
): Promise<Told<readonly Task[]>> {
  const arns = new Set<string>();
  for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
    const listed = await readPages(
      (nextToken) =>
        clients.ecs.ask(
          'ecs:ListTasks',
          (client, options) => client.listTasks({ cluster, desiredStatus, nextToken, maxResults: 100 }, options),
          signal,
        ),
      ({ taskArns }) => taskArns,
      ({ nextToken }) => nextToken,
    );
    if (listed.kind === 'not-told') return listed;
    for (const arn of listed.value) arns.add(arn);
  }
  for (const arn of known.ended.keys()) if (!arns.has(arn)) known.ended.delete(arn);

  const tasks = new Map(known.ended);
  for (const batch of inBatches(
    [...arns].filter((arn) => !known.ended.has(arn)),
    describedCountMax,
  )) {
    const described = await clients.ecs.ask(
      'ecs:DescribeTasks',
      (client, options) => client.describeTasks({ cluster, tasks: [...batch] }, options),
      signal,
    );
    if (described.kind === 'not-told') return described;
    for (const task of described.value.tasks ?? []) {
      const { taskArn = '' } = task;
      tasks.set(taskArn, task);
      if (stateOfTask(task) === 'gone') known.ended.set(taskArn, task);
    }
  }
  return told([...tasks.values()].toSorted((a, b) => ((a.taskArn ?? '') < (b.taskArn ?? '') ? -1 : 1)));
}

/** Only tasks without an address of their own (bridge and host mode) are on an instance that matters. */
async function readInstances(
  clients: Ecs,
  { cluster, tasks, known }: { readonly cluster: string; readonly tasks: readonly Task[]; readonly known: EcsKnown },
  signal: AbortSignal,
): Promise<Told<null>> {
  const wanted = tasks.flatMap((task) =>
    stateOfTask(task) === 'gone' || addressOfTask(task) !== '' ? [] : (task.containerInstanceArn ?? []),
  );
  const unknown = [...new Set(wanted)].filter((arn) => !known.instances.has(arn));
  for (const batch of inBatches(unknown, describedCountMax)) {
    const described = await clients.ecs.ask(
      'ecs:DescribeContainerInstances',
      (client, options) => client.describeContainerInstances({ cluster, containerInstances: [...batch] }, options),
      signal,
    );
    if (described.kind === 'not-told') return described;
    for (const { containerInstanceArn, ec2InstanceId } of described.value.containerInstances ?? []) {
      if (containerInstanceArn !== undefined && ec2InstanceId !== undefined) {
        known.instances.set(containerInstanceArn, ec2InstanceId);
      }
    }
  }
  return told(null);
}

function clusterArnOf(services: readonly Service[], tasks: readonly Task[]): string | null {
  return services[0]?.clusterArn ?? tasks[0]?.clusterArn ?? null;
}
