import { newRandom } from '../../src/core/random.ts';
import type { Side } from '../../src/core/scenario.ts';
import { nsPerS, sToNs } from '../../src/core/time.ts';
import type { Condition, TruthEntry } from '../../src/core/truth.ts';
import type { AlbSpec, IngressNginxSpec, PlatformSpec, ReplicaSpec, Setting } from '../../src/core/world.ts';
import type { PlatformStep } from '../../src/model/in-force.ts';
import { newPlatform } from '../../src/model/platform.ts';
import { newReplica, type Replica } from '../../src/model/replicas.ts';
import type { Arrival, Platform, Served } from '../../src/model/world-model.ts';

export const replicaSpec: ReplicaSpec = {
  startS: 7,
  preStopS: 0,
  exitS: 2,
  whenGone: 'silent',
  serviceMs: 23,
  server: 'gunicorn',
};

export const albSpec: AlbSpec = {
  kind: 'alb',
  addressCount: 2,
  rttMs: 9,
  replicaCount: 3,
  replica: replicaSpec,
  healthCheck: { intervalS: 15, timeoutS: 5, healthyCount: 2, unhealthyCount: 2 },
  deregistrationDelayS: 300,
  idleTimeoutS: 60,
  clientKeepAliveS: 3600,
  controllerLagS: 3,
};

export const nginxSpec: IngressNginxSpec = {
  kind: 'ingress-nginx',
  addressCount: 2,
  rttMs: 9,
  replicaCount: 3,
  replica: replicaSpec,
  endpointLagS: 3,
  connectTimeoutS: 5,
  tryCountMax: 3,
  keepAliveTimeoutS: 75,
  keepAliveRequestCount: 1000,
};

export const addresses: Readonly<Record<Side, readonly string[]>> = {
  old: ['127.0.1.1', '127.0.1.2'],
  new: ['127.0.2.1', '127.0.2.2'],
};

export function settingOf(services: readonly string[] = ['orders']): Setting {
  return {
    sites: services.map((service) => ({
      service,
      hostname: `${service}.shop.test`,
      answers: {
        '/ready': { status: 200, headers: [['Content-Type', 'text/plain']], body: 'ready\n' },
        '/made?n=1': { status: 201, headers: [], body: '' },
      },
    })),
    loadBalancerNames: { old: ['shop.elb.test'], new: ['k8s.elb.test'] },
    markers: { old: [['X-Served-By', 'ecs']], new: [['X-Served-By', 'eks']] },
    referenceHostnames: [],
    places: { sides: addresses, nameServers: {}, resolvers: {}, references: {} },
  };
}

export interface Stage {
  readonly platform: Platform;
  readonly entries: readonly TruthEntry[];
}

export function newStage(
  spec: PlatformSpec,
  {
    side = 'old',
    seed = 1,
    services,
  }: { readonly side?: Side; readonly seed?: number; readonly services?: readonly string[] } = {},
): Stage {
  const entries: TruthEntry[] = [];
  const platform = newPlatform({
    side,
    spec,
    setting: settingOf(services),
    random: newRandom(seed, 'platform'),
    record: (entry) => void entries.push(entry),
  });
  return { platform, entries };
}

export function begin(platform: Platform, step: PlatformStep, atS: number): void {
  platform.act({ step, isEnd: false }, sToNs(atS));
}

export function end(platform: Platform, step: PlatformStep, atS: number): void {
  platform.act({ step, isEnd: true }, sToNs(atS));
}

export function ask(platform: Platform, atS: number, over: Partial<Arrival> = {}): Served {
  const atNs = sToNs(atS);
  return platform.serve({
    atNs,
    held: { address: '127.0.1.1', openedAtNs: atNs, requestCount: 0 },
    hostname: 'orders.shop.test',
    method: 'GET',
    path: '/ready',
    userAgent: 'cutwatch',
    trace: null,
    ...over,
  });
}

/** `200`, or what else became of it, and after how many ms. */
export function outcome(served: Served): string {
  if (served.kind === 'silent') return 'silent';
  return `${served.kind === 'answered' ? served.status : served.kind} after ${Math.floor(served.afterNs / 1e6)} ms`;
}

/** Each condition of an address for as long as it lasted, from `fromS` on. */
export function conditionsUntil(
  platform: Platform,
  { fromS = 0, untilS, address = '127.0.1.1' }: { fromS?: number; untilS: number; address?: string },
): readonly { readonly atS: number; readonly condition: Condition }[] {
  const all: { atS: number; condition: Condition }[] = [];
  for (let atNs: number | null = sToNs(fromS); atNs !== null && atNs <= sToNs(untilS); atNs = platform.nextEventNs()) {
    platform.advance(atNs);
    const condition = platform.condition(address, 'orders.shop.test', atNs);
    if (JSON.stringify(condition) !== JSON.stringify(all.at(-1)?.condition))
      all.push({ atS: atNs / nsPerS, condition });
  }
  return all;
}

/** One for each letter: g serves, r is terminating and its port closed, s has gone and is silent. */
export function replicasOf(letters: string): readonly Replica[] {
  return letters.split('').map((letter, i) => {
    const replica = newReplica(`10.0.0.${i + 1}:8080`, replicaSpec);
    replica.isServing = letter === 'g';
    replica.state = letter === 'g' ? 'ready' : letter === 'r' ? 'terminating' : 'gone';
    return replica;
  });
}
