/**
 * From a seed, a scenario and its world: a cutover of ordinary make and up to three things that go wrong in it, at any
 * time and for any length, some so short that they fall between two probes. Phases are short, so that a sweep is too.
 */
import { newRandom } from '../../src/core/random.ts';

type Json = Readonly<Record<string, unknown>>;
type SideName = 'old' | 'new';

export interface Draw {
  /** In [from, to), rounded so that it does not divide evenly. */
  between(from: number, to: number): number;
  whole(from: number, to: number): number;
  /** Evenly over orders of magnitude. */
  scale(from: number, to: number): number;
  of<T>(values: readonly T[]): T;
  is(ratio: number): boolean;
}

export function newDraw(seed: number, label: string): Draw {
  const random = newRandom(seed, label);
  const between = (from: number, to: number): number => Math.round((from + random() * (to - from)) * 1000) / 1000;
  return {
    between,
    whole: (from, to) => from + Math.floor(random() * (to - from + 1)),
    scale: (from, to) => Math.round(from * (to / from) ** random() * 1000) / 1000,
    of: (values) => values[Math.floor(random() * values.length)] as (typeof values)[number],
    is: (ratio) => random() < ratio,
  };
}

/** What faults may name. */
interface Stage {
  readonly services: readonly string[];
  readonly resolvers: readonly string[];
  readonly nameServers: readonly string[];
  readonly sides: Readonly<Record<SideName, { readonly kind: string; readonly addresses: number }>>;
  readonly isTls: boolean;
  readonly isAlias: boolean;
  readonly via: Via;
  readonly baselineS: number;
  readonly ttlS: number;
}

type Via = 'dns' | 'weights' | 'deploy';

/** Scenario text; JSON is YAML. */
export function randomWorld(seed: number): string {
  const draw = newDraw(seed, 'world');
  const via: Via = draw.is(0.8) ? 'dns' : draw.of(['weights', 'deploy']);
  const isTls = draw.is(0.35);
  const services = draw.is(0.3) ? ['orders', 'billing'] : ['orders'];
  const resolvers = draw.is(0.4) ? ['vpc', 'isp'] : ['vpc'];
  const record = via === 'weights' ? 'weighted' : draw.of(['address', 'address', 'cname', 'alias', 'failover']);
  const ttlS = record === 'alias' ? 60 : draw.whole(3, 40);
  const nameServers = Array.from({ length: draw.whole(1, 3) }, (_, i) => ({
    name: `ns-${String(i + 1)}`,
    lagS: draw.is(0.25) ? draw.between(0.3, 17) : 0,
  }));
  const platforms = {
    old: platform(draw, 'alb'),
    new: platform(draw, draw.of(['ingress-nginx', 'ingress-nginx', 'alb'])),
  };
  const baselineS = draw.between(19, 27);
  const stage: Stage = {
    services,
    resolvers,
    nameServers: nameServers.map(({ name }) => name),
    sides: platforms,
    isTls,
    isAlias: record === 'alias',
    via,
    baselineS,
    ttlS,
  };
  // A draw of its own: what is seen of a world changes nothing of what happens in it.
  const observed = newDraw(seed, 'observers');
  return JSON.stringify({
    name: `world-${String(seed)}`,
    defaults: { ratePerSecond: draw.of([2.1, 2.3, 2.9, 3.1, 3.7, 4.3, 5.3, 6.1, 6.7]) },
    services: services.map((name) => ({
      name,
      url: `${isTls ? 'https' : 'http'}://${name}.shop.example/ready`,
      resolvers: draw.is(0.5) ? resolvers : resolvers.slice(0, 1),
    })),
    sides: {
      old: {
        title: 'old',
        addresses: ['dns:shop-1.us-west-1.elb.amazonaws.com'],
        marker: { 'x-served-by': 'old' },
        ...(observed.is(0.6) ? { aws: { ecs: { cluster: 'shop' } } } : {}),
      },
      new: {
        title: 'new',
        addresses: ['dns:k8s-shop.us-west-2.elb.amazonaws.com'],
        marker: { 'x-served-by': 'new' },
        ...(observed.is(0.6) ? { aws: {}, kubernetes: { namespace: 'shop' } } : {}),
      },
    },
    resolvers: resolvers.map((name, i) => ({ name, address: `10.0.0.${String(i + 2)}:53` })),
    clients: { ...clients(draw), ...heldSessions(newDraw(seed, 'held sessions')) },
    ...(draw.is(0.6) ? { references: ['https://status.example/ping', 'https://other.example/'] } : {}),
    change: {
      via,
      baselineS,
      convergenceTimeoutS: 60 + 2 * ttlS,
      tailS: draw.between(26, 34),
      ...(record === 'alias' ? {} : { ttlS }),
    },
    world: {
      seed,
      zone: {
        record,
        nameServers,
        ...(record === 'alias' ? {} : { ttlS }),
        ...(record === 'failover' ? { healthCheck: healthCheck(newDraw(seed, 'health checks of records')) } : {}),
      },
      resolvers: Object.fromEntries(resolvers.map((name) => [name, conduct(draw)])),
      ...platforms,
      script: [...change(draw, stage), ...faults(newDraw(seed, 'faults'), stage)],
    },
  });
}

