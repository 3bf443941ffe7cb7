import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { newColumns, type Definition, type Row } from '../../src/core/row.ts';
import { nsPerMs, nsPerS } from '../../src/core/time.ts';
import { appendMark } from '../../src/evidence/append-mark.ts';
import { newRenumberer } from '../../src/evidence/intern.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { newRowBuffer } from '../../src/evidence/row-buffer.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import {
  batchOf,
  definitions,
  rowsOf,
  runEnded,
  runStarted,
  sampleRow,
  sampleRows,
  startedAtMs,
  temporaryFolder,
  writeSample,
} from './sample-run.ts';

const byWorker = ([a]: readonly [number, number], [b]: readonly [number, number]): number => a - b;

interface Read {
  readonly rows: Row[];
  readonly definitions: Definition[];
  readonly batchRowCounts: number[];
  readonly problems: readonly string[];
  readonly atNsByWorker: ReadonlyMap<number, number>;
}

function read(path: string): Read {
  const reading = readRun(path);
  const found: Read = {
    rows: [],
    definitions: [],
    batchRowCounts: [],
    problems: reading.problems,
    atNsByWorker: new Map(),
  };
  for (const batch of reading.batches()) {
    found.rows.push(...rowsOf(batch));
    found.definitions.push(...batch.definitions);
    found.batchRowCounts.push(batch.rowCount);
  }
  return { ...found, atNsByWorker: reading.atNsByWorker };
}

test('what several threads recorded is read back, row by row and meaning by meaning', { timeout: 30_000 }, () => {
  const value = fc.constantFrom('ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', '');
  const step = fc.record({ worker: fc.nat({ max: 2 }), error: value, address: value, flushes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isClosed) => {
      using folder = temporaryFolder();
      const path = join(folder.path, 'a', 'b', 'run');
      const writer = createRunFolder(path);
      writer.entry(runStarted);
      const { renumber } = newRenumberer();
      const buffers = [0, 1, 2].map((worker) => {
        return newRowBuffer({ worker, nowNs: () => 0, onBatch: (batch) => writer.batch(renumber(batch)) });
      });
      steps.forEach(({ worker, error, address, flushes }, n) => {
        const buffer = buffers[worker] as (typeof buffers)[number];
        const numbers = {
          error: error === '' ? 0 : buffer.define('error', error, () => error),
          address: address === '' ? 0 : buffer.define('address', address, () => address),
        };
        buffer.row({ ...sampleRow(n), face: 0, answer: 0, ...numbers });
        if (flushes) buffer.flush(n);
      });
      for (const buffer of buffers) buffer.flush(steps.length);
      if (isClosed) writer.close();

      const found = read(path);
      const textOf = (kind: Definition['kind'], number: number): unknown =>
        number === 0 ? '' : found.definitions.find((one) => one.kind === kind && one.number === number)?.value;
      const seen = found.rows.map((row) => {
        return { ...row, error: textOf('error', row.error), address: textOf('address', row.address) };
      });
      const written = steps.map(({ error, address }, n) => ({ ...sampleRow(n), face: 0, answer: 0, error, address }));
      const bySlot = (a: { lane: number; slot: number }, b: { lane: number; slot: number }): number =>
        a.slot - b.slot || a.lane - b.lane;
      expect(seen.toSorted(bySlot)).toEqual(written.toSorted(bySlot));
      expect(found.problems).toEqual([]);
      expect(writer.rowCount).toBe(steps.length);
      const numbers = found.definitions.map(({ kind, number }) => `${kind} ${number}`);
      expect(new Set(numbers).size).toBe(numbers.length);
      if (!isClosed) writer.close();
    }),
    { numRuns: 60 },
  );
});

test(
  'closing rewrites the rows in batches of 65,536, with every definition, and leaves nothing else behind',
  { timeout: 30_000 },
  () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'run');
    const writer = writeSample(path, 103);
    const rows = sampleRows(1001);
    for (let i = 0; i < 70; i += 1) writer.batch(batchOf(rows, { worker: i % 2, atNs: 20 * nsPerS + i }));
    writer.entry(runEnded(writer.rowCount, 60 * nsPerS));
    const before = read(path);
    const sizeBefore = readFileSync(join(path, 'probes.arrows')).length;
    writer.close();
    const after = read(path);
    expect(writer.failure).toBeNull();
    expect(writer.rewriteFailure).toBeNull();
    expect(after).toEqual(before);
    expect(after.rows.length).toBe(70_173);
    expect(after.rows).toEqual([...sampleRows(103), ...Array.from({ length: 70 }, () => rows).flat()]);
    expect(after.definitions).toEqual(definitions);
    expect(after.problems).toEqual([]);
    expect([...after.atNsByWorker].toSorted(byWorker)).toEqual([
      [0, 20 * nsPerS + 68],
      [1, 20 * nsPerS + 69],
    ]);
    expect(readFileSync(join(path, 'probes.arrows')).length).toBeLessThan(sizeBefore);
    expect(readFileSync(join(path, 'probes.arrows'), 'latin1').split('atNsByWorker').length - 1).toBe(2);
    expect(readdirSync(path).toSorted()).toEqual(['journal.ndjson', 'probes.arrows']);
  },
);

test('at the end of a reading each worker’s latest clock is heard, whosever batch was the last', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  const clock = (worker: number, atMs: number): void =>
    writer.batch(
      batchOf(
        [sampleRow(3)].map((row) => ({ ...row, error: 0, address: 0, face: 0, answer: 0 })),
        { worker, atNs: atMs * nsPerMs },
      ),
    );
  clock(1, 250);
  clock(0, 260);
  clock(1, 500);
  clock(0, 510);
  for (const when of ['cut off', 'closed']) {
    if (when === 'closed') writer.close();
    const heard = new Map<number, number>();
    for (const { worker, atNs } of readRun(path).batches()) heard.set(worker, Math.max(heard.get(worker) ?? 0, atNs));
    expect([...heard].toSorted(byWorker), when).toEqual([
      [0, 510 * nsPerMs],
      [1, 500 * nsPerMs],
    ]);
  }
});

