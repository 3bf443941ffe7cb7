/** The scenario after parsing: every default filled in, every reference resolved. Plain data; it goes into the log. */
import type { AwsSpec, KubernetesSpec } from './platform.ts';
import type { PlaybookStep } from './playbook.ts';
import type { DnsServer } from './ports.ts';
import type { Pace } from './schedule.ts';

export type Side = 'old' | 'new';
/** What an answer turned out to be. */
export type SideSeen = Side | 'unknown' | 'conflict';

// ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export type ResolvePolicy =
  /** Asks for each new connection. */
  | { readonly kind: 'per-connection' }
  /** Keeps an answer for its TTL, clamped; within the grace after it (none where left out), as `fixed` does. */
  | { readonly kind: 'ttl'; readonly minS: number; readonly maxS: number; readonly graceS?: number }
  /**
   * Keeps an answer for a fixed time; within the grace after it, uses the old one while it asks anew. Keeps a failure for
   * `negativeS`; left out, it asks again at once.
   */
  | { readonly kind: 'fixed'; readonly s: number; readonly graceS: number; readonly negativeS?: number }
  /** Asks once in its life; after a failure again, as `fixed` does. */
  | { readonly kind: 'once'; readonly negativeS?: number }
  /**
   * Asks again only when a connection breaks, and not more often than `minS`: one that breaks sooner is opened anew with
   * what is held, and the question follows. A connection whose address is not in the new answer is given up.
   */
  | { readonly kind: 'on-break'; readonly minS: number }
  /** Asks every `s`, whether needed or not; what is held is used meanwhile. */
  | { readonly kind: 'refresh'; readonly s: number }
  /** null: the first address of the side that is left, which is known when lanes are made. */
  | { readonly kind: 'pinned'; readonly address: string | null };

export type ConnectPolicy =
  | { readonly kind: 'new' }
  /** 0 = no limit for each of the three. */
  | { readonly kind: 'keep-alive'; readonly idleS: number; readonly maxAgeS: number; readonly maxRequests: number }
  /** One connection for all requests; over plain http it is HTTP/1.1 keep-alive. */
  | { readonly kind: 'http2'; readonly idleS: number }
  /**
   * One WebSocket, opened by the first slot and pinged by the others, until either side closes; we do at `maxAgeS`, 0 =
   * never.
   */
  | { readonly kind: 'held'; readonly maxAgeS: number };

export type AddressChoice = 'first' | 'round-robin' | 'happy-eyeballs' | 'next-on-failure';

/** A client archetype: who behaves so is in `standsFor`. */
export interface Archetype {
  readonly resolve: ResolvePolicy;
  readonly connect: ConnectPolicy;
  readonly choose: AddressChoice;
  /** In order of preference. */
  readonly families: readonly (4 | 6)[];
  /** Once, on a new connection, as a browser does; the retried series stands beside the raw one. */
  readonly retriesOnce: boolean;
  /** False for those that fail for ever by construction. */
  readonly judged: boolean;
  readonly standsFor: string;
}

/**
 * The client of this name is no user: it asks each authoritative server itself, so that what it reaches is what is true
 * now, without any cache.
 */
export const authorityClient = 'authority';

export interface Client {
  readonly name: string;
  /** Share of users, 0 to 1; all weights of a scenario add up to 1. 0 for one that stands for nobody. */
  readonly weightRatio: number;
  readonly archetype: Archetype;
}

// ── services, sides, resolvers ───────────────────────────────────────────────────────────────────────────────────────

export interface RequestSpec {
  readonly method: string;
  /** Flat name, value … The values may be secret: they never reach the log (`withoutSecrets`). */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
  /** A command whose stdout replaces `${TOKEN}` in the headers, run again before it expires. */
  readonly token: { readonly command: readonly string[]; readonly everyS: number } | null;
}

export interface Expectation {
  readonly statusIn: readonly number[];
  readonly bodyIncludes: string | null;
  /** Source of a regular expression (flag `u`). */
  readonly bodyMatches: string | null;
  /** Names in lower case; values must be equal. */
  readonly headers: readonly (readonly [string, string])[];
}

/** PEM texts (the scenario names files, read when it is parsed). There is no switch that turns verification off. */
export interface TlsSpec {
  readonly caPem: string | null;
  readonly certificatePem: string | null;
  readonly keyPem: string | null;
}

export interface Timeouts {
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

export interface Check {
  /** `service` when it is the service's only check, else `service/2` … */
  readonly name: string;
  readonly url: string;
  /** Was given as ws: or wss:. Where a scenario has such checks, clients that hold a session are sent to no others. */
  readonly isWebSocket?: true;
  readonly scheme: 'http' | 'https';
  readonly hostname: string;
  readonly port: number;
  /** With query. */
  readonly path: string;
  readonly request: RequestSpec;
  readonly expect: Expectation;
  readonly goodWithinMs: number;
  readonly timeouts: Timeouts;
  readonly ratePerSecond: number;
  /** From the environment, so not to be shown where they stand in path, query or expectation; never in the log. */
  readonly secretValues?: readonly string[];
}

/**
 * What a preflight sends besides the checks, each to the origin of the service's first check. Paths are with query; null =
 * not asked for.
 */
export interface PreflightAsked {
  /** One that takes longer than proxies wait (60 s). */
  readonly slow: { readonly path: string; readonly withinS: number } | null;
  /** A body of so many bytes. */
  readonly upload: { readonly path: string; readonly method: string; readonly bytes: number } | null;
  /** The largest header that users send. */
  readonly headerBytes: number | null;
  /** It answers with the headers that it got. */
  readonly echoPath: string | null;
}

export interface Service {
  readonly name: string;
  readonly checks: readonly Check[];
  /** Names of resolvers. */
  readonly resolvers: readonly string[];
  readonly tls: TlsSpec;
  readonly objectives: Objectives;
  /** Left out: nothing besides its checks. Never in the log: a run does not send it. */
  readonly preflight?: PreflightAsked;
}

/** How an address is given: itself, a network, or a name whose addresses are looked up again and again. */
export type SideAddress =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'network'; readonly cidr: string }
  | { readonly kind: 'name'; readonly name: string };