function platform(draw: Draw, kind: string): Json & { readonly kind: string; readonly addresses: number } {
  return {
    kind,
    addresses: draw.of([1, 2, 2, 3]),
    rttMs: draw.scale(2, 90),
    replicas: draw.whole(1, 4),
    replica: {
      startS: draw.between(0.5, 6),
      preStopS: draw.is(0.5) ? draw.between(1, 8) : 0,
      exitS: draw.between(0.2, 3),
      whenGone: draw.of(['silent', 'refused']),
      serviceMs: draw.scale(3, 250),
    },
    ...(kind === 'alb'
      ? {
          healthCheck: draw.of(['controller', { intervalS: 5, timeoutS: 2, healthyCount: 2, unhealthyCount: 2 }]),
          controllerLagS: draw.between(0.2, 4),
          clientKeepAliveS: draw.of([60, 300, 3600]),
        }
      : { endpointLagS: draw.between(0.2, 4), keepAliveRequestCount: draw.of([100, 1000]) }),
  };
}

/** With Route 53's defaults, 30 s and 3 in a row, hardly any fault lasts long enough here. */
function healthCheck(draw: Draw): Json {
  return { intervalS: draw.of([10, 10, 30]), failureCount: draw.whole(1, 3) };
}

function conduct(draw: Draw): Json | string {
  if (draw.is(0.6)) return draw.of(['honest', 'unbound', 'bind9', 'dnsmasq', 'coredns', 'vpc', 'knot']);
  return {
    ...(draw.is(0.4) ? { minTtlS: draw.whole(5, 60) } : {}),
    ...(draw.is(0.3) ? { maxTtlS: 300 } : {}),
    caches: draw.of([1, 1, 2, 4]),
    prefetch: draw.of(['never', 'last-tenth', 'last-2-s']),
    serveStale: draw.of(['never', 'unreachable', 'always']),
    countsDown: !draw.is(0.1),
    latencyMs: draw.scale(1, 30),
  };
}

/** Of our own making, beside the presets; no preset may have such a name. */
const kinds: Readonly<Record<string, Json>> = {
  'my-spread': { choose: 'round-robin' },
  'my-stubborn': { choose: 'next-on-failure', connect: { kind: 'keep-alive', idleS: 60, maxAgeS: 9 } },
  'my-ttl': { resolve: { kind: 'ttl' } },
  'my-eager': { choose: 'happy-eyeballs', connect: { kind: 'keep-alive', maxRequests: 7 } },
  'my-fixed': { resolve: { kind: 'fixed', s: 11, graceS: 3 } },
  'my-channel': { resolve: { kind: 'on-break', minS: 10 }, connect: 'http2' },
  'my-mesh': { resolve: { kind: 'refresh', s: 5 }, connect: { kind: 'keep-alive', idleS: 30 } },
};

function clients(draw: Draw): Json {
  const more = ['keep-alive', 'jvm-30', 'jvm-forever', 'chrome', ...Object.keys(kinds)];
  const names = new Set(['fresh', ...Array.from({ length: draw.whole(0, 3) }, () => draw.of(more))]);
  return Object.fromEntries(
    [...names].map((name) => {
      const kind = kinds[name];
      return [name, kind === undefined ? 1 : { weight: 1, ...kind }];
    }),
  );
}

/** A draw of its own, so that the other worlds are what they were. */
function heldSessions(draw: Draw): Json {
  if (!draw.is(0.35)) return {};
  return { 'my-feed': { weight: 1, connect: { kind: 'held', maxAgeS: draw.of([0, 0, 0, 31]) } } };
}

// ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────────