test('batches without rows say that a thread was alive: once a second is enough', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  for (let atMs = 0; atMs <= 4000; atMs += 100) {
    writer.batch({ rowCount: 0, columns: newColumns(0), definitions: [], worker: 1, atNs: atMs * nsPerMs });
  }
  expect(readFileSync(join(path, 'probes.arrows'), 'latin1').split('atNsByWorker').length - 1).toBe(5);
  writer.close();
  expect([...read(path).atNsByWorker]).toEqual([[1, 4000 * nsPerMs]]);
});

test('definitions longer than everything before them are written whole', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  const long = [2, 3, 4].map((number): Definition => ({ kind: 'error', number, value: 'é'.repeat(50_000 * number) }));
  const rows = sampleRows(10).map((row, n) => ({ ...row, error: 2 + (n % 3), address: 0, face: 0, answer: 0 }));
  writer.batch(batchOf(rows, { definitions: long }));
  writer.batch(batchOf(rows));
  for (const when of ['cut off', 'closed']) {
    if (when === 'closed') writer.close();
    const found = read(path);
    expect(found.problems, when).toEqual([]);
    expect(found.rows, when).toEqual([...rows, ...rows]);
    expect(found.definitions, when).toEqual(long);
  }
});

test('rows that are damaged on the disk are not rewritten: what is left of them stays as it is', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = writeSample(path, 61);
  const rowsPath = join(path, 'probes.arrows');
  const bytes = readFileSync(rowsPath);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 100) ^ 1, bytes.length - 100);
  writeFileSync(rowsPath, bytes);
  writer.close();
  expect(writer.rewriteFailure).toMatch(/^probes\.arrows: 1 damaged batches are left out/);
  expect(readFileSync(rowsPath).subarray(0, bytes.length).equals(bytes)).toBe(true);
  expect(read(path).rows.length).toBeGreaterThan(40);
  expect(readdirSync(path).toSorted()).toEqual(['journal.ndjson', 'probes.arrows']);
});

test('a run in progress can be read', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = writeSample(path, 31);
  expect(read(path).rows).toEqual(sampleRows(31));
  writer.batch(batchOf(sampleRows(5)));
  expect(read(path).rows.length).toBe(36);
  writer.close();
});

test('rows that were lost are said by their number', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = writeSample(path, 31);
  writer.entry(runEnded(33, nsPerS));
  writer.close();
  expect(read(path).problems).toEqual(['probes.arrows has 31 rows, the run wrote 33']);
});

test('marks of others are read once, and what came too late is read from their file', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  expect(writer.readNewMarks()).toEqual([]);
  appendMark(path, 'switch', startedAtMs + 1250);
  appendMark(path, 'back\u0007\nagain', startedAtMs + 2500);
  const marks = [
    { atMs: startedAtMs + 1250, text: 'switch' },
    { atMs: startedAtMs + 2500, text: 'back again' },
  ];
  expect(writer.readNewMarks()).toEqual(marks);
  expect(writer.readNewMarks()).toEqual([]);
  writer.entry({ type: 'marked', atNs: 1250 * nsPerMs, text: 'switch' });
  appendMark(path, 'switch', startedAtMs + 3100);
  expect(writer.readNewMarks()).toEqual([{ atMs: startedAtMs + 3100, text: 'switch' }]);
  writer.close();
  // The run wrote down the first only.
  expect(readRun(path).entries.slice(1)).toEqual([
    { type: 'marked', atNs: 1250 * nsPerMs, text: 'switch' },
    { type: 'marked', atNs: 2500 * nsPerMs, text: 'back again' },
    { type: 'marked', atNs: 3100 * nsPerMs, text: 'switch' },
  ]);
});

test('half a mark is not read before it is whole', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  const line = JSON.stringify({ atMs: startedAtMs, text: 'switch' });
  writeFileSync(join(path, 'marks.ndjson'), line.slice(0, 20));
  expect(writer.readNewMarks()).toEqual([]);
  writeFileSync(join(path, 'marks.ndjson'), `${line}\nno mark\n`);
  expect(writer.readNewMarks()).toEqual([{ atMs: startedAtMs, text: 'switch' }]);
  writer.close();
});

test('reports are written beside the evidence, also after it is closed', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = writeSample(path, 7);
  writer.close();
  writer.report('report.md', '# pass\n');
  writer.report('report.md', '# fail\n');
  expect(readFileSync(join(path, 'report.md'), 'utf8')).toBe('# fail\n');
  expect(writer.failure).toBeNull();
  writer.report('no/such/folder.md', '');
  expect(writer.failure).toMatch(/^no\/such\/folder\.md could not be written: /);
});

test('a folder that holds something is not written into', () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, 'empty'));
  createRunFolder(join(folder.path, 'empty')).close();
  expect(() => createRunFolder(join(folder.path, 'empty'))).toThrow(UserError);
  expect(() => createRunFolder(join(folder.path, 'empty'))).toThrow('is already there and not empty');
});

test('a file is no folder', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'file');
  writeFileSync(path, 'mine');
  expect(() => createRunFolder(path)).toThrow('a part of the path is a file');
  expect(() => createRunFolder(join(path, 'run'))).toThrow('a part of the path is a file');
  expect(readFileSync(path, 'utf8')).toBe('mine');
});
