/**
 * Every number of a rehearsal's world that a scenario need not say, each with where it comes from. A number without a
 * source of its own is a plain guess at something ordinary, and says so.
 */
import type { AlbSpec, IngressNginxSpec, ReplicaSpec, ResolverConduct, ZoneSpec } from '../core/world.ts';

export const defaultSeed = 1;

/**
 * Two servers that always agree. SOA: what Route 53 gives a new zone (AWS, "The SOA record": TTL 900, minimum 86400).
 * Health checks: Route 53 API, HealthCheckConfig: RequestInterval 30 (or 10), FailureThreshold 3, the same both ways.
 */
export const defaultZone: Omit<ZoneSpec, 'record' | 'ttlS'> = {
  nameServers: [
    { name: 'ns-1', lagS: 0 },
    { name: 'ns-2', lagS: 0 },
  ],
  soaTtlS: 900,
  soaMinimumS: 86_400,
  healthCheck: { intervalS: 30, failureCount: 3 },
};

/** An alias has the TTL of its load balancer, which AWS sets (Route 53, "Choosing between alias and non-alias records"). */
export const aliasTtlS = 60;
/** Where neither `world` nor `change` says a TTL. */
export const recordTtlS = 60;

// ── resolvers ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The longest TTL there is (RFC 2181, 8): no limit. */
const unlimitedS = 2_147_483_647;

/**
 * Keeps what it got for as long as it may, in one cache. An entry ends after a week at the latest, "there is none" after
 * three hours: what BIND does, and what RFC 2308, 5 calls sensible. The latency is that of a resolver near by (a guess).
 */
const honest: ResolverConduct = {
  minTtlS: 0,
  maxTtlS: 604_800,
  negativeTtlSMax: 10_800,
  cacheCount: 1,
  prefetch: 'never',
  serveStale: null,
  countsDown: true,
  latencyMs: 2,
};

/** What stale answers are like where nothing else is known: RFC 8767, 4 and 5 (30 s, one to three days). */
export const defaultStale = { replyTtlS: 30, staleSMax: 86_400, saysSo: false } as const;

/** unbound.conf(5): cache-max-ttl 86400, cache-max-negative-ttl 3600; prefetch and serve-expired are off. */
const unbound: ResolverConduct = { ...honest, maxTtlS: 86_400, negativeTtlSMax: 3600 };

/** BIND 9 ARM: max-cache-ttl 604800, max-ncache-ttl 10800, prefetch 2 9; stale-answer-enable no. */
const bind9: ResolverConduct = { ...honest, prefetch: 'last-2-s' };

/** dnsmasq(8): no limits but those given; negative answers last as long as their SOA says. */
const dnsmasq: ResolverConduct = { ...honest, maxTtlS: unlimitedS, negativeTtlSMax: unlimitedS };

/** CoreDNS, plugin/cache: 3600 s, "there is none" 1800 s, never less than 5 s. */
const coredns: ResolverConduct = { ...honest, minTtlS: 5, maxTtlS: 3600, negativeTtlSMax: 1800 };

export type ResolverPreset =
  | 'honest'
  | 'unbound'
  | 'unbound-stale'
  | 'bind9'
  | 'bind9-stale'
  | 'dnsmasq'
  | 'dnsmasq-stale'
  | 'systemd-resolved'
  | 'coredns'
  | 'coredns-stale'
  | 'kubernetes'
  | 'vpc'
  | 'google'
  | 'knot';

