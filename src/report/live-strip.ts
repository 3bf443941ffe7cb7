/** A strip of the live view: what lanes saw over the last minutes, a letter for each stretch of time. */
import type { Picture, PictureLane } from '../core/picture.ts';
import { span, type CellEmphasis, type Line } from './live-line.ts';

/** The time that a strip shows: cells of the same length, the newest last. They begin at whole multiples of it. */
export interface StripScale {
  readonly cellMs: number;
  readonly cellCount: number;
  /** Where the first cell begins; before the run where it is younger than the strip is long. */
  readonly fromMs: number;
  readonly binsPerCell: number;
  readonly firstCell: number;
}

export function stripScale(picture: Picture, columns: number, windowMs: number): StripScale {
  const { binMs, untilMs } = picture;
  const cellCount = Math.max(1, columns);
  // A young run fills the strip as well.
  const shownMs = Math.min(windowMs, Math.max(untilMs, 1));
  const binsPerCell = Math.max(1, Math.ceil(shownMs / binMs / cellCount));
  const cellMs = binsPerCell * binMs;
  // What is due until exactly here lies in the cell before.
  const lastCell = Math.max(0, Math.ceil(untilMs / cellMs) - 1);
  const firstCell = lastCell - cellCount + 1;
  return { cellMs, cellCount, fromMs: firstCell * cellMs, binsPerCell, firstCell };
}

interface CellCounts {
  old: number;
  new: number;
  other: number;
  failed: number;
  unseen: number;
}

/** Several lanes are one: a failure of any of them shows. */
export function stripOf(lanes: readonly PictureLane[], scale: StripScale): Line {
  const cells = Array.from({ length: scale.cellCount }, (): CellCounts => ({
    old: 0,
    new: 0,
    other: 0,
    failed: 0,
    unseen: 0,
  }));
  const firstBin = scale.firstCell * scale.binsPerCell;
  const endBin = firstBin + scale.cellCount * scale.binsPerCell;
  for (const { runs } of lanes) {
    for (let i = firstRunAt(runs, firstBin); i < runs.length; i += 1) {
      const [bin, binCount, oldCount, newCount, otherCount, failedCount, unseenCount] = runs[
        i
      ] as (typeof runs)[number];
      if (bin >= endBin) break;
      for (let at = Math.max(bin, firstBin); at < Math.min(bin + binCount, endBin); at += 1) {
        const cell = cells[Math.floor((at - firstBin) / scale.binsPerCell)] as CellCounts;
        cell.old += oldCount;
        cell.new += newCount;
        cell.other += otherCount;
        cell.failed += failedCount;
        cell.unseen += unseenCount;
      }
    }
  }
  return merged(cells.map((cell, i) => letterOf(cell, i === cells.length - 1)));
}

/** Runs are in order: the first that ends after the bin. */
function firstRunAt(runs: PictureLane['runs'], bin: number): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const [from, count] = runs[middle] as (typeof runs)[number];
    if (from + count <= bin) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Letter = readonly [letter: string, emphasis: CellEmphasis | null];

/** In the newest cell probes are still under way, which is nothing to show yet; elsewhere half must have been seen. */
function letterOf(cell: CellCounts, isNewest: boolean): Letter {
  const seen = cell.old + cell.new + cell.other + cell.failed;
  if (seen === 0 && (isNewest || cell.unseen === 0)) return [' ', null];
  // That all failed is only known where most was seen.
  const isMostSeen = isNewest || cell.unseen <= seen;
  if (cell.failed > 0) return cell.failed === seen && isMostSeen ? ['X', 'all-failed'] : ['x', 'some-failed'];
  if (!isMostSeen) return ['·', 'unseen'];
  if (cell.old > 0 && cell.new > 0) return ['m', 'both'];
  if (cell.other > cell.old + cell.new) return ['?', 'unknown'];
  return cell.old > 0 ? ['o', 'old'] : ['n', 'new'];
}

/** Neighbours that look the same are one span. */
function merged(letters: readonly Letter[]): Line {
  const line: { text: string; emphasis: CellEmphasis | null }[] = [];
  for (const [letter, emphasis] of letters) {
    const last = line.at(-1);
    if (last !== undefined && last.emphasis === emphasis) last.text += letter;
    else line.push({ text: letter, emphasis });
  }
  return line.map(({ text, emphasis }) => span(text, emphasis));
}

/** What the letters mean; titles of the sides as the scenario has them. */
export function legendOf(titles: {
  readonly old: string;
  readonly new: string;
}): readonly (readonly [Letter, string])[] {
  return [
    [['o', 'old'], titles.old],
    [['n', 'new'], titles.new],
    [['m', 'both'], 'both'],
    [['x', 'some-failed'], 'some failed'],
    [['X', 'all-failed'], 'all failed'],
    [['?', 'unknown'], 'side unknown'],
    [['·', 'unseen'], 'unseen'],
  ];
}
