/** A small run to write, damage and read again; the same bytes each time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { presets } from '../../src/clients/presets.ts';
import { type Entry, type EntryOf, formatVersion } from '../../src/core/entry.ts';
import { outcomeNumber } from '../../src/core/outcome.ts';
import { type Definition, newColumns, newRow, type Row, type RowBatch, rowColumns } from '../../src/core/row.ts';
import { nsPerMs } from '../../src/core/time.ts';
import { createRunFolder, type RunWriter } from '../../src/evidence/run-folder.ts';
import { lanesOf } from '../../src/scenario/lanes.ts';
import { parseScenario } from '../../src/scenario/parse.ts';

const scenario = parseScenario(
  [
    'name: sample',
    'services: [{ name: orders, url: "http://orders.test/ready" }]',
    'clients: [fresh, keep-alive]',
    'resolvers: [{ name: vpc, address: 127.0.0.53 }]',
    'authorities: none',
    'sides: { old: { addresses: [127.0.1.0/24] }, new: { addresses: [127.0.2.0/24] } }',
  ].join('\n'),
  { file: 'sample', env: {}, presets, readFile: () => '' },
);

export const startedAtMs: number = Date.UTC(2026, 10, 24, 8, 30);

export const runStarted: EntryOf<'run-started'> = {
  type: 'run-started',
  atNs: 0,
  formatVersion,
  version: '0.1.0',
  runId: '0badcafe',
  startedAtMs,
  mode: 'cutover',
  vantage: 'sample',
  scenario,
  lanes: lanesOf(scenario, { old: [], new: [] }),
  host: { node: '24.21.0', platform: 'linux', cpuCount: 2 },
  command: null,
  workerCount: 2,
};

export const laneCount: number = runStarted.lanes.length;

export function runEnded(rowCount: number, atNs: number): EntryOf<'run-ended'> {
  return {
    type: 'run-ended',
    atNs,
    why: 'tail-watched',
    probedUntilNs: atNs - nsPerMs,
    rowCount,
    definitionOverCapCount: 0,
  };
}

/** Numbers 2 and 3 of each kind; texts that JSON and UTF-8 have to work for. */
export const definitions: readonly Definition[] = [2, 3].flatMap((number): Definition[] => [
  { kind: 'error', number, value: `ECONNREFUSED "${number}" – ü` },
  { kind: 'address', number, value: `127.0.${number - 1}.1` },
  {
    kind: 'face',
    number,
    value: {
      certificateSha256: 'ab'.repeat(32),
      alpn: 'http/1.1',
      tlsVersion: 'TLSv1.3',
      headers: [['server', `nginx/${number}`]],
      unexpectedBody: '\u0000\u00ff<html>\r\n',
    },
  },
  {
    kind: 'answer',
    number,
    value: {
      server: 'vpc',
      name: 'orders.test',
      rcode: 'NOERROR',
      ede: 0,
      authoritative: false,
      chain: [],
      addresses: [`127.0.${number - 1}.1`],
    },
  },
]);

/** Row `n` of a run: every column has a value of its own, and each changes from row to row. */
export function sampleRow(n: number): Row {
  const row = newRow();
  rowColumns.forEach(([name, type], column) => {
    row[name] = (n * 2_654_435_761 + column * 40_503) % (type === 'u8' ? 251 : type === 'u16' ? 65_521 : 4_294_967_291);
  });
  row.lane = n % laneCount;
  row.slot = Math.floor(n / laneCount);
  row.outcome = n % 7 === 0 ? outcomeNumber['connect-refused'] : outcomeNumber.answered;
  row.error = n % 7 === 0 ? 2 + (n % 2) : 0;
  row.address = 2 + (n % 2);
  row.face = n % 7 === 0 ? 0 : 2 + (n % 2);
  row.answer = n % 5 === 0 ? 1 : 2 + (n % 2);
  return row;
}

export function batchOf(rows: readonly Row[], about: Partial<RowBatch> = {}): RowBatch {
  const columns = newColumns(rows.length);
  rows.forEach((row, i) => {
    for (const [name] of rowColumns) columns[name][i] = row[name];
  });
  return { rowCount: rows.length, columns, definitions: [], worker: 0, atNs: 0, ...about };
}

export function rowsOf({ rowCount, columns }: RowBatch): Row[] {
  return Array.from({ length: rowCount }, (_, i) => {
    return Object.fromEntries(rowColumns.map(([name]) => [name, columns[name][i]])) as Row;
  });
}

export function sampleRows(count: number): Row[] {
  return Array.from({ length: count }, (_, n) => sampleRow(n));
}

/** How many rows each batch has, until they are `count`: of two workers in turn, none as big as the one before. */
function* batchSizes(count: number): Generator<number> {
  for (let left = count, i = 0; left > 0; i += 1) {
    const size = Math.min(left, [1, 7, 13, 3, 0][i % 5] as number);
    left -= size;
    yield size;
  }
}

/** Writes run-started, rows in small batches, a mark; the writer is still open. */
export function writeSample(path: string, rowCount: number): RunWriter {
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  const rows = sampleRows(rowCount);
  let from = 0;
  let i = 0;
  for (const size of batchSizes(rowCount)) {
    const batch = batchOf(rows.slice(from, from + size), { worker: i % 2, atNs: (i + 1) * 250 * nsPerMs });
    writer.batch({ ...batch, definitions: i === 0 ? definitions.slice(0, 4) : i === 1 ? definitions.slice(4) : [] });
    from += size;
    i += 1;
  }
  const marked: Entry = { type: 'marked', atNs: 300 * nsPerMs, text: 'switch' };
  writer.entry(marked);
  return writer;
}

/** A folder of its own for a test; gone with the test. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'cutwatch-evidence-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
