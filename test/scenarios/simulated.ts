/** A scenario of `scenarios/`, played in the simulator. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulateRun, type SimulatedRun } from '../../src/cli/simulated-run.ts';
import { presets } from '../../src/clients/presets.ts';
import { causesOf } from '../../src/cli/rehearsal-story.ts';
import type { Cause } from '../../src/core/analysis.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { sToNs } from '../../src/core/time.ts';
import type { Expected } from '../../src/core/world.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseRehearsal, type Rehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { judge } from '../../src/verdict/judge.ts';

export const scenariosFolder: string = join(import.meta.dirname, '../../scenarios');

export interface Played extends Omit<SimulatedRun, 'writeReport'> {
  readonly verdict: Verdict;
  readonly causes: readonly Cause[];
  readonly expect: Expected | null;
}

export function readScenario(name: string): Rehearsal {
  const file = join(scenariosFolder, `${name}.yaml`);
  return parseRehearsal(readFileSync(file, 'utf8'), { file, env: {}, presets, readFile: () => '' });
}

/**
 * The run folder is gone afterwards; what is wanted of it is taken by `look`, which is called before that.
 * @param stopAtS somebody stops the run then; left out: it ends by itself
 */
export async function play(
  name: string,
  seed?: number,
  look?: (folder: string) => void,
  stopAtS?: number,
): Promise<Played> {
  const { scenario, world } = readScenario(name);
  if (world === null) throw new Error(`${name} has no world`);
  const setting = settingOf(scenario, world);
  const moved = inWorld(scenario, setting, { dns: () => 53, playsPlatforms: world.isObserved !== false });
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-scenario-'));
  const stop = new AbortController();
  try {
    const result = await simulateRun({
      scenario: moved.scenario,
      setting,
      world,
      seed: seed ?? world.seed,
      folder,
      stopSignal: stop.signal,
      reached: (nowNs) => {
        if (nowNs >= sToNs(stopAtS ?? Infinity)) stop.abort();
      },
    });
    look?.(folder);
    return { ...result, verdict: judge(result.analysis), causes: causesOf(result.analysis), expect: world.expect };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
