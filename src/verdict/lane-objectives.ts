/**
 * The objectives that each judged lane is held against. A service gets one reason for each of them: the worst lane speaks
 * for all, except that every lane that missed the limit is named (up to a cap, and the rest are counted).
 */
import type { Interval, Judged, LaneAnalysis } from '../core/analysis.ts';
import { laneName } from '../core/lane-name.ts';
import {
  boundsText,
  countOf,
  countText,
  durationBoundsText,
  durationText,
  listText,
  ratioText,
} from '../core/quantity-text.ts';
import type { Objectives } from '../core/scenario.ts';
import type { Reason, VerdictValue } from '../core/verdict.ts';
import { compareWorst, judgeInterval } from './interval.ts';

/** A lane with something to be judged by. */
export type JudgedLane = LaneAnalysis & { readonly judgedPart: Judged };

/** Below this many failures the ratio says nothing: one lost packet in a short run would break a limit of 0.1 %. */
const failedCountMin = 3;
const lanesNamedMax = 10;

type LaneObjectiveKey =
  | 'outageMsMax'
  | 'downtimeMsMax'
  | 'failedRatioMax'
  | 'worstMinuteFailedRatioMax'
  | 'burst5xxCountMax'
  | 'flipBackCountMax';

interface LaneObjective {
  readonly key: LaneObjectiveKey;
  readonly noun: string;
  readonly observed: (part: Judged) => Interval;
  readonly boundsText: (observed: Interval) => string;
  readonly limitText: (limit: number) => string;
  readonly judge: (part: Judged, limit: number) => VerdictValue;
  /** What stands beside a zero. */
  readonly zeroText: (resolutionText: string) => string;
  readonly isDuration: boolean;
}

const outageSeen = (resolutionText: string): string => `Any outage longer than ${resolutionText} would have been seen.`;
const probesApart = (resolutionText: string): string => `Its probes were at most ${resolutionText} apart.`;

const ofDurations = {
  boundsText: durationBoundsText,
  limitText: (limit: number) => durationText(limit),
  zeroText: outageSeen,
  isDuration: true,
};
const ofRatios = {
  boundsText: (observed: Interval) => boundsText(observed, ratioText),
  limitText: (limit: number) => ratioText(limit),
  zeroText: outageSeen,
  isDuration: false,
};
const ofCounts = {
  boundsText: (observed: Interval) => boundsText(observed, countText),
  limitText: countText,
  zeroText: probesApart,
  isDuration: false,
};

const laneObjectives: readonly LaneObjective[] = [
  {
    key: 'outageMsMax',
    noun: 'longest outage',
    observed: (part) => part.longestOutageMs,
    judge: (part, limit) => judgeInterval(part.longestOutageMs, limit),
    ...ofDurations,
  },
  {
    key: 'downtimeMsMax',
    noun: 'downtime',
    observed: (part) => part.downtimeMs,
    judge: (part, limit) => judgeInterval(part.downtimeMs, limit),
    ...ofDurations,
  },
  {
    key: 'failedRatioMax',
    noun: 'failed share above the baseline',
    observed: (part) => part.failedRatio,
    judge: judgeFailedRatio,
    ...ofRatios,
  },
  {
    key: 'worstMinuteFailedRatioMax',
    noun: 'failed share of the worst minute',
    observed: (part) => part.worstMinuteFailedRatio,
    judge: (part, limit) => judgeInterval(part.worstMinuteFailedRatio, limit),
    ...ofRatios,
  },
  {
    key: 'burst5xxCountMax',
    noun: 'bursts of 5xx answers',
    observed: (part) => part.burst5xxCount,
    judge: (part, limit) => judgeInterval(part.burst5xxCount, limit),
    ...ofCounts,
  },
  {
    key: 'flipBackCountMax',
    noun: 'returns to the side left after its last answer must have expired:',
    observed: (part) => part.flipBackCount,
    judge: (part, limit) => judgeInterval(part.flipBackCount, limit),
    ...ofCounts,
  },
];

