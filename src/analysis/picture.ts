/**
 * What charts draw, from what an analysis was concluded from. Bins are as short as the room for them allows, and longer where a run has so
 * much in it that a page of them could not be opened: but every failed slot is in a bin, always.
 */
import type { Picture } from '../core/picture.ts';
import { intervalNs } from '../core/schedule.ts';
import { nsToMs } from '../core/time.ts';
import type { Conclusion } from './analyse.ts';
import type { LaneView } from './lane-view.ts';
import { drawCloseUps } from './picture-close-ups.ts';
import { drawLane } from './picture-lanes.ts';
import { drawLatency } from './picture-latency.ts';
import { drawResolvers } from './picture-resolvers.ts';

/** Lengths that people read off an axis; beyond the last one its multiples. */
const roundMs: readonly number[] = [
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((s) => s * 1000),
  ...[1, 2, 5, 10, 15, 30].map((min) => min * 60_000),
  ...[1, 2, 3, 6, 12, 24].map((h) => h * 3_600_000),
];
/** Runs of bins, and failures: about 25 bytes each as JSON. */
const binnedCountMax = 60_000;

export function drawPicture(conclusion: Conclusion, binCountMax: number): Picture {
  const views = conclusion.lanes
    .map(({ view }) => view)
    .filter(({ series }) => series === 'raw')
    .toSorted((a, b) => a.lane.number - b.lane.number);
  const untilMs = Math.ceil(nsToMs(views.reduce((latest, { untilNs }) => Math.max(latest, untilNs), 0)));
  let binMs = binMsFor(untilMs / binCountMax, views);
  let lanes = views.map((view) => drawLane(view, binMs));
  for (let share = shareOfMax(lanes); share > 1; share = shareOfMax(lanes)) {
    const longerMs = roundAtLeast(Math.max(binMs * share, binMs + 1));
    if (longerMs >= untilMs) break;
    binMs = longerMs;
    lanes = views.map((view) => drawLane(view, longerMs));
  }
  const { closeUps, leftOutCount } = drawCloseUps(conclusion, views, untilMs);
  return {
    binMs,
    binCount: Math.ceil(untilMs / binMs),
    untilMs,
    lanes,
    latency: drawLatency(views, binMs),
    resolvers: drawResolvers(conclusion, views, binMs),
    closeUps,
    closeUpsLeftOutCount: leftOutCount,
  };
}

/** Not shorter than from one slot of the fastest lane to its next: there would be nothing in most of them. */
function binMsFor(leastMs: number, views: readonly LaneView[]): number {
  const intervalMs = nsToMs(views.reduce((least, { lane }) => Math.min(least, intervalNs(lane)), Infinity));
  return roundAtLeast(Math.max(leastMs, Number.isFinite(intervalMs) ? intervalMs : 0));
}

function roundAtLeast(leastMs: number): number {
  const lastMs = roundMs.at(-1) as number;
  return roundMs.find((ms) => ms >= leastMs) ?? Math.ceil(leastMs / lastMs) * lastMs;
}

function shareOfMax(lanes: Picture['lanes']): number {
  return lanes.reduce((sum, { runs, failures }) => sum + runs.length + failures.length, 0) / binnedCountMax;
}
