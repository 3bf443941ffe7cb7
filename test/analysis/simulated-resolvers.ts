/** Resolvers of any conduct, asked side by side in one simulated cutover. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulateRun, type SimulatedRun } from '../../src/cli/simulated-run.ts';
import { presets } from '../../src/clients/presets.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';

export interface ResolverWorld {
  /** By name: a preset, or a conduct as a scenario writes it. */
  readonly resolvers: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly ttlS: number;
  readonly baselineS: number;
  readonly tailS: number;
  readonly ratePerSecond?: number;
  /** Further steps of the script. */
  readonly steps?: readonly string[];
  readonly zone?: string;
  readonly switches?: boolean;
  /** Authoritative servers are looked up, not given. */
  readonly looksUp?: boolean;
}

export async function simulateResolvers(world: ResolverWorld): Promise<SimulatedRun> {
  const names = Object.keys(world.resolvers);
  const text = `
name: resolvers
defaults: { ratePerSecond: ${world.ratePerSecond ?? 1.3} }
services: [{ name: orders, url: 'http://orders.shop.example/ready' }]
sides: { old: { addresses: ['dns:old.elb.example'] }, new: { addresses: ['dns:new.elb.example'] } }
resolvers: [${names.map((name, i) => `{ name: ${name}, address: '10.0.0.${i + 2}:53' }`).join(', ')}]
clients: [fresh]
change: { via: dns, ttlS: ${world.ttlS}, baselineS: ${world.baselineS}, convergenceTimeoutS: 300, tailS: ${world.tailS} }
world:
  zone: { ttlS: ${world.ttlS}${world.zone ?? ''} }
  resolvers: { ${names.map((name) => `${name}: ${world.resolvers[name]}`).join(', ')} }
  script:
    ${world.switches === false ? '' : '- { afterChangeS: 0, do: switch-dns, to: new }'}
    ${(world.steps ?? []).map((step) => `- ${step}`).join('\n    ')}
`;
  const { scenario, world: worldPlayed } = parseRehearsal(text, { file: 'text', env: {}, presets, readFile: () => '' });
  if (worldPlayed === null) throw new Error('no world');
  const setting = settingOf(scenario, worldPlayed);
  const moved = inWorld(scenario, setting, { dns: () => 53 });
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-resolvers-'));
  try {
    const played = world.looksUp === true ? { ...moved.scenario, authorities: 'auto' as const } : moved.scenario;
    return await simulateRun({ scenario: played, setting, world: worldPlayed, seed: world.seed, folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
