/** How many failed in one way, over time: bars that are never too small to be seen. */
import type { BinFailures } from '../core/picture.ts';
import { Boxes, svgOf } from './drawing.ts';
import { positionIn, type Range } from './range.ts';

export const failureHeight = 18;
const leastHeight = 4;
const leastWidth = 2;

/** Counts of each bin with one: [bin, count], rising. */
export function failuresByBin(failures: readonly BinFailures[]): readonly (readonly [bin: number, count: number])[] {
  const counts = new Map<number, number>();
  for (const [bin, , , count] of failures) counts.set(bin, (counts.get(bin) ?? 0) + count);
  return [...counts].toSorted(([a], [b]) => a - b);
}

export function failureStripSvg(
  counts: readonly (readonly [bin: number, count: number])[],
  binMs: number,
  range: Range,
  width: number,
  label: string,
): string {
  const boxes = new Boxes();
  const most = counts.reduce((max, [, count]) => Math.max(max, count), 1);
  for (const [bin, count] of counts) {
    const left = positionIn(range, bin * binMs) * width;
    const right = positionIn(range, (bin + 1) * binMs) * width;
    if (right < 0 || left > width) continue;
    const height = Math.max(leastHeight, (count / most) * (failureHeight - 2));
    boxes.add('s-down', { x: left, y: failureHeight - height, width: Math.max(leastWidth, right - left), height });
  }
  return svgOf(boxes.svg(), width, failureHeight, label);
}
