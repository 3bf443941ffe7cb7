/** What a cutover needs: two sides over HTTP and TLS, an authority that nsupdate changes, a resolver that caches. */
import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Side } from '../../src/core/scenario.ts';
import type { ChangeInput, ScenarioInput, ServiceInput } from '../../src/scenario/input.ts';
import { makeCertificates } from './servers/certificates.ts';
import { programPath } from './servers/installed.ts';
import { startNamed, type Named } from './servers/named.ts';
import { startNginx, type Nginx } from './servers/nginx.ts';
import { freePorts } from './servers/ports.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { startUnbound, type Unbound } from './servers/unbound.ts';

const zone = 'shop.test';
const addressOf: Readonly<Record<Side, string>> = { old: '127.0.1.1', new: '127.0.2.1' };
export const titleOf: Readonly<Record<Side, string>> = { old: 'ALB/ECS', new: 'nginx/EKS' };

export interface Stage extends AsyncDisposable {
  readonly folder: string;
  readonly old: Nginx;
  readonly new: Nginx;
  readonly named: Named;
  readonly unbound: Unbound;
  /** A service of this name, and a hostname of its own. */
  service(name: string, scheme?: 'http' | 'https'): ServiceInput;
  /** Of these services, with all else that they have in common. */
  scenario(services: readonly ServiceInput[], change: ChangeInput, more?: Partial<ScenarioInput>): ScenarioInput;
  /** Lines of a shell script that move the services and return when the authority has confirmed. */
  switchLines(services: readonly string[], to: Side): readonly string[];
  /** The same, at once. */
  switch(services: readonly string[], to: Side): Promise<void>;
  /** The path of an executable script. It is in `folder`, and so is what it runs in. */
  script(name: string, lines: readonly string[]): Promise<string>;
}

/** Each service's record begins on the side given, with this TTL; or each with its own. `absenceS` is `startNamed`'s. */
export async function startStage(
  sideOf: Readonly<Record<string, Side>>,
  ttlS: number | ((service: string) => number),
  absenceS?: { readonly ttl: number; readonly minimum: number },
): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTemporaryFolder()).path;
  const names = Object.keys(sideOf);
  const ttlSOf = typeof ttlS === 'number' ? () => ttlS : ttlS;
  const hostname = (name: string): string => `${name}.${zone}`;
  const { leaves, caPath } = await makeCertificates(folder, { both: names.map(hostname) });
  const [httpPort = 0, tlsPort = 0] = await freePorts(2);
  const side = (one: Side): Promise<Nginx> =>
    startNginx({ addresses: [addressOf[one]], httpPort, tlsPort, certificate: leaves.both, side: one });
  const [old, target] = [stack.use(await side('old')), stack.use(await side('new'))];
  const records = Object.entries(sideOf).map(([name, on]) => `${name} ${ttlSOf(name)} A ${addressOf[on]}`);
  const named = stack.use(await startNamed({ zone, records, ...(absenceS === undefined ? {} : { absenceS }) }));
  const unbound = stack.use(await startUnbound({ zone, authorities: [named] }));
  const kept = stack.move();
  return {
    folder,
    old,
    new: target,
    named,
    unbound,
    service: (name, scheme = 'http') => {
      const url = `${scheme}://${hostname(name)}:${scheme === 'http' ? httpPort : tlsPort}/ready`;
      return scheme === 'http' ? { name, url } : { name, url, tls: { ca: caPath } };
    },
    scenario: (services, change, more = {}) => ({
      name: 'cutover',
      // Three do not divide a second, so that slots do not fall on the beat of anything else.
      defaults: { ratePerSecond: 3 },
      services,
      sides: {
        old: { title: titleOf.old, addresses: [addressOf.old], marker: { 'x-served-by': 'old' } },
        new: { title: titleOf.new, addresses: [addressOf.new], marker: { 'x-served-by': 'new' } },
      },
      resolvers: [{ name: 'unbound', address: `${unbound.address}:${unbound.port}` }],
      authorities: [`${named.address}:${named.port}`],
      change: { ttlS: Math.max(...names.map(ttlSOf)), baselineS: 7, convergenceTimeoutS: 60, tailS: 6, ...change },
      // A short run has few slots: on a busy machine three that were sent too late would be a large share of them.
      objectives: { failedRatioMax: 0.1 },
      ...more,
    }),
    switchLines: (services, to) => [
      `${programPath('nsupdate')} -t 5 <<'END'`,
      ...services.flatMap((name) => named.switchLines(hostname(name), [addressOf[to]], ttlSOf(name))),
      'END',
    ],
    switch: async (services, to) => {
      for (const name of services) await named.setAddresses(hostname(name), [addressOf[to]], ttlSOf(name));
    },
    script: async (name, lines) => {
      const path = join(folder, name);
      await writeFile(path, ['#!/bin/sh', `cd ${folder}`, ...lines, ''].join('\n'));
      await chmod(path, 0o755);
      return path;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A line of a script that keeps the instant, as `readInstant` reads it again. */
export function keepInstant(name: string): string {
  return `date +%s%3N > ${name}.ms`;
}

/** Wall clock, ms since 1970. */
export async function readInstant(stage: Stage, name: string): Promise<number> {
  return Number(await readFile(join(stage.folder, `${name}.ms`), 'utf8'));
}

const mainPath = new URL('../../src/cli/main.ts', import.meta.url).pathname;

export interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that ends by itself; its exit status, whatever that is. */
export async function cutwatch(...words: readonly string[]): Promise<Said> {
  const run = promisify(execFile)(process.execPath, [mainPath, ...words]);
  return run.then(
    (said) => ({ exitCode: 0, ...said }),
    ({ code, stdout, stderr }: { readonly code: number; readonly stdout: string; readonly stderr: string }) => ({
      exitCode: code,
      stdout,
      stderr,
    }),
  );
}
