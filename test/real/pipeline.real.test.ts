/**
 * Every example of docs/ci.md, cut out of the document and run as the pipeline of that system runs it: with its variables,
 * its shell, and a cutover on loopback addresses. What it leaves behind is read by parsers that are not ours.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runBash, runWorkflow, type StepEnd } from './pipeline/github.ts';
import { openShop } from './pipeline/shop.ts';

const blocks = [...readFileSync('docs/ci.md', 'utf8').matchAll(/^```(yaml|sh)\n(.*?)^```$/gms)].map(
  ([, language = '', text = '']) => ({ language, text }),
);

/** The one example with these words in it. */
function example(words: string): string {
  const found = blocks.filter(({ text }) => text.includes(words));
  if (found.length !== 1) throw new Error(`${String(found.length)} examples with ${words}`);
  return found[0]?.text ?? '';
}

/** Every example is run below: whoever adds one adds its test. */
test('docs/ci.md has the examples that are run here, and no other', () => {
  expect(blocks.map(({ language }) => language)).toEqual(['yaml', 'yaml', 'yaml', 'yaml', 'sh', 'sh']);
});

interface Suites {
  readonly tests: number;
  readonly failures: number;
  readonly skipped: number;
  readonly keys: readonly string[];
}

/** By Python's parser, as GitLab reads it: by class name and name. */
function readJunit(path: string): Suites {
  const script = `
import json, sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
cases = list(root.iter('testcase'))
print(json.dumps({
  'tests': int(root.get('tests')), 'failures': len(list(root.iter('failure'))), 'skipped': len(list(root.iter('skipped'))),
  'keys': [c.get('classname') + '/' + c.get('name') for c in cases]}))`;
  return JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' })) as Suites;
}

function verdictOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'cutwatch-run/report.json'), 'utf8')) as { verdict: { value: string } })
    .verdict.value;
}

function expectToldGithub(step: StepEnd | undefined, folder: string): void {
  expect(step?.log).toMatch(/^::notice title=cutwatch%3A PASS::/m);
  expect(step?.summary).toMatch(/^# PASS: shop\n/);
  expect(step?.outputs).toMatchObject({ verdict: 'pass', 'exit-status': '0', 'run-path': 'cutwatch-run' });
  expect(Number(step?.outputs['downtime-ms-min'])).toBe(0);
  const reports = ['report-path', 'summary-path', 'junit-path'].map((name) => step?.outputs[name] ?? '');
  for (const path of reports) expect(readFileSync(join(folder, path), 'utf8')).not.toBe('');
}

describe.concurrent('a cutover as a pipeline runs it', () => {
  test('GitHub, by the action', async ({ expect }) => {
    await using shop = await openShop();
    const job = await runWorkflow(example('change: ./switch-dns.sh'), shop);
    expect(job.isGreen).toBe(true);
    expectToldGithub(job.steps[0], shop.folder);
    expect(job.steps[1]?.log).toMatch(/^The cutover ended as pass; nobody was down for more than \d+ ms\.\n$/);
    expect(job.used.map(({ uses }) => uses)).toEqual([
      'actions/checkout@v6',
      'actions/setup-node@v6',
      'actions/upload-artifact@v6',
    ]);
    expect(job.used.at(-1)?.with).toMatchObject({ name: 'cutwatch-run', path: 'cutwatch-run' });
  });

  test('GitHub, without the action', async ({ expect }) => {
    await using shop = await openShop();
    const job = await runWorkflow(example('run: npx --yes'), shop);
    expect(job.isGreen).toBe(true);
    expectToldGithub(job.steps[0], shop.folder);
    expect(job.used.at(-1)?.with).toMatchObject({ path: 'cutwatch-run' });
  });

  test('GitLab, which finds its JUnit where the job says', async ({ expect }) => {
    await using shop = await openShop();
    const { cutover } = parse(example('image: node:24')) as {
      cutover: {
        script: string[];
        artifacts: { when: string; paths: string[]; reports: { junit: string } };
      };
    };
    const { exitCode, log } = await runBash(cutover.script.join('\n'), shop, {
      CI: 'true',
      GITLAB_CI: 'true',
      CI_PROJECT_DIR: shop.folder,
      CI_JOB_ID: '8813',
    });
    expect(exitCode).toBe(0);
    expect(log).toContain('JUnit for this pipeline: cutwatch-run/junit.xml');
    expect(cutover.artifacts.when).toBe('always');
    const { tests, failures, keys } = readJunit(join(shop.folder, cutover.artifacts.reports.junit));
    expect(failures).toBe(0);
    expect(new Set(keys).size).toBe(tests);
    expect(keys).toContain('orders/downtimeMsMax');
    expect(keys).toContain('billing/downtimeMsMax');
  });

  test('any other, and the verdict again by stricter limits', async ({ expect }) => {
    await using shop = await openShop();
    const env = { CI: 'true' };
    const run = await runBash(example("0) echo 'clean'"), shop, env);
    expect(run.log).toMatch(/^clean$/m);
    expect(run.exitCode).toBe(0);
    expect(verdictOf(shop.folder)).toBe('pass');
    const before = readFileSync(join(shop.folder, 'cutwatch-run/junit.xml'), 'utf8');
    const again = await runBash(example('--objectives strict.yaml'), shop, env);
    expect([0, 3, 4]).toContain(again.exitCode);
    expect(readFileSync(join(shop.folder, 'cutwatch-run/junit.xml'), 'utf8')).toBe(before);
  });
});

test('GitHub: the rehearsal of a pull request is green where it ends as it was to end, and no annotation is an error', async () => {
  await using shop = await openShop();
  const job = await runWorkflow(example('scenario: founding-migration'), shop);
  const [step] = job.steps;
  expect(job.isGreen).toBe(true);
  expect(step?.outputs).toMatchObject({ verdict: 'fail', 'exit-status': '0' });
  expect(step?.log).not.toMatch(/^::error/m);
  expect(step?.log).toMatch(/^::notice title=cutwatch%3A FAIL::/m);
});
