/** `export` and `compare` as programs: streams, exit statuses, torn folders, secrets. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { presets } from '../../src/clients/presets.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { simulateRun } from '../../src/cli/simulated-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-export-'));
afterAll(() => rmSync(folder, { recursive: true }));
const run = join(folder, 'run');
const secret = 's3cret-t0ken';

function cutwatch(...args: string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync(process.execPath, [resolve('src/cli/main.ts'), ...args], {
    encoding: 'utf8',
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  });
}

beforeAll(async () => {
  const text = readFileSync('scenarios/rollback.yaml', 'utf8').replace(
    /defaults: \{/,
    'defaults: { request: { method: POST, writes: true, body: "${SECRET}", headers: { authorization: "Bearer ${SECRET}" } },',
  );
  expect(text).toContain('authorization');
  const { scenario, world } = parseRehearsal(text, {
    file: 'rollback',
    env: { SECRET: secret },
    presets,
    readFile: () => '',
  });
  if (world === null) throw new Error('it has a world');
  const setting = settingOf(scenario, world);
  const moved = inWorld(scenario, setting, { dns: () => 53, playsPlatforms: true });
  await simulateRun({ scenario: moved.scenario, setting, world, seed: 3, folder: run });
});

test('NDJSON goes to standard output, and nothing else does', () => {
  const { status, stdout, stderr } = cutwatch('export', run, '--format', 'ndjson');
  expect([status, stderr]).toEqual([0, '']);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(100);
  for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test.for(['probes', 'journal'])('no secret of a scenario is in exported %s', (what) => {
  for (const format of ['ndjson', 'csv']) {
    expect(cutwatch('export', run, '--format', format, '--what', what).stdout).not.toContain(secret);
  }
  const file = join(folder, `${what}.parquet`);
  cutwatch('export', run, '--format', 'parquet', '--what', what, '--out', file);
  expect(statSync(file).size).toBeGreaterThan(1000);
  expect(readFileSync(file, 'latin1')).not.toContain(secret);
});

test('Parquet is in the run folder when no file is named', () => {
  expect(cutwatch('export', run, '--format', 'parquet')).toMatchObject({
    status: 0,
    stdout: '',
    stderr: `${join(run, 'probes.parquet')}\n`,
  });
  expect(existsSync(join(run, 'probes.parquet.new'))).toBe(false);
});

test('a torn folder is exported up to the tear, the tear is said, and the exit status is 4', () => {
  const torn = join(folder, 'torn');
  cpSync(run, torn, { recursive: true });
  const rows = join(torn, 'probes.arrows');
  truncateSync(rows, Math.floor(statSync(rows).size * 0.6));
  const whole = cutwatch('export', run, '--format', 'ndjson').stdout.split('\n').length;
  const { status, stdout, stderr } = cutwatch('export', torn, '--format', 'ndjson');
  expect(status).toBe(4);
  expect(stderr).toMatch(/^not whole: probes\.arrows /m);
  expect(stdout.split('\n').length).toBeLessThan(whole);
  expect(cutwatch('compare', run, torn)).toMatchObject({
    status: 4,
    stdout: expect.stringContaining('b is not whole'),
  });
});

test('what cannot be written is said, and leaves nothing behind', () => {
  const place = join(folder, 'taken');
  mkdirSync(place);
  for (const format of ['csv', 'parquet']) {
    const { status, stderr } = cutwatch('export', run, '--format', format, '--out', place);
    expect(status).toBe(4);
    expect(stderr).toMatch(/^not written: .*taken: /m);
    expect(existsSync(`${place}.new`)).toBe(false);
  }
});

test('whoever has read enough (`| head`) is no error', () => {
  const script = `${process.execPath} ${resolve('src/cli/main.ts')} export ${run} --format ndjson | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('0');
});

test.for([
  { words: ['export', 'nowhere', '--format', 'csv'], says: 'nowhere: is no run folder' },
  { words: ['export', 'nowhere', '--format', 'xml'], says: "'xml' is invalid" },
  { words: ['export', 'nowhere'], says: "'--format <format>' not specified" },
  { words: ['compare', run], says: "missing required argument 'b'" },
  { words: ['compare', run, run, '--rename', 'orders'], says: '--rename: found "orders", expected' },
])('usage: $says', ({ words, says }) => {
  const { status, stdout, stderr } = cutwatch(...words);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(says);
});

test('a run beside itself: exit status 0, as text, Markdown and JSON', () => {
  expect(cutwatch('compare', run, run)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^b is not worse than a/),
  });
  expect(cutwatch('compare', run, run, '--format', 'md').stdout).toMatch(/^# b is not worse than a/);
  const { stdout } = cutwatch('compare', run, run, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, result: 'not-worse', caveats: [], findings: [] });
});
