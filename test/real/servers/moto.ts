import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProgram, motoServer } from './installed.ts';
import { startProcess } from './own-process.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

/** AWS as moto plays it (PyPI; `moto.requirements.txt`), empty. */
export interface Moto extends AsyncDisposable {
  readonly url: string;
}

/** As `describeReal`; moto is no Debian package. */
export function describeMoto(title: string, body: () => void): void {
  if (findProgram(motoServer.name) !== null) return void describe(title, body);
  if (process.env['CUTWATCH_REQUIRE_REAL'] !== '1') return void describe.skip(title, body);
  describe(title, () => {
    test(`needs ${motoServer.name}`, () => expect.fail(`not installed; ${motoServer.howToInstall}`));
  });
}

export async function startMoto(): Promise<Moto> {
  const path = findProgram(motoServer.name);
  if (path === null) throw new Error(`${motoServer.name} is not installed; ${motoServer.howToInstall}`);
  const folder = await makeTemporaryFolder();
  const [port = 0] = await freePorts(1);
  const moto = startProcess(path, ['-H', '127.0.0.1', '-p', String(port)], { logPath: join(folder.path, 'moto.log') });
  const url = `http://127.0.0.1:${port}`;
  // It is Python: on a busy machine it takes its time to begin.
  await waitUntil('moto answers', () => isAnswering(url), { withinMs: 60_000, everyMs: 100 });
  return {
    url,
    async [Symbol.asyncDispose]() {
      await moto[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/data.json`)).ok;
  } catch {
    return false;
  }
}
