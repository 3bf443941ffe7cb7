/** A container's CPU limit that is too low, made by the kernel itself, and seen from outside. */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/report/report-json.ts';
import { readReport, startRun } from './cutwatch-run.ts';
import { limitCpu } from './servers/cpu-quota.ts';
import { startProcess } from './servers/own-process.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const appPath = new URL('servers/busy-app.ts', import.meta.url).pathname;
/** What a request needs, and what there is in each 100 ms: it waits for one period at least, and on the whole it is enough. */
const demandMs = 19;
const quotaMs = 15;
/** Less than six requests a second for so long. At 2/s each lane would be sent at one phase of 100 ms, for ever the same. */
const watchedMs = 45_000;

describe('CPU quota', () => {
  test('an application out of CPU quota is told by the comb of its answers; the same one without a limit is not', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const folder = cleanUp.use(await makeTemporaryFolder());
    const [port = 0] = await freePorts(1);
    const appAt = (addresses: readonly string[]): { readonly pid: number } =>
      cleanUp.use(
        startProcess(process.execPath, [appPath, String(port), String(demandMs), ...addresses], {
          logPath: `${folder.path}/app.log`,
        }),
      );
    appAt(['127.0.1.21', '127.0.1.22', '127.0.1.23']);
    const limitedAddresses = ['127.0.2.21', '127.0.2.22', '127.0.2.23'];
    const group = new AsyncDisposableStack();
    cleanUp.use(group);
    const { pid } = appAt(limitedAddresses);
    await waitUntil('both applications answer', () => areUp(port, ['127.0.1.23', '127.0.2.23']));
    const limit = limitCpu(pid, quotaMs);
    if (limit !== null) group.use(limit);

    await using run = await startRun({
      name: 'quota',
      defaults: { ratePerSecond: 1.9 },
      services: [{ name: 'orders', url: `http://orders.shop.test:${port}/ready` }],
      sides: {
        old: { addresses: ['127.0.1.21', '127.0.1.22', '127.0.1.23'] },
        new: { addresses: limitedAddresses },
      },
      resolvers: [{ name: 'none', address: `127.0.0.1:${port}` }],
      authorities: 'none',
      clients: ['fresh'],
    });
    await run.probing();
    await sleepMs(watchedMs);
    await run.interrupt();
    const findings = throttledIn(readReport(run.path));
    // Where no control group may be made, nobody is throttled, and nobody may be accused.
    expect(findings).toEqual(limit === null ? [] : ['new']);
  }, 120_000);
});

function throttledIn({ findings }: Report): readonly string[] {
  return findings
    .filter(({ kind }) => kind === 'cpu-throttled')
    .map(({ text }) => /of the (old|new) side/.exec(text)?.[1] ?? text);
}

async function areUp(port: number, addresses: readonly string[]): Promise<boolean> {
  try {
    const answers = await Promise.all(addresses.map((address) => fetch(`http://${address}:${port}/`)));
    return answers.every(({ ok }) => ok);
  } catch {
    return false;
  }
}
