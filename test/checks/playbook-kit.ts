/** Facts for a playbook, built from the little that a test is about: by default the switchover is over, and all is well. */
import type { Asked } from '../../src/checks/facts.ts';
import { checkStep, stepsOf, type StepResult } from '../../src/checks/playbook.ts';
import type { AwsFacts, KubernetesFacts, PlatformFacts, PlaybookFacts } from '../../src/checks/playbook-facts.ts';
import type { JobReading, Reading } from '../../src/checks/playbook-readings.ts';
import type { LoadBalancerSeen, PlatformFact, ScheduleSeen, TargetSeen, TrafficSeen } from '../../src/core/platform.ts';
import type { Scenario, Side } from '../../src/core/scenario.ts';
import { agedOut, asked, factsOf, hostname, nameFacts, newAddress, nowMs, oldAddress, scenarioOf } from './kit.ts';

export const minuteMs = 60_000;

const sides = `sides:
  old: { title: ALB/ECS, addresses: ["${oldAddress}"], marker: { x-served-by: ecs }, aws: { loadBalancer: shop-1, ecs: { cluster: shop } } }
  new: { title: nginx/EKS, addresses: ["${newAddress}"], marker: { x-served-by: eks }, kubernetes: { namespace: shop } }`;

export function playbookScenario(more = 'change: { ttlS: 60 }'): Scenario {
  return scenarioOf(more, sides);
}

export function told<T>(value: T): { readonly kind: 'told'; readonly value: T } {
  return { kind: 'told', value };
}

export function notTold(why: string): { readonly kind: 'not-told'; readonly why: string } {
  return { kind: 'not-told', why };
}

export function loadBalancer(over: Partial<LoadBalancerSeen> = {}): LoadBalancerSeen {
  return {
    arn: 'arn:shop-1',
    name: 'shop-1',
    dnsName: 'shop-1.elb.test',
    kind: 'application',
    clientKeepAliveS: 60,
    idleTimeoutS: 60,
    addresses: [oldAddress],
    groups: [],
    ...over,
  };
}

export function schedule(over: Partial<ScheduleSeen> = {}): ScheduleSeen {
  return {
    kind: 'cron-job',
    name: 'nightly-report',
    isEnabled: true,
    expression: '7 * * * *',
    timeZone: null,
    activeCount: 0,
    lastRunAtMs: nowMs - 23 * minuteMs,
    startingDeadlineS: null,
    ...over,
  };
}

export const rule: ScheduleSeen = schedule({
  kind: 'event-rule',
  name: 'shop-nightly-report',
  isEnabled: false,
  expression: 'cron(7 * * * ? *)',
});

export function traffic(sums: readonly number[]): readonly TrafficSeen[] {
  return sums.map((sum, i) => ({
    loadBalancer: 'shop-1',
    metric: 'RequestCount',
    periodFromMs: nowMs - (sums.length - i + 3) * minuteMs,
    periodS: 60,
    sum,
    isAssumedZero: sum === 0,
  }));
}

export function awsFacts(over: Partial<AwsFacts> = {}): AwsFacts {
  return {
    loadBalancers: told([loadBalancer()]),
    targets: new Map(),
    rollouts: told([]),
    schedules: told([rule]),
    traffic: told(traffic([0, 0, 0, 0, 0, 0, 0])),
    ...over,
  };
}

export function group(targets: readonly (readonly [zone: string, state: TargetSeen['state']])[]): Partial<AwsFacts> {
  const arn = 'arn:group';
  const groups: LoadBalancerSeen['groups'] = [
    {
      arn,
      name: 'orders',
      targetType: 'ip',
      port: 80,
      vpcId: null,
      rules: [{ hosts: [], paths: [], weightRatio: 1 }],
      deregistrationDelayS: 300,
      slowStartS: 0,
      healthCheck: { intervalS: 10, timeoutS: 5, healthyCount: 2, unhealthyCount: 2 },
      owner: null,
    },
  ];
  return {
    loadBalancers: told([loadBalancer({ groups })]),
    targets: new Map([
      [arn, told(targets.map(([zone, state], i) => ({ id: `10.0.0.${i + 1}`, port: 80, zone, state, reason: '' })))],
    ]),
  };
}

type Endpoint = Extract<PlatformFact, { readonly kind: 'endpoints' }>['endpoints'][number];

export function endpoints(all: readonly Partial<Endpoint>[]): PlatformFact {
  return {
    kind: 'endpoints',
    service: 'shop/orders',
    endpoints: all.map((one, i) => ({
      address: `10.1.0.${i + 1}`,
      instanceId: null,
      ports: [8080],
      name: `orders-${i + 1}`,
      uid: `uid-${i + 1}`,
      isReady: true,
      isServing: true,
      isTerminating: false,
      zone: 'a',
      ...one,
    })),
  };
}

export function rollout(over: Partial<Extract<PlatformFact, { kind: 'rollout' }>['rollout']> = {}): PlatformFact {
  const all = { desiredCount: 3, updatedCount: 3, readyCount: 3, state: 'complete', reason: '' } as const;
  return { kind: 'rollout', rollout: { name: 'orders', revision: '7', ...all, ...over } };
}

