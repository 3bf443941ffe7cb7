/**
 * Which side answered, over time: the share of each from bottom to top, what failed hanging down from above. However few
 * failed, they are seen: wide enough, high enough, and with a mark above the strip.
 */
import { columnsOf, totalOf, type Column } from './columns.ts';
import { Boxes, svgOf } from './drawing.ts';
import type { Range } from './range.ts';
import type { BinRun } from '../core/picture.ts';

export const laneHeight = 20;
const top = 5;
const failedWidthMin = 2;
const failedShareMin = 0.45;

export interface LaneStrip {
  readonly lanes: readonly { readonly runs: readonly BinRun[] }[];
  readonly binMs: number;
}

export function laneStripSvg({ lanes, binMs }: LaneStrip, range: Range, width: number, label: string): string {
  const boxes = new Boxes();
  const spans = columnsOf(lanes, binMs, range, Math.max(1, Math.floor(width)));
  for (const { from, to, value } of spans) addShares(boxes, from, to, value);
  for (const { from, to, value } of spans) {
    if (value.failedCount === 0) continue;
    const w = Math.max(failedWidthMin, to - from);
    const x = Math.min(from, width - w);
    const share = Math.max(failedShareMin, value.failedCount / totalOf(value));
    boxes.add('s-down', { x, y: top, width: w, height: share * (laneHeight - top) });
    boxes.add('s-notch', { x, y: 0, width: w, height: top - 2 });
  }
  return svgOf(boxes.svg(), width, laneHeight, label);
}

function addShares(boxes: Boxes, from: number, to: number, column: Column): void {
  const full = laneHeight - top;
  const seen = totalOf(column) - column.failedCount;
  if (seen === 0) return;
  let y = laneHeight;
  const stack = [
    ['s-new', column.newCount],
    ['s-unknown', column.otherCount],
    ['s-old', column.oldCount],
    ['s-unseen', column.unseenCount],
  ] as const;
  for (const [className, count] of stack) {
    const height = (count / seen) * full;
    y -= height;
    boxes.add(className, { x: from, y, width: to - from, height });
  }
}
