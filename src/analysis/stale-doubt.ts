/**
 * When failures of a service may be a stale target's: the times in which the groups behind it had somebody that got
 * requests and had nobody behind it, or might not have. Around a confirmed one they are an episode; others are neither
 * evidence for nor against.
 */
import type { Interval } from '../core/analysis.ts';
import type { FaultSpan, GroupHistory, Share } from './targets-history.ts';
import type { Weighted } from './targets-of-service.ts';
import { sToNs } from '../core/time.ts';
import { mergeSpans, type Span } from './spans.ts';

export interface Episode extends Span {
  readonly number: number;
  readonly spans: readonly { readonly history: GroupHistory; readonly span: FaultSpan }[];
}

export function isStale({ fault, isConfirmed }: FaultSpan): boolean {
  return isConfirmed && (fault === 'stale-gone' || fault === 'stale-reused' || fault === 'late-deregistration');
}

/** In order of time; what touches is one. */
export function episodesOf(histories: readonly GroupHistory[], firstNumber: number): Episode[] {
  const stale = histories.flatMap((history) => history.spans.filter(isStale).map((span) => ({ history, span })));
  const isIn = (outer: Span, { fromNs, toNs }: Span): boolean => outer.fromNs <= toNs && fromNs <= outer.toNs;
  return mergeSpans([
    ...stale.map(({ span }) => span),
    ...histories.flatMap((history) => {
      const own = stale.filter((one) => one.history === history);
      return doubtsOf(history).filter((doubt) => own.some(({ span }) => isIn(doubt, span)));
    }),
  ]).map((span, i) => ({ ...span, number: firstNumber + i, spans: stale.filter((one) => isIn(span, one.span)) }));
}

/** What is told as it happens is told a little late. */
const toldLateNs = sToNs(1);

/** Each from the last instant before at which all was well to the first after. */
export function doubtsOf({ shares, gaps }: GroupHistory): Span[] {
  const doubts: Span[] = [];
  let open: { fromNs: number; toNs: number } | null = null;
  let lastWellNs: number | null = null;
  for (const { fromNs, toNs, doubtfulCount } of shares) {
    if (doubtfulCount > 0) {
      open ??= { fromNs: Math.min(lastWellNs ?? fromNs, fromNs - toldLateNs), toNs };
      open.toNs = toNs;
    } else {
      if (open !== null) doubts.push({ fromNs: open.fromNs, toNs: fromNs });
      open = null;
      lastWellNs = toNs;
    }
  }
  if (open !== null) doubts.push(open);
  // A stretch does not go through a time of which nothing is known.
  return doubts.flatMap((doubt) =>
    without(
      doubt,
      gaps.map(({ fromAtNs, toAtNs }) => ({ fromNs: fromAtNs, toNs: toAtNs })),
    ),
  );
}

function without(span: Span, holes: readonly Span[]): Span[] {
  return holes.reduce<Span[]>(
    (parts, hole) =>
      parts.flatMap((part) =>
        hole.toNs <= part.fromNs || part.toNs <= hole.fromNs
          ? [part]
          : [
              { fromNs: part.fromNs, toNs: hole.fromNs },
              { fromNs: hole.toNs, toNs: part.toNs },
            ].filter(({ fromNs, toNs }) => fromNs < toNs),
      ),
    [span],
  );
}

/** Of the requests of one kind, the share that should fail at an instant; null = not known. */
export type ExpectedAt = (atNs: number) => Interval | null;

/** Asked in order of time, mostly. */
export function newExpected(groups: readonly Weighted[], histories: ReadonlyMap<string, GroupHistory>): ExpectedAt {
  const own = groups.map(({ arn, ratio }) => ({ ratio, shareAt: newShareAt(histories.get(arn)?.shares ?? []) }));
  return (atNs) => {
    const sum = { min: 0, max: 0 };
    for (const { ratio, shareAt } of own) {
      const share = shareAt(atNs);
      if (share === null || ratio === null) return null;
      if (share.routableCount === 0) continue;
      sum.min += (ratio * share.staleCount) / share.routableCount;
      sum.max += (ratio * share.doubtfulCount) / share.routableCount;
    }
    return sum;
  };
}

function newShareAt(shares: readonly Share[]): (atNs: number) => Share | null {
  return (atNs) => {
    let [low, high] = [0, shares.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((shares[middle] as Share).toNs < atNs) low = middle + 1;
      else high = middle;
    }
    const share = shares[low];
    return share !== undefined && share.fromNs <= atNs ? share : null;
  };
}
