import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-forecast-'));
vi.setConfig({ testTimeout: 30_000 });
afterAll(() => rmSync(folder, { recursive: true }));

const scenarios = resolve('scenarios');
const main = resolve('src/cli/main.ts');
const quick = ['--seeds', '8'];

function cutwatch(...args: string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
  });
}

test('a forecast is on standard output, its notes are not, and it exits 0', () => {
  const { status, stdout, stderr } = cutwatch('forecast', join(scenarios, 'minimal.yaml'), ...quick);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toContain('Users still at the old side after the switch of minimal');
  expect(stdout).toContain('Keep the old side for ');
  expect(stdout).not.toContain('\x1b');
});

test('the same seed prints the same bytes', () => {
  const args = ['forecast', join(scenarios, 'shop-ecs-to-eks.yaml'), ...quick, '--json', '--seed', '7'];
  const { stdout } = cutwatch(...args);
  expect(cutwatch(...args).stdout).toBe(stdout);
  const found = JSON.parse(stdout) as { readonly services: readonly object[]; readonly seed: number };
  expect(found).toMatchObject({
    schemaVersion: 1,
    scenario: 'shop-ecs-to-eks',
    seed: 7,
    leaving: { title: 'ALB/ECS' },
  });
  expect(found.services[0]).toMatchObject({
    names: ['orders', 'billing'],
    differsBy: null,
    measured: null,
    advice: [expect.any(String), expect.any(String), expect.any(String)],
  });
});

test('what if the TTL is not lowered: another TTL, another tail', () => {
  const lastS = (...flags: string[]): number => {
    const { stdout } = cutwatch('forecast', join(scenarios, 'one-zone-dead.yaml'), ...quick, '--json', ...flags);
    return (JSON.parse(stdout) as { services: [{ all: { lastS: number } }] }).services[0].all.lastS;
  };
  expect(lastS()).toBeLessThan(10);
  expect(lastS('--ttl-s', '700')).toBeGreaterThan(600);
});

test('beside it stands what a run measured', () => {
  const run = join(folder, 'run');
  const name = 'old-side-removed-too-early';
  expect(cutwatch('rehearse', name, '--simulate', '--out', run).status).toBe(0);
  const { stdout, stderr } = cutwatch('forecast', join(scenarios, `${name}.yaml`), ...quick, '--run', run);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/measured last/);
  expect(stdout).toMatch(/^ +0 s .* 100 % +measured 100 %$/m);
  expect(stdout).toMatch(/\(as planned\)/);
});

test('a scenario that comes with cutwatch is found by its name from anywhere; another name is guessed, or all are told', () => {
  const { status, stdout } = cutwatch('forecast', 'founding-migration', ...quick);
  expect(status).toBe(0);
  expect(stdout).toContain('after the switch of founding-migration\n');
  for (const command of ['forecast', 'rehearse']) {
    const near = cutwatch(command, 'founding-migraton');
    expect(near.status).toBe(2);
    expect(near.stderr).toContain('none comes with cutwatch by that name; did you mean "founding-migration"?');
    expect(cutwatch(command, 'zzz').stderr).toMatch(/; known here: clean-cutover, .*wrong-certificate-on-new-side/);
    expect(cutwatch(command, 'zzz.yaml').stderr).toBe('zzz.yaml: there is no such scenario file\n');
  }
});

test('where nothing moves a name there is nothing to forecast', () => {
  const file = join(scenarios, 'deploy-under-watch.yaml');
  const { status, stdout, stderr } = cutwatch('forecast', file);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('nothing in it moves a name from one side to the other');
});

test("the TTL of an alias is nobody's to choose", () => {
  writeFileSync(
    join(folder, 'alias.yaml'),
    `name: alias
services: [{ name: orders, url: https://orders.shop.example/ready }]
sides:
  old: { addresses: ["dns:shop-1.us-west-1.elb.amazonaws.com"] }
  new: { addresses: ["dns:k8s-shop.elb.us-west-2.amazonaws.com"] }
world: { zone: { record: alias } }
`,
  );
  const { status, stderr } = cutwatch('forecast', 'alias.yaml', '--ttl-s', '5');
  expect(status).toBe(2);
  expect(stderr).toContain('--ttl-s: the record is an alias');
  expect(cutwatch('forecast', 'alias.yaml', '--seeds', '0').status).toBe(2);
});
