/**
 * The shapes of the model. Everything is a state machine moved by `advance(nowNs)`: time is an argument, never goes back,
 * and whoever asks anything at an instant is answered as of that instant. No clock, no sockets: `sim` and `lab` are its
 * two bodies. Randomness is passed in.
 */
import type { DnsQuestion, DnsRecord } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import type { Condition, FaultName } from '../core/truth.ts';
import type { Places, PlatformApi, StepAction } from '../core/world.ts';
import type { ReplicaState, TargetHealth } from './replicas.ts';

// ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a server says; null stands for a server that says nothing. */
export interface DnsContent {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';
  readonly authoritative: boolean;
  /** Extended DNS Error code + 1 (RFC 8914), 0 = none. */
  readonly ede: number;
  readonly answers: readonly DnsRecord[];
  /** The SOA of a negative answer. */
  readonly authority: readonly DnsRecord[];
}

/** The zones of a world on all their authoritative servers. */
export interface NameService {
  /** As the named server answers; names are compared without case. */
  ask(nameServer: string, question: DnsQuestion, nowNs: number): DnsContent;
  lowerTtl(ttlS: number, nowNs: number): void;
  /** `hostnames` null: all of them. Each server serves it after its lag. */
  pointAt(side: Side, hostnames: readonly string[] | null, nowNs: number): void;
  shiftWeights(newRatio: number, nowNs: number): void;
  deleteAndCreate(side: Side, gapS: number, nowNs: number): void;
  /** Writes `record-served` for what servers begin to serve. */
  advance(nowNs: number): void;
  nextEventNs(): number | null;
}

/** Asks an authority on a resolver's behalf; null = none could be reached. */
export type Upstream = (question: DnsQuestion, nowNs: number) => DnsContent | null;

/** A recursive resolver and its caches. */
export interface ResolverModel {
  ask(question: DnsQuestion, nowNs: number): DnsContent;
}

// ── platforms ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `afterNs` is what the server adds to the round trip. */
export type Dialled =
  | { readonly kind: 'accepted'; readonly afterNs: number }
  | { readonly kind: 'refused'; readonly afterNs: number; readonly fault: FaultName }
  /** No answer to the SYN. */
  | { readonly kind: 'silent'; readonly fault: FaultName };

/** What a TLS handshake shows. */
export interface ShownCertificate {
  /** `expired` is for the right name; `default` is Kubernetes' fake one; `other-name` is for `names`. */
  readonly kind: 'right' | 'default' | 'other-name' | 'expired';
  readonly side: Side | 'reference';
  readonly names: readonly string[];
}

/** A connection, as the model sees it. */
export interface Held {
  readonly address: string;
  readonly openedAtNs: number;
  /** Requests on it so far. */
  readonly requestCount: number;
  /** What TLS agreed on, `h2` or `http/1.1`; '' or left out: nothing. */
  readonly alpn?: string;
  /** It has become a WebSocket, and leads there (`Served.session`): from then on what arrives on it are pings. */
  readonly session?: string;
}

export interface Arrival {
  readonly atNs: number;
  readonly held: Held;
  readonly hostname: string;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly userAgent: string;
  /** Over TLS; left out: not. */
  readonly isSecure?: boolean;
  /** Asks to go on as a WebSocket; granted with a 101. Left out: no. */
  readonly isUpgrade?: boolean;
  readonly trace: { readonly lane: number; readonly slot: number; readonly part: number } | null;
}

export type Served =
  | {
      readonly kind: 'answered';
      /** From the arrival to the first byte. */
      readonly afterNs: number;
      readonly status: number;
      readonly reason: string;
      /** Flat: name, value, … Without Date, Content-Length and Connection, which the body of the model adds. */
      readonly headers: readonly string[];
      /** Also of a HEAD, which is told its length: the body of the model leaves it out (RFC 9110, 9.3.2). */
      readonly body: string;
      /** The server ends the connection with this answer (`Connection: close`, GOAWAY). */
      readonly closes: boolean;
      readonly fault: FaultName | null;
      /** Of a 101: where the connection leads from now on. */
      readonly session?: string;
    }
  | { readonly kind: 'reset' | 'closed'; readonly afterNs: number; readonly fault: FaultName }
  | { readonly kind: 'silent'; readonly fault: FaultName };

