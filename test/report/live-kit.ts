/** A rehearsed run as it stood at some instants: what the live view was shown then. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newFold } from '../../src/analysis/fold.ts';
import { simulateRun } from '../../src/cli/simulated-run.ts';
import { newColumns, rowColumns, type RowBatch } from '../../src/core/row.ts';
import type { Lane } from '../../src/core/scenario.ts';
import { dueAtNs } from '../../src/core/schedule.ts';
import { nsPerUs, nsToMs, sToNs } from '../../src/core/time.ts';
import { readRun, type RunReading } from '../../src/evidence/read-run.ts';
import { toReport } from '../../src/report/report-json.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import type { Line } from '../../src/report/live-line.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { judge } from '../../src/verdict/judge.ts';
import { readScenario } from '../scenarios/simulated.ts';

const binCountMax = 600;

/** One for each instant, and the last one when the run had ended. */
export async function snapshotsOf(name: string, atS: readonly number[]): Promise<Snapshot[]> {
  const { scenario, world } = readScenario(name);
  if (world === null) throw new Error(`${name} has no world`);
  const setting = settingOf(scenario, world);
  const moved = inWorld(scenario, setting, { dns: () => 53, playsPlatforms: world.isObserved !== false });
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-live-'));
  try {
    const { path } = await simulateRun({ scenario: moved.scenario, setting, world, seed: world.seed, folder });
    const reading = readRun(path);
    const running = atS.map((s) => snapshotAt(reading, sToNs(s)));
    return [...running, snapshotAt(reading, null)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function snapshotAt(reading: RunReading, atNs: number | null): Snapshot {
  const fold = newFold();
  const lanes: Lane[] = [];
  for (const entry of reading.entries) {
    if (atNs !== null && entry.atNs > atNs) continue;
    if (entry.type === 'run-started' || entry.type === 'lanes-added') lanes.push(...entry.lanes);
    fold.entry(entry);
  }
  for (const batch of reading.batches()) fold.batch(atNs === null ? batch : until(batch, atNs, lanes));
  const { analysis, picture } = fold.drawn(binCountMax);
  const nowMs = nsToMs(atNs ?? analysis.endedAtNs);
  return { report: toReport(analysis, judge(analysis)), picture, nowMs, isRunning: atNs !== null };
}

/** Rows of what had ended by then. */
function until(batch: RowBatch, atNs: number, lanes: readonly Lane[]): RowBatch {
  const { columns } = batch;
  const kept = Array.from({ length: batch.rowCount }, (_, i) => i).filter((i) => {
    const lane = lanes[columns.lane[i] as number] as Lane;
    const sinceDueNs = ((columns.lateUs[i] as number) + (columns.endedUs[i] as number)) * nsPerUs;
    return dueAtNs(lane, columns.slot[i] as number) + sinceDueNs <= atNs;
  });
  const own = newColumns(kept.length);
  for (const [name] of rowColumns) kept.forEach((from, to) => (own[name][to] = columns[name][from] as number));
  return { ...batch, rowCount: kept.length, columns: own, atNs };
}

export function textOf(line: Line): string {
  return line.map(({ text }) => text).join('');
}
