import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-listen-'));
afterAll(() => rmSync(folder, { recursive: true }));

const main = resolve('src/cli/main.ts');
const scenario = resolve('scenarios/minimal.yaml');

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function cutwatch(args: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
  const options = { encoding: 'utf8', cwd: folder, env: { ...process.env, ...env } } as const;
  return spawnSync(process.execPath, [main, ...args], options);
}

/** As above, of this process's own event loop: it has a server that the other must find. */
async function cutwatchBeside(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part) => (stdout += String(part)));
  child.stderr.on('data', (part) => (stderr += String(part)));
  await once(child, 'close');
  return { status: child.exitCode, stdout, stderr };
}

test('a port that is in use is said before the run begins, and nothing is left of it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const at = `127.0.0.1:${String(port)}`;
  const stderr = `--listen ${at}: the port is in use: name another, or none for any that is free\n`;
  expect(await cutwatchBeside(['run', scenario, '--listen', at, '--out', 'run'])).toEqual({
    status: 2,
    stdout: '',
    stderr,
  });
  const rehearsed = await cutwatchBeside(['rehearse', 'founding-migration', '--listen', at, '--out', 'rehearsed']);
  expect(rehearsed.status).toBe(2);
  expect(rehearsed.stderr).toContain(stderr);
  expect(['run', 'rehearsed'].filter((name) => existsSync(join(folder, name)))).toEqual([]);
  server.close();
});

test.for([
  { args: ['run', '--listen', scenario], says: 'expected an address of this machine' },
  { args: ['run', scenario, '--stay', '7'], says: '--stay: says how long --listen goes on' },
  { args: ['run', scenario, '--listen', '::1'], says: 'expected an address of this machine' },
  { args: ['rehearse', '--simulate', '--listen'], says: 'cannot be used with option' },
])('$args is for the user to mend', ({ args, says }) => {
  const { status, stderr } = cutwatch(args);
  expect(status).toBe(2);
  expect(stderr).toContain(says);
});

test('a token of one’s own is long enough and fits into a URL', () => {
  for (const token of ['short', 'a token with spaces in it']) {
    const { status, stderr } = cutwatch(['run', scenario, '--listen'], { CUTWATCH_TOKEN: token });
    expect(status).toBe(2);
    expect(stderr).toBe('CUTWATCH_TOKEN: expected 16 to 128 letters, digits, or any of - . _ ~\n');
  }
});
