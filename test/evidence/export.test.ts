/** Exports: what they count is what the report counts, in every scenario that comes with cutwatch. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, test } from 'vitest';
import { newFold } from '../../src/analysis/fold.ts';
import { rowConclusions } from '../../src/analysis/row-conclusions.ts';
import { builtInNames } from '../../src/cli/built-in-scenarios.ts';
import type { Analysis, LaneAnalysis } from '../../src/core/analysis.ts';
import { journalTable } from '../../src/evidence/export-journal.ts';
import { writeParquet } from '../../src/evidence/export-parquet.ts';
import { probeColumns } from '../../src/evidence/export-probe-columns.ts';
import { probeTable, type ProbeRow } from '../../src/evidence/export-probes.ts';
import type { Table, Value } from '../../src/evidence/export-table.ts';
import { csv, ndjson } from '../../src/evidence/export-text.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { play, readScenario } from '../scenarios/simulated.ts';
import { playWorld, type Json } from '../scenarios/worlds.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Counts = Readonly<Record<string, Value>>;

function tableOf(path: string): { readonly table: Table<ProbeRow>; readonly analysis: Analysis } {
  const reading = readRun(path);
  const fold = newFold();
  for (const entry of reading.entries) fold.entry(entry);
  for (const batch of reading.batches()) fold.batch(batch);
  const conclusion = fold.conclude();
  const conclusions = rowConclusions(conclusion);
  const source = { entries: reading.entries, batches: reading.batches(), conclusions };
  return { table: probeTable(source), analysis: conclusion.analysis };
}

/** Lane, series and slot → the row that is the slot's result in that series. */
function resultsOf(rows: Iterable<Counts>, series: 'raw' | 'retried'): Counts[] {
  const results = new Map<string, Counts>();
  for (const row of rows) {
    const isResult = row['part'] === 'slot' || (series === 'retried' && row['part'] === 'retried');
    if (isResult) results.set(`${String(row['laneNumber'])} ${String(row['slot'])}`, row);
  }
  return [...results.values()];
}

function count(rows: readonly Counts[], column: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) {
    const value = row[column];
    if (value !== null && value !== undefined) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  }
  return counts;
}

function withoutZeros(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));
}

function expectLane(lane: LaneAnalysis, rows: readonly Counts[]): void {
  const { due: _, sent: __, pending: ___, ...results } = lane.slots;
  expect(count(rows, 'result')).toEqual(withoutZeros(results));
  expect(count(rows, 'failure')).toEqual(lane.classes);
  const seen = rows.filter(({ result }) => result === 'good' || result === 'failed');
  expect(count(seen, 'side')).toEqual(withoutZeros(lane.sides));
  const causes: Record<string, number> = {};
  for (const spans of [lane.outages, lane.impaired]) {
    for (const span of spans) for (const cause of Object.keys(span.causes)) causes[cause] = 1;
  }
  expect(Object.keys(count(rows, 'cause')).toSorted()).toEqual(Object.keys(causes).toSorted());
}

const worlds = builtInNames().filter((name) => readScenario(name).world !== null);

test.for(worlds)('%s: rows count what the report counts, lane by lane', { timeout: 180_000 }, async (name) => {
  const rows: Counts[] = [];
  const { analysis } = await play(name, undefined, (path) => {
    const wanted = probeColumns.filter(({ name: one }) =>
      ['laneNumber', 'slot', 'part', 'result', 'failure', 'cause', 'side'].includes(one),
    );
    for (const row of tableOf(path).table.rows) {
      rows.push(Object.fromEntries(wanted.map(({ name: one, of }) => [one, of(row)])));
    }
  });
  expect(analysis.lanes.length).toBeGreaterThan(0);
  for (const series of ['raw', 'retried'] as const) {
    const byLane = Map.groupBy(resultsOf(rows, series), ({ laneNumber }) => laneNumber);
    for (const lane of analysis.lanes.filter((one) => one.series === series)) {
      expectLane(lane, byLane.get(lane.number) ?? []);
    }
  }
});

