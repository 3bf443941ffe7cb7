/**
 * What a preflight gathered, before anything is concluded from it. Instants are wall clock, since what was seen days ago
 * counts too.
 */
import type { Outcome } from '../core/outcome.ts';
import type { DnsReply } from '../core/ports.ts';
import type { RecordHealth, RecordPolicy } from '../core/record-policy.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import type { BodyShape } from './body-shape.ts';
import type { Memory } from './memory.ts';

export interface Facts {
  readonly nowMs: number;
  readonly scenario: Scenario;
  /** The way back: the side that is left may be down, which is no reason to stay on it. */
  readonly isRollback: boolean;
  /** By hostname, in scenario order. */
  readonly names: readonly NameFacts[];
  /** Of each `dns:` name of a side. */
  readonly sideNames: readonly SideName[];
  /** Of each side: those that the scenario gives, and those of its names. */
  readonly addresses: Readonly<Record<Side, readonly string[]>>;
  readonly probes: readonly Probe[];
  /** With what this look has seen. */
  readonly memory: Memory;
  /** Left out: the scenario does not ask Route 53. */
  readonly route53?: Route53Facts;
}

// ── Route 53 ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Route53Facts {
  readonly policies: readonly PolicyFacts[];
  readonly health: readonly RecordHealth[];
  /** null: none is to be followed, or nothing is known of it yet. */
  readonly change: { readonly id: string; readonly status: 'PENDING' | 'INSYNC' } | null;
  /** What it could not be asked for, and why; `mayPass`: it may answer by itself later. */
  readonly blind: readonly { readonly what: string; readonly why: string; readonly mayPass: boolean }[];
}

export interface PolicyFacts {
  readonly name: string;
  /** The hostname itself, or that in whose chain the name is. */
  readonly hostname: string;
  /** Empty: no zone of the account has it. */
  readonly policies: readonly RecordPolicy[];
}

// ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const askedTypes = ['A', 'AAAA', 'HTTPS'] as const;

export interface Asked {
  readonly type: (typeof askedTypes)[number];
  readonly reply: DnsReply;
  readonly endedAtMs: number;
  /** Whose addresses or names they are; `none`: it has none. */
  readonly side: Side | 'mixed' | 'unknown' | 'none';
}

/** One server, and what it said about a hostname. */
export interface ServerFacts {
  /** `address:port` of an authority, or the resolver's name. */
  readonly server: string;
  /** `address:port` of the same name server at its other addresses. */
  readonly alsoAt?: readonly string[];
  readonly asked: readonly Asked[];
}

export interface NameFacts {
  readonly hostname: string;
  readonly authorities: readonly ServerFacts[];
  /** Names that the chain leads to outside the zone, up to a side's own name; of these it is what their servers say. */
  readonly links: readonly Link[];
  /** The scenario lists them: a list for several zones, so that one may refuse. */
  readonly areGiven: boolean;
  /** Why there are none; '' else. */
  readonly authoritiesError: string;
  /** Name servers whose addresses could not be looked up, and so were not asked. */
  readonly unfound?: readonly string[];
  readonly resolvers: readonly ServerFacts[];
}

export interface Link {
  readonly name: string;
  readonly servers: readonly ServerFacts[];
  /** Why there are none; '' else. */
  readonly error: string;
  readonly unfound?: readonly string[];
}

export interface SideName {
  readonly side: Side;
  readonly name: string;
  readonly addresses: readonly string[];
}

// ── sides ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A check of the scenario; `slow`: one that may take longer than a minute. */
type CheckProbeKind = 'request' | 'slow';

/** What a check's request is changed to, once at each address. */
type BesidesKind =
  /** The same path on port 80, without TLS, and without a header or query of the scenario. */
  | 'plain'
  /** A path that nobody has. */
  | 'unknown-path'
  /** HTTP/2 offered; nothing newer than this TLS offered; the server not told for whom it is. */
  | 'http2'
  | 'tls-1.2'
  | 'tls-1.1'
  | 'no-server-name'
  /** 9 KiB in one header; 17 KiB in three. */
  | 'large-header'
  | 'large-headers';

/** What `preflight` of a service asks for. */
type AskedKind = 'slow-path' | 'upload' | 'asked-header' | 'echo';

export type ProbeKind = CheckProbeKind | BesidesKind | AskedKind;

/** One request at one address of a side, with the service's own Host and SNI. */
export interface Probe {
  readonly kind: ProbeKind;
  readonly service: string;
  /** The check's name. */
  readonly check: string;
  readonly side: Side;
  readonly address: string;
  /** Whose address it is by the scenario; null: nobody's, or both have it. */
  readonly addressSide: Side | null;
  readonly outcome: Outcome;
  readonly error: string;
  /** '' without TLS; of a refused certificate too. */
  readonly certificateSha256: string;
  /** The common name in one that was refused; '' else. */
  readonly certificateName: string;
  /** Wall clock; null: not known. */
  readonly certificateToMs: number | null;
  readonly alpn: string;
  readonly tlsVersion: string;
  readonly tookMs: number;
  /** null: none came. */
  readonly answer: ProbeAnswer | null;
}

export interface ProbeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: BodyShape;
  /** Of a kind `echo`: the headers that tell who asked, as the application got them. */
  readonly echoed?: readonly (readonly [name: string, value: string])[];
  /** As the check expects: status, headers, body. */
  readonly isRight: boolean;
  /** It took longer than `goodWithinMs`. */
  readonly isLate: boolean;
  /** A refusal of the prober itself: 403, 429 or a challenge page. */
  readonly isBlocked: boolean;
}
