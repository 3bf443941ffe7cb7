import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const main = resolve('src/cli/main.ts');

function cutwatch(...args: string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder });
}

function scenario(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const minimal = readFileSync('scenarios/minimal.yaml', 'utf8');

test('plan prints every lane on standard output, and exits 0', () => {
  const { status, stdout, stderr } = cutwatch('plan', scenario('minimal.yaml', minimal));
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toContain('orders keep-alive via system');
});

describe('what the user has to mend is said without a stack, on standard error, with exit status 2', () => {
  test('a file that is not there', () => {
    expect(cutwatch('plan', 'shop.yaml')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'shop.yaml: there is no such scenario file\n',
    });
  });

  test('a folder where a scenario belongs', () => {
    mkdirSync(join(folder, 'shop'));
    expect(cutwatch('plan', 'shop')).toMatchObject({ status: 2, stderr: 'shop: is a folder; name a scenario file\n' });
  });

  test('a scenario that cannot be used: every problem, each with its place', () => {
    const file = scenario('bad.yaml', minimal.replace('services:', 'servces:'));
    const { status, stderr } = cutwatch('run', file);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^bad\.yaml:\d+:\d+: /m);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('a rate above the guard', () => {
    const file = scenario('fast.yaml', `${minimal}\ndefaults: { ratePerSecond: 50 }\n`);
    const { status, stderr } = cutwatch('run', file);
    expect(status).toBe(2);
    expect(stderr).toContain('--max-rate');
  });

  test('a token command that fails, before anything is probed', () => {
    const request =
      'request: { headers: { authorization: "Bearer ${TOKEN}" }, token: { command: ["false"], everyS: 60 } }';
    const file = scenario('token.yaml', `${minimal}\ndefaults: { ${request} }\n`);
    const { status, stderr } = cutwatch('run', file);
    expect(status).toBe(2);
    expect(stderr).toContain('token command false: failed with 1\n');
  });

  test('a command that does not exist, with the nearest one', () => {
    const { status, stderr } = cutwatch('jugde');
    expect(status).toBe(2);
    expect(stderr).toContain('Did you mean judge?');
  });

  test('a rehearsal of a scenario that is nowhere', () => {
    const { status, stderr } = cutwatch('rehearse', 'sumthing');
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^sumthing: there is no such scenario file, and none comes with cutwatch by that name; known here: .*rollback.*\n$/,
    );
  });

  test('a simulation that is to be left running', () => {
    expect(cutwatch('rehearse', '--simulate', '--keep').status).toBe(2);
  });

  test.for(['-1', '1.5', '4294967296', 'x', ''])('a seed of "%s"', (seed) => {
    const { status, stderr } = cutwatch('rehearse', '--simulate', `--seed=${seed}`);
    expect(status).toBe(2);
    expect(stderr).toContain('expected a whole number from 0 to 4294967295.');
  });

  test('a run folder that is none', () => {
    expect(cutwatch('judge', 'nowhere').status).toBe(2);
  });

  test('a mark without a running watch', () => {
    expect(cutwatch('mark', 'switch orders')).toMatchObject({ status: 2, stdout: '' });
  });
});

test('by limits of another file a run is judged for the reader only: nothing is written', () => {
  const run = join(folder, 'run');
  cpSync(resolve('test/evidence/golden-v1'), run, { recursive: true });
  const before = readdirSync(run);
  const file = scenario('strict.yaml', 'objectives: { downtimeMsMax: 0 }\n');
  const { status, stdout, stderr } = cutwatch('judge', 'run', '--objectives', file, '--json');
  expect(stderr.split('\n').at(-2)).toBe('  judged by strict.yaml; the report of the run is unchanged');
  expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1 });
  expect(readdirSync(run)).toEqual(before);
  expect(cutwatch('judge', 'run')).toMatchObject({ status });
  expect(readdirSync(run)).toContain('report.json');
});

test('a simulated rehearsal, by the name of one that comes along: as expected, with its truth, the same each time', () => {
  const rehearse = (out: string) =>
    cutwatch('rehearse', 'no-targets-503', '--simulate', '--truth', '--seed', '0', '--out', out, '--json');
  const { status, stdout, stderr } = rehearse('one');
  expect(stderr).toMatch(/\n {2}takes +about 17 s of virtual time\n\nmaking the change\n/);
  expect(stderr).toContain('As expected: fail, by no-target.\n');
  expect(stderr).toContain('The report, held against the truth\n');
  expect(stderr).toContain('Try next\n');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ verdict: { value: 'fail' } });
  const truth = readFileSync(join(folder, 'one', 'truth.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(JSON.parse(truth[0] ?? '')).toMatchObject({ type: 'world-started', world: { seed: 0 } });
  expect(JSON.parse(truth.at(-1) ?? '')).toMatchObject({ type: 'world-ended' });
  expect(rehearse('two').stdout).toBe(stdout);
});

test('help says every exit status', () => {
  const { status, stdout } = cutwatch('--help');
  expect(status).toBe(0);
  for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(stdout).toMatch(new RegExp(`^ {2}${code}\\b`, 'm'));
});

test.for(['run', 'judge', 'rehearse'])('%s says where the verdict is told, and its exit statuses', (command) => {
  const { stdout } = cutwatch(command, '--help');
  expect(stdout).toContain('The verdict is told on standard error');
  expect(stdout).toContain('npm itself answers Ctrl-C with 130');
});

test('schema prints the published schema', () => {
  const { stdout } = cutwatch('schema');
  expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync('schemas/scenario.schema.json', 'utf8')));
});
