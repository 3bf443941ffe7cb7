/** What AWS says of a side now, read once by the same readers as the observers': for the playbook and the doctor. */
import type { AwsSpec, ScheduleSeen, TargetSeen, TrafficSeen } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import { newAwsClients } from './aws-clients.ts';
import type { Budget } from './budget.ts';
import { readTraffic } from './cloudwatch.ts';
import { nothingKnown, readEcsEndpoints, type EcsRead } from './ecs.ts';
import { readLoadBalancers, readTargets, type LoadBalancersRead } from './elbv2.ts';
import { readSchedules } from './schedules.ts';
import { readable, type Told } from './told.ts';

export interface AwsReadOptions {
  readonly spec: AwsSpec;
  readonly dnsNames: readonly string[];
  readonly clock: Clock;
  readonly wallNowMs: () => number;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/** null: not asked for, or what it depends on was not told. */
export interface AwsRead {
  readonly loadBalancers: Told<LoadBalancersRead> | null;
  /** By ARN of the group. */
  readonly targets: ReadonlyMap<string, Told<readonly TargetSeen[]>>;
  readonly ecs: Told<EcsRead> | null;
  readonly schedules: Told<readonly ScheduleSeen[]> | null;
  readonly traffic: Told<readonly TrafficSeen[]> | null;
}

export async function readAws({ spec, dnsNames, clock, wallNowMs, budget, signal }: AwsReadOptions): Promise<AwsRead> {
  const clients = newAwsClients({ access: spec, clock, budget });
  try {
    const { ecs: asked } = spec;
    const ecs =
      asked === null
        ? null
        : await readable(() => readEcsEndpoints(clients, { spec: asked, known: nothingKnown() }, signal));
    const ofEcs = ecs?.kind === 'told' ? ecs.value : null;
    const schedules =
      spec.schedules.length === 0 && spec.ecs === null
        ? null
        : await readable(() =>
            readSchedules(
              clients,
              {
                names: spec.schedules,
                cluster: spec.ecs?.cluster ?? null,
                clusterArn: ofEcs?.clusterArn ?? null,
                starts: ofEcs?.starts ?? null,
                known: new Map(),
              },
              signal,
            ),
          );
    const names = spec.loadBalancers;
    const owners = ofEcs?.owners ?? new Map<string, string>();
    const loadBalancers =
      names.length === 0 && dnsNames.length === 0
        ? null
        : await readable(() => readLoadBalancers(clients, { names, dnsNames, owners, known: new Map() }, signal));
    const found = loadBalancers?.kind === 'told' ? loadBalancers.value.loadBalancers : [];
    const targets = new Map<string, Told<readonly TargetSeen[]>>();
    for (const { arn: groupArn, targetType } of found.flatMap(({ groups }) => groups)) {
      if (targetType === 'lambda' || targets.has(groupArn)) continue;
      targets.set(groupArn, await readable(() => readTargets(clients, { groupArn }, signal)));
    }
    const nowMs = wallNowMs();
    const traffic =
      found.length === 0 ? null : await readable(() => readTraffic(clients, { loadBalancers: found, nowMs }, signal));
    return { loadBalancers, targets, ecs, schedules, traffic };
  } finally {
    clients.close();
  }
}
