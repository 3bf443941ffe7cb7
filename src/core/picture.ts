/**
 * What charts draw: the evidence of a run over time, reduced to as many bins as a screen has room for, with not one failed
 * probe hidden. Plain values, so that it goes into a page as it is. Instants are ms since run start; a bin is [i, i + 1) ×
 * `binMs`. Everything in it is also in the evidence, and every conclusion in the report: this is to look at.
 */
import type { Cause, FailureClass } from './analysis.ts';
import type { SideSeen } from './scenario.ts';

export interface Picture {
  readonly binMs: number;
  readonly binCount: number;
  /** Slots that were due until here are in it. */
  readonly untilMs: number;
  /** In the order of the report's lanes of the raw series, and named as they are. */
  readonly lanes: readonly PictureLane[];
  readonly latency: readonly PictureLatency[];
  readonly resolvers: readonly PictureResolver[];
  readonly closeUps: readonly CloseUp[];
  /** Stretches with failures of which no close-up was made, because there are too many: the bins have all of them. */
  readonly closeUpsLeftOutCount: number;
}

export interface PictureLane {
  /** As core/lane-name.ts makes it. */
  readonly name: string;
  readonly runs: readonly BinRun[];
  /** Sorted by bin. The sum of a bin is the `failed` of its run. */
  readonly failures: readonly BinFailures[];
}

/**
 * Bins one after the other with the same counts in each: [first bin, how many bins, good from the old side, good from the new
 * side, good from neither or unknown, failed, unseen]. Unseen: dropped, blind, blocked, pending. Bins in which nothing was
 * due are left out.
 */
export type BinRun = readonly [
  bin: number,
  binCount: number,
  oldCount: number,
  newCount: number,
  otherCount: number,
  failedCount: number,
  unseenCount: number,
];

export type BinFailures = readonly [bin: number, failure: FailureClass, side: SideSeen, count: number];

/** Response times (due to ended, of good slots) of one kind of client at one side, over time and as a distribution. */
export interface PictureLatency {
  readonly service: string;
  readonly client: string;
  readonly side: 'old' | 'new';
  /** Each of `bins` stands for so many, from the one it names on: with many clients they would fill a page. Left out: 1. */
  readonly binCount?: number;
  /** Of bins with good slots: [bin, count, p50 ms, p99 ms, max ms], times to three digits. */
  readonly bins: readonly (readonly [bin: number, count: number, p50Ms: number, p99Ms: number, maxMs: number])[];
  /** [from ms, to ms, count], rising, empty ones left out; each bound is at most 10 % above the one before. */
  readonly distribution: readonly (readonly [fromMs: number, toMs: number, count: number])[];
}

/** What a resolver's answers for a hostname named, poll by poll, neighbours of one state put together. */
export interface PictureResolver {
  readonly name: string;
  readonly hostname: string;
  /** Until when whoever got an answer of a side may keep it, by its TTL as given; null = none was given, left out = unknown. */
  readonly heldUntilMs?: { readonly old: number | null; readonly new: number | null };
  readonly states: readonly {
    /** `mixed`: addresses of both sides in one answer, or caches that differ within a poll; `failed`: no answer, or an error. */
    readonly state: SideSeen | 'mixed' | 'failed';
    readonly fromMs: number;
    readonly toMs: number;
    /** The lowest and highest TTL told in it; null = none was. */
    readonly ttlS: readonly [min: number, max: number] | null;
  }[];
}

/** A stretch of one service with failures in it, every slot of every lane that failed in it a dot. */
export interface CloseUp {
  readonly service: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What is drawn: all of a short stretch, or the edge of a long one. */
  readonly part: 'whole' | 'beginning' | 'end';
  readonly lanes: readonly {
    readonly name: string;
    readonly dots: readonly Dot[];
  }[];
}

/** [due ms, response ms, what it was, side, cause of a failure]; the response time is until it ended, as good or as failed. */
export type Dot = readonly [
  dueMs: number,
  responseMs: number,
  result: 'good' | 'dropped' | 'blind' | 'blocked' | 'pending' | FailureClass,
  side: SideSeen,
  cause: Cause | null,
];
