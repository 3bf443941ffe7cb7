/** Whatever befalls a run folder: reading it never throws and never invents, and says what is missing. */
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { Row } from '../../src/core/row.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { rowsOf, runEnded, runStarted, sampleRows, temporaryFolder, writeSample } from './sample-run.ts';

const rowCount = 31;
const rows = sampleRows(rowCount);
const folder = temporaryFolder();
const path = join(folder.path, 'run');
const rowsPath = join(path, 'probes.arrows');
const journalPath = join(path, 'journal.ndjson');
let small: Buffer;
let big: Buffer;
let journal: Buffer;

beforeAll(() => {
  const writer = writeSample(path, rowCount);
  small = readFileSync(rowsPath);
  writer.entry(runEnded(rowCount, 60e9));
  writer.close();
  big = readFileSync(rowsPath);
  journal = readFileSync(journalPath);
});

afterAll(() => {
  folder[Symbol.dispose]();
});

interface Read {
  readonly rows: Row[];
  readonly problems: readonly string[];
  readonly types: string[];
}

function read(): Read {
  const reading = readRun(path);
  const found: Row[] = [];
  for (const batch of reading.batches()) found.push(...rowsOf(batch));
  return { rows: found, problems: reading.problems, types: reading.entries.map(({ type }) => type) };
}

function restore(): void {
  writeFileSync(rowsPath, small);
  writeFileSync(journalPath, journal);
}

/** What is not defined any more reads as unknown. */
function isSame(found: Row | undefined, row: Row): boolean {
  const known = (column: 'error' | 'address' | 'face' | 'answer'): number => (found?.[column] === 1 ? 1 : row[column]);
  const expected = {
    ...row,
    error: known('error'),
    address: known('address'),
    face: known('face'),
    answer: known('answer'),
  };
  return JSON.stringify(found) === JSON.stringify(expected);
}

test('an undamaged run has no problems', () => {
  for (const bytes of [small, big]) {
    restore();
    writeFileSync(rowsPath, bytes);
    expect(read()).toEqual({ rows, problems: [], types: ['run-started', 'marked', 'run-ended'] });
  }
});

test('rows torn at any byte are a prefix of the rows, and what is missing is said', { timeout: 60_000 }, () => {
  restore();
  let rowCountBefore = 0;
  let betweenCount = 0;
  for (let length = small.length - 1; length >= 0; length -= 1) {
    truncateSync(rowsPath, length);
    const found = read();
    if (length === small.length - 1) rowCountBefore = found.rows.length;
    if (!found.rows.every((row, i) => isSame(row, rows[i] as Row))) throw new Error(`other rows at byte ${length}`);
    expect(found.rows.length).toBeLessThanOrEqual(rowCountBefore);
    expect(found.rows.length).toBeLessThan(rowCount);
    expect(found.problems).toContain(`probes.arrows has ${found.rows.length} rows, the run wrote ${rowCount}`);
    // Between two batches nothing is torn; only the number of rows tells.
    if (!found.problems.some((problem) => problem.startsWith('probes.arrows is torn'))) betweenCount += 1;
    rowCountBefore = found.rows.length;
  }
  expect(rowCountBefore).toBe(0);
  // Before each batch, and before the schema.
  expect(betweenCount).toBe(small.toString('latin1').split('atNsByWorker').length);
});

test.for(['journal.ndjson', 'marks.ndjson'])('%s torn at any byte loses its last line only', (name) => {
  restore();
  const linesPath = join(path, name);
  const lines =
    name === 'journal.ndjson'
      ? journal
      : Buffer.from('{"atMs":1795509000250,"text":"one"}\n{"atMs":1795509001000,"text":"two – ü"}\n');
  const first = lines.indexOf('\n');
  for (let length = first; length < lines.length; length += 1) {
    writeFileSync(linesPath, lines.subarray(0, length));
    const found = read();
    const wholeCount =
      lines
        .subarray(0, length + 1)
        .toString('latin1')
        .split('\n').length - 1;
    const types = found.types.filter((type) => name === 'journal.ndjson' || type === 'marked').length;
    expect(types).toBe(name === 'journal.ndjson' ? wholeCount : wholeCount + 1);
  }
  writeFileSync(linesPath, '');
});

