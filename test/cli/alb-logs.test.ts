import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAlbLogs } from '../../src/cli/alb-logs.ts';
import { UserError } from '../../src/core/errors.ts';
import { outcomeNumber } from '../../src/core/outcome.ts';
import { traceId } from '../../src/core/trace-id.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { analyseFolder } from '../../src/run/run.ts';

let folder = '';
let run = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutwatch-alb-'));
  run = join(folder, 'run');
  cpSync('test/evidence/golden-v1', run, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Probe {
  readonly lane: number;
  readonly slot: number;
  readonly part: number;
}

/** As AWS documents them; its clock stands 700 ms after the run's start. */
function lineOf(runId: string, startedAtMs: number, { lane, slot, part }: Probe, target: string): string {
  const endedAt = new Date(startedAtMs + 700 + slot).toISOString().replace('Z', '000Z');
  return (
    `http ${endedAt} app/shop-2/50dc6c495c0c9188 192.0.2.9:2817 ${target} -1 -1 -1 504 - 34 366 ` +
    `"GET http://orders.shop.example:80/ready HTTP/1.1" "cutwatch" - - arn:aws:targetgroup/orders ` +
    `"Root=${traceId(runId, 1_532_647_380, lane, slot, part)}" "-" "-" 0 ${endedAt} "forward" "-" "-" "-" "-" "-" "-" TID_1`
  );
}

function probesOf(path: string): readonly Probe[] {
  const probes: Probe[] = [];
  for (const { columns, rowCount } of readRun(path).batches()) {
    for (let i = 0; i < rowCount; i += 1) {
      if (columns.outcome[i] !== outcomeNumber.answered || columns.address[i] === 0) continue;
      probes.push({
        lane: columns.lane[i] as number,
        slot: columns.slot[i] as number,
        part: columns.part[i] as number,
      });
    }
  }
  return probes;
}

async function given(...files: readonly string[]): Promise<string> {
  const said: string[] = [];
  await addAlbLogs(run, files, (text) => said.push(text));
  return said.join('\n');
}

function access(): string {
  return readFileSync(join(run, 'access.ndjson'), 'utf8');
}

test('logs in a folder, packed or not, are joined to the probes by trace id, and kept beside the journal', async () => {
  const journal = readFileSync(join(run, 'journal.ndjson'));
  const started = readRun(run).entries.find((entry) => entry.type === 'run-started');
  const { runId = '', startedAtMs = 0 } = started ?? {};
  const [first, second, third] = probesOf(run) as [Probe, Probe, Probe];
  const line = (probe: Probe): string => lineOf(runId, startedAtMs, probe, '10.0.0.66:8080');
  const other = lineOf('0badbeef', startedAtMs, first, '10.0.0.1:8080');
  mkdirSync(join(folder, 'logs/2026/24'), { recursive: true });
  writeFileSync(join(folder, 'logs/2026/24/a.log.gz'), gzipSync(`${other}\n${line(second)}\n${other}\n`));
  writeFileSync(join(folder, 'logs/2026/b.log'), `${line(first)}\n`);
  const ended = analyseFolder(run).endedAtNs;

  const said = await given(join(folder, 'logs'));
  expect(said).toContain('4 lines in 2 files, 2 of this run');
  expect(said).toMatch(/^2 of \d[\d,]* probes that reached a server are in them/m);
  const entries = readRun(run).entries.flatMap((entry) => (entry.type === 'access-logged' ? [entry] : []));
  expect(entries.map(({ lane, slot, part }) => ({ lane, slot, part }))).toEqual(
    [first, second].toSorted((a, b) => a.slot - b.slot),
  );
  expect(entries[0]).toMatchObject({
    atNs: (700 + Math.min(first.slot, second.slot)) * 1e6,
    loadBalancer: 'app/shop-2/50dc6c495c0c9188',
    target: '10.0.0.66:8080',
    elbStatus: 504,
    targetStatus: null,
  });
  // When the run ended is its own clock's word.
  expect(analyseFolder(run).endedAtNs).toBe(ended);
  expect(readFileSync(join(run, 'journal.ndjson'))).toEqual(journal);

  // Files that come twice, or later, add what is new; the same evidence gives the same bytes.
  const before = access();
  await given(join(folder, 'logs/**/*.gz'), join(folder, 'logs/2026/b.log'));
  expect(access()).toBe(before);
  writeFileSync(join(folder, 'later.log'), `${line(third)}\n`);
  await given(join(folder, 'later.log'));
  expect(access().split('\n')).toHaveLength(4);
});

test('logs of another run or time say so, and change nothing', async () => {
  writeFileSync(join(folder, 'a.log'), `${lineOf('0badbeef', 0, { lane: 1, slot: 1, part: 0 }, '-')}\n`);
  expect(await given(join(folder, 'a.log'))).toContain('none has a trace id of run');
  expect(() => access()).toThrow(/ENOENT/);
});

test('a file that is not there is the user’s to mend', async () => {
  await expect(given(join(folder, 'nowhere*.log'))).rejects.toThrow(UserError);
});

test('access.ndjson that is damaged makes the evidence incomplete, and says which line is left out', () => {
  writeFileSync(join(run, 'access.ndjson'), '{"type":"access-logged","atNs":1}\nnonsense\n');
  expect(analyseFolder(run).incompleteBecause.join(' ')).toContain('access.ndjson: 2 unreadable lines are left out');
});