test('of a client that tries twice the second try is the result of its retried series', async () => {
  const rows: Counts[] = [];
  const world: Json = {
    name: 'twice',
    services: [{ name: 'orders', url: 'http://orders.shop.example/ready' }],
    sides: {
      old: { addresses: ['dns:shop-1.example'], marker: { 'x-served-by': 'ecs' } },
      new: { addresses: ['dns:shop-2.example'], marker: { 'x-served-by': 'eks' } },
    },
    resolvers: [{ name: 'vpc', address: '10.0.0.2:53' }],
    clients: ['chrome'],
    change: { via: 'dns', ttlS: 3, baselineS: 7, convergenceTimeoutS: 60, tailS: 11 },
    world: {
      zone: { ttlS: 3 },
      script: [
        { afterChangeS: 0, do: 'switch-dns', to: 'new' },
        { afterChangeS: 1, do: 'remove-load-balancer', side: 'old', how: 'refused' },
      ],
    },
  };
  const { analysis } = await playWorld(world, 5, (path) => {
    const { table } = tableOf(path);
    for (const row of table.rows) rows.push(Object.fromEntries(table.columns.map(({ name, of }) => [name, of(row)])));
  });
  expect(rows.filter(({ part }) => part === 'retried').length).toBeGreaterThan(2);
  const retried = analysis.lanes.filter(({ series }) => series === 'retried');
  expect(retried.length).toBe(1);
  for (const lane of analysis.lanes) {
    const own = rows.filter(({ laneNumber }) => laneNumber === lane.number);
    expectLane(lane, resultsOf(own, lane.series));
  }
});

describe('one run in every format', () => {
  async function exported(): Promise<{ json: Counts[]; csvText: string; parquet: Counts[] }> {
    const parquetPath = join(folder, 'rollback.parquet');
    let [jsonText, csvText] = ['', ''];
    await play('rollback', 7, (path) => {
      jsonText = [...ndjson(tableOf(path).table)].join('');
      csvText = [...csv(tableOf(path).table)].join('');
      writeParquet(parquetPath, tableOf(path).table);
    });
    const json = jsonText
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Counts);
    return { json, csvText, parquet: await readParquet(parquetPath) };
  }

  test('NDJSON, CSV and Parquet say the same, cell by cell', async () => {
    const { json, csvText, parquet } = await exported();
    expect(parquet).toEqual(json);
    const [head = [], ...lines] = parseCsv(csvText);
    expect(head).toEqual(probeColumns.map(({ name }) => name));
    expect(lines).toEqual(json.map((row) => head.map((name) => (row[name] === null ? '' : String(row[name])))));
  });

  test('instants, lengths and trace ids fit each other', async () => {
    const { json } = await exported();
    expect(json.length).toBeGreaterThan(100);
    for (const row of json) {
      const us = (name: string): number =>
        Date.parse(String(row[name])) * 1000 + Number(String(row[name]).slice(23, 26));
      expect(us('sentAt') - us('dueAt')).toBe(row['lateUs']);
      expect(us('endedAt') - us('sentAt')).toBe(row['endedUs'] ?? 0);
      expect(Number(row['lateUs']) + Number(row['endedUs'])).toBe(row['responseUs']);
      expect(row['traceId']).toMatch(new RegExp(`^1-[0-9a-f]{8}-${String(row['run'])}[0-9a-f]{16}$`));
    }
  });
});

function tableOfTexts(texts: readonly string[]): Table<string> {
  return { name: 't', columns: [{ name: 'text', kind: 'text', meaning: '', of: (text) => text }], rows: texts };
}

test.for([
  { text: '=cmd|calc', cell: "'=cmd|calc" },
  { text: '+1', cell: "'+1" },
  { text: '-1', cell: "'-1" },
  { text: '@SUM(A1)', cell: "'@SUM(A1)" },
  { text: '\t=1', cell: "'\ufffd=1" },
  { text: 'a,b', cell: '"a,b"' },
  { text: 'say "x"', cell: '"say ""x"""' },
  { text: '=1,"', cell: '"\'=1,"""' },
  { text: 'two\nlines\u001b[31m\u009b', cell: 'two\ufffdlines\ufffd[31m\ufffd' },
  { text: 'a=b', cell: 'a=b' },
])('in CSV $text is a text, and stays on its line', ({ text, cell }) => {
  expect([...csv(tableOfTexts([text]))].join('')).toBe(`text\n${cell}\n`);
});

