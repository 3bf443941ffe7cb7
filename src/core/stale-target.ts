/**
 * What became of the targets of a load balancer, joined to the tasks and pods that own their addresses (domain facts D.3),
 * and what of the probes' failures that explains. Instants are ns since run start.
 */
import type { Interval } from './analysis.ts';
import type { TargetState } from './platform.ts';
import type { Side } from './scenario.ts';

/** What a target turned out to be, over a stretch of time; no word where all is well. */
export type TargetFault =
  /** Gets requests, and nobody has its address. */
  | 'stale-gone'
  /** Gets requests, and its address is another's now. */
  | 'stale-reused'
  /** Gets requests long after its pod or task was told to end. */
  | 'late-deregistration'
  /** Deregistered, still draining, and nobody has its address: what is under way there fails. */
  | 'drain-race'
  /** A pod or task is ready, and is no target. */
  | 'missing-target'
  /** The whole group: nothing gets requests. */
  | 'no-target';

/** Of a failed probe, from outside (domain facts D.2). S12 and S13 are never called stale. */
export type StaleSignature =
  | 'S1'
  | 'S2'
  | 'S3'
  | 'S4'
  | 'S5'
  | 'S6'
  | 'S7'
  | 'S8'
  | 'S9'
  | 'S10'
  | 'S11'
  | 'S12'
  | 'S13';

/**
 * How sure it is that failed probes were this target's. P3: a line of the load balancer's access log says so, by our trace
 * id. P2: a confirmed stale interval, failures of fitting signatures in it, their share compatible with that of stale
 * among routable targets, and (almost) none outside. P1: signature and timing alone. Only P2 and better can fail a gate.
 */
export type Proof = 'P1' | 'P2' | 'P3';

export interface TargetStretch {
  readonly state: TargetState;
  readonly reason: string;
  readonly fromAtNs: number;
  readonly toAtNs: number;
}

export interface TargetAnalysis {
  readonly side: Side;
  /** Name of its group. */
  readonly group: string;
  /** `address:port`, or `instance:port`. */
  readonly target: string;
  /** Of the pod or task that had the address; null = never known. */
  readonly owner: string | null;
  readonly stretches: readonly TargetStretch[];
}

export interface StaleTarget {
  /** Services whose hostnames the group's rules lead to; empty = by no rule that names one. */
  readonly services: readonly string[];
  readonly side: Side;
  readonly group: string;
  /** null: known by its effects only (P1), or the fault is the whole group's. */
  readonly target: string | null;
  readonly owner: string | null;
  readonly fault: TargetFault;
  /** It began in [first poll seen − poll, first poll seen], and ended in [last poll seen, the poll after]. */
  readonly fromAtNs: number;
  readonly toAtNs: number;
  readonly isOpenAtEnd: boolean;
  readonly windowMs: Interval;
  /** By the group's own settings: min(controller's lag, health check detection); null = they are not known. */
  readonly expectedWindowMs: Interval | null;
  /** null: confirmed by the platform, and no probe failed by it. */
  readonly proof: Proof | null;
  /** Failed slots of judged lanes that it explains; with others stale at the same time, each counts what it may have been. */
  readonly failedCount: number;
  /** What the failures of all lanes were held against; null: there was nothing to hold them against (no target data, or none failed). */
  readonly check: StaleCheck | null;
  readonly signatures: Readonly<Partial<Record<StaleSignature, number>>>;
  readonly text: string;
  readonly evidence: readonly string[];
}

/**
 * Of one service on one side: failures of fitting signatures while targets were stale, against the share that these targets
 * had of all that got requests; and the counter-check, the same signatures while none was.
 */
export interface StaleCheck {
  /** Those that were stale at the same time have the same number. */
  readonly episode: number;
  readonly failedCount: number;
  readonly probeCount: number;
  /** By the share of stale among routable targets, over time. */
  readonly expectedRatio: Interval;
  readonly outsideFailedCount: number;
  readonly outsideProbeCount: number;
  /** Of judged lanes, in all of the episode: what its targets explain together. */
  readonly togetherFailedCount: number;
}

/** Whether the targets that a service is behind were watched, as far as somebody was asked to watch them. */
export interface TargetWatch {
  readonly service: string;
  /** Sides whose load balancers were to be watched; empty: nobody was asked to. */
  readonly sides: readonly Side[];
  /** Sentences: which groups of it nobody can tell stale targets of, and why. Left out: of all somebody can. */
  readonly untold?: readonly string[];
  /** When that could not tell whether a target is stale, and why. */
  readonly gaps: readonly { readonly fromAtNs: number; readonly toAtNs: number; readonly why: string }[];
}
