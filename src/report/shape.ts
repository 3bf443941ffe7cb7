/**
 * `report.json`, version 1. Instants are ISO 8601 UTC with milliseconds, lengths ms with the ns as decimals, `null` =
 * did not happen, was not seen, or was not looked at. Fields may be added; none is renamed or removed.
 */
import type {
  Cause,
  ChangeSeen,
  FailureClass,
  Finding,
  Interval,
  OldAnswers,
  OldReason,
  Percentiles,
  ResidualLevel,
  ResidualPoint,
  ResolverConduct,
  RolloutAnalysis,
} from '../core/analysis.ts';
import type { PhaseName, SlotCounts, Stretch } from '../core/analysis.ts';
import type { RunMode } from '../core/entry.ts';
import type { Direction, LaneRole, Side, SideSeen } from '../core/scenario.ts';
import type { TargetState } from '../core/platform.ts';
import type { PlaybookCheck, StepState } from '../core/playbook.ts';
import type { Proof, StaleCheck, StaleSignature, TargetFault } from '../core/stale-target.ts';
import type { Reason, VerdictValue } from '../core/verdict.ts';

/** ISO 8601 UTC, `2026-11-24T10:00:00.000Z`. */
export type Instant = string;
export type Counts<K extends string> = Readonly<Partial<Record<K, number>>>;

export interface Report {
  readonly schemaVersion: 1;
  readonly verdict: { readonly value: VerdictValue; readonly reasons: readonly Reason[] };
  readonly run: ReportRun;
  readonly marks: readonly { readonly at: Instant; readonly text: string }[];
  readonly services: readonly ReportService[];
  readonly lanes: readonly ReportLane[];
  readonly resolvers: readonly ReportResolver[];
  readonly authorities: readonly ReportAuthority[];
  /** Of load balancers that were watched, in the order of their groups. */
  readonly targets: readonly ReportTarget[];
  readonly staleTargets: readonly ReportStaleTarget[];
  /** Of a run that watches deployments: left out where none was seen. */
  readonly rollouts?: readonly ReportRollout[];
  readonly findings: readonly Finding[];
  readonly observers: readonly ReportObserver[];
  /** What a playbook beside the run said of its steps, each time that one was no longer as before. */
  readonly playbook: readonly ReportStep[];
  readonly prober: ReportProber;
}

export interface ReportStep {
  readonly at: Instant;
  readonly step: string;
  /** null: no machine can see it. */
  readonly check: PlaybookCheck | null;
  readonly result: StepState;
  /** The operator went on all the same. */
  readonly accepted: boolean;
  /** When what it is about was read. */
  readonly observedAt: Instant | null;
  readonly evidence: readonly string[];
}

export interface ReportTarget {
  readonly side: Side;
  readonly group: string;
  readonly target: string;
  readonly owner: string | null;
  readonly stretches: readonly {
    readonly state: TargetState;
    readonly reason: string;
    readonly fromAt: Instant;
    readonly toAt: Instant;
  }[];
}

/** As in core/stale-target.ts. */
export interface ReportStaleTarget {
  readonly services: readonly string[];
  readonly side: Side;
  readonly group: string;
  readonly target: string | null;
  readonly owner: string | null;
  readonly fault: TargetFault;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly isOpenAtEnd: boolean;
  readonly windowMs: Interval;
  readonly expectedWindowMs: Interval | null;
  readonly proof: Proof | null;
  readonly failedCount: number;
  readonly check: StaleCheck | null;
  readonly signatures: Counts<StaleSignature>;
  readonly text: string;
  readonly evidence: readonly string[];
}

/** What looked at platforms beside the probes, and when it could not. */
export interface ReportObserver {
  readonly name: string;
  readonly side: Side | null;
  readonly what: string;
  readonly hasSeen: boolean;
  readonly gaps: readonly { readonly fromAt: Instant; readonly toAt: Instant; readonly why: string }[];
}

export interface ReportRun {
  readonly id: string;
  readonly cutwatchVersion: string;
  readonly scenario: string;
  readonly mode: RunMode;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly endedBecause: string;
  readonly isWhole: boolean;
  readonly incompleteBecause: readonly string[];
  readonly vantages: readonly { readonly name: string; readonly clockOffsetMs: number | null }[];
  /** Its program only: arguments may hold secrets. */
  readonly command: {
    readonly program: string;
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly error: string;
    readonly fromAt: Instant | null;
    readonly toAt: Instant | null;
  } | null;
  readonly commandWithheldBecause: string | null;
  readonly sides: { readonly old: ReportSide; readonly new: ReportSide };
  readonly clients: readonly {
    readonly name: string;
    readonly weightRatio: number;
    readonly standsFor: string;
    /** How long it keeps an answer beyond its TTL; null = for as long as nothing breaks. */
    readonly ownCacheS: number | null;
  }[];
  readonly weightsGiven: boolean;
  readonly referenceCount: number;
}

