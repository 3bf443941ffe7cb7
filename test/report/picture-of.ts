/** A picture drawn of a report's own stretches, so that drawings are tested without the room that makes pictures. */
import type { FailureClass } from '../../src/core/analysis.ts';
import type { BinFailures, BinRun, Picture } from '../../src/core/picture.ts';
import type { Report, ReportLane } from '../../src/report/shape.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';

/** Two slots a bin, each as the stretch it falls into. */
export function snapshotOf(report: Report, binCount = 700): Snapshot {
  const startedMs = Date.parse(report.run.startedAt);
  const nowMs = Date.parse(report.run.endedAt) - startedMs;
  const binMs = nowMs / binCount;
  const stateAt = (lane: ReportLane, ms: number): string =>
    lane.stretches.find(({ toAt }) => Date.parse(toAt) - startedMs > ms)?.state ?? 'unseen';
  const countsOf = (lane: ReportLane, bin: number): BinRun => {
    const state = stateAt(lane, (bin + 0.5) * binMs);
    const of = (...states: readonly string[]): number => (states.includes(state) ? 2 : 0);
    return [bin, 1, of('old'), of('new'), of('unknown', 'conflict'), of('down', 'impaired'), of('unseen')];
  };
  const picture: Picture = {
    binMs,
    binCount,
    untilMs: nowMs,
    lanes: report.lanes
      .filter(({ series }) => series === 'raw')
      .map((lane) => {
        const runs = Array.from({ length: binCount }, (_, bin) => countsOf(lane, bin));
        const [failure = 'reset'] = Object.keys(lane.classes) as FailureClass[];
        const failures = runs.flatMap(([bin, , , , , failedCount]): BinFailures[] =>
          failedCount === 0 ? [] : [[bin, failure, 'unknown', failedCount]],
        );
        return { name: lane.name, runs, failures };
      }),
    latency: [],
    resolvers: [],
    closeUps: [],
    closeUpsLeftOutCount: 0,
  };
  return { report, picture, nowMs, isRunning: false };
}
