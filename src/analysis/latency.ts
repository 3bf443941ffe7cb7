/**
 * How long right answers of the new side take beside those of the old one, client by client and path by path; those that
 * came too late count as well. A rank test says whether chance made the difference, and a floor whether anybody would
 * feel it.
 */
import type { Lane, Side } from '../core/scenario.ts';
import { Histogram } from './histogram.ts';
import { meanings, type LaneView } from './lane-view.ts';

export interface LatencyComparison extends RankTest {
  readonly check: string;
  /** The client, or `the sides' own lanes`. */
  readonly client: string;
}

export interface RankTest {
  readonly oldUs: Histogram;
  readonly newUs: Histogram;
  /** In so many of all pairs of an old and a new answer the new one took longer; ties count half. */
  readonly slowerRatio: number;
  /** Standard deviations of that from a half, were both sides alike (Mann and Whitney). */
  readonly deviations: number;
}

/** Fewer answers than this of a side are not ranked. */
const samplesMin = 50;
/** Answers shortly after each other are alike, which the test does not know: it must be surer than one in a thousand. */
const deviationsMin = 5;
/** The effect that is worth a word: so many of all pairs, and medians so far apart. */
const slowerRatioMin = 0.65;
const medianRatioMin = 1.2;
const medianUsMin = 10_000;

/** How long right answers took, too late ones as well. */
export interface ResponseTimes {
  readonly service: string;
  readonly check: string;
  /** The client, or `the sides' own lanes`. */
  readonly client: string;
  readonly oldUs: Histogram;
  readonly newUs: Histogram;
}

/** @param views raw ones. */
export function responseTimes(views: readonly LaneView[]): ResponseTimes[] {
  const groups = Map.groupBy(views, ({ lane }) => JSON.stringify([lane.service, lane.check.name, whoIs(lane)]));
  return [...groups.values()].map((group) => {
    const { lane } = group[0] as LaneView;
    const [oldUs, newUs] = [new Histogram(), new Histogram()];
    for (const view of group) {
      oldUs.add(view.responsesUs.old);
      newUs.add(view.responsesUs.new);
      addTooSlow(view, { old: oldUs, new: newUs });
    }
    return { service: lane.service, check: lane.check.name, client: whoIs(lane), oldUs, newUs };
  });
}

/** @param views raw ones of one service. */
export function compareLatency(views: readonly LaneView[]): LatencyComparison[] {
  return responseTimes(views).flatMap(({ check, client, oldUs, newUs }): LatencyComparison[] => {
    const compared = rankTest(oldUs, newUs);
    return compared === null ? [] : [{ check, client, ...compared }];
  });
}

/** Null with too few of either. */
export function rankTest(oldUs: Histogram, newUs: Histogram): RankTest | null {
  const rank = oldUs.rank(newUs);
  if (rank === null || Math.min(oldUs.count, newUs.count) < samplesMin) return null;
  return { oldUs, newUs, slowerRatio: rank.higherRatio, deviations: rank.deviations };
}

/** It is slower, chance did not make it so, and it can be felt. */
export function isSlower({ oldUs, newUs, slowerRatio, deviations }: RankTest): boolean {
  const [oldMedianUs, newMedianUs] = [oldUs.percentile(0.5), newUs.percentile(0.5)];
  return (
    deviations >= deviationsMin &&
    slowerRatio >= slowerRatioMin &&
    newMedianUs >= medianRatioMin * oldMedianUs &&
    newMedianUs - oldMedianUs >= medianUsMin
  );
}

/** A view's histograms have its good slots only. */
function addTooSlow(view: LaneView, sides: Readonly<Record<Side, Histogram>>): void {
  if (!view.tally.slow.some((count) => count > 0)) return;
  for (let slot = 0; slot < view.slotCount; slot += 1) {
    if (view.meaning[slot] !== meanings.failed) continue;
    const { reading, side } = view.factsAt(slot);
    if (reading === 'right' && (side === 'old' || side === 'new')) sides[side].record(view.responseUsAt(slot));
  }
}

function whoIs(lane: Lane): string {
  return lane.role === 'side' ? "the sides' own lanes" : lane.client;
}