test('NDJSON gives every text back, and no control of a terminal', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
      const text = [...ndjson(tableOfTexts(texts))].join('');
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      const lines = text.split('\n').filter((line) => line !== '');
      expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(texts);
    }),
  );
});

test('Parquet gives back every row of several groups, and nulls', { timeout: 60_000 }, async () => {
  const rows = Array.from({ length: 10_000 * 3 + 7 }, (_, i) => i);
  const path = join(folder, 'groups.parquet');
  writeParquet<number>(path, {
    name: 'groups',
    columns: [
      { name: 'count', kind: 'count', meaning: '', of: (i) => (i % 3 === 0 ? null : 0xffff_ffff - i) },
      { name: 'text', kind: 'text', meaning: '', of: (i) => (i % 5 === 0 ? null : `é ${String(i % 11)}`) },
      { name: 'flag', kind: 'flag', meaning: '', of: (i) => (i % 7 === 0 ? null : i % 2 === 0) },
      { name: 'at', kind: 'instant', meaning: '', of: (i) => 1_795_509_000_123_456 + i },
      { name: 'nothing', kind: 'text', meaning: '', of: () => null },
    ],
    rows,
  });
  const read = await readParquet(path);
  expect(read.length).toBe(rows.length);
  const wanted = [0, 1, 14, 9999, 10_000, 29_999, 30_006];
  expect(wanted.map((i) => read[i])).toEqual(
    wanted.map((i) => ({
      count: i % 3 === 0 ? null : 0xffff_ffff - i,
      text: i % 5 === 0 ? null : `é ${String(i % 11)}`,
      flag: i % 7 === 0 ? null : i % 2 === 0,
      at: `${new Date(1_795_509_000_123 + Math.floor((456 + i) / 1000)).toISOString().slice(0, -1)}${String((456 + i) % 1000).padStart(3, '0')}Z`,
      nothing: null,
    })),
  );
});

test('a table without rows is a table', async () => {
  expect([...csv(tableOfTexts([]))].join('')).toBe('text\n');
  expect([...ndjson(tableOfTexts([]))].join('')).toBe('');
  const path = join(folder, 'empty.parquet');
  writeParquet(path, tableOfTexts([]));
  expect(await readParquet(path)).toEqual([]);
});

test('the journal has every entry, as it is in the log', async () => {
  let text = '';
  let entries: unknown[] = [];
  await play('clean-cutover', 3, (path) => {
    const reading = readRun(path);
    entries = [...reading.entries];
    text = [...ndjson(journalTable(reading.entries))].join('');
  });
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { entry: string });
  expect(rows.map(({ entry }) => JSON.parse(entry) as unknown)).toEqual(entries);
});

test('docs/export.md has every column with its meaning, in order', () => {
  const document = readFileSync('docs/export.md', 'utf8');
  const rows = [...document.matchAll(/^\| `(\w+)` \| (\w+) \| (.+) \|$/gm)].map(([, name, kind, meaning]) => [
    name,
    kind,
    meaning,
  ]);
  expect(rows).toEqual(probeColumns.map(({ name, kind, meaning }) => [name, kind, meaning]));
});

/** With timestamps as NDJSON has them, which are to the µs; hyparquet makes dates of them, to the ms. */
async function readParquet(path: string): Promise<Counts[]> {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const instant = (us: bigint): string =>
    `${new Date(Number(us / 1000n)).toISOString().slice(0, -1)}${String(us % 1000n).padStart(3, '0')}Z`;
  const parsers = { timestampFromMicroseconds: instant as unknown as (us: bigint) => Date };
  return (await parquetReadObjects({ file, parsers })) as Counts[];
}

/** RFC 4180, lines of LF. */
function parseCsv(text: string): string[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
}
