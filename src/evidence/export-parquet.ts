/** A table as Parquet, written in groups of rows, so that a run of any length takes no more memory than one group. */
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { Column, ColumnKind, Table, Value } from './export-table.ts';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** Readers like larger ones. Of these a column's array is below 128 KiB, beyond which V8 collects it late. */
const groupRowCount = 10_000;

const elements: Readonly<Record<ColumnKind, Omit<SchemaElement, 'name'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  count: { type: 'INT32', converted_type: 'UINT_32' },
  instant: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
  flag: { type: 'BOOLEAN' },
};

/**
 * Throws what the disk says. What the columns mean is in the file's own metadata, under `cutwatch`. Without compression
 * other than Snappy, which every reader has.
 */
export function writeParquet<Row>(path: string, { columns, rows }: Table<Row>): void {
  const meanings = Object.fromEntries(columns.map(({ name, meaning }) => [name, meaning]));
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map(({ name, kind }): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...elements[kind] })),
    ],
    kvMetadata: [{ key: 'cutwatch', value: JSON.stringify({ columns: meanings }) }],
    createdBy: 'cutwatch',
  });
  const data = columns.map((): (Value | bigint)[] => []);
  const flush = (count: number): void => {
    if (count === 0) return;
    for (const values of data) values.length = count;
    // Its writes to a file are synchronous.
    void writer.write({
      columnData: columns.map(({ name, kind }, i) => ({
        name,
        data: data[i] as (Value | bigint)[],
        // Readers skip groups by time; for the rest it costs more than it saves.
        statistics: kind === 'instant',
      })),
      rowGroupSize: groupRowCount,
    });
  };
  let count = 0;
  for (const row of rows) {
    for (let i = 0; i < columns.length; i += 1) {
      const { kind, of } = columns[i] as Column<Row>;
      const value = of(row);
      (data[i] as (Value | bigint)[])[count] = kind === 'instant' && value !== null ? BigInt(value) : value;
    }
    count += 1;
    if (count < groupRowCount) continue;
    flush(count);
    count = 0;
  }
  flush(count);
  void writer.finish();
}