function change(draw: Draw, { via, isAlias, ttlS }: Stage): readonly Json[] {
  switch (via) {
    case 'weights':
      return [
        { afterChangeS: 0, do: 'shift-weights', newRatio: draw.of([0.1, 0.3, 1]) },
        { afterChangeS: draw.between(5, 12), do: 'shift-weights', newRatio: 1 },
      ];
    case 'deploy':
      return [{ afterChangeS: 0, do: 'deploy', side: 'old', ...deregisters(draw) }];
    case 'dns': {
      const lowered =
        draw.is(0.2) && !isAlias ? [{ atS: draw.between(1, 6), do: 'lower-ttl', ttlS: Math.max(1, ttlS >> 1) }] : [];
      const how = draw.is(0.08)
        ? { afterChangeS: 0, do: 'delete-and-create-record', to: 'new', gapS: draw.scale(0.3, 9) }
        : { afterChangeS: 0, do: 'switch-dns', to: 'new' };
      const back = draw.is(0.08) ? [{ afterChangeS: draw.between(8, 40), do: 'switch-dns', to: 'old' }] : [];
      return [...lowered, how, ...back];
    }
  }
}

function deregisters(draw: Draw): Json {
  const deregistered = draw.of(['in-time', 'in-time', 'late', 'never']);
  return { deregisters: deregistered, ...(deregistered === 'late' ? { lateS: draw.between(2, 20) } : {}) };
}

function faults(draw: Draw, stage: Stage): readonly Json[] {
  const count = draw.of([0, 0, 1, 1, 1, 2, 2, 3]);
  return Array.from({ length: count }, () => fault(draw, stage));
}

/** Some fall between two probes, some are about as long as an objective allows. */
function lengthS(draw: Draw): number {
  if (draw.is(0.3)) return draw.of([draw.between(1.5, 2.5), draw.between(4.3, 5.7)]);
  return draw.scale(0.05, 40);
}

function fault(draw: Draw, stage: Stage): Json {
  const side: SideName = draw.is(0.55) ? 'new' : 'old';
  const at = draw.is(0.2) ? { atS: draw.between(0, stage.baselineS) } : { afterChangeS: draw.between(0, 50) };
  const lasting = draw.is(0.1) ? {} : { forS: lengthS(draw) };
  const ofServices = stage.services.length > 1 && draw.is(0.5) ? { services: [draw.of(stage.services)] } : {};
  const how = draw.of(['refused', 'silent']);
  const common = { ...at, side, ...lasting };
  const makers: readonly (() => Json)[] = [
    () => ({ ...common, do: 'remove-load-balancer', how }),
    () => ({ ...at, do: 'remove-load-balancer', side: 'old', how }),
    () => ({ ...common, do: 'lose-zone', zone: draw.whole(1, stage.sides[side].addresses), how }),
    () => ({ ...common, do: 'lose-targets', ...ofServices }),
    () => ({
      ...common,
      do: 'fail-app',
      ...ofServices,
      status: draw.of([500, 502, 503, 504, 404]),
      ratio: draw.is(0.5) ? 1 : draw.scale(0.02, 0.9),
    }),
    () => ({ ...common, do: 'slow-app', ...ofServices, byMs: draw.scale(50, 20_000) }),
    () => ({ ...common, do: 'throttle-cpu', quotaMs: draw.between(5, 60), demandMs: draw.scale(3, 300) }),
    () => ({
      ...common,
      do: 'degrade-network',
      lossRatio: draw.is(0.6) ? draw.scale(0.02, 0.5) : 0,
      resetRatio: draw.is(0.5) ? draw.scale(0.02, 0.5) : 0,
      addedMs: draw.scale(1, 900),
    }),
    () => ({ ...at, do: 'deploy', side, ...ofServices, ...deregisters(draw) }),
    () => ({
      ...at,
      ...lasting,
      do: 'fail-resolver',
      resolver: draw.of(stage.resolvers),
      how: draw.of(['servfail', 'silent']),
    }),
    () => ({ ...at, ...lasting, do: 'cut-off-resolver', resolver: draw.of(stage.resolvers) }),
    () => ({ ...at, ...lasting, do: 'fail-name-server', nameServer: draw.of(stage.nameServers) }),
    () => ({ ...at, ...lasting, do: 'lose-own-network' }),
    ...(stage.isTls
      ? [
          () => ({
            ...common,
            do: 'show-wrong-certificate',
            certificate: draw.of(['default', 'other-name', 'expired']),
          }),
        ]
      : []),
  ];
  return draw.of(makers)();
}
