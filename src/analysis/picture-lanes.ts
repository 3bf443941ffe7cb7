/** One lane in bins of time: how many slots were good at which side, failed, and unseen. */
import type { FailureClass } from '../core/analysis.ts';
import { nameOfLane } from '../core/lane-name.ts';
import type { BinFailures, BinRun, PictureLane } from '../core/picture.ts';
import type { SideSeen } from '../core/scenario.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { msToNs, nsToMs } from '../core/time.ts';
import { meanings, type LaneView } from './lane-view.ts';

export interface BinOfSlots {
  readonly bin: number;
  /** Slots in [from, to). */
  readonly from: number;
  readonly to: number;
}

/** The bins in which slots of the lane were due, in order. */
export function* binsOf(view: LaneView, binMs: number): Generator<BinOfSlots> {
  let from = 0;
  while (from < view.slotCount) {
    const bin = Math.floor(nsToMs(view.dueNs(from)) / binMs);
    const to = Math.min(view.slotCount, slotsDueBefore(view.lane, msToNs((bin + 1) * binMs)));
    yield { bin, from, to };
    from = to;
  }
}

export function drawLane(view: LaneView, binMs: number): PictureLane {
  const runs: BinRun[] = [];
  const failures: BinFailures[] = [];
  for (const { bin, from, to } of binsOf(view, binMs)) {
    let [oldCount, newCount, otherCount, failedCount] = [0, 0, 0, 0];
    for (let slot = from; slot < to; slot += 1) {
      const meaning = view.meaning[slot];
      if (meaning === meanings.failed) failedCount += 1;
      if (meaning !== meanings.good) continue;
      const { side } = view.factsAt(slot);
      if (side === 'old') oldCount += 1;
      else if (side === 'new') newCount += 1;
      else otherCount += 1;
    }
    const unseenCount = to - from - oldCount - newCount - otherCount - failedCount;
    addBin(runs, [bin, 1, oldCount, newCount, otherCount, failedCount, unseenCount]);
    if (failedCount > 0) failures.push(...failuresOf(view, { bin, from, to }));
  }
  return { name: nameOfLane(view.lane), runs, failures };
}

function addBin(runs: BinRun[], bin: BinRun): void {
  const last = runs.at(-1);
  if (last !== undefined && last[0] + last[1] === bin[0] && last.slice(2).every((count, i) => count === bin[i + 2])) {
    runs[runs.length - 1] = [last[0], last[1] + 1, last[2], last[3], last[4], last[5], last[6]];
  } else runs.push(bin);
}

function failuresOf(view: LaneView, { bin, from, to }: BinOfSlots): BinFailures[] {
  const counts = new Map<FailureClass, Map<SideSeen, number>>();
  for (let slot = from; slot < to; slot += 1) {
    if (view.meaning[slot] !== meanings.failed) continue;
    const { failureClass, side } = view.factsAt(slot);
    let bySide = counts.get(failureClass);
    if (bySide === undefined) counts.set(failureClass, (bySide = new Map()));
    bySide.set(side, (bySide.get(side) ?? 0) + 1);
  }
  return [...counts].flatMap(([failure, bySide]) =>
    [...bySide].map(([side, count]): BinFailures => [bin, failure, side, count]),
  );
}