export function release(status: string, revisions: readonly number[]): PlatformFact {
  return { kind: 'helm-release', release: { name: 'shop', revision: revisions.at(-1) ?? 0, status, revisions } };
}

export function pod(uid: string, hasTargetHealthGate: boolean): PlatformFact {
  const none = { endsSinceMs: null, owner: 'orders', revision: '7' };
  const workload = { kind: 'pod', name: uid, uid, address: '', state: 'running', isReady: true } as const;
  return { kind: 'workload', workload: { ...workload, ...none, hasTargetHealthGate } };
}

export function binding(targetType: 'ip' | 'instance'): PlatformFact {
  const of = { service: 'shop/orders', servicePort: '80', isMultiCluster: false };
  return { kind: 'binding', binding: { name: 'orders', groupArn: 'arn:group', targetType, ...of } };
}

export const cluster: readonly PlatformFact[] = [
  rollout(),
  endpoints([{ zone: 'a' }, { zone: 'b' }]),
  { kind: 'schedule', schedule: schedule() },
  release('deployed', [6, 7]),
  binding('ip'),
  pod('uid-1', true),
  pod('uid-2', true),
];

export function kubernetes(over: Partial<KubernetesFacts> = {}): KubernetesFacts {
  return { facts: cluster, problems: [], ...over };
}

/** The cluster without the facts of the kinds that are given anew. */
export function clusterWith(...facts: readonly PlatformFact[]): KubernetesFacts {
  const kinds = new Set(facts.map(({ kind }) => kind));
  return kubernetes({ facts: [...cluster.filter(({ kind }) => !kinds.has(kind)), ...facts] });
}

export function clusterWithout(kind: PlatformFact['kind']): KubernetesFacts {
  return kubernetes({ facts: cluster.filter((fact) => fact.kind !== kind) });
}

export function platform(over: Partial<PlatformFacts>): PlatformFacts {
  return { readAtMs: nowMs, aws: null, kubernetes: null, ...over };
}

export function job(over: Partial<JobReading> = {}): JobReading {
  const own = { name: 'nightly-report', isEnabled: true, expression: '7 * * * *', timeZone: null, activeCount: 0 };
  return { ...own, ...over };
}

export function reading(agoS: number, over: Partial<Reading> = {}): Reading {
  return {
    atMs: nowMs - agoS * 1000,
    jobs: { old: null, new: null },
    connectionAgesS: {},
    dns: 'unknown',
    sentCounts: { old: 0, new: 0 },
    ...over,
  };
}

/** Lowered and switched long ago. */
export const readings: readonly Reading[] = [
  reading(9000, { connectionAgesS: { 'old/shop-1': 3600 }, dns: 'old' }),
  reading(8000, { connectionAgesS: { 'old/shop-1': 60 }, dns: 'old' }),
  reading(1000, { dns: 'new' }),
  reading(0, { dns: 'new' }),
];

export function askedOf(side: Side, over: Parameters<typeof asked>[1] = {}): readonly Asked[] {
  const address = side === 'old' ? oldAddress : newAddress;
  const all = asked([`${hostname} 60 A ${address}`], over);
  return all.map((one) => (one.side === 'none' ? one : { ...one, side }));
}

export function switchedName(over: Parameters<typeof nameFacts>[0] = {}): ReturnType<typeof nameFacts> {
  return nameFacts({
    authorities: ['ns-1', 'ns-2'].map((name) => ({ server: name, asked: askedOf('new') })),
    resolvers: [{ server: 'vpc', asked: askedOf('new', { authoritative: false }) }],
    ...over,
  });
}

export interface Over {
  readonly look?: Parameters<typeof factsOf>[0];
  readonly old?: Partial<PlatformFacts>;
  readonly new?: Partial<PlatformFacts>;
  readonly readings?: readonly Reading[];
}

export function playbookFacts(over: Over = {}): PlaybookFacts {
  return {
    look: factsOf({ scenario: playbookScenario(), names: [switchedName()], memory: agedOut, ...over.look }),
    sidesReadAtMs: nowMs,
    platforms: {
      old: platform({ aws: awsFacts(), ...over.old }),
      new: platform({ kubernetes: kubernetes(), ...over.new }),
    },
    readings: over.readings ?? readings,
  };
}

/** The same, on the way back. */
export function rollbackFacts(over: Over = {}): PlaybookFacts {
  const facts = playbookFacts(over);
  const { scenario } = facts.look;
  const back = { ...scenario, change: { ...scenario.change, direction: 'new-to-old' as const } };
  return { ...facts, look: { ...facts.look, scenario: back, isRollback: true } };
}

export function stepOf(name: string, facts: PlaybookFacts): StepResult {
  const { scenario, isRollback } = facts.look;
  const step = stepsOf(scenario, isRollback).find((one) => one.name === name);
  if (step === undefined) throw new Error(`there is no step ${name}`);
  return checkStep(facts, step);
}
