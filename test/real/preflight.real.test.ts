/**
 * Preflights as an operator starts them, before three bind9 of one zone, an unbound that caches in front of them, and two
 * nginx. Truth is when nsupdate was started and when it had returned.
 */
import { spawn } from 'node:child_process';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScenarioInput } from '../../src/scenario/input.ts';
import { makeCertificates } from './servers/certificates.ts';
import { describeReal } from './servers/describe-real.ts';
import { startNamed, type Named } from './servers/named.ts';
import { startNginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { startUnbound } from './servers/unbound.ts';
import { waitUntil } from './servers/wait-until.ts';
import { cutwatch, type Said } from './stage.ts';

const zone = 'shop.test';
const addresses = { old: '127.0.1.1', new: '127.0.2.1' };
const ttlBeforeS = 13;
const ttlS = 3;
/** A look a second, and what a busy machine adds to it. */
const roomMs = 3500;

const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;

interface Waiting {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Said>;
}

interface Printed {
  readonly at: string;
  readonly safeToSwitch: { readonly safe: string; readonly at: string | null; readonly because: readonly string[] };
  readonly checks: readonly { readonly check: string; readonly result: string; readonly text: string }[];
}

describeReal('preflight', ['nginx', 'named', 'nsupdate', 'unbound', 'openssl'], () => {
  const stack = new AsyncDisposableStack();
  let servers: readonly Named[] = [];
  let folder = '';
  let scenario: ScenarioInput;
  let tls: { readonly url: string; readonly ca: string };

  beforeAll(async () => {
    folder = stack.use(await makeTemporaryFolder()).path;
    const [httpPort = 0, tlsPort = 0] = await freePorts(2);
    const { leaves, caPath } = await makeCertificates(folder, { both: [`orders.${zone}`] });
    for (const side of ['old', 'new'] as const) {
      const conf = { addresses: [addresses[side]], httpPort, tlsPort, certificate: leaves.both, side };
      stack.use(await startNginx(conf));
    }
    const records = [`orders ${ttlBeforeS} A ${addresses.old}`];
    servers = [
      stack.use(await startNamed({ zone, records })),
      stack.use(await startNamed({ zone, records })),
      stack.use(await startNamed({ zone, records })),
    ];
    const unbound = stack.use(await startUnbound({ zone, authorities: servers }));
    scenario = {
      name: 'preflight',
      services: [{ name: 'orders', url: `http://orders.${zone}:${httpPort}/ready` }],
      sides: {
        old: { addresses: [addresses.old], marker: { 'x-served-by': 'old' } },
        new: { addresses: [addresses.new], marker: { 'x-served-by': 'new' } },
      },
      resolvers: [{ name: 'unbound', address: `${unbound.address}:${unbound.port}` }],
      authorities: servers.map(({ address, port }) => `${address}:${port}`),
      change: { ttlS },
    };
    tls = { url: `https://orders.${zone}:${tlsPort}/ready`, ca: caPath };
  });
  afterAll(() => stack.disposeAsync());

  const memory = (): string => join(folder, 'memory.json');

  async function preflight(
    of: ScenarioInput,
    ...flags: readonly string[]
  ): Promise<Said & { readonly found: Printed }> {
    const path = join(folder, 'scenario.yaml');
    await writeFile(path, JSON.stringify(of));
    const said = await cutwatch('preflight', path, '--json', '--memory', memory(), ...flags);
    return { ...said, found: JSON.parse(said.stdout) as Printed };
  }

  test('waits for the last of three name servers and the old TTL, to the second', async () => {
    const before = await preflight(scenario);
    expect(before.exitCode).toBe(3);
    expect(before.stderr).toMatch(/^NO, because .* with TTL 13 s/m);

    const { mtimeMs } = await stat(memory());
    const waiting = preflight(scenario, '--wait');
    await waitUntil('it has looked', async () => (await stat(memory())).mtimeMs > mtimeMs);
    let [startedMs, confirmedMs] = [0, 0];
    for (const [i, named] of servers.entries()) {
      await sleepMs(i * 1700);
      startedMs = Date.now();
      await named.setAddresses(`orders.${zone}`, [addresses.old], ttlS);
      confirmedMs = Date.now();
    }
    const { exitCode, found, stderr } = await waiting;
    expect(exitCode).toBe(0);
    expect(found.safeToSwitch).toEqual({ safe: 'yes', at: null, because: [] });
    expect(stderr).toMatch(/^NOT YET: safe at \d\d:\d\d:\d\d UTC \(in \d+ s\)$/m);
    const safeMs = (ttlBeforeS + 1) * 1000;
    expect(Date.parse(found.at)).toBeGreaterThanOrEqual(startedMs + safeMs);
    expect(Date.parse(found.at)).toBeLessThan(confirmedMs + safeMs + roomMs);
  });

  test('of a private zone it knows what an unbound shows: once it was seen to fetch the TTL low, twice', async () => {
    for (const named of servers) await named.setAddresses(`orders.${zone}`, [addresses.old], ttlS);
    const ttlLoweredAt = new Date(Date.now() - 3_600_000).toISOString();
    const privately = { ...scenario, authorities: 'none', change: { ttlS, ttlBeforeS, ttlLoweredAt } } as const;
    const flags = ['--memory', join(folder, 'private.json')];
    const once = await preflight(privately, ...flags);
    expect(once.exitCode).toBe(4);
    expect(once.found.safeToSwitch.because[0]).toMatch(/^unbound shows how long orders\.shop\.test will still live/);
    const { exitCode, found } = await preflight(privately, '--wait', ...flags);
    expect(found.safeToSwitch).toEqual({ safe: 'yes', at: null, because: [] });
    expect(exitCode).toBe(0);
    expect(found.checks.find(({ check }) => check === 'ttl-lowered')?.text).toMatch(
      /^unbound fetches orders\.shop\.test/,
    );
  });

  /** Started, not ended: what it says so far, and how it ends. */
  async function startWaiting(of: ScenarioInput, memoryPath: string): Promise<Waiting> {
    const path = join(folder, 'waiting.yaml');
    await writeFile(path, JSON.stringify(of));
    const words = [mainPath, 'preflight', path, '--wait', '--json', '--memory', memoryPath];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    const ended = new Promise<Said>((resolve) => {
      child.on('close', (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
    });
    await waitUntil('it waits', () => /^NOT YET|^NO, because/m.test(stderr));
    return { kill: (signal) => child.kill(signal), ended };
  }

  test('Ctrl-C ends the waiting in order; what a killed one saw, the next one knows', async () => {
    const own = join(folder, 'own.json');
    for (const named of servers) await named.setAddresses(`orders.${zone}`, [addresses.old], 307);
    const high = await startWaiting(scenario, own);
    high.kill('SIGKILL');
    await high.ended;
    const remembered = await readFile(own, 'utf8');
    expect(JSON.parse(remembered)).toMatchObject({ scenario: 'preflight' });

    // As a crash between two renames would leave it: a lock of long ago, and half of a new file.
    await writeFile(`${own}.lock`, '');
    await utimes(`${own}.lock`, new Date(0), new Date(0));
    await writeFile(`${own}.new`, remembered.slice(0, 100));
    for (const named of servers) await named.setAddresses(`orders.${zone}`, [addresses.old], ttlS);
    const low = await startWaiting(scenario, own);
    low.kill('SIGINT');
    const { exitCode, stdout, stderr } = await low.ended;
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^stopping: requests under way are waited for/m);
    // T_old is what the killed one saw, not what anybody said.
    const { safeToSwitch } = JSON.parse(stdout) as Printed;
    expect(safeToSwitch.because).toContainEqual(expect.stringMatching(/was served with TTL 307 s/));
    expect(await readdir(folder)).not.toContain('own.json.lock');
    for (const named of servers) await named.setAddresses(`orders.${zone}`, [addresses.old], ttlS);
  });

  test('is not taken in by a good answer whose certificate ends in two days', async () => {
    const { url, ca } = tls;
    const { exitCode, found } = await preflight({ ...scenario, services: [{ name: 'orders', url, tls: { ca } }] });
    expect(exitCode).toBe(3);
    expect(found.safeToSwitch.because).toEqual([
      `The certificate at ${addresses.new} ends in 1 day. Renew it before the switch.`,
    ]);
  });
});
