/**
 * What the evidence says, before anybody judges it. Instants are ns since run start, lengths ms; `null` = did not happen
 * or was not seen. Every list is in a fixed order (scenario order, then time), so that the same evidence gives the same
 * bytes of report.
 */
import type { EntryOf, RunMode } from './entry.ts';
import type { Direction, LaneRole, Scenario, Side, SideSeen } from './scenario.ts';
import type { StaleTarget, TargetAnalysis, TargetWatch } from './stale-target.ts';

/** An observed quantity: what was certainly so, and what may have been so given all that was not seen. */
export interface Interval {
  readonly min: number;
  readonly max: number;
}

/** Why a slot failed, as far as the evidence tells. */
export type Cause =
  | 'stale-answer'
  | 'kept-connection'
  | 'pinned'
  | 'stale-target'
  | 'no-target'
  /** The load balancer or proxy answered itself, with 502 or 504: what it sent the request to did not. */
  | 'target-failed'
  | 'app-5xx'
  | 'side-down'
  | 'address-down'
  /** The side's own lanes had good answers and failures, mixed. */
  | 'side-impaired'
  | 'dns-failed'
  | 'tls'
  | 'too-slow'
  | 'wrong-answer'
  | 'own-network-suspected'
  | 'unattributed';

/** Why an answer still came from the old side after the change. */
export type OldReason =
  | 'within-ttl'
  | 'resolver-violates-ttl'
  /** The resolver gave it late, and that proves nothing: it calls it stale, or not every authority was heard to change. */
  | 'resolver-lags'
  | 'application-cache'
  | 'kept-connection'
  | 'pinned'
  | 'authority-lags'
  | 'unknown';

/** What a slot's result is called. The failure classes of a report; `good` and the unseen ones stand beside them. */
export type FailureClass =
  | 'dns-nxdomain'
  | 'dns-servfail'
  | 'dns-timed-out'
  | 'dns-failed'
  | 'connect-refused'
  | 'connect-timed-out'
  | 'connect-failed'
  | 'tls-failed'
  | 'tls-timed-out'
  | 'reset'
  | 'closed-before-answer'
  | 'truncated'
  | 'first-byte-timed-out'
  | 'body-timed-out'
  | 'malformed-answer'
  | 'goaway'
  | 'refused-stream'
  | 'too-slow'
  | '4xx'
  | '5xx-alb'
  | '5xx-nginx'
  | '5xx-app'
  | 'unexpected-status'
  | 'header-mismatch'
  | 'body-mismatch';

export interface Outage {
  readonly firstFailedAtNs: number;
  readonly lastFailedAtNs: number;
  /** Due instant of the last good slot before; null = none since the lane began. */
  readonly lastGoodAtNs: number | null;
  /** Due instant of the first good slot after; null = still open at the end. */
  readonly firstGoodAtNs: number | null;
  readonly downMsMin: number;
  readonly downMsMax: number;
  readonly faultMsMin: number;
  readonly faultMsMax: number;
  readonly failedCount: number;
  /** From first to last failed, with dropped, pending, blind and blocked ones. */
  readonly slotCount: number;
  readonly openAtEnd: boolean;
  /** Which side the failures were on, if all were on one. */
  readonly side: SideSeen;
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
  readonly classes: Readonly<Partial<Record<FailureClass, number>>>;
  readonly phase: PhaseName | 'before';
}

export interface Impaired {
  readonly fromAtNs: number;
  readonly toAtNs: number;
  readonly failedCount: number;
  readonly slotCount: number;
  readonly failedShare: number;
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
  readonly classes: Readonly<Partial<Record<FailureClass, number>>>;
  /** Where all failures were at some addresses and the good ones at others: those. */
  readonly failedAddresses: readonly string[];
}

