/** What every kind of load balancer must be able to say; `platform.ts` does the rest alike for all. */
import type { FaultName } from '../core/truth.ts';
import type { Later, Replica, TargetHealth } from './replicas.ts';
import type { Held } from './world-model.ts';

/** What a load balancer knows of the tasks or pods of one service. */
export interface Backends {
  /** These have been well for long. */
  begin(replicas: readonly Replica[], nowNs: number): void;
  /** It is ready. `inService`: a deployment may go on. */
  add(replica: Replica, nowNs: number, inService: (nowNs: number) => void): void;
  /** The load balancer has heard that it ends. */
  remove(replica: Replica, nowNs: number): void;
  /** A connect to it meets something else from now on. */
  receptionChanged(replica: Replica, nowNs: number): void;
  /** It knows of none any more, whoever is ready. */
  lose(nowNs: number): void;
  /** It knows of all that are ready. */
  regain(nowNs: number): void;
  /** Those that get new requests. */
  routable(): readonly Replica[];
  /** Whether it could get requests again. */
  holds(replica: Replica): boolean;
  /** As health checks see it; null: it is no target, or nobody checks. */
  health(replica: Replica): TargetHealth | null;
}

/** What becomes of one request between the load balancer and the tasks or pods. */
export type Route =
  | {
      readonly kind: 'to';
      readonly replica: Replica;
      /** Until it was connected. */
      readonly afterNs: number;
      readonly fault: FaultName | null;
    }
  /** The load balancer answers itself. */
  | {
      readonly kind: 'page';
      readonly status: ErrorStatus;
      readonly afterNs: number;
      readonly fault: FaultName;
    };

export type ErrorStatus = 404 | 502 | 503 | 504;

/** What `route` comes to over many requests. */
export interface RouteChances {
  readonly fault: FaultName | null;
  readonly failedRatio: number;
  /** Of all answers, so many come late, and by at least so much; null = none. */
  readonly delayedPart: { readonly ratio: number; readonly delayMs: number } | null;
}

export interface Page {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** How long it waits for the first byte of an answer; then, after `givesUpAfterNs`, it says 504. */
export interface Patience {
  readonly waitNs: number;
  readonly givesUpAfterNs: number;
}

export interface Front {
  newBackends(service: { readonly name: string; readonly later: Later }): Backends;
  route(backends: Backends): Route;
  chances(backends: Backends): RouteChances;
  patience(method: string): Patience;
  page(status: ErrorStatus, userAgent: string): Page;
  /** For a hostname that nobody has told it of. */
  unknownHost(userAgent: string): Page;
  /** What a request to a known host gets besides. */
  extraHeaders(isSecure: boolean): readonly string[];
  readonly passesServerHeader: boolean;
  /** From the end of a task or pod until it knows, s, where nothing goes wrong. */
  readonly hearsAfterS: number;
  readonly idleS: number;
  /** Of a WebSocket on which nothing comes. */
  readonly sessionIdleS: number;
  /** A WebSocket to this target is cut by the load balancer itself. */
  givesUp(backends: Backends, replica: Replica): boolean;
  /** When its settings change, new processes take over and the old ones keep their WebSockets for so long; null = they stay. */
  readonly oldProcessS: number | null;
  /** The request now arriving is the connection's last. */
  isLastRequest(held: Held, nowNs: number): boolean;
  setConnectionAge(clientKeepAliveS: number, nowNs: number): void;
  /** For a server name that it has no certificate for. */
  readonly certificateOfUnknown: 'default' | 'other-name';
}

export const noChances: RouteChances = { fault: null, failedRatio: 0, delayedPart: null };

/** Connection ages in force over time: each connection keeps the one it was opened under (domain.md E, step 3). */
export function newConnectionAges(firstS: number): {
  set(ageS: number, nowNs: number): void;
  ofOpenedAt(openedAtNs: number): number;
} {
  const ages: { readonly fromNs: number; readonly ageS: number }[] = [{ fromNs: -Infinity, ageS: firstS }];
  return {
    set: (ageS, nowNs) => void ages.push({ fromNs: nowNs, ageS }),
    ofOpenedAt: (openedAtNs) => ages.findLast(({ fromNs }) => fromNs <= openedAtNs)?.ageS ?? firstS,
  };
}
