/**
 * The real command line as a child process, and what it left behind. Instants are wall clock ms since 1970, as the
 * test's own clock has them: the test keeps the truth, and knows nothing of what the run thinks.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { outcomes, type Outcome } from '../../src/core/outcome.ts';
import { parts, rowColumns, type Row } from '../../src/core/row.ts';
import type { Lane } from '../../src/core/scenario.ts';
import type { EntryOf } from '../../src/core/entry.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import type { Report } from '../../src/report/report-json.ts';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { startProcess, type ProcessEnd } from './servers/own-process.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;

export interface CutwatchRun extends AsyncDisposable {
  readonly pid: number;
  /** The run folder. */
  readonly path: string;
  readonly ended: Promise<ProcessEnd>;
  readonly isRunning: boolean;
  /** All it wrote to stdout and stderr. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Waits for the first probe; fails when the program ends before. */
  probing(): Promise<void>;
  /** Ctrl-C, and its end. */
  interrupt(): Promise<ProcessEnd>;
}

export interface RunOptions {
  /** After the scenario. */
  readonly args?: readonly string[];
  /** Before the program: `--import …`. */
  readonly nodeArgs?: readonly string[];
}

/** YAML is a superset of JSON, so a scenario is a value here, checked by its type. */
export async function startRun(
  scenario: ScenarioInput,
  { args = [], nodeArgs = [] }: RunOptions = {},
): Promise<CutwatchRun> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = cleanUp.use(await makeTemporaryFolder());
  const scenarioPath = join(folder.path, 'scenario.yaml');
  const path = join(folder.path, 'run');
  await writeFile(scenarioPath, JSON.stringify(scenario));
  const logPath = join(folder.path, 'output.log');
  const words = [...nodeArgs, mainPath, 'run', scenarioPath, '--out', path, ...args];
  const child = cleanUp.use(startProcess(process.execPath, words, { logPath }));
  const kept = cleanUp.move();
  return {
    pid: child.pid,
    path,
    ended: child.ended,
    get isRunning() {
      return child.isRunning;
    },
    output: () => child.output(),
    signal: (name) => child.signal(name),
    probing: async () => {
      await waitUntil('the first probe has its row', () => {
        if (!child.isRunning) throw new Error(`cutwatch ended: ${child.output()}`);
        try {
          return readEvidence(path).rows.length > 0;
        } catch {
          return false;
        }
      });
    },
    interrupt: async () => {
      child.signal('SIGINT');
      return child.ended;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** `judge` as people call it. Its exit status, whatever that is. */
export async function judgeByCommand(path: string): Promise<{ readonly exitCode: number; readonly report: Report }> {
  const exitCode = await promisify(execFile)(process.execPath, [mainPath, 'judge', path]).then(
    () => 0,
    (error: { readonly code: number }) => error.code,
  );
  return { exitCode, report: readReport(path) };
}

export function readReport(path: string): Report {
  return JSON.parse(readFileSync(join(path, 'report.json'), 'utf8')) as Report;
}

export interface EvidenceRow extends Readonly<Row> {
  readonly what: Outcome;
  readonly dueMs: number;
  readonly sentMs: number;
  readonly endedMs: number;
  /** From due. */
  readonly responseMs: number;
}

export interface Evidence {
  readonly started: EntryOf<'run-started'>;
  readonly entries: ReturnType<typeof readRun>['entries'];
  readonly lanes: readonly Lane[];
  readonly rows: readonly EvidenceRow[];
}

/** The evidence as it is on disk now, of a run that is over, killed or still going on. */
export function readEvidence(path: string): Evidence {
  const reading = readRun(path);
  const { entries } = reading;
  const started = entries.find((entry) => entry.type === 'run-started');
  if (started === undefined) throw new Error('no run-started in the journal');
  const lanes = entries.flatMap((entry) =>
    entry.type === 'run-started' || entry.type === 'lanes-added' ? entry.lanes : [],
  );
  const rows: EvidenceRow[] = [];
  for (const { rowCount, columns } of reading.batches()) {
    for (let i = 0; i < rowCount; i += 1) {
      const row = Object.fromEntries(rowColumns.map(([name]) => [name, columns[name][i]])) as Row;
      const lane = lanes[row.lane];
      if (lane === undefined) throw new Error(`a row of lane ${row.lane}, which is not there`);
      const dueMs = dueMsOf(started, lane, row.slot);
      const sentMs = dueMs + row.lateUs / 1000;
      const endedMs = sentMs + row.endedUs / 1000;
      rows.push({ ...row, what: outcomes[row.outcome] ?? 'none', dueMs, sentMs, endedMs, responseMs: endedMs - dueMs });
    }
  }
  return { started, entries, lanes, rows };
}

/** Not by the product's own formula: slot n is due n intervals after the lane's first. */
export function dueMsOf(started: EntryOf<'run-started'>, lane: Lane, slot: number): number {
  return started.startedAtMs + (lane.startAtNs + lane.staggerNs) / 1e6 + (slot * 1000) / lane.ratePerSecond;
}

/** The slots' own results, in order of their due instants. */
export function slotRows(evidence: Evidence, lane: Lane): readonly EvidenceRow[] {
  return evidence.rows
    .filter((row) => row.lane === lane.number && row.part === parts.slot)
    .toSorted((a, b) => a.slot - b.slot);
}

/** What the trace id of a row's request ends in: run, lane, slot and part. */
export function traceEnd(runId: string, { lane, slot, part }: Pick<Row, 'lane' | 'slot' | 'part'>): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${runId}${hex(lane, 4)}${hex(slot, 8)}${hex(part, 4)}`;
}
