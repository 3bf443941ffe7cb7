/**
 * A gap is a maximal run of slots that are not good. An outage is a gap with failures in it: what was dropped, blind,
 * blocked or is pending neither ends nor starts one and only widens its bounds. Outages, bursts, impaired spans and
 * downtime are all made of gaps, so their number, not the number of slots, is what the rest costs.
 */
import { meanings } from './lane-view.ts';

/** All by gap, in order. */
export interface Gaps {
  readonly count: number;
  /** First and last slot that is not good. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** -1 = nothing failed, only unseen slots. */
  readonly firstFailed: Int32Array;
  readonly lastFailed: Int32Array;
  readonly failedCount: Int32Array;
  /** Failures that were certainly not our own network's: the same without those of suspect slots. */
  readonly firstSure: Int32Array;
  readonly lastSure: Int32Array;
  readonly sureCount: Int32Array;
}

/** Of the slots in [from, to). `isSuspect` tells failures that may be our own network's; null = none is. */
export function findGaps(
  meaning: Uint8Array,
  from: number,
  to: number,
  isSuspect: ((slot: number) => boolean) | null,
): Gaps {
  const count = countGaps(meaning, from, to);
  const column = (value: number): Int32Array => new Int32Array(count).fill(value);
  const failures = { first: column(-1), last: column(-1), count: column(0) };
  const sure = isSuspect === null ? failures : { first: column(-1), last: column(-1), count: column(0) };
  const gaps: Gaps = {
    count,
    first: column(0),
    last: column(0),
    firstFailed: failures.first,
    lastFailed: failures.last,
    failedCount: failures.count,
    firstSure: sure.first,
    lastSure: sure.last,
    sureCount: sure.count,
  };
  let gap = -1;
  let isInGap = false;
  for (let slot = from; slot < to; slot += 1) {
    const what = meaning[slot] as number;
    if (what === meanings.good) {
      isInGap = false;
      continue;
    }
    if (!isInGap) {
      gap += 1;
      gaps.first[gap] = slot;
      isInGap = true;
    }
    gaps.last[gap] = slot;
    if (what !== meanings.failed) continue;
    note(failures, gap, slot);
    if (isSuspect !== null && !isSuspect(slot)) note(sure, gap, slot);
  }
  return gaps;
}

function countGaps(meaning: Uint8Array, from: number, to: number): number {
  let count = 0;
  let before: number = meanings.good;
  for (let slot = from; slot < to; slot += 1) {
    const what = meaning[slot] as number;
    if (what !== meanings.good && before === meanings.good) count += 1;
    before = what;
  }
  return count;
}

function note(failures: { first: Int32Array; last: Int32Array; count: Int32Array }, gap: number, slot: number): void {
  if (failures.count[gap] === 0) failures.first[gap] = slot;
  failures.last[gap] = slot;
  failures.count[gap] = (failures.count[gap] as number) + 1;
}
