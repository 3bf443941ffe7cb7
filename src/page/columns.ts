/**
 * The bins of lanes as the columns of pixels that a chart has: each column the sum of all that lies in it, so that not one
 * failed probe is lost between two.
 */
import type { BinRun, PictureLane } from '../core/picture.ts';
import { positionIn, type Range } from './range.ts';

/** Probes that were due in a column; parts of one, where a bin is wider than the column. */
export interface Column {
  readonly oldCount: number;
  readonly newCount: number;
  readonly otherCount: number;
  readonly failedCount: number;
  readonly unseenCount: number;
}

export interface Span<T> {
  /** Columns, `to` not included. */
  readonly from: number;
  readonly to: number;
  readonly value: T;
}

const fieldCount = 5;

/** Neighbours that look the same are one span; columns in which nothing was due are left out. */
export function columnsOf(
  lanes: readonly { readonly runs: readonly BinRun[] }[],
  binMs: number,
  range: Range,
  width: number,
): readonly Span<Column>[] {
  const sums = new Float64Array(width * fieldCount);
  for (const { runs } of lanes) {
    for (const run of runs) addRun(sums, run, binMs, range, width);
  }
  const spans: { from: number; to: number; value: Column }[] = [];
  for (let i = 0; i < width; i += 1) {
    const [oldCount = 0, newCount = 0, otherCount = 0, failedCount = 0, unseenCount = 0] = sums.subarray(
      i * fieldCount,
      (i + 1) * fieldCount,
    );
    if (oldCount + newCount + otherCount + failedCount + unseenCount === 0) continue;
    const value = { oldCount, newCount, otherCount, failedCount, unseenCount };
    const last = spans.at(-1);
    if (last !== undefined && last.to === i && looksTheSame(last.value, value)) last.to = i + 1;
    else spans.push({ from: i, to: i + 1, value });
  }
  return spans;
}

function addRun(sums: Float64Array, run: BinRun, binMs: number, range: Range, width: number): void {
  const [bin, binCount, ...counts] = run;
  const left = positionIn(range, bin * binMs) * width;
  const right = positionIn(range, (bin + binCount) * binMs) * width;
  if (right <= 0 || left >= width) return;
  const last = Math.min(width - 1, Math.ceil(right) - 1);
  for (let i = Math.max(0, Math.floor(left)); i <= last; i += 1) {
    const share = (Math.min(right, i + 1) - Math.max(left, i)) / (right - left);
    for (let field = 0; field < fieldCount; field += 1) {
      const at = i * fieldCount + field;
      sums[at] = (sums[at] ?? 0) + (counts[field] ?? 0) * binCount * share;
    }
  }
}

function looksTheSame(a: Column, b: Column): boolean {
  const [aTotal, bTotal] = [totalOf(a), totalOf(b)];
  const isNear = (x: number, y: number): boolean => Math.abs(x / aTotal - y / bTotal) < 0.02;
  return (
    isNear(a.oldCount, b.oldCount) &&
    isNear(a.newCount, b.newCount) &&
    isNear(a.unseenCount, b.unseenCount) &&
    isNear(a.failedCount, b.failedCount) &&
    a.failedCount > 0 === b.failedCount > 0
  );
}

export function totalOf({ oldCount, newCount, otherCount, failedCount, unseenCount }: Column): number {
  return oldCount + newCount + otherCount + failedCount + unseenCount;
}

/** What was due in [fromMs, toMs), of whole bins. */
export function countsBetween(lanes: readonly Pick<PictureLane, 'runs'>[], binMs: number, range: Range): Column {
  const sums = [0, 0, 0, 0, 0];
  const first = Math.floor(range.fromMs / binMs);
  const end = Math.max(first + 1, Math.ceil(range.toMs / binMs));
  for (const { runs } of lanes) {
    for (const [bin, binCount, ...counts] of runs) {
      const within = Math.min(end, bin + binCount) - Math.max(first, bin);
      if (within > 0) counts.forEach((count, field) => (sums[field] = (sums[field] ?? 0) + count * within));
    }
  }
  const [oldCount = 0, newCount = 0, otherCount = 0, failedCount = 0, unseenCount = 0] = sums;
  return { oldCount, newCount, otherCount, failedCount, unseenCount };
}
