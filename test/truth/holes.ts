/** Slots that the prober is made not to have sent: a simulated one is never too busy, and a report must not mind. */
import { outcomeNumber } from '../../src/core/outcome.ts';
import { newColumns, parts, rowColumns, type RowBatch } from '../../src/core/row.ts';
import { newDraw } from './random-world.ts';

/** The same rows, but that stretches of some lanes were dropped; those that were sent after them are gone as well. */
export function withHoles(batches: readonly RowBatch[], seed: number, laneCount: number): readonly RowBatch[] {
  const draw = newDraw(seed, 'holes');
  const holes = Array.from({ length: draw.whole(1, 2 * laneCount) }, () => {
    const from = draw.whole(0, 400);
    return { lane: draw.whole(0, laneCount - 1), from, to: from + Math.round(draw.scale(1, 40)) };
  });
  return batches.map((batch) => {
    const { columns } = batch;
    const isIn = (row: number): boolean =>
      holes.some(
        ({ lane, from, to }) =>
          columns.lane[row] === lane && (columns.slot[row] as number) >= from && (columns.slot[row] as number) < to,
      );
    const kept = Array.from({ length: batch.rowCount }, (_, row) => row).filter(
      (row) => !isIn(row) || columns.part[row] === parts.slot,
    );
    const changed = newColumns(kept.length);
    kept.forEach((row, i) => {
      const isDropped = isIn(row);
      for (const [name] of rowColumns) {
        const isKnown = name === 'lane' || name === 'slot' || name === 'lateUs';
        changed[name][i] = isDropped && !isKnown ? 0 : (columns[name][row] as number);
      }
      if (isDropped) changed.outcome[i] = outcomeNumber.dropped;
    });
    return { ...batch, rowCount: kept.length, columns: changed };
  });
}
