/**
 * Three bind9 of one zone whose TTL is lowered at three different times. Truth is in the logs of the servers: it is safe the
 * old TTL and a second after the last of them. Until then `preflight` says not yet and when, to the second, and then it says
 * safe: one that waits, and others beside it that look once, with what it remembers.
 */
import { copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeReal } from './servers/describe-real.ts';
import { startNamed, type Named } from './servers/named.ts';
import { startNginx } from './servers/nginx.ts';
import { makeCertificates } from './servers/certificates.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { startUnbound } from './servers/unbound.ts';
import { waitUntil } from './servers/wait-until.ts';
import { cutwatch } from './stage.ts';

const zone = 'shop.test';
const addresses = { old: '127.0.1.1', new: '127.0.2.1' };
const ttlBeforeS = 23;
const ttlS = 3;

/** From one server to the next one; no multiple of a look's second. */
const pauseMs = 2700;
/** A look a second, and what a busy machine adds to it. */
const roomMs = 3500;

interface Printed {
  readonly at: string;
  readonly safeToSwitch: { readonly safe: string; readonly at: string | null };
}

interface Look {
  readonly exitCode: number;
  /** What it says is of this instant. */
  readonly atMs: number;
  readonly safe: string;
  /** When it will be, as it says; null = it does not say. */
  readonly safeAtMs: number | null;
  readonly stderr: string;
}

describeReal(
  'preflight while three name servers lower a TTL',
  ['nginx', 'named', 'nsupdate', 'unbound', 'openssl'],
  () => {
    const stack = new AsyncDisposableStack();
    let safeMs = NaN;
    let waited: Look;
    /** Before anything was lowered, a little before it is safe, and after. */
    let looks: readonly Look[] = [];

    beforeAll(async () => {
      const folder = stack.use(await makeTemporaryFolder()).path;
      const [httpPort = 0, tlsPort = 0] = await freePorts(2);
      const { leaves } = await makeCertificates(folder, { both: [`orders.${zone}`] });
      for (const side of ['old', 'new'] as const)
        stack.use(
          await startNginx({ addresses: [addresses[side]], httpPort, tlsPort, certificate: leaves.both, side }),
        );
      const servers: Named[] = [];
      for (let i = 0; i < 3; i += 1)
        servers.push(stack.use(await startNamed({ zone, records: [`orders ${ttlBeforeS} A ${addresses.old}`] })));
      const unbound = stack.use(await startUnbound({ zone, authorities: servers }));
      const path = join(folder, 'scenario.yaml');
      await writeFile(
        path,
        JSON.stringify({
          name: 'preflight',
          services: [{ name: 'orders', url: `http://orders.${zone}:${httpPort}/ready` }],
          sides: {
            old: { addresses: [addresses.old], marker: { 'x-served-by': 'old' } },
            new: { addresses: [addresses.new], marker: { 'x-served-by': 'new' } },
          },
          resolvers: [{ name: 'unbound', address: `${unbound.address}:${unbound.port}` }],
          authorities: servers.map(({ address, port }) => `${address}:${port}`),
          change: { ttlS },
        }),
      );

      const memory = join(folder, 'memory.json');
      async function look(memoryPath: string, ...flags: readonly string[]): Promise<Look> {
        const said = await cutwatch('preflight', path, '--json', '--memory', memoryPath, ...flags);
        const { at, safeToSwitch } = JSON.parse(said.stdout) as Printed;
        const safeAtMs = safeToSwitch.at === null ? null : Date.parse(safeToSwitch.at);
        const { exitCode, stderr } = said;
        return { exitCode, stderr, atMs: Date.parse(at), safe: safeToSwitch.safe, safeAtMs };
      }
      async function lookBeside(name: string): Promise<Look> {
        const copy = join(folder, `${name}.json`);
        await copyFile(memory, copy);
        return look(copy);
      }

      const first = await look(memory);
      const { mtimeMs } = await stat(memory);
      const waiting = look(memory, '--wait');
      await waitUntil('it has looked', async () => (await stat(memory)).mtimeMs > mtimeMs);
      for (const named of servers) {
        await sleepMs(pauseMs);
        await named.setAddresses(`orders.${zone}`, [addresses.old], ttlS);
      }
      // It has looked once more when it is half over.
      await sleepMs(((ttlBeforeS + 1) * 1000) / 2);
      const before = await lookBeside('before');
      waited = await waiting;
      looks = [first, before, await lookBeside('after')];
      const logs = await Promise.all(servers.map((named) => named.log()));
      const lowered = logs.map((log) => log.find(({ kind }) => kind === 'added')?.atMs ?? NaN);
      safeMs = Math.max(...lowered) + (ttlBeforeS + 1) * 1000;
    }, 120_000);
    afterAll(() => stack.disposeAsync());

    test('who waits is told the instant to the second, and waits for it and not longer', () => {
      const [, time = ''] =
        /^NOT YET: safe at (\d\d:\d\d:\d\d) UTC \(in \d+ s\)$(?![\s\S]*NOT YET)/m.exec(waited.stderr) ?? [];
      const saidMs = Date.parse(`${new Date(safeMs).toISOString().slice(0, 10)}T${time}Z`);
      expect(saidMs - safeMs).toBeGreaterThan(-1000);
      expect(saidMs - safeMs).toBeLessThan(roomMs);
      expect([waited.exitCode, waited.safe]).toEqual([0, 'yes']);
      expect(waited.atMs).toBeGreaterThanOrEqual(safeMs);
      expect(waited.atMs - safeMs).toBeLessThan(roomMs);
    });

    test('who looks before is told not yet, and the same instant; who looks after is told that it is safe', () => {
      const [first, before, after] = looks;
      expect([first?.exitCode, first?.safe, first?.safeAtMs]).toEqual([3, 'no', null]);
      expect([before?.exitCode, before?.safe]).toEqual([3, 'no']);
      expect(before?.atMs).toBeLessThan(safeMs);
      expect((before?.safeAtMs ?? NaN) - safeMs).toBeGreaterThanOrEqual(0);
      expect((before?.safeAtMs ?? NaN) - safeMs).toBeLessThan(roomMs);
      expect([after?.exitCode, after?.safe]).toEqual([0, 'yes']);
    });
  },
);
