import { expect, test } from 'vitest';
import type { RowBatch } from '../../src/core/row.ts';
import { newRowBuffer, transferablesOf } from '../../src/evidence/row-buffer.ts';
import { rowsOf, sampleRow, sampleRows } from './sample-run.ts';

function bufferInto(batches: RowBatch[]): ReturnType<typeof newRowBuffer> {
  return newRowBuffer({ worker: 3, nowNs: () => 777, onBatch: (batch) => batches.push(batch) });
}

test('rows come out as they went in, in every column, though the caller fills one row again and again', () => {
  const batches: RowBatch[] = [];
  const buffer = bufferInto(batches);
  const row = sampleRow(0);
  for (let n = 0; n < 13; n += 1) buffer.row(Object.assign(row, sampleRow(n)));
  buffer.flush(250);
  expect(batches.length).toBe(1);
  expect(batches[0]).toMatchObject({ rowCount: 13, worker: 3, atNs: 250, definitions: [] });
  expect(batches.flatMap(rowsOf)).toEqual(sampleRows(13));
});

test('a full buffer is handed over at once, with the clock of that moment, and nothing is lost or repeated', () => {
  const batches: RowBatch[] = [];
  const buffer = bufferInto(batches);
  const rows = sampleRows(10_001);
  for (const row of rows) buffer.row(row);
  expect(batches.map(({ rowCount, atNs }) => [rowCount, atNs])).toEqual([
    [4096, 777],
    [4096, 777],
  ]);
  buffer.flush(888);
  expect(batches.flatMap(rowsOf)).toEqual(rows);
  for (const { rowCount, columns } of batches) expect(columns.part.length).toBe(rowCount);
});

test('a flush without rows says that the thread is alive', () => {
  const batches: RowBatch[] = [];
  bufferInto(batches).flush(250);
  expect(batches).toMatchObject([{ rowCount: 0, atNs: 250 }]);
});

test('a definition travels once, with the batch that is the first to use it', () => {
  const batches: RowBatch[] = [];
  const buffer = bufferInto(batches);
  const define = (text: string): number => buffer.define('error', text, () => text);
  buffer.row({ ...sampleRow(1), error: define('reset') });
  buffer.flush(1);
  buffer.row({ ...sampleRow(2), error: define('reset') });
  buffer.row({ ...sampleRow(3), error: define('refused') });
  buffer.flush(2);
  expect(batches.map(({ definitions }) => definitions)).toEqual([
    [{ kind: 'error', number: 2, value: 'reset' }],
    [{ kind: 'error', number: 3, value: 'refused' }],
  ]);
  expect(batches.map(({ columns }) => [...columns.error])).toEqual([[2], [2, 3]]);
});

test('a batch that is handed to another thread does not touch the rows to come', () => {
  const batches: RowBatch[] = [];
  const buffer = bufferInto(batches);
  for (const row of sampleRows(4100)) buffer.row(row);
  const [full] = batches as [RowBatch];
  const moved = structuredClone(full, { transfer: transferablesOf(full) });
  expect(rowsOf(moved)).toEqual(sampleRows(4096));
  expect(full.columns.slot.length).toBe(0);
  buffer.flush(1);
  expect(rowsOf(batches[1] as RowBatch)).toEqual(sampleRows(4100).slice(4096));
});