export interface Burst {
  readonly fromAtNs: number;
  readonly toAtNs: number;
  readonly failedCount: number;
  readonly slotCount: number;
  /** 5xx statuses and how many of each; `0` = no HTTP answer. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** A stretch of one state in a lane, for people: `old 34.0 s · new 3.4 s · DOWN 358.9 s`. */
export interface Stretch {
  readonly state: 'old' | 'new' | 'unknown' | 'conflict' | 'down' | 'impaired' | 'unseen';
  readonly fromAtNs: number;
  readonly toAtNs: number;
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface SlotCounts {
  /** due = good + failed + dropped + blind + blocked + pending. */
  readonly due: number;
  /** A request went out, or failed before one could: good + failed + blind ones that were sent + blocked ones that were sent. */
  readonly sent: number;
  readonly good: number;
  readonly failed: number;
  readonly dropped: number;
  readonly blind: number;
  readonly blocked: number;
  /** No row: in flight when the log ended. */
  readonly pending: number;
}

/** What the objectives are held against: one lane, from the change on. Null before any change. */
export interface Judged {
  readonly fromAtNs: number;
  readonly toAtNs: number;
  readonly slots: SlotCounts;
  readonly longestOutageMs: Interval;
  readonly downtimeMs: Interval;
  /** Failed / due, less the baseline's failed ratio, not below 0. */
  readonly failedRatio: Interval;
  readonly failedCount: Interval;
  readonly baselineFailedRatio: number;
  /** Failures in the worst 60 s over the slots of a full minute. */
  readonly worstMinuteFailedRatio: Interval;
  readonly burst5xxCount: Interval;
  readonly flipBackCount: Interval;
  /** The finest outage that could have been seen: the longest distance of two neighbouring good or failed slots, ms. */
  readonly resolutionMs: number;
}

export interface LaneAnalysis {
  readonly number: number;
  readonly role: LaneRole;
  readonly service: string;
  readonly check: string;
  readonly client: string;
  readonly resolver: string | null;
  readonly address: string | null;
  readonly series: 'raw' | 'retried';
  readonly ratePerSecond: number;
  /** As the scenario has it; an unqualified lane is not judged either. */
  readonly judged: boolean;
  readonly qualified: boolean;
  readonly slots: SlotCounts;
  readonly sides: Readonly<Record<SideSeen, number>>;
  readonly firstNewAtNs: number | null;
  readonly lastOldAtNs: number | null;
  readonly oldAfterChange: Readonly<Partial<Record<OldReason, number>>>;
  /** When a correct client of this kind must have left the old side; null = never by itself, or no change. */
  readonly leavesOldByAtNs: number | null;
  readonly leavesOldWhy: string;
  readonly outages: readonly Outage[];
  readonly impaired: readonly Impaired[];
  readonly bursts: readonly Burst[];
  readonly downtimeMs: Interval;
  readonly impairedMs: Interval;
  /** Distance of two slots, ms. */
  readonly resolutionMs: number;
  readonly classes: Readonly<Partial<Record<FailureClass, number>>>;
  readonly responseTimeMs: { readonly old: Percentiles | null; readonly new: Percentiles | null };
  readonly byAddress: readonly {
    readonly address: string;
    readonly side: SideSeen;
    readonly slots: number;
    readonly failed: number;
  }[];
  readonly stretches: readonly Stretch[];
  /** Fresh checks after a failure on a kept connection: what they told. */
  readonly freshChecks: { readonly good: number; readonly failed: number };
  readonly judgedPart: Judged | null;
}

export type PhaseName = 'baseline' | 'switching' | 'tail';

export interface Phase {
  readonly name: PhaseName;
  /** Index into `changes`; for the baseline the change that ends it, or null. */
  readonly changeIndex: number | null;
  readonly fromAtNs: number;
  readonly toAtNs: number;
}

export interface ChangeSeen {
  readonly direction: Direction;
  readonly markedAtNs: number | null;
  readonly commandFromAtNs: number | null;
  readonly commandToAtNs: number | null;
  /**
   * When the first and when the last authoritative server was heard to answer with the other side; each changed somewhere
   * in the poll interval before. `last` is null while a server that answers has not changed.
   */
  readonly authorityFirstAtNs: number | null;
  readonly authorityLastAtNs: number | null;
  /** The first answer of the other side on a fresh lane. */
  readonly identityAtNs: number | null;
  /**
   * Phases begin here: at the command or the mark, unless the change was seen before; then when the leaving side was last
   * confirmed before that, by an authoritative server or by a good answer on a fresh lane. Of a deployment: when a rollout
   * may have begun, or when replicas of before last answered alone.
   */
  readonly usedAtNs: number;
  readonly usedBy: 'command' | 'mark' | 'authority' | 'identity' | 'rollout' | 'replicas';
  /** DNS or identity confirmed it: without this nothing may pass. */
  readonly isEvident: boolean;
}

/** One Deployment or ECS service that got another revision, as Kubernetes or ECS said. */
export interface RolloutAnalysis {
  readonly side: Side;
  readonly name: string;
  readonly fromRevision: string;
  readonly toRevision: string;
  /** It began between these two. */
  readonly notBeforeNs: number;
  readonly beganAtNs: number;
  /** Every replica of the new revision was ready, in its platform's words; null = not yet. */
  readonly readyAtNs: number | null;
  /** And the last replica of before had gone, as far as replicas can be seen; null = not yet. */
  readonly completeAtNs: number | null;
  readonly state: 'progressing' | 'complete' | 'failed';
  /** Why, in its platform's words; '' = nothing is said. */
  readonly reason: string;
  readonly desiredCount: number;
  /** Pods or tasks of before, as far as they were seen. */
  readonly replacedCount: number;
}

/** Which replicas answered, by a header that names them. */
export interface ReplicasAnalysis {
  readonly header: string;
  /** By first answer. */
  readonly replicas: readonly ReplicaAnalysis[];
  /** Answers of further replicas than are listed. */
  readonly otherCount: number;
  /** Answers without the header: of somebody before the replicas, or of one that does not say. */
  readonly namelessCount: number;
  readonly namelessFailedCount: number;
}

export interface ReplicaAnalysis {
  readonly name: string;
  readonly firstAtNs: number;
  readonly lastAtNs: number;
  readonly answered: Readonly<Record<PhaseName, number>>;
  /** Answers of it that were not as expected, or too late. */
  readonly failedCount: number;
}

/** What was seen in one stretch of a residual curve. Of all three, `unseenCount` may have been on either side. */
export interface ResidualPoint {
  /** Since the curve's `fromAtNs`; stretches of which nothing was due, or asked, are left out. */
  readonly afterMs: number;
  readonly untilMs: number;
  /** On the side that the change leaves, answered there or not. */
  readonly leavingCount: number;
  readonly targetCount: number;
  /** Dropped, blind, blocked, pending, and what went to neither side or to one that is not known. */
  readonly unseenCount: number;
  /** In theory, in the middle of it; null = not known. */
  readonly theoryRatio: number | null;
}

/** From when on no more than `ratio` is on the side that is left, since the curve's `fromAtNs`. */
export interface ResidualLevel {
  readonly ratio: number;
  /** As far as was seen; null = not while it was watched. */
  readonly observedMs: { readonly min: number | null; readonly max: number | null };
  /** null = never, or not known. */
  readonly theoryMs: number | null;
}

/**
 * How the side that a change leaves emptied: requests of one kind of client by the side that they went to, or answers of one
 * resolver by the side that they name.
 */
export interface ResidualCurve {
  readonly kind: 'client' | 'resolver';
  readonly client: string | null;
  readonly resolver: string | null;
  /** Into the service's changes. */
  readonly changeIndex: number;
  readonly leaving: Side;
  /** Time counts from here: when the last authoritative server was heard to have changed, else when the change began. */
  readonly fromAtNs: number;
  /** It changed between this and `fromAtNs`, so that each time may be longer by the difference. */
  readonly notBeforeNs: number;
  /** The next change, or the end of probing: after the last point nobody was there until then. */
  readonly watchedMs: number;
  readonly points: readonly ResidualPoint[];
  /** A half, a tenth, a hundredth. */
  readonly levels: readonly ResidualLevel[];
  /** null = none. */
  readonly lastLeavingAtNs: number | null;
  /** When the last has left in theory; null = never, or not known (`theoryRatio` tells which). */
  readonly theoryEndMs: number | null;
  readonly theoryWhy: string;
  /** Those that were there when nobody who keeps to the rules is, by reason. */
  readonly lateReasons: Readonly<Partial<Record<OldReason, number>>>;
}

/** Of those whose side is known or not, the share on the side that is left: what was not seen is on either. */
export function residualRatio({ leavingCount, targetCount, unseenCount }: ResidualPoint): Interval {
  const count = leavingCount + targetCount + unseenCount;
  return { min: leavingCount / count, max: (leavingCount + unseenCount) / count };
}

/** Whether a step is safe, by all that was seen. Unknown is never safe. */
export interface SafetyAdvice {
  readonly safe: 'yes' | 'no' | 'unknown';
  /** Since when it is, or from when on it will be if only time is missing; null = not known. */
  readonly atNs: number | null;
  /** Sentences: what speaks against it, else what speaks for it. */
  readonly because: readonly string[];
  /** What decides nothing and is worth knowing: the limits of what was seen. */
  readonly besides: readonly string[];
}

/** For how long cached answers may lead to the side that a change leaves: so long it must go on answering. */
export interface OldAnswers {
  /** Null = not known. Where resolvers kept them longer than TTLs allow, the last that was seen. */
  readonly untilNs: number | null;
  /** From the switch on, by TTL and the longest cache of a judged client alone, s; null = no TTL is known. */
  readonly leastS: number | null;
  /** Judged clients that keep an answer for a time of their own, the longest first. */
  readonly ownCaches: readonly { readonly client: string; readonly s: number }[];
  /** Resolvers by which judged clients still failed there after that. */
  readonly keptLongerBy: readonly string[];
  /** They still did at the end. */
  readonly isOpen: boolean;
}

/** Fewer samples than this, and a p99 is made of less than twenty answers: too few to be held against another. */
export const latencySamplesMin = 2000;
/** Two fast sides differ by a large factor and nobody feels it: below this a p99 counts as this. */
export const latencyFloorMs = 50;

export interface ServiceAnalysis {
  readonly name: string;
  readonly outcome: 'completed' | 'rolled-back' | 'partial' | 'none';
  readonly changes: readonly ChangeSeen[];
  readonly phases: readonly Phase[];
  /** Of the record: before it was lowered, as the scenario says, and as it was at the change. */
  readonly ttlS: { readonly before: number | null; readonly after: number | null };
  readonly impact: {
    readonly downtimeMs: Interval;
    readonly impairedMs: Interval;
    readonly userWeightedMs: Interval;
    readonly weightsAssumed: boolean;
  };
  /**
   * From the last authority's change (else `usedAt`) to the last old answer on compliant lanes, s; the change lies between
   * two polls, which widens it. Null without a change, or where no lane was watched that must follow.
   */
  readonly convergenceS: Interval | null;
  /** The limit that `auto` means here, s: 2 × TTL + 10, and what a client's own cache adds; null while no TTL is known. */
  readonly convergenceAutoS: number | null;
  /** Just before the first change; where nothing changed, at the end. */
  readonly safeToSwitch: SafetyAdvice;
  /** To turn off the side that the last change left; `side` is null where none did. */
  readonly safeToRemoveOld: SafetyAdvice & { readonly side: Side | null };
  /** Of the first change; null without one. */
  readonly oldAnswers: OldAnswers | null;
  /** Probing outlasted the change by the tail asked for. */
  readonly tail: { readonly askedS: number; readonly watchedS: number; readonly isWhole: boolean };
  /** p99 of new against old on side lanes; null with too few samples. */
  readonly latencyP99: {
    readonly oldMs: number;
    readonly newMs: number;
    readonly ratio: number;
    readonly sampleCount: number;
  } | null;
  /** Of each change that everybody must follow: its clients in the order of the scenario, then its resolvers. */
  readonly residual: readonly ResidualCurve[];
  /** Left out: the scenario names no header that tells replicas apart. */
  readonly replicas?: ReplicasAnalysis;
}

export interface Finding {
  readonly kind: string;
  /** null: concerns the run. */
  readonly service: string | null;
  readonly severity: 'info' | 'warn' | 'fail';
  readonly text: string;
  /** What proves it, in words: lane and slot numbers, times, answers. */
  readonly evidence: readonly string[];
}

export interface AuthorityAnalysis {
  readonly address: string;
  /** The name it is asked for: a service's hostname, or a link of its alias chain. */
  readonly hostname: string;
  /** The hostnames in whose chains the name is; empty for a hostname of its own. */
  readonly linkOf: readonly string[];
  /** '' = given by the scenario, not looked up. */
  readonly zone: string;
  /** The name server whose address it is; null = not known. */
  readonly nameServer: string | null;
  /** Which of the servers behind the address answered last, where it says so. */
  readonly nsid: string | null;
  /** Of the zone, as last heard. For information: Route 53's is 1 for ever, whatever changes. */
  readonly soaSerial: number | null;
  /** Answers without authority, or REFUSED and the like instead of one. */
  readonly lameCount: number;
  readonly ttlS: number | null;
  readonly firstNewAtNs: number | null;
  readonly lastOldAtNs: number | null;
  readonly unreachableCount: number;
}

export interface ResolverAnalysis {
  readonly name: string;
  readonly hostname: string;
  /** TTLs as received in the answers that probes used. */
  readonly ttlS: { readonly authoritative: number | null; readonly min: number | null; readonly max: number | null };
  readonly firstNewAtNs: number | null;
  readonly lastOldAtNs: number | null;
  /** From when the last authoritative server was heard to have changed to the last old answer: the least it took. */
  readonly convergedMs: number | null;
  /** From the poll before that to the first new answer after the last old one: the most. Null while none was seen. */
  readonly convergedMsMax: number | null;
  readonly conduct: ResolverConduct;
  /** Independent caches behind its address: at least so many; null = nothing was seen to count down. */
  readonly cacheCount: number | null;
  /** As far as they can be told apart; one, where they cannot. */
  readonly caches: readonly { readonly firstNewAtNs: number | null; readonly lastOldAtNs: number | null }[];
  /** How often an answer of the old side came after one of the new side. */
  readonly flipBackCount: number;
  readonly findings: readonly Finding[];
}

/** What a resolver does with TTLs, where it shows. */
export interface ResolverConduct {
  readonly kind:
    | 'honest'
    /** Keeps answers for `clampS` at least. */
    | 'raises-ttl'
    /** Keeps answers for `clampS` at most. */
    | 'lowers-ttl'
    /** The TTL is always `clampS`: it does not count down, or does not cache. */
    | 'constant-ttl'
    /** Gives answers that have expired. */
    | 'serves-stale'
    /** Proved to have kept an answer for too long, and nothing above explains it. */
    | 'violates-ttl'
    /** Fetches anew a little before the end: harmless. */
    | 'prefetches'
    | 'unknown';
  readonly clampS: number | null;
}

export interface BlindSpot {
  readonly fromAtNs: number;
  readonly toAtNs: number;
  readonly why: string;
}

/** What looked at platforms beside the probes. */
export interface ObserverAnalysis {
  readonly name: string;
  readonly side: Side | null;
  /** What it looked at, for people. */
  readonly what: string;
  /** False: it never could. */
  readonly hasSeen: boolean;
  /** When it could not; what it would have told then is not known. */
  readonly gaps: readonly BlindSpot[];
}

export interface ProberAnalysis {
  readonly dueCount: number;
  readonly droppedCount: number;
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly eventLoopDelayMsMax: number;
  readonly writeDelayMsMax: number;
  /** The sum of all steps of the wall clock against the monotonic one, whichever their direction. */
  readonly clockStepMs: number;
  readonly blindSpots: readonly BlindSpot[];
}

export interface Analysis {
  readonly mode: RunMode;
  readonly scenario: Scenario;
  readonly runId: string;
  readonly version: string;
  readonly vantage: string;
  readonly startedAtMs: number;
  readonly endedAtNs: number;
  /** False: the log has no end (crash, kill), or lost rows; then nothing may pass. */
  readonly isWhole: boolean;
  /** Each reason why the log is not whole, as a sentence. */
  readonly incompleteBecause: readonly string[];
  readonly endedBecause: string;
  readonly command: {
    readonly words: readonly string[];
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly error: string;
    readonly fromAtNs: number | null;
    readonly toAtNs: number | null;
  } | null;
  readonly commandWithheldBecause: string | null;
  readonly marks: readonly { readonly atNs: number; readonly text: string }[];
  readonly services: readonly ServiceAnalysis[];
  readonly lanes: readonly LaneAnalysis[];
  readonly resolvers: readonly ResolverAnalysis[];
  readonly authorities: readonly AuthorityAnalysis[];
  readonly findings: readonly Finding[];
  /** Left out: nobody was asked to look at platforms. */
  readonly observers?: readonly ObserverAnalysis[];
  /** Of a run that watches deployments, in order of time; left out: none was seen. */
  readonly rollouts?: readonly RolloutAnalysis[];
  /** Targets that were seen, by group; left out: none was. */
  readonly targets?: readonly TargetAnalysis[];
  /** In order of time; left out: none, and nothing that looks like one. */
  readonly staleTargets?: readonly StaleTarget[];
  /** Of each service of which somebody was asked to watch targets; left out: of none. */
  readonly targetWatch?: readonly TargetWatch[];
  /** What a playbook beside the run said of its steps, in order of time; left out: there was none. */
  readonly playbook?: readonly EntryOf<'step-checked'>[];
  readonly prober: ProberAnalysis;
  readonly sides: Readonly<Record<Side, { readonly addresses: readonly string[] }>>;
}
