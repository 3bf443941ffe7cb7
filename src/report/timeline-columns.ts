/** The bins of a picture, summed over lanes and put together to as many columns as a drawing has room for. */
import type { Picture } from '../core/picture.ts';
import type { ServiceView } from './service-view.ts';

/** How many slots that were due in [fromMs, toMs) ended how. */
export interface Column {
  readonly fromMs: number;
  readonly toMs: number;
  readonly old: number;
  readonly new: number;
  readonly other: number;
  readonly failed: number;
  readonly unseen: number;
}

/** Of the lanes of these names, in time order; columns in which nothing was due are left out. */
export function columnsOf(picture: Picture, laneNames: ReadonlySet<string>, columnCountMax: number): Column[] {
  const { binCount, binMs } = picture;
  const columnCount = Math.min(binCount, columnCountMax);
  const firstBin = (column: number): number => Math.ceil((column * binCount) / columnCount);
  const sums = Array.from({ length: columnCount }, () => ({ old: 0, new: 0, other: 0, failed: 0, unseen: 0 }));
  for (const { name, runs } of picture.lanes) {
    if (!laneNames.has(name)) continue;
    for (const [bin, count, oldCount, newCount, otherCount, failedCount, unseenCount] of runs) {
      for (let i = bin; i < bin + count; i += 1) {
        const sum = sums[Math.floor((i * columnCount) / binCount)];
        if (sum === undefined) continue;
        sum.old += oldCount;
        sum.new += newCount;
        sum.other += otherCount;
        sum.failed += failedCount;
        sum.unseen += unseenCount;
      }
    }
  }
  return sums.flatMap((sum, i) =>
    dueCount(sum) === 0 ? [] : [{ fromMs: firstBin(i) * binMs, toMs: firstBin(i + 1) * binMs, ...sum }],
  );
}

export function dueCount(column: Omit<Column, 'fromMs' | 'toMs'>): number {
  return column.old + column.new + column.other + column.failed + column.unseen;
}

/** Judged clients; where a scenario judges none of a service, all of them. */
export function lanesShown({ lanes }: ServiceView): ReadonlySet<string> {
  const clients = lanes.filter(({ role, series }) => role === 'client' && series === 'raw');
  const judged = clients.filter((lane) => lane.judged);
  return new Set((judged.length > 0 ? judged : clients).map(({ name }) => name));
}
