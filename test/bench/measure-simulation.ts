import { join } from 'node:path';
import { simulateRun } from '../../src/cli/simulated-run.ts';
import { presets } from '../../src/clients/presets.ts';
import { inWorld } from '../../src/scenario/in-world.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { defaultWorld } from '../../src/scenario/world.ts';

export interface Simulated {
  readonly playedS: number;
  readonly probeCount: number;
  readonly tookS: number;
  readonly cpuS: number;
}

/** About an hour of five kinds of client, one of them at two resolvers, and the sides' own lanes: 10 lanes at 2/s. */
const scenarioText = `
name: hour
services: [{ name: orders, url: "https://orders.shop.test/ready" }]
sides: { old: { addresses: ["dns:shop.elb.test"] }, new: { addresses: ["dns:k8s.elb.test"] } }
resolvers: [{ name: vpc, address: 10.0.0.2 }, { name: office, address: 10.0.0.3 }]
clients: [fresh, keep-alive, jvm-30, jvm-forever, chrome]
change: { ttlS: 60, baselineS: 120, tailS: 3400 }
`;

/** A run in virtual time from its start to its analysis, evidence written and read again, in this process. */
export async function measureSimulation(seed: number, folder: string): Promise<Simulated> {
  const given = parseScenario(scenarioText, { file: 'hour', env: {}, presets, readFile: () => '' });
  const world = defaultWorld(given);
  const setting = settingOf(given, world);
  const { scenario } = inWorld(given, setting, { dns: () => 53 });
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  const { analysis } = await simulateRun({ scenario, setting, world, seed, folder: join(folder, `hour-${seed}`) });
  const { user, system } = process.cpuUsage(before);
  return {
    playedS: analysis.endedAtNs / 1e9,
    probeCount: analysis.prober.dueCount,
    tookS: (performance.now() - startedAtMs) / 1000,
    cpuS: (user + system) / 1e6,
  };
}
