/**
 * Rows of one probing thread, filled in place into columns and handed over when they are full or when the owner says so.
 * No allocation for a row.
 */
import type { RowSink } from '../core/ports.ts';
import { newColumns, type Row, type RowBatch, rowColumns, type RowColumns } from '../core/row.ts';
import { newInterner } from './intern.ts';

export interface RowBufferOptions {
  readonly worker: number;
  /** Owns the batch: its columns are never touched again from here. */
  readonly onBatch: (batch: RowBatch) => void;
  /** For a batch that is handed over because it is full. */
  readonly nowNs: () => number;
}

export interface RowBuffer extends RowSink {
  /** Hands over what is there, also when that is nothing: an empty batch says that the thread was alive at `atNs`. */
  flush(atNs: number): void;
  readonly definitionOverCapCount: number;
}

const batchRowsMax = 4096;

export function newRowBuffer({ worker, onBatch, nowNs }: RowBufferOptions): RowBuffer {
  const interner = newInterner();
  let columns = newColumns(batchRowsMax);
  let rowCount = 0;

  function flush(atNs: number): void {
    const isFull = rowCount === batchRowsMax;
    const filled = isFull ? columns : cut(columns, rowCount);
    if (isFull) columns = newColumns(batchRowsMax);
    onBatch({ rowCount, columns: filled, definitions: interner.takeNew(), worker, atNs });
    rowCount = 0;
  }

  return {
    define: interner.define,
    row(row: Row) {
      const i = rowCount;
      columns.lane[i] = row.lane;
      columns.slot[i] = row.slot;
      columns.part[i] = row.part;
      columns.lateUs[i] = row.lateUs;
      columns.resolvedUs[i] = row.resolvedUs;
      columns.connectedUs[i] = row.connectedUs;
      columns.securedUs[i] = row.securedUs;
      columns.firstByteUs[i] = row.firstByteUs;
      columns.endedUs[i] = row.endedUs;
      columns.outcome[i] = row.outcome;
      columns.status[i] = row.status;
      columns.error[i] = row.error;
      columns.checks[i] = row.checks;
      columns.bodyBytes[i] = row.bodyBytes;
      columns.address[i] = row.address;
      columns.localPort[i] = row.localPort;
      columns.face[i] = row.face;
      columns.connectionAgeMs[i] = row.connectionAgeMs;
      columns.answer[i] = row.answer;
      columns.answerTtlS[i] = row.answerTtlS;
      columns.answerAgeMs[i] = row.answerAgeMs;
      rowCount = i + 1;
      if (rowCount === batchRowsMax) flush(nowNs());
    },
    flush,
    get definitionOverCapCount() {
      return interner.overCapCount;
    },
  };
}

function cut(columns: RowColumns, rowCount: number): RowColumns {
  const entries = rowColumns.map(([name]) => [name, columns[name].slice(0, rowCount)]);
  return Object.fromEntries(entries) as unknown as RowColumns;
}

/** What may move to another thread instead of being copied. */
export function transferablesOf(batch: RowBatch): ArrayBuffer[] {
  return rowColumns.map(([name]) => batch.columns[name].buffer as ArrayBuffer);
}