test('a page of zeros anywhere costs the batches it touches, and is said', { timeout: 30_000 }, () => {
  for (const bytes of [small, big]) {
    restore();
    for (let from = 0; from < bytes.length; from += 97) {
      const zeroed = Buffer.from(bytes);
      zeroed.fill(0, from, Math.min(from + 512, bytes.length));
      writeFileSync(rowsPath, zeroed);
      const found = read();
      expect(found.problems.length).toBeGreaterThan(0);
      expect(found.rows.length).toBeLessThan(rowCount);
      for (const row of found.rows) expect(rows.some((written) => isSame(row, written))).toBe(true);
    }
  }
});

test('a changed byte anywhere costs its batch at most, and is said', { timeout: 30_000 }, () => {
  restore();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: small.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(small);
      changed[at] = (changed[at] as number) ^ change;
      writeFileSync(rowsPath, changed);
      const found = read();
      // The schema has no checksum of its own: a name in it may change, and then nothing is read.
      for (const row of found.rows) expect(rows.some((written) => isSame(row, written))).toBe(true);
      if (found.rows.length < rowCount) expect(found.problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 400 },
  );
});

test('bytes of any kind are read without a throw', { timeout: 30_000 }, () => {
  restore();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.integer({ min: 0, max: small.length }), (noise, at) => {
      const noisy = Buffer.from(small);
      noisy.set(noise.subarray(0, small.length - at), at);
      writeFileSync(rowsPath, noisy);
      for (const row of read().rows) expect(rows.some((written) => isSame(row, written))).toBe(true);
      writeFileSync(rowsPath, noise);
      expect(read().rows).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('a length that no file has is not believed', () => {
  restore();
  const claims = Buffer.from(small);
  claims.writeUInt32LE(0x7fff_fff8, 4);
  writeFileSync(rowsPath, claims);
  expect(read().problems[0]).toMatch(
    /^probes\.arrows is damaged: .* cannot be read \(no length of a head stands there\)$/,
  );
  claims.writeUInt32LE(small.length * 8, 4);
  writeFileSync(rowsPath, claims);
  expect(read().problems[0]).toMatch(/^probes\.arrows is torn/);
});

test('lines of any kind in the journal are left out and counted', () => {
  restore();
  const [started, ...others] = journal.toString('utf8').trimEnd().split('\n');
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 6 }), (noise) => {
      const lines = noise.map((line) => line.replaceAll('\n', ' ')).filter((line) => line !== '');
      writeFileSync(journalPath, [started, ...lines, ...others, ''].join('\n'));
      const { types, problems } = read();
      expect(types).toEqual(['run-started', 'marked', 'run-ended']);
      const expected =
        lines.length === 0 ? [] : [`journal.ndjson: ${lines.length} unreadable lines are left out (the first: line 2)`];
      expect(problems).toEqual(expected);
    }),
  );
});

test.for([
  { lines: [], text: 'has no run-started' },
  { lines: [{ type: 'noted', atNs: 1, text: 'x' }], text: 'has no run-started' },
  { lines: [{ ...runStarted, lanes: [null] }], text: 'has no run-started' },
  {
    lines: [{ ...runStarted, formatVersion: 2, lanes: 'as the future has them' }],
    text: 'use the cutwatch that wrote it',
  },
])('a folder without a run that we know is the user’s to mend: $text', ({ lines, text }) => {
  restore();
  writeFileSync(journalPath, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  expect(() => readRun(path)).toThrow(UserError);
  expect(() => readRun(path)).toThrow(text);
});

test('no folder, and no run in it, are said', () => {
  expect(() => readRun(join(path, 'none'))).toThrow('is no run folder');
});

test('rows of another run are said', () => {
  restore();
  writeFileSync(journalPath, journal.toString('utf8').replaceAll('0badcafe', '0badbeef'));
  expect(read().problems).toEqual(['probes.arrows says runId 0badcafe, the journal 0badbeef']);
});

test('a lane that no entry has is left out', () => {
  restore();
  const oneLane = { ...runStarted, lanes: runStarted.lanes.slice(0, 1) };
  writeFileSync(journalPath, `${JSON.stringify(oneLane)}\n`);
  const found = read();
  expect(found.rows).toEqual(rows.filter((row) => row.lane === 0));
  expect(found.problems).toEqual([
    `probes.arrows: ${rowCount - found.rows.length} rows with an unknown lane or outcome are left out`,
  ]);
});

test('a journal without rows is read', () => {
  restore();
  using other = temporaryFolder();
  cpSync(journalPath, join(other.path, 'journal.ndjson'));
  const reading = readRun(other.path);
  expect([...reading.batches()]).toEqual([]);
  expect(reading.problems).toEqual(['probes.arrows is missing', `probes.arrows has 0 rows, the run wrote ${rowCount}`]);
});
