/**
 * A working folder as a pipeline has it: a scenario of yours, your program that makes the change, and `npx`, which is this
 * checkout's cutwatch here, as nothing may be downloaded. Both lead into a lab on loopback addresses.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startLabInThread } from '../../../src/cli/lab-in-thread.ts';
import { settingOf } from '../../../src/scenario/setting.ts';
import { readScenario } from '../../scenarios/simulated.ts';
import { makeTemporaryFolder } from '../servers/temporary-folder.ts';

const mainPath = new URL('../../../src/cli/main.ts', import.meta.url).pathname;

export interface Shop extends AsyncDisposable {
  readonly folder: string;
  /** Holds `npx`; first in the path of a pipeline. */
  readonly programs: string;
}

/** @param name of a scenario with a world; the two services of clean-cutover, and its sides */
export async function openShop(name = 'clean-cutover'): Promise<Shop> {
  await using cleanUp = new AsyncDisposableStack();
  const { path: folder } = cleanUp.use(await makeTemporaryFolder());
  const { scenario, world } = readScenario(name);
  if (world === null) throw new Error(`${name} has no world`);
  const setting = settingOf(scenario, world);
  const lab = cleanUp.use(
    await startLabInThread(
      { startedAtHrNs: process.hrtime.bigint(), runId: randomBytes(4).toString('hex'), world, setting, isTls: false },
      (error) => {
        throw error;
      },
    ),
  );
  const { http, dns } = lab.ports;
  const { change, sides } = scenario;
  const sideOf = (side: 'old' | 'new') => ({
    title: sides[side].title,
    addresses: setting.loadBalancerNames[side].map((hostname) => `dns:${hostname}`),
    marker: Object.fromEntries(sides[side].marker),
  });
  const shop = {
    name: 'shop',
    defaults: { ratePerSecond: 4 },
    services: scenario.services.map(({ name: service, checks }) => ({
      name: service,
      url: `http://${checks[0]?.hostname ?? ''}:${String(http)}/ready`,
    })),
    sides: { old: sideOf('old'), new: sideOf('new') },
    resolvers: Object.entries(setting.places.resolvers).map(([resolver, address]) => ({
      name: resolver,
      address: `${address}:${String(dns)}`,
    })),
    authorities: Object.values(setting.places.nameServers).map((address) => `${address}:${String(dns)}`),
    clients: ['fresh', 'keep-alive'],
    change: {
      via: 'dns',
      ttlS: change.ttlS,
      baselineS: change.baselineS,
      convergenceTimeoutS: change.convergenceTimeoutS,
      tailS: change.tailS,
    },
  };
  const programs = join(folder, 'programs');
  await mkdir(programs);
  await Promise.all([
    writeFile(join(folder, 'shop.yaml'), JSON.stringify(shop)),
    writeFile(join(folder, 'strict.yaml'), 'downtimeMsMax: 0\n'),
    writeProgram(
      join(folder, 'switch-dns.sh'),
      `#!/bin/sh\necho 'switching'\nexec ${process.execPath} --input-type=module --eval "process.exitCode = (await fetch('${lab.changeUrl}', { method: 'POST' })).ok ? 0 : 1"\n`,
    ),
    writeProgram(join(programs, 'npx'), npx),
  ]);
  const kept = cleanUp.move();
  return { folder, programs, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What it is asked to fetch is checked, and not fetched. */
export const npx: string = `#!/bin/bash
[[ "$1" == --yes && "$2" =~ ^cutwatch@[0-9]+\\.[0-9]+\\.[0-9]+$ ]] || { echo "npx: not as documented: $*" >&2; exit 99; }
exec ${process.execPath} ${mainPath} "\${@:3}"
`;

export async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o755);
}
