/**
 * The world a rehearsal plays in: what stands where, how it behaves, and what happens when. Plain data, from the
 * scenario's `world:` with every default filled in. `model` brings it to life; the analysis never sees it.
 */
import type { Cause } from './analysis.ts';
import type { Side } from './scenario.ts';
import type { VerdictValue } from './verdict.ts';

export interface World {
  /** Every draw of the world comes from it: same seed, same world. */
  readonly seed: number;
  readonly zone: ZoneSpec;
  /** One for each resolver of the scenario, by its name. */
  readonly resolvers: Readonly<Record<string, ResolverConduct>>;
  readonly sides: Readonly<Record<Side, PlatformSpec>>;
  readonly script: readonly Step[];
  /** Whether AWS and Kubernetes can be asked of sides that name them; left out = they can. */
  readonly isObserved?: boolean;
  /** What a rehearsal of it must come to; null = nothing said. */
  readonly expect: Expected | null;
}

export interface Expected {
  readonly verdict: VerdictValue;
  /**
   * Causes that the report must name for failed slots of judged lanes, these and no others; null = not said. Causes of
   * fewer than one failure in twenty are not asked about: a request under way as something is cut has one of its own.
   */
  readonly causes: readonly Cause[] | null;
}

// ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * How a service's hostname points at a side: its addresses; a CNAME to the name of its load balancer; an alias (Route 53:
 * the load balancer's addresses under the hostname, TTL 60, which nobody can set); or a draw for each query.
 */
export type RecordKind = 'address' | 'cname' | 'alias' | 'weighted' | 'failover';

export interface ZoneSpec {
  /** Each serves a change so long after it was made. */
  readonly nameServers: readonly { readonly name: string; readonly lagS: number }[];
  readonly record: RecordKind;
  /** Where names point when the world starts; left out: at the old side. */
  readonly startsAt?: Side;
  /** Of the record when the world starts. */
  readonly ttlS: number;
  /** "There is none" is kept for the lower of the two (RFC 2308, 5). */
  readonly soaTtlS: number;
  readonly soaMinimumS: number;
  /** Of a failover record: so many checks alike in a row, one each interval, make a side healthy or not. */
  readonly healthCheck: { readonly intervalS: number; readonly failureCount: number };
}

/** What a resolver does with answers. */
export interface ResolverConduct {
  readonly minTtlS: number;
  readonly maxTtlS: number;
  readonly negativeTtlSMax: number;
  /** So many independent caches behind one address; each query meets one of them, drawn. */
  readonly cacheCount: number;
  /** When an entry is fetched anew before its end: never; in its last tenth (unbound); in its last 2 s if it had ≥ 9 s (BIND). */
  readonly prefetch: 'never' | 'last-tenth' | 'last-2-s';
  /** Expired answers are served: only while no authority answers (RFC 8767), or always, fetching anew afterwards (dnsmasq). */
  readonly serveStale: {
    readonly when: 'unreachable' | 'always';
    /** TTL of a stale answer. */
    readonly replyTtlS: number;
    /** Not longer than this after its end. */
    readonly staleSMax: number;
    /** Extended DNS Error 3, "Stale Answer" (RFC 8914). */
    readonly saysSo: boolean;
  } | null;
  /** False: it answers with the TTL as received, however old the entry is. */
  readonly countsDown: boolean;
  readonly latencyMs: number;
}

// ── platforms ────────────────────────────────────────────────────────────────────────────────────────────────────────

export type PlatformSpec = AlbSpec | IngressNginxSpec;

interface AnyPlatform {
  /** Addresses of the load balancer, one for each zone. */
  readonly addressCount: number;
  /** Round trip from the prober. */
  readonly rttMs: number;
  /** Tasks or pods of each service. */
  readonly replicaCount: number;
  readonly replica: ReplicaSpec;
}

/** AWS Application Load Balancer before ECS tasks (or pods, by target type ip). */
export interface AlbSpec extends AnyPlatform {
  readonly kind: 'alb';
  readonly healthCheck: {
    readonly intervalS: number;
    readonly timeoutS: number;
    readonly healthyCount: number;
    readonly unhealthyCount: number;
  };
  readonly deregistrationDelayS: number;
  readonly idleTimeoutS: number;
  /** `client_keep_alive.seconds`: after that age, one more request is served and the connection closed. */
  readonly clientKeepAliveS: number;
  /** From when a task or pod is told to end until it is sent no new requests. */
  readonly controllerLagS: number;
}

/** ingress-nginx on Kubernetes behind a Network Load Balancer, which passes TCP through: one nginx in each zone. */
export interface IngressNginxSpec extends AnyPlatform {
  readonly kind: 'ingress-nginx';
  /** From when a pod is told to end (or is ready) until the workers of nginx know. */
  readonly endpointLagS: number;
  /** proxy_connect_timeout. */
  readonly connectTimeoutS: number;
  /** proxy_next_upstream_tries. */
  readonly tryCountMax: number;
  readonly keepAliveTimeoutS: number;
  readonly keepAliveRequestCount: number;
}

export interface ReplicaSpec {
  /** From its start until it is ready. */
  readonly startS: number;
  /** preStop hook: goes on serving for so long after it was told to end. */
  readonly preStopS: number;
  /** From SIGTERM to its exit: serves what it has, accepts nothing new. */
  readonly exitS: number;
  /** What a connect to the address of one that has gone meets: nobody (VPC), or a port that is closed. */
  readonly whenGone: 'silent' | 'refused';
  /** A request takes so long in it; half of that to one and a half, drawn. */
  readonly serviceMs: number;
  /** Its own `Server` header; an ALB passes it on, ingress-nginx hides it. */
  readonly server: string | null;
}

