import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../real/servers/installed.ts';
import { runToEnd } from './run-to-end.ts';

/** vegeta is in no Debian package: it is built once, by Go's own package proxy, into a folder that npm lets tools use. */
const cachePath = fileURLToPath(new URL('../../node_modules/.cache/cutwatch-bench', import.meta.url));
const vegetaModule = 'github.com/tsenart/vegeta/v12@v12.13.0';

/** Its path; null without Go. */
export async function buildVegeta(say: (text: string) => void): Promise<string | null> {
  const path = join(cachePath, 'vegeta');
  if (existsSync(path)) return path;
  const go = findProgram('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : null);
  if (go === null) return null;
  say('building vegeta, once');
  await mkdir(cachePath, { recursive: true });
  try {
    await runToEnd([go, 'install', vegetaModule], { ...process.env, GOBIN: cachePath });
  } catch (error) {
    say(`vegeta could not be built: ${String(error)}`);
    return null;
  }
  return path;
}
