/** What became of the probes, as samples. By side from the picture, which has every probe; the rest from the report. */
import type { PictureLane, PictureLatency } from '../core/picture.ts';
import { msToS } from '../core/time.ts';
import type { ReportLane } from '../report/shape.ts';
import type { Snapshot } from '../report/snapshot.ts';
import type { Labels, Sample } from './prometheus-text.ts';

/** `service`, `client`, `side`, `outcome`. */
export function probeCounts({ report, picture }: Snapshot): Sample[] {
  const sums = newSums();
  for (const { lane, drawn } of drawnLanes(report.lanes, picture.lanes)) {
    const good = { old: 0, new: 0, unknown: 0 };
    const failed = { old: 0, new: 0, unknown: 0, conflict: 0 };
    for (const [, binCount, oldCount, newCount, otherCount] of drawn.runs) {
      good.old += oldCount * binCount;
      good.new += newCount * binCount;
      good.unknown += otherCount * binCount;
    }
    for (const [, , side, count] of drawn.failures) failed[side] += count;
    const { service, client, slots } = lane;
    const add = (side: string, outcome: string, count: number): void =>
      sums.add({ service, client, side, outcome }, count);
    for (const [side, count] of Object.entries(good)) add(side, 'good', count);
    for (const [side, count] of Object.entries(failed)) add(side, 'failed', count);
    for (const outcome of ['dropped', 'blind', 'blocked'] as const) add('unknown', outcome, slots[outcome]);
  }
  return sums.samples();
}

/** `service`, `client`, `class`. */
export function failureCounts({ report }: Snapshot): Sample[] {
  const sums = newSums();
  for (const { service, client, series, classes } of report.lanes) {
    if (series !== 'raw') continue;
    for (const [failure, count] of Object.entries(classes)) sums.add({ service, client, class: failure }, count);
  }
  return sums.samples();
}

/** From what nobody feels to beyond every timeout that is usual. */
const upToMs = [5, 10, 25, 50, 100, 250, 500, 1000, 2000, 5000, 10_000, 30_000] as const;

/**
 * Buckets of a histogram by `service`, `client` and `side`. What lies across a bucket's bound counts beyond it: a tenth of
 * the bound, as finely as times are kept.
 */
export function responseTimes(latency: readonly PictureLatency[]): Sample[] {
  return latency.flatMap(({ service, client, side, distribution }) => {
    const labels = { service, client, side };
    const countUpTo = (ms: number): number =>
      distribution.reduce((sum, [, toMs, count]) => sum + (toMs <= ms ? count : 0), 0);
    const sumMs = distribution.reduce((sum, [fromMs, toMs, count]) => sum + (count * (fromMs + toMs)) / 2, 0);
    const bucket = (le: string, value: number): Sample => ({ labels: { ...labels, le }, value, suffix: '_bucket' });
    const count = countUpTo(Infinity);
    return [
      ...upToMs.map((ms) => bucket(String(msToS(ms)), countUpTo(ms))),
      bucket('+Inf', count),
      { labels, value: msToS(sumMs), suffix: '_sum' },
      { labels, value: count, suffix: '_count' },
    ];
  });
}

interface DrawnLane {
  readonly lane: ReportLane;
  readonly drawn: PictureLane;
}

function drawnLanes(lanes: readonly ReportLane[], picture: readonly PictureLane[]): DrawnLane[] {
  const byName = new Map(lanes.filter(({ series }) => series === 'raw').map((lane) => [lane.name, lane]));
  return picture.flatMap((drawn) => {
    const lane = byName.get(drawn.name);
    return lane === undefined ? [] : [{ lane, drawn }];
  });
}

/** Several lanes have the same labels. */
function newSums(): { add(labels: Labels, count: number): void; samples(): Sample[] } {
  const sums = new Map<string, { readonly labels: Labels; value: number }>();
  return {
    add(labels, count) {
      if (count === 0) return;
      const key = Object.values(labels).join('\0');
      const sum = sums.get(key);
      if (sum === undefined) sums.set(key, { labels, value: count });
      else sum.value += count;
    },
    samples: () => [...sums.values()],
  };
}