// ── the change script ────────────────────────────────────────────────────────────────────────────────────────────────

/** One thing that happens. `from: 'change'` counts from the moment the operator makes the change. */
export interface Step {
  readonly at: { readonly from: 'start' | 'change'; readonly s: number };
  readonly does: StepAction;
}

/** Faults bear the names that operators give them. `forS: null` = for ever. Where `services` is null, all of them. */
export type StepAction =
  // Deliberate
  | { readonly kind: 'lower-ttl'; readonly ttlS: number }
  | { readonly kind: 'switch-dns'; readonly to: Side; readonly services: readonly string[] | null }
  /** Of a weighted record: so much of all answers is of the new side. */
  | { readonly kind: 'shift-weights'; readonly newRatio: number }
  /** What one should never do: for a gap there is no record at all, and resolvers remember that. */
  | { readonly kind: 'delete-and-create-record'; readonly to: Side; readonly gapS: number }
  | { readonly kind: 'lower-connection-age'; readonly side: Side; readonly clientKeepAliveS: number }
  | {
      readonly kind: 'deploy';
      readonly side: Side;
      readonly services: readonly string[] | null;
      /** The controller deregisters ended pods in its usual lag, late by `lateS`, or never. */
      readonly deregisters: 'in-time' | 'late' | 'never';
      readonly lateS: number;
    }
  | {
      readonly kind: 'remove-load-balancer';
      readonly side: Side;
      readonly how: 'refused' | 'silent';
      readonly forS: number | null;
    }
  | { readonly kind: 'suspend-schedules' | 'resume-schedules'; readonly side: Side }
  // Faults of a platform
  | {
      readonly kind: 'lose-targets';
      readonly side: Side;
      readonly services: readonly string[] | null;
      readonly forS: number | null;
    }
  | {
      readonly kind: 'lose-zone';
      readonly side: Side;
      /** From 1. */
      readonly zone: number;
      readonly how: 'refused' | 'silent';
      readonly forS: number | null;
    }
  | {
      readonly kind: 'fail-app';
      readonly side: Side;
      readonly services: readonly string[] | null;
      readonly status: number;
      /** 1 = every request; below, each is drawn. */
      readonly ratio: number;
      readonly forS: number | null;
    }
  | {
      readonly kind: 'slow-app';
      readonly side: Side;
      readonly services: readonly string[] | null;
      readonly byMs: number;
      readonly forS: number | null;
    }
  /** CFS quota: of each 100 ms, so many may be used; what a request needs beyond waits for the next period. */
  | {
      readonly kind: 'throttle-cpu';
      readonly side: Side;
      readonly quotaMs: number;
      readonly demandMs: number;
      readonly forS: number | null;
    }
  | {
      readonly kind: 'show-wrong-certificate';
      readonly side: Side;
      readonly certificate: 'default' | 'other-name' | 'expired';
      readonly forS: number | null;
    }
  // Faults of names
  /** The resolver reaches no authority: it serves stale answers if it does so at all, else SERVFAIL. */
  | { readonly kind: 'cut-off-resolver'; readonly resolver: string; readonly forS: number | null }
  | {
      readonly kind: 'fail-resolver';
      readonly resolver: string;
      readonly how: 'servfail' | 'silent';
      readonly forS: number | null;
    }
  | { readonly kind: 'fail-name-server'; readonly nameServer: string; readonly forS: number | null }
  // Faults of the network
  | {
      readonly kind: 'degrade-network';
      /** Between the prober and this side. */
      readonly side: Side;
      /** Of all requests, so many never arrive. */
      readonly lossRatio: number;
      readonly resetRatio: number;
      readonly addedMs: number;
      readonly forS: number | null;
    }
  /** The prober's own: nothing answers, references as well. */
  | { readonly kind: 'lose-own-network'; readonly forS: number | null }
  // Faults of who watches
  /** Of AWS or Kubernetes: it answers nobody, so that whoever watches the side's platform is blind. */
  | {
      readonly kind: 'fail-platform-api';
      readonly side: Side;
      /** null = both. */
      readonly api: PlatformApi | null;
      readonly forS: number | null;
    };

export type PlatformApi = 'aws' | 'kubernetes';

// ── what the scenario says of it ─────────────────────────────────────────────────────────────────────────────────────

/** What of a scenario the world must know to stand in for the real one. */
export interface Setting {
  readonly sites: readonly Site[];
  /** Names of the sides' load balancers (`dns:` in the scenario, else made up); all of a side have its addresses. */
  readonly loadBalancerNames: Readonly<Record<Side, readonly string[]>>;
  /** Response headers that only this side sends, from its marker. */
  readonly markers: Readonly<Record<Side, readonly (readonly [name: string, value: string])[]>>;
  /** Hostnames of references: always well, but for the prober's own network. */
  readonly referenceHostnames: readonly string[];
  readonly places: Places;
}

/** One hostname, and what a good answer of it is. */
export interface Site {
  readonly service: string;
  readonly hostname: string;
  /** By path with query; any other path gets the first one's. */
  readonly answers: Readonly<Record<string, GoodAnswer>>;
}

export interface GoodAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Where everything has its address; IPv4 as text. */
export interface Places {
  /** 127.0.1.1 … and 127.0.2.1 …, one for each zone. */
  readonly sides: Readonly<Record<Side, readonly string[]>>;
  /** By name, 127.0.3.1 … */
  readonly nameServers: Readonly<Record<string, string>>;
  /** By name, 127.0.4.1 … */
  readonly resolvers: Readonly<Record<string, string>>;
  /** By hostname, 127.0.5.1 … */
  readonly references: Readonly<Record<string, string>>;
}