export function laneReasons(
  service: string,
  lanes: readonly JudgedLane[],
  objectives: Objectives,
  referenceCount: number,
): Reason[] {
  if (lanes.length === 0) return [];
  return laneObjectives.flatMap((objective) => {
    const limit = objectives[objective.key];
    const results = lanes
      .map((lane) => ({
        lane,
        observed: objective.observed(lane.judgedPart),
        value: judgeLane(lane, objective, limit),
      }))
      .sort((a, b) => compareWorst(a, b) || a.lane.number - b.lane.number);

    const reasonOf = ({ lane, observed, value }: (typeof results)[number], rest: string): Reason => {
      const name = laneName(lane);
      const bounds = `${name}: ${objective.noun} ${objective.boundsText(observed)}, limit ${objective.limitText(limit)}`;
      const resolutionText = durationText(lane.judgedPart.resolutionMs, 'up');
      const explanation =
        value === 'inconclusive'
          ? ` ${narrowedBy(lane, referenceCount, isTooFine(lane, objective, limit))}`
          : observed.max === 0
            ? ` ${objective.zeroText(resolutionText)}`
            : value === 'pass' && observed.max > limit
              ? ` Fewer than ${countText(failedCountMin)} failures count as none.`
              : '';
      return {
        objective: objective.key,
        service,
        severity: 'fail',
        value,
        lane: name,
        limit,
        observed,
        text: `${bounds}.${explanation}${rest}`,
      };
    };

    const failed = results.filter((result) => result.value === 'fail');
    if (failed.length === 0) {
      const [worst] = results;
      if (worst === undefined) return [];
      const alike = results.filter((result) => result.value === worst.value).length;
      const rest =
        worst.value === 'pass'
          ? ` The worst of ${countOf(lanes.length, 'judged lane')}.`
          : ` So for ${countText(alike)} of ${countOf(lanes.length, 'judged lane')}.`;
      return [reasonOf(worst, rest)];
    }
    const named = failed
      .slice(0, lanesNamedMax)
      .map((result, i) =>
        reasonOf(
          result,
          i === 0 ? ` Missed by ${countText(failed.length)} of ${countOf(lanes.length, 'judged lane')}.` : '',
        ),
      );
    const more = failed.slice(lanesNamedMax);
    return more.length === 0 ? named : [...named, reasonOfMore(service, objective, limit, more)];
  });
}

function reasonOfMore(
  service: string,
  objective: LaneObjective,
  limit: number,
  more: readonly { readonly observed: Interval }[],
): Reason {
  const observed = {
    min: Math.min(...more.map((result) => result.observed.min)),
    max: Math.max(...more.map((result) => result.observed.max)),
  };
  return {
    objective: objective.key,
    service,
    severity: 'fail',
    value: 'fail',
    limit,
    observed,
    text: `${countOf(more.length, 'more lane')} missed this limit: ${objective.noun} ${objective.boundsText(observed)}, limit ${objective.limitText(limit)}.`,
  };
}

/** A lane of which nothing was seen cannot pass, whatever its bounds say; nor one that looked too seldom for the limit. */
function judgeLane(lane: JudgedLane, objective: LaneObjective, limit: number): VerdictValue {
  const value = objective.judge(lane.judgedPart, limit);
  const isUnseen = seenCount(lane) === 0 || isTooFine(lane, objective, limit);
  return value === 'pass' && isUnseen ? 'inconclusive' : value;
}

/** Between two probes there is room for an outage that is longer than this limit. A limit of 0 means: no probe may fail. */
function isTooFine(lane: JudgedLane, { isDuration }: LaneObjective, limit: number): boolean {
  return isDuration && limit > 0 && limit < lane.judgedPart.resolutionMs;
}

function judgeFailedRatio(part: Judged, limit: number): VerdictValue {
  if (part.failedCount.max < failedCountMin) return 'pass';
  const value = judgeInterval(part.failedRatio, limit);
  return value === 'fail' && part.failedCount.min < failedCountMin ? 'inconclusive' : value;
}

function seenCount(lane: JudgedLane): number {
  return lane.judgedPart.slots.good + lane.judgedPart.slots.failed;
}

/** What stood between these bounds and an answer, so that the next run can do better. */
function narrowedBy(lane: JudgedLane, referenceCount: number, isTooFineALimit: boolean): string {
  const { slots } = lane.judgedPart;
  const means: string[] = [];
  if (slots.dropped > 0) means.push(`fewer dropped slots (${countText(slots.dropped)})`);
  if (slots.blind > 0) means.push(`a prober that is never blind (${countOf(slots.blind, 'slot')})`);
  if (slots.blocked > 0) means.push(`a prober that is not blocked (${countOf(slots.blocked, 'answer')} meant for it)`);
  if (slots.pending > 0) means.push(`a log without missing probes (${countText(slots.pending)})`);
  if (referenceCount < 2 && lane.outages.some((outage) => outage.causes['own-network-suspected'] !== undefined)) {
    means.push('two references in other networks');
  }
  if (
    lane.sides.unknown + lane.sides.conflict > 0 &&
    lane.judgedPart.flipBackCount.min < lane.judgedPart.flipBackCount.max
  ) {
    means.push('a marker or addresses that tell the sides apart');
  }
  if (means.length === 0) {
    means.push(`a higher rate (now one probe every ${durationText(1000 / lane.ratePerSecond)})`);
  }
  const nothingSeen = seenCount(lane) === 0 ? 'No slot of it was seen. ' : '';
  const tooFine = isTooFineALimit
    ? `The limit is finer than what could be seen: outages up to ${durationText(lane.judgedPart.resolutionMs, 'up')}. `
    : '';
  return `${nothingSeen}${tooFine}To know: ${listText(means)}.`;
}
