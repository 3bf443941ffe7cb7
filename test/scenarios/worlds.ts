/** A world from its text, played in the simulator. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulateRun, type SimulatedRun } from '../../src/cli/simulated-run.ts';
import { presets } from '../../src/clients/presets.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';

export type Json = { readonly [key: string]: unknown };

export interface PlayedWorld extends Omit<SimulatedRun, 'writeReport'> {
  readonly scenario: Scenario;
}

/** The run folder is gone afterwards; what is wanted of it is taken by `look`, which is called before that. */
export async function playWorld(rehearsal: Json, seed: number, look?: (folder: string) => void): Promise<PlayedWorld> {
  const context = { file: `world ${String(seed)}`, env: {}, presets, readFile: () => '' };
  const { scenario, world } = parseRehearsal(JSON.stringify(rehearsal), context);
  if (world === null) throw new Error('a world is to be played');
  const setting = settingOf(scenario, world);
  const moved = inWorld(scenario, setting, { dns: () => 53, playsPlatforms: world.isObserved !== false });
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-world-'));
  try {
    const result = await simulateRun({ scenario: moved.scenario, setting, world, seed, folder: join(folder, 'run') });
    look?.(join(folder, 'run'));
    return { ...result, scenario: moved.scenario };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same world, in which more is asked for or more happens. */
export function withMore(rehearsal: Json, more: { readonly change?: Json; readonly steps?: readonly Json[] }): Json {
  const world = rehearsal['world'] as Json;
  return {
    ...rehearsal,
    change: { ...(rehearsal['change'] as Json), ...more.change },
    world: { ...world, script: [...(world['script'] as readonly Json[]), ...(more.steps ?? [])] },
  };
}
