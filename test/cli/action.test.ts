/** The action of this repository: what it must never do, and its script as GitHub runs it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readAction, runAction, type JobEnd } from '../real/pipeline/github.ts';
import { npx, writeProgram } from '../real/pipeline/shop.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-action-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function play(given: Readonly<Record<string, string>>): Promise<JobEnd> {
  const programs = join(folder, 'programs');
  await mkdir(programs, { recursive: true });
  await writeProgram(join(programs, 'npx'), npx);
  return runAction(given, { folder, programs });
}

const rehearsal = { scenario: 'clean-cutover', command: 'rehearse' };

test('no input is code: scripts have none in them, and every variable of theirs is an input', () => {
  const scripts = readAction().runs.steps.filter(({ run }) => run !== undefined);
  expect(scripts.length).toBe(1);
  for (const { run = '', env = {}, shell } of scripts) {
    expect(run).not.toContain('${{');
    expect(shell).toBe('bash');
    for (const [, name] of run.matchAll(/\$\{?(INPUT_\w+)/g)) expect(Object.keys(env)).toContain(name);
  }
});

test('every input that is asked for is declared, and every output is one that cutwatch writes', async () => {
  const { inputs, outputs } = readAction();
  const asked = [...readFileSync('action.yml', 'utf8').matchAll(/inputs\.([\w-]+)/g)].map(([, name]) => name);
  expect(new Set(asked)).toEqual(new Set(Object.keys(inputs)));
  const { steps, isGreen } = await play({ ...rehearsal, args: '--simulate', out: 'outputs' });
  expect(isGreen).toBe(true);
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(steps[0]?.outputs ?? {}).sort());
});

test('action and documentation say the version of this checkout', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(String(readAction().inputs['version']?.default)).toBe(version);
  const said = [...readFileSync('docs/ci.md', 'utf8').matchAll(/cutwatch@v?(\d+\.\d+\.\d+)/g)].map(([, one]) => one);
  expect([...new Set(said)]).toEqual([version]);
});

test('words of a hostile input reach cutwatch as words', async () => {
  const { steps, isGreen } = await play({ ...rehearsal, scenario: '$(touch broken); touch broken `touch broken`' });
  expect(isGreen).toBe(false);
  expect(steps[0]?.exitCode).toBe(2);
  expect(steps[0]?.log).toContain('$(touch broken); touch broken `touch broken`');
  expect(() => readFileSync(join(folder, 'broken'))).toThrow('ENOENT');
});

test('a command that is neither run nor rehearse is refused', async () => {
  const { steps } = await play({ ...rehearsal, command: 'report' });
  expect(steps[0]?.exitCode).toBe(2);
  expect(steps[0]?.log).toMatch(/^::error title=cutwatch::/);
});

test('without a name nothing is uploaded; with one the run folder is, also of a run that failed', async () => {
  const none = await play({ ...rehearsal, args: '--simulate', out: 'none', artifact: '' });
  expect(none.used.map(({ uses }) => uses)).toEqual(['actions/setup-node@v6']);
  const broken = await play({ ...rehearsal, scenario: 'nowhere.yaml', out: 'given' });
  expect(broken.isGreen).toBe(false);
  expect(broken.used.at(-1)?.with).toMatchObject({ path: 'given' });
});
