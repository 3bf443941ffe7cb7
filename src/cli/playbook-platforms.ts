/** What the platforms of both sides say now. Nothing of AWS or Kubernetes is loaded that the scenario does not ask for. */
import type { AwsFacts, KubernetesFacts, PlatformFacts } from '../checks/playbook-facts.ts';
import type { AwsSpec, KubernetesSpec } from '../core/platform.ts';
import type { Clock } from '../core/ports.ts';
import type { Scenario, Side, SideSpec } from '../core/scenario.ts';
import type { AwsRead } from '../platforms/aws-read.ts';
import type { Budget } from '../platforms/budget.ts';
import type { Told } from '../platforms/told.ts';

export interface PlatformPorts {
  readonly clock: Clock;
  readonly wallNowMs: () => number;
  readonly stopSignal: AbortSignal;
  /** Of AWS; beside a run, which asks too, no more than it does. */
  readonly callsPerSecond: number;
}

export function newPlatformReader(ports: PlatformPorts, { sides }: Scenario): (side: Side) => Promise<PlatformFacts> {
  const { clock, wallNowMs, stopSignal: signal } = ports;
  let budget: Budget | null = null;

  async function readAws(spec: AwsSpec, { addresses }: SideSpec): Promise<AwsFacts> {
    const [aws, { newBudget }] = await Promise.all([
      import('../platforms/aws-read.ts'),
      import('../platforms/budget.ts'),
    ]);
    budget ??= newBudget({ clock, random: Math.random, callsPerSecond: ports.callsPerSecond });
    const dnsNames = addresses.flatMap((address) => (address.kind === 'name' ? [address.name] : []));
    return awsFactsOf(await aws.readAws({ spec, dnsNames, clock, wallNowMs, budget, signal }));
  }

  async function readKubernetes(spec: KubernetesSpec): Promise<KubernetesFacts> {
    const reader = await import('../platforms/kubernetes-reading.ts');
    return reader.readKubernetes(spec, { clock, signal });
  }

  return async (side) => {
    const spec = sides[side];
    const [aws, kubernetes] = await Promise.all([
      spec.aws === undefined ? null : readAws(spec.aws, spec),
      spec.kubernetes === undefined ? null : readKubernetes(spec.kubernetes),
    ]);
    return { readAtMs: wallNowMs(), aws, kubernetes };
  };
}

/** What was asked for and is not there is not known, however well the rest is. */
export function awsFactsOf({ loadBalancers, targets, ecs, schedules, traffic }: AwsRead): AwsFacts {
  return {
    loadBalancers: whole(
      loadBalancers,
      ({ unseen, isComplete }) => (isComplete ? [] : unseen),
      (read) => read.loadBalancers,
    ),
    targets,
    rollouts: whole(
      ecs,
      ({ missing }) => missing,
      ({ rollouts }) => rollouts.map(({ rollout }) => rollout),
    ),
    schedules,
    traffic,
  };
}

function whole<T, V>(
  told: Told<T> | null,
  missing: (value: T) => readonly string[],
  of: (value: T) => V,
): Told<V> | null {
  if (told === null || told.kind === 'not-told') return told;
  const whys = missing(told.value);
  return whys.length === 0
    ? { kind: 'told', value: of(told.value) }
    : { kind: 'not-told', reason: 'missing', why: whys.join('; ') };
}
