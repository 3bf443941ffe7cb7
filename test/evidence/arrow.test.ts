/** Our encoder and decoder against apache-arrow's, which shares no line with them. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Field,
  makeData,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  tableFromIPC,
  Uint16,
  Uint32,
  Uint8,
} from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Row, rowColumns } from '../../src/core/row.ts';
import { newRowsFound, readRows } from '../../src/evidence/read-rows.ts';
import {
  batchOf,
  definitions,
  laneCount,
  rowsOf,
  runStarted,
  sampleRows,
  temporaryFolder,
  writeSample,
} from './sample-run.ts';

const typeOf = { u8: new Uint8(), u16: new Uint16(), u32: new Uint32() };
const schema = new Schema(rowColumns.map(([name, type]) => new Field(name, typeOf[type], false)));

/** As another program would write it: no definitions, no checksum. */
function writtenByArrow(parts: readonly (readonly Row[])[]): Uint8Array {
  const batches = parts.map((rows) => {
    const { rowCount, columns } = batchOf(rows);
    const children = rowColumns.map(([name, type]) =>
      makeData({ type: typeOf[type], length: rowCount, data: columns[name] }),
    );
    return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rowCount, children }));
  });
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

function readBack(path: string): { readonly rows: Row[]; readonly problems: readonly string[] } {
  const found = newRowsFound();
  const rows: Row[] = [];
  for (const batch of readRows(path, laneCount, found)) rows.push(...rowsOf(batch));
  return { rows, problems: found.problems };
}

test.for(['as written', 'as rewritten on close'])('apache-arrow reads our rows, %s', (when) => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = writeSample(path, 103);
  if (when === 'as rewritten on close') writer.close();
  const bytes = readFileSync(join(path, 'probes.arrows'));
  const table = tableFromIPC(bytes);
  expect(table.schema.fields.map(({ name, type, nullable }) => `${name} ${type} ${nullable}`)).toEqual(
    rowColumns.map(([name, type]) => `${name} ${type === 'u8' ? 'Uint8' : type === 'u16' ? 'Uint16' : 'Uint32'} false`),
  );
  expect(Object.fromEntries(table.schema.metadata)).toEqual({ formatVersion: '1', runId: runStarted.runId });
  expect(table.toArray().map((row) => row.toJSON())).toEqual(sampleRows(103));
  // A batch without rows is one with definitions or a clock.
  const [first] = [...RecordBatchReader.from(bytes)];
  const defined: unknown = JSON.parse(first?.metadata.get('definitions') ?? '');
  expect(defined).toEqual(when === 'as written' ? definitions.slice(0, 4) : definitions);
  if (when === 'as written') writer.close();
});

test('we read the rows of apache-arrow, whatever their number', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'probes.arrows');
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 70 }), { maxLength: 5 }), (sizes) => {
      const all = sampleRows(sizes.reduce((sum, size) => sum + size, 0)).map((row) => ({
        ...row,
        error: 0,
        address: 0,
        face: 0,
        answer: 0,
      }));
      let from = 0;
      const parts = sizes.map((size) => all.slice(from, (from += size)));
      writeFileSync(path, writtenByArrow(parts));
      expect(readBack(path)).toEqual({ rows: all, problems: [] });
    }),
    { numRuns: 40 },
  );
});

test('one batch of another writer that is bigger than ours is read in pieces', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'probes.arrows');
  const rows = sampleRows(1000).map((row) => ({ ...row, error: 0, address: 0, face: 0, answer: 0 }));
  const many = Array.from({ length: 140 }, () => rows).flat();
  writeFileSync(path, writtenByArrow([many]));
  const sizes: number[] = [];
  const found = newRowsFound();
  let i = 0;
  for (const batch of readRows(path, laneCount, found)) {
    sizes.push(batch.rowCount);
    for (const row of [0, batch.rowCount - 1]) {
      expect(batch.columns.endedUs[row]).toBe(many[i + row]?.endedUs);
      expect(batch.columns.checks[row]).toBe(many[i + row]?.checks);
    }
    i += batch.rowCount;
  }
  expect(sizes).toEqual([65_536, 65_536, 8928]);
  expect(found.problems).toEqual([]);
});

test('a number that another writer does not define reads as unknown, and is said', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'probes.arrows');
  writeFileSync(path, writtenByArrow([sampleRows(30)]));
  const { rows, problems } = readBack(path);
  expect(rows.map(({ address }) => address)).toEqual(rows.map(() => 1));
  expect(problems).toContain('probes.arrows: the address of 30 rows is defined nowhere and reads as unknown');
});

test('a column that claims to stand beyond its batch is damage', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'probes.arrows');
  const parts = [sampleRows(13), sampleRows(40)].map((rows) =>
    rows.map((row) => ({ ...row, error: 0, address: 0, face: 0, answer: 0 })),
  );
  const bytes = Buffer.from(writtenByArrow(parts));
  // The first batch’s last column: 13 × 4 bytes, padded, from byte 832 of the body on.
  const span = Buffer.alloc(16);
  span.writeUInt32LE(832, 0);
  span.writeUInt32LE(56, 8);
  const at = bytes.indexOf(span);
  expect(at).toBeGreaterThan(0);
  bytes.writeUInt32LE(832 + 256, at);
  writeFileSync(path, bytes);
  expect(readBack(path)).toEqual({
    rows: parts[1],
    problems: ['probes.arrows: 1 damaged batches are left out (the first: a column does not fit in its body)'],
  });
});

test('other columns are no rows of ours', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'probes.arrows');
  const other = new Schema([new Field('lane', new Uint32(), false)]);
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, other);
  writer.finish();
  writeFileSync(path, writer.toUint8Array(true));
  expect(readBack(path)).toEqual({ rows: [], problems: ['probes.arrows cannot be read: its columns are lane u32'] });
});

test('what stands behind the end of a stream is said', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'probes.arrows');
  writeFileSync(path, writtenByArrow([]));
  appendFileSync(path, 'leftover');
  expect(readBack(path).problems).toEqual([
    expect.stringMatching(/^probes\.arrows: its last 8 bytes, from byte \d+ on, stand behind its end$/),
  ]);
});