export interface ReportSide {
  readonly title: string;
  readonly addresses: readonly string[];
}

export interface ReportService {
  readonly name: string;
  readonly outcome: 'completed' | 'rolled-back' | 'partial' | 'none';
  readonly verdict: VerdictValue;
  readonly changes: readonly ReportChange[];
  readonly phases: readonly {
    readonly name: PhaseName;
    readonly changeIndex: number | null;
    readonly fromAt: Instant;
    readonly toAt: Instant;
  }[];
  /** Over the lanes that were judged: 0 to 0 where none was, which is no word on anybody (`lanes[].judgedPart`). */
  readonly impact: {
    readonly downtimeMs: Interval;
    readonly impairedMs: Interval;
    readonly userWeightedMs: Interval;
    readonly weightsAssumed: boolean;
  };
  readonly safeToSwitch: Safety;
  /** Of the side that the last change left; null = none did. */
  readonly safeToRemoveOld: Safety & { readonly side: Side | null };
  /** For how long cached answers lead to the side that the first change left; null = no change. */
  readonly oldAnswers: ReportOldAnswers | null;
  readonly ttlS: { readonly before: number | null; readonly after: number | null };
  readonly convergenceS: Interval | null;
  readonly tail: { readonly askedS: number; readonly watchedS: number; readonly isWhole: boolean };
  readonly latencyP99: {
    readonly oldMs: number;
    readonly newMs: number;
    readonly ratio: number;
    readonly sampleCount: number;
  } | null;
  /** How the side left emptied, per client and per resolver, for each change that everybody must follow. */
  readonly residual: readonly ReportResidual[];
  /** Left out: the scenario names no header that tells replicas apart. */
  readonly replicas?: ReportReplicas;
  /** URLs without their query. */
  readonly checks: readonly {
    readonly name: string;
    readonly url: string;
    readonly goodWithinMs: number;
    readonly connectMs: number;
    readonly totalMs: number;
  }[];
}

/** Times in ms since `fromAt`. Between `leavingCount` and that and `unseenCount` of all three is the share there. */
export interface ReportResidual {
  readonly kind: 'client' | 'resolver';
  readonly client: string | null;
  readonly resolver: string | null;
  readonly changeIndex: number;
  /** That is left. */
  readonly side: Side;
  /** When the last authoritative server was heard to have changed, or else the change began; after `notBeforeAt`. */
  readonly fromAt: Instant;
  readonly notBeforeAt: Instant;
  readonly watchedMs: number;
  readonly lastLeavingAt: Instant | null;
  readonly theory: { readonly endMs: number | null; readonly why: string };
  readonly levels: readonly ResidualLevel[];
  /** Of those that were there when nobody who keeps to the rules is. */
  readonly lateReasons: Counts<OldReason>;
  readonly points: readonly ResidualPoint[];
}

/** One Deployment or ECS service that got another revision. */
export interface ReportRollout {
  readonly side: Side;
  readonly name: string;
  readonly fromRevision: string;
  readonly toRevision: string;
  /** It began between the two. */
  readonly notBeforeAt: Instant;
  readonly beganAt: Instant;
  /** Every new replica was ready. */
  readonly readyAt: Instant | null;
  /** And the last replica of before had gone. */
  readonly completeAt: Instant | null;
  readonly state: RolloutAnalysis['state'];
  readonly reason: string;
  readonly desiredCount: number;
  readonly replacedCount: number;
}

/** Who answered, by a header that names the task, the pod or the build. */
export interface ReportReplicas {
  readonly header: string;
  readonly byReplica: readonly {
    readonly name: string;
    readonly firstAt: Instant;
    readonly lastAt: Instant;
    readonly answered: Readonly<Record<PhaseName, number>>;
    readonly failedCount: number;
  }[];
  readonly otherCount: number;
  readonly namelessCount: number;
  readonly namelessFailedCount: number;
}

export interface ReportChange {
  readonly direction: Direction;
  readonly markedAt: Instant | null;
  readonly commandFromAt: Instant | null;
  readonly commandToAt: Instant | null;
  readonly authorityFirstAt: Instant | null;
  readonly authorityLastAt: Instant | null;
  readonly identityAt: Instant | null;
  readonly usedAt: Instant;
  readonly usedBy: ChangeSeen['usedBy'];
  readonly isEvident: boolean;
}

export interface Safety {
  readonly safe: 'yes' | 'no' | 'unknown';
  readonly at: Instant | null;
  readonly because: readonly string[];
  /** What decides nothing and is worth knowing. */
  readonly besides: readonly string[];
}

export interface ReportOldAnswers extends Omit<OldAnswers, 'untilNs'> {
  readonly untilAt: Instant | null;
}

