/** One world of the sweep, from its seed to what the report and the truth differ in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newFold } from '../../src/analysis/fold.ts';
import { simulateRun } from '../../src/cli/simulated-run.ts';
import { presets } from '../../src/clients/presets.ts';
import type { Analysis } from '../../src/core/analysis.ts';
import type { RowBatch } from '../../src/core/row.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { compareWithTruth } from '../../src/truth/compare.ts';
import type { Comparison } from '../../src/truth/comparison.ts';
import { judge } from '../../src/verdict/judge.ts';
import { withHoles } from './holes.ts';
import { newDraw, randomWorld } from './random-world.ts';

export interface SeedResult {
  readonly seed: number;
  readonly comparison: Comparison;
  readonly analysis: Analysis;
  readonly verdict: Verdict;
  /** For a while the prober reached nobody: then not knowing is right. */
  readonly wasOwnNetworkLost: boolean;
  /** The live fold and the log disagreed: our bug. */
  readonly differsFromLive: boolean;
}

/** Of all worlds: those in which the prober did not send everything. */
const holesRatio = 0.15;

export async function runSeed(seed: number): Promise<SeedResult> {
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-truth-'));
  try {
    return await runIn(folder, seed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(folder: string, seed: number): Promise<SeedResult> {
  const context = { file: `world ${String(seed)}`, env: {}, presets, readFile: () => '' };
  const { scenario, world } = parseRehearsal(randomWorld(seed), context);
  if (world === null) throw new Error('a random world has a world');
  const setting = settingOf(scenario, world);
  const moved = inWorld(scenario, setting, { dns: () => 53, playsPlatforms: world.isObserved !== false });
  const simulated = await simulateRun({
    scenario: moved.scenario,
    setting,
    world,
    seed,
    folder: join(folder, 'run'),
  });
  const { truth, differsFromLive } = simulated;
  const reading = readRun(join(folder, 'run'));
  const lanes = reading.entries.flatMap((entry) =>
    entry.type === 'run-started' || entry.type === 'lanes-added' ? entry.lanes : [],
  );
  const wasOwnNetworkLost = truth.some((entry) => entry.type === 'network-changed' && entry.where === 'own-network');
  const common = { seed, wasOwnNetworkLost, differsFromLive };
  if (!newDraw(seed, 'prober').is(holesRatio)) {
    const { analysis } = simulated;
    const verdict = judge(analysis);
    const comparison = compareWithTruth({ truth, analysis, verdict, lanes, batches: reading.batches() });
    return { ...common, analysis, verdict, comparison };
  }
  const batches = withHoles([...reading.batches()].map(ownColumns), seed, lanes.length);
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  const fold = newFold();
  for (const entry of reading.entries) fold.entry(entry.type === 'run-ended' ? { ...entry, rowCount } : entry);
  for (const batch of batches) fold.batch(batch);
  const analysis = fold.result();
  const verdict = judge(analysis);
  const comparison = compareWithTruth({ truth, analysis, verdict, lanes, batches });
  return { ...common, analysis, verdict, comparison };
}

/** A reader lends its columns until the next batch. */
function ownColumns(batch: RowBatch): RowBatch {
  return { ...batch, columns: structuredClone(batch.columns) };
}
