/** The recipes of docs/export.md, run by DuckDB on a Parquet that cutwatch wrote: they say what report.json says. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/report/shape.ts';
import { describeDuckDb, duckDb } from './servers/duckdb.ts';
import { makeTemporaryFolder, type TemporaryFolder } from './servers/temporary-folder.ts';

const mainPath = join(import.meta.dirname, '../../src/cli/main.ts');
const document = readFileSync(join(import.meta.dirname, '../../docs/export.md'), 'utf8');
const recipes = [...document.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, text = '']) => text);

function recipe(has: string): string {
  const found = recipes.filter((text) => text.includes(has));
  if (found.length !== 1) throw new Error(`${String(found.length)} recipes of docs/export.md have ${has}`);
  return found[0] as string;
}

describeDuckDb('DuckDB on an export', () => {
  let folder: TemporaryFolder;
  let report: Report;
  let probes = '';

  beforeAll(async () => {
    folder = await makeTemporaryFolder();
    const run = join(folder.path, 'run');
    const cutwatch = (...words: readonly string[]): void =>
      void execFileSync(process.execPath, [mainPath, ...words], { stdio: 'ignore', cwd: folder.path });
    cutwatch('rehearse', 'founding-migration', '--simulate', '--out', run);
    cutwatch('export', run, '--format', 'parquet');
    cutwatch('export', run, '--format', 'csv', '--out', join(run, 'probes.csv'));
    report = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')) as Report;
    probes = `CREATE VIEW probes AS SELECT * FROM '${join(run, 'probes.parquet')}'`;
  }, 120_000);
  afterAll(() => folder[Symbol.asyncDispose]());

  const rawLanes = (): Report['lanes'] => report.lanes.filter(({ series }) => series === 'raw');

  test('every recipe runs, and finds something', { timeout: 60_000 }, () => {
    expect(recipes.length).toBeGreaterThanOrEqual(6);
    for (const text of recipes) expect(duckDb(probes, text).length, text).toBeGreaterThan(0);
  });

  test('slots of every lane are those of the report', { timeout: 60_000 }, () => {
    const rows = duckDb(probes, recipe('AS good, count(*)'));
    expect(rows).toEqual(rawLanes().map(({ name, slots: { good, failed } }) => ({ lane: name, good, failed })));
  });

  test('failures by class are those of the report', { timeout: 60_000 }, () => {
    const rows = duckDb(probes, recipe('min(dueAt) AS firstAt'));
    const found: Record<string, number> = {};
    for (const row of rows) {
      const key = `${String(row['client'])} ${String(row['failure'])}`;
      found[key] = (found[key] ?? 0) + Number(row['probes']);
    }
    const said: Record<string, number> = {};
    for (const { role, client, classes } of rawLanes()) {
      if (role !== 'client') continue;
      for (const [name, n] of Object.entries(classes)) said[`${client} ${name}`] = (said[`${client} ${name}`] ?? 0) + n;
    }
    expect(found).toEqual(said);
    expect(Object.keys(said).length).toBeGreaterThan(0);
  });

  test('response times are those of the report, to within its 1 %', { timeout: 60_000 }, () => {
    const rows = duckDb(probes, recipe('AS p99Ms'));
    const said = rawLanes().flatMap(({ name, responseTimeMs }) =>
      (['new', 'old'] as const).flatMap((side) => {
        const { [side]: percentiles } = responseTimeMs;
        return percentiles === null ? [] : [{ lane: name, side, p50: percentiles.p50, p99: percentiles.p99 }];
      }),
    );
    expect(rows.map(({ lane, side }) => [lane, side])).toEqual(said.map(({ lane, side }) => [lane, side]));
    rows.forEach((row, i) => {
      expect(Number(row['p50Ms']) / (said[i]?.p50 ?? 0)).toBeCloseTo(1, 1.5);
      expect(Number(row['p99Ms']) / (said[i]?.p99 ?? 0)).toBeCloseTo(1, 1.5);
    });
  });

  test('CSV reads as the same table', { timeout: 60_000 }, () => {
    const csvView = `CREATE VIEW sheet AS SELECT * FROM '${join(folder.path, 'run', 'probes.csv')}'`;
    const columns = 'lane, slot, part, result, failure, cause, side, status, endedUs, dueAt';
    const both = `SELECT count(*) AS n FROM (
      (SELECT ${columns} FROM probes EXCEPT ALL SELECT ${columns} FROM sheet) UNION ALL
      (SELECT ${columns} FROM sheet EXCEPT ALL SELECT ${columns} FROM probes))`;
    expect(duckDb(probes, csvView, both)).toEqual([{ n: 0 }]);
  });

  test('its metadata says what the columns mean', { timeout: 60_000 }, () => {
    const path = join(folder.path, 'run', 'probes.parquet');
    const rows = duckDb(`SELECT decode(value) AS value FROM parquet_kv_metadata('${path}') WHERE key = 'cutwatch'`);
    expect(JSON.parse(String(rows[0]?.['value']))).toMatchObject({
      columns: { lateUs: expect.stringContaining('µs') },
    });
  });
});