export type CutHow = 'reset' | 'silent' | 'closed';

/** A task or pod, as whoever is asked about a platform says. */
export interface ReplicaSeen {
  /** Address and port. */
  readonly target: string;
  readonly state: ReplicaState;
  /** null: it is no target of a load balancer that checks health. */
  readonly health: TargetHealth | null;
}

export interface ServiceSeen {
  readonly service: string;
  readonly hostnames: readonly string[];
  readonly replicas: readonly ReplicaSeen[];
}

/** One side: its load balancer, its tasks or pods, their deployments. */
export interface Platform {
  dial(address: string, nowNs: number): Dialled;
  certificate(address: string, serverName: string, nowNs: number): ShownCertificate;
  serve(arrival: Arrival): Served;
  /** When the server closes the connection if nothing more comes; null = never. */
  idleEndNs(held: Held, lastUsedAtNs: number): number | null;
  /** How an open connection ends now, because what it led to is no more; null = it stands. */
  cut(held: Held, nowNs: number): { readonly how: CutHow; readonly fault: FaultName } | null;
  /** What a request of now meets: for the truth. */
  condition(address: string, hostname: string, nowNs: number): Condition;
  act(action: PlatformAction, nowNs: number): void;
  /** What AWS and Kubernetes would say of it. */
  seen(nowNs: number): readonly ServiceSeen[];
  advance(nowNs: number): void;
  /** When something happens by itself; null = nothing will. */
  nextEventNs(): number | null;
}

type ActionOf<K extends StepAction['kind']> = Extract<StepAction, { kind: K }>;

/** `isEnd`: its `forS` is over; `step` is the same object as when it began. */
export type PlatformAction = {
  readonly isEnd: boolean;
  readonly step: ActionOf<
    | 'lower-connection-age'
    | 'deploy'
    | 'remove-load-balancer'
    | 'suspend-schedules'
    | 'resume-schedules'
    | 'lose-targets'
    | 'lose-zone'
    | 'fail-app'
    | 'slow-app'
    | 'throttle-cpu'
    | 'show-wrong-certificate'
  >;
};

// ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface WorldModel {
  readonly places: Places;
  /** The operator makes the change. Once. */
  change(nowNs: number): void;
  /** Does what is due by now; every question does so first. */
  advance(nowNs: number): void;
  /** When `advance` should be called next, so that open connections can be cut on time; null = nothing is planned. */
  nextEventNs(): number | null;
  /** `server` is an address of `places`. Null: nothing answers there, or not now. */
  ask(
    server: string,
    question: DnsQuestion,
    nowNs: number,
  ): { readonly content: DnsContent; readonly afterNs: number } | null;
  dial(address: string, nowNs: number): Dialled;
  certificate(address: string, serverName: string, nowNs: number): ShownCertificate;
  serve(arrival: Arrival): Served;
  idleEndNs(held: Held, lastUsedAtNs: number): number | null;
  cut(held: Held, nowNs: number): CutHow | null;
  /** This request was under way as its connection was cut, and gets no answer: for the truth. */
  recordCut(arrival: Arrival, nowNs: number): void;
  /** What AWS and Kubernetes would say of a side. */
  seen(side: Side, nowNs: number): readonly ServiceSeen[];
  /** They say nothing. */
  isApiDown(side: Side, api: PlatformApi, nowNs: number): boolean;
  /** Round trip between prober and address, ns. */
  rttNs(address: string): number;
  /** The last word of the truth log. */
  end(nowNs: number): void;
}