export interface ReportLane {
  /** As reasons name it. */
  readonly name: string;
  readonly role: LaneRole;
  readonly service: string;
  readonly check: string;
  readonly client: string;
  readonly resolver: string | null;
  readonly address: string | null;
  readonly series: 'raw' | 'retried';
  readonly vantage: string;
  readonly ratePerSecond: number;
  readonly judged: boolean;
  readonly qualified: boolean;
  readonly slots: SlotCounts;
  readonly sides: Readonly<Record<SideSeen, number>>;
  readonly firstNewAt: Instant | null;
  readonly lastOldAt: Instant | null;
  readonly oldAfterChange: Counts<OldReason>;
  readonly leavesOldBy: { readonly at: Instant | null; readonly why: string };
  readonly outages: readonly ReportOutage[];
  readonly impaired: readonly ReportImpaired[];
  readonly downtimeMs: Interval;
  readonly impairedMs: Interval;
  readonly resolutionMs: number;
  readonly bursts: readonly {
    readonly fromAt: Instant;
    readonly toAt: Instant;
    readonly failedCount: number;
    readonly slotCount: number;
    readonly statuses: Readonly<Record<string, number>>;
  }[];
  readonly classes: Counts<FailureClass>;
  readonly responseTimeMs: { readonly old: Percentiles | null; readonly new: Percentiles | null };
  readonly byAddress: readonly {
    readonly address: string;
    readonly side: SideSeen;
    readonly slots: number;
    readonly failed: number;
  }[];
  readonly stretches: readonly {
    readonly state: Stretch['state'];
    readonly fromAt: Instant;
    readonly toAt: Instant;
  }[];
  readonly freshChecks: { readonly good: number; readonly failed: number };
  /** What the objectives were held against: from the change on. */
  readonly judgedPart: ReportJudgedPart | null;
}

export interface ReportOutage {
  readonly firstFailedAt: Instant;
  readonly lastFailedAt: Instant;
  readonly lastGoodAt: Instant | null;
  readonly firstGoodAt: Instant | null;
  readonly downMsMin: number;
  readonly downMsMax: number;
  readonly faultMsMin: number;
  readonly faultMsMax: number;
  readonly failedCount: number;
  readonly slotCount: number;
  readonly openAtEnd: boolean;
  readonly side: SideSeen;
  readonly phase: PhaseName | 'before';
  readonly causes: Counts<Cause>;
  readonly classes: Counts<FailureClass>;
}

export interface ReportImpaired {
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly failedCount: number;
  readonly slotCount: number;
  readonly failedShare: number;
  readonly failedAddresses: readonly string[];
  readonly causes: Counts<Cause>;
  readonly classes: Counts<FailureClass>;
}

export interface ReportJudgedPart {
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly slots: SlotCounts;
  readonly longestOutageMs: Interval;
  readonly downtimeMs: Interval;
  readonly failedRatio: Interval;
  readonly failedCount: Interval;
  readonly baselineFailedRatio: number;
  readonly worstMinuteFailedRatio: Interval;
  readonly burst5xxCount: Interval;
  readonly flipBackCount: Interval;
  readonly resolutionMs: number;
}

export interface ReportResolver {
  readonly name: string;
  readonly hostname: string;
  readonly ttlS: { readonly authoritative: number | null; readonly min: number | null; readonly max: number | null };
  /** At least so many independent caches answer; null = nothing was seen to count down. */
  readonly caches: number | null;
  /** As far as they can be told apart; one, where they cannot. */
  readonly byCache: readonly { readonly firstNewAt: Instant | null; readonly lastOldAt: Instant | null }[];
  /** What it does with TTLs; `clampS` is the TTL that it keeps to, where it does. */
  readonly conduct: ResolverConduct;
  /** Answers of the old side after one of the new side. */
  readonly flipBacks: number;
  readonly firstNewAt: Instant | null;
  readonly lastOldAt: Instant | null;
  /** How long it followed the change for at the least and, as the change and its answers lie between polls, at the most. */
  readonly convergedMs: number | null;
  readonly convergedMsMax: number | null;
  readonly findings: readonly Pick<Finding, 'kind' | 'severity' | 'text' | 'evidence'>[];
}

export interface ReportAuthority {
  readonly address: string;
  readonly hostname: string;
  readonly linkOf: readonly string[];
  readonly zone: string;
  readonly nameServer: string | null;
  readonly nsid: string | null;
  readonly soaSerial: number | null;
  readonly lameCount: number;
  readonly ttlS: number | null;
  readonly firstNewAt: Instant | null;
  readonly lastOldAt: Instant | null;
  readonly unreachableCount: number;
}

export interface ReportProber {
  readonly dueCount: number;
  readonly droppedCount: number;
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly eventLoopDelayMsMax: number;
  readonly writeDelayMsMax: number;
  readonly clockStepMs: number;
  readonly blindSpots: readonly { readonly fromAt: Instant; readonly toAt: Instant; readonly why: string }[];
}