export const resolverPresets: Readonly<Record<ResolverPreset, ResolverConduct>> = {
  honest,
  unbound,
  /** serve-expired: yes, with serve-expired-client-timeout 1800: TTL 30; says so only with ede-serve-expired (seen so). */
  'unbound-stale': { ...unbound, serveStale: { ...defaultStale, when: 'unreachable' } },
  bind9,
  /** stale-answer-enable yes: stale-answer-ttl 30, max-stale-ttl 86400 (ARM); BIND 9.18 says so by itself (seen). */
  'bind9-stale': { ...bind9, serveStale: { ...defaultStale, when: 'unreachable', saysSo: true } },
  dnsmasq,
  /** --use-stale-cache: what has expired is served at once, for a day, and asked for anew after; TTL 0, EDE 3 (2.90, seen). */
  'dnsmasq-stale': { ...dnsmasq, serveStale: { when: 'always', replyTtlS: 0, staleSMax: 86_400, saysSo: true } },
  /** resolved-dns-cache.c: CACHE_TTL_MAX_USEC is two hours, of any entry. */
  'systemd-resolved': { ...honest, maxTtlS: 7200, negativeTtlSMax: 7200, latencyMs: 1 },
  coredns,
  /** serve_stale, in its default mode `immediate`: an hour, TTL 0. */
  'coredns-stale': { ...coredns, serveStale: { when: 'always', replyTtlS: 0, staleSMax: 3600, saysSo: false } },
  /** The Corefile of a Kubernetes cluster has `cache 30`. */
  kubernetes: { ...coredns, maxTtlS: 30, negativeTtlSMax: 30, latencyMs: 1 },
  /**
   * Amazon's resolver in a VPC: an entry lasts 300 s at most (AWS re:Post QUvpuFJT94QXefYL1jJuvKTw), and is served stale
   * while no authority answers (Route 53 Developer Guide, "Resolver availability and scaling").
   */
  vpc: { ...honest, maxTtlS: 300, negativeTtlSMax: 300, serveStale: { ...defaultStale, when: 'unreachable' } },
  /** 8.8.8.8: six hours at most, many caches behind one address (as is commonly seen; how many is a guess). */
  google: { ...honest, maxTtlS: 21_600, cacheCount: 4, latencyMs: 12 },
  /** Knot Resolver: five seconds at least, six days at most. */
  knot: { ...honest, minTtlS: 5, maxTtlS: 518_400 },
};

export const resolverPresetNames: readonly ResolverPreset[] = Object.keys(resolverPresets) as ResolverPreset[];

// ── platforms ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** AWS: "Health checks for your target groups". */
export const awsHealthCheck: AlbSpec['healthCheck'] = {
  intervalS: 30,
  timeoutS: 5,
  healthyCount: 5,
  unhealthyCount: 2,
};

/** What the AWS Load Balancer Controller makes for an Ingress: annotations healthcheck-interval-seconds and following. */
export const controllerHealthCheck: AlbSpec['healthCheck'] = {
  intervalS: 15,
  timeoutS: 5,
  healthyCount: 2,
  unhealthyCount: 2,
};

/**
 * A small web application (guesses all): ready in 5 s, no preStop hook, gone a second after SIGTERM. A SYN to the address
 * of one that has gone meets nobody: in a VPC the address belongs to a network interface that is no more.
 */
const replica: ReplicaSpec = {
  startS: 5,
  preStopS: 0,
  exitS: 1,
  whenGone: 'silent',
  serviceMs: 12,
  server: null,
};

/** Two zones, as AWS asks of an ALB at the least. Distance and number of replicas are guesses. */
const anyPlatform = { addressCount: 2, rttMs: 8, replicaCount: 3, replica } as const;

/**
 * AWS: deregistration delay 300 s, idle timeout 60 s, client_keep_alive.seconds 3600. The lag is that of a pod: its end and
 * its deregistration run side by side, and the ALB sends on for seconds after (AWS Load Balancer Controller #905, #1064,
 * whose users settle at a preStop of 25 s); "normal 10–15 s", kubernetes#93713. So a preStop hook of a few seconds does
 * not do. ECS deregisters a task before it stops it: that is a `preStopS` longer than the lag.
 */
export const defaultAlb: AlbSpec = {
  kind: 'alb',
  ...anyPlatform,
  healthCheck: awsHealthCheck,
  deregistrationDelayS: 300,
  idleTimeoutS: 60,
  clientKeepAliveS: 3600,
  controllerLagS: 10,
};

/**
 * ingress-nginx, config.go: connect timeout 5 s, 3 tries, keep-alive 75 s and 1000 requests. The lag is what it may come
 * to in a rolling deployment, where one change follows another: the controller syncs 0.3 times a second
 * (`--sync-rate-limit`), so up to 3.3 s, and the workers ask for its list each second (balancer.lua).
 */
export const defaultIngressNginx: IngressNginxSpec = {
  kind: 'ingress-nginx',
  ...anyPlatform,
  endpointLagS: 4.3,
  connectTimeoutS: 5,
  tryCountMax: 3,
  keepAliveTimeoutS: 75,
  keepAliveRequestCount: 1000,
};

// ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The addresses of a load balancer that was deleted belong to nobody: a SYN gets no answer. */
export const defaultGoneHow = 'silent' as const;
export const defaultFailStatus = 500;