export interface SideSpec {
  readonly side: Side;
  readonly title: string;
  readonly addresses: readonly SideAddress[];
  /** Names in lower case; a value matches when equal. */
  readonly marker: readonly (readonly [string, string])[];
  /** Lower-case hex, without colons. */
  readonly certificateSha256: readonly string[];
  /** What of its platform is watched; left out: nothing, and nothing of AWS or Kubernetes is loaded. */
  readonly aws?: AwsSpec;
  readonly kubernetes?: KubernetesSpec;
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export interface Resolver {
  readonly name: string;
  readonly server: DnsServer;
  /**
   * It is an authoritative server, asked with RD=0. Where it answers with an alias that leads out of its zones, `beyond` is
   * asked for the rest; null = nobody is.
   */
  readonly authority?: { readonly beyond: DnsServer | null };
  /** As a check has them. */
  readonly secretValues?: readonly string[];
}

// ── change, objectives ───────────────────────────────────────────────────────────────────────────────────────────────

export type ChangeVia = 'dns' | 'cdn' | 'weights' | 'deploy';
export type Direction = 'old-to-new' | 'new-to-old';

export interface ChangeSpec {
  readonly via: ChangeVia;
  readonly direction: Direction;
  /** The TTL before it was lowered, and after; null = not said. */
  readonly ttlBeforeS: number | null;
  readonly ttlS: number | null;
  /** ISO 8601; null = not said. */
  readonly ttlLoweredAt: string | null;
  readonly baselineS: number;
  /** How long to wait for evidence of a change that nobody marked; then the run ends inconclusive. */
  readonly waitS: number;
  readonly convergenceTimeoutS: number;
  readonly tailS: number;
  /** Of a deployment, whose replicas are replaced; left out: on whichever side a rollout is seen. */
  readonly side?: Side;
  /** In lower case: a header whose value names the replica, or the build, that answered. */
  readonly replicaHeader?: string;
}

export interface Objectives {
  readonly outageMsMax: number;
  readonly downtimeMsMax: number;
  readonly failedRatioMax: number;
  readonly worstMinuteFailedRatioMax: number;
  readonly burst5xxCountMax: number;
  readonly staleTargetCountMax: number;
  /** null = auto: 2 × TTL + 10, and what a client's own cache adds. */
  readonly convergenceSMax: number | null;
  readonly flipBackCountMax: number;
  readonly latencyP99RatioMax: number;
}

/** Whose Route 53 is asked what it has for the hostnames; null = as AWS's own environment and files say. */
export interface Route53Spec {
  readonly profile: string | null;
  readonly region: string | null;
  /** Only this zone is looked at; null = every zone of the account that has the names. */
  readonly zoneId: string | null;
  /** A change made through its API, to be followed until all name servers have it, as `C0123456789ABC`. */
  readonly changeId: string | null;
}

export interface Scenario {
  readonly name: string;
  readonly services: readonly Service[];
  readonly sides: { readonly old: SideSpec; readonly new: SideSpec };
  readonly resolvers: readonly Resolver[];
  /** 'auto' = found by NS look-up, 'none' = private zones; else `address`, `port`. */
  readonly authorities: 'auto' | 'none' | readonly SocketAddress[];
  readonly clients: readonly Client[];
  /** False: nobody gave weights, all are equal, and the report says so. */
  readonly weightsGiven: boolean;
  readonly change: ChangeSpec;
  /** Left out: Route 53 is not asked. */
  readonly route53?: Route53Spec;
  /** Left out: the default one. Never in the log: a run takes no notice of it. */
  readonly playbook?: readonly PlaybookStep[];
  readonly references: readonly Check[];
  /** What the certificates of references are checked by; left out: this machine's roots. */
  readonly referenceTls?: TlsSpec;
  /** The defaults; a service's own stand with the service. */
  readonly objectives: Objectives;
  /** What the file says and this version does not do as one might expect; sentences. Left out when there is none. */
  readonly warnings?: readonly string[];
}

// ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is looked up before there are lanes: the addresses that the sides' names have now. */
export interface LookedUp extends Readonly<Record<Side, readonly string[]>> {
  /** The authoritative servers found for each hostname; those that the scenario lists need not be. */
  readonly authorities?: ReadonlyMap<string, readonly SocketAddress[]>;
}

export type LaneRole = 'client' | 'side' | 'reference';

/** One steady stream of slots. Its number is its index in the run's list of lanes and the `lane` column. */
export interface Lane extends Pace {
  readonly number: number;
  readonly role: LaneRole;
  /** '' for a reference. */
  readonly service: string;
  readonly check: Check;
  /** The client's name; `side:old`, `side:new`; `reference`. */
  readonly client: string;
  /** null: asks no resolver. */
  readonly resolver: Resolver | null;
  /** The one address of a side lane; null else. */
  readonly address: string | null;
  readonly archetype: Archetype;
  readonly tls: TlsSpec;
  readonly judged: boolean;
  /** ⌈rate × totalMs / 1000⌉ + 2, so that a hanging target never makes drops. */
  readonly inFlightMax: number;
}
