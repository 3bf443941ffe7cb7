/** What a playbook's checks are made from: what a preflight gathers, what the platforms say now, and earlier readings. */
import type {
  LoadBalancerSeen,
  PlatformFact,
  RolloutSeen,
  ScheduleSeen,
  TargetSeen,
  TrafficSeen,
} from '../core/platform.ts';
import type { Side } from '../core/scenario.ts';
import type { Facts } from './facts.ts';
import type { Reading } from './playbook-readings.ts';

/** What was asked for, or why it was not told: then nothing is known. */
export type Read<T> =
  | { readonly kind: 'told'; readonly value: T }
  | { readonly kind: 'not-told'; readonly why: string };

/** null: the scenario does not ask for it. */
export interface AwsFacts {
  readonly loadBalancers: Read<readonly LoadBalancerSeen[]> | null;
  /** By ARN of the group. */
  readonly targets: ReadonlyMap<string, Read<readonly TargetSeen[]>>;
  /** Of ECS services. */
  readonly rollouts: Read<readonly RolloutSeen[]> | null;
  readonly schedules: Read<readonly ScheduleSeen[]> | null;
  readonly traffic: Read<readonly TrafficSeen[]> | null;
}

export interface KubernetesFacts {
  readonly facts: readonly PlatformFact[];
  /** Resources that could not be read. */
  readonly problems: readonly { readonly resource: string; readonly why: string }[];
}

export interface PlatformFacts {
  /** Wall clock, when it had been read. */
  readonly readAtMs: number;
  /** null: the scenario names none. */
  readonly aws: AwsFacts | null;
  readonly kubernetes: KubernetesFacts | null;
}

export interface PlaybookFacts {
  /** With the direction that the playbook has. */
  readonly look: Facts;
  /** Wall clock, when the sides were asked. */
  readonly sidesReadAtMs: number;
  readonly platforms: Readonly<Record<Side, PlatformFacts>>;
  /** In order of time, with this look as the last. */
  readonly readings: readonly Reading[];
}

type FactOf<K extends PlatformFact['kind']> = Extract<PlatformFact, { readonly kind: K }>;

/** All facts of a kind, where all `resources` that they come from could be read. */
export function kubernetesRead<K extends PlatformFact['kind']>(
  { facts, problems }: KubernetesFacts,
  kind: K,
  resources: readonly string[],
): Read<readonly FactOf<K>[]> {
  const whys = problems.filter(({ resource }) => resources.includes(resource)).map(({ why }) => why);
  if (whys.length > 0) return { kind: 'not-told', why: [...new Set(whys)].join('; ') };
  return { kind: 'told', value: facts.filter((fact): fact is FactOf<K> => fact.kind === kind) };
}

/** Jobs that a side starts by the clock, of both its platforms; null: the scenario names nothing that could tell. */
export function schedulesOf({ aws, kubernetes }: PlatformFacts): Read<readonly ScheduleSeen[]> | null {
  const ofKubernetes = kubernetes === null ? null : kubernetesRead(kubernetes, 'schedule', ['cronjobs', 'jobs']);
  return together(
    aws?.schedules ?? null,
    valuesOf(ofKubernetes, ({ schedule }) => schedule),
  );
}

/** Deployments and ECS services of a side; null: the scenario names nothing that could tell. */
export function rolloutsOf({ aws, kubernetes }: PlatformFacts): Read<readonly RolloutSeen[]> | null {
  const ofKubernetes = kubernetes === null ? null : kubernetesRead(kubernetes, 'rollout', ['deployments']);
  return together(
    aws?.rollouts ?? null,
    valuesOf(ofKubernetes, ({ rollout }) => rollout),
  );
}

function valuesOf<F, T>(read: Read<readonly F[]> | null, of: (fact: F) => T): Read<readonly T[]> | null {
  return read?.kind === 'told' ? { kind: 'told', value: read.value.map(of) } : read;
}

/** What one of them did not tell is not known of both. */
function together<T>(a: Read<readonly T[]> | null, b: Read<readonly T[]> | null): Read<readonly T[]> | null {
  if (a === null || b === null) return a ?? b;
  if (a.kind === 'not-told') return a;
  return b.kind === 'not-told' ? b : { kind: 'told', value: [...a.value, ...b.value] };
}
