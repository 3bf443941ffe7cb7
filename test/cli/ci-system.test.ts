/** Which CI system it is, and what it is told: on real files, as the system gives them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ciSystemOf, forPeople, tellCi } from '../../src/cli/ci-system.ts';
import { summaryBytesMax } from '../../src/report/github.ts';
import { toReport } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { foundingIncident } from '../report/cases.ts';

const report = toReport(foundingIncident, judge(foundingIncident));
const told = { exitCode: 3, runPath: 'reports/run', isWritten: true };

let folder = '';
let said = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutwatch-ci-'));
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

test.for([
  { env: {}, system: null },
  { env: { CI: 'false' }, system: null },
  { env: { CI: '' }, system: null },
  { env: { CI: 'true' }, system: { kind: 'other' } },
  { env: { JENKINS_URL: 'https://ci.example/' }, system: { kind: 'other' } },
  { env: { CI: 'true', GITLAB_CI: 'true' }, system: { kind: 'gitlab' } },
  {
    env: { CI: 'true', GITHUB_ACTIONS: 'true' },
    system: { kind: 'github', summaryFile: null, outputFile: null },
  },
  {
    env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: '/s', GITHUB_OUTPUT: '/o' },
    system: { kind: 'github', summaryFile: '/s', outputFile: '/o' },
  },
  // Left over on a machine that is no runner.
  { env: { GITHUB_STEP_SUMMARY: '/s', GITHUB_OUTPUT: '/o' }, system: null },
])('$env is $system', ({ env, system }) => {
  expect(ciSystemOf(env)).toEqual(system);
});

function github(): { summary: string; output: string; env: Record<string, string> } {
  const [summary, output] = [join(folder, 'summary'), join(folder, 'output')];
  return { summary, output, env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output } };
}

test('GitHub gets summary and outputs behind what others wrote, and annotations', () => {
  const { summary, output, env } = github();
  writeFileSync(summary, 'of a test runner\n');
  writeFileSync(output, 'other=1\n');
  tellCi(() => report, told, env);
  expect(readFileSync(summary, 'utf8')).toMatch(/^of a test runner\n# FAIL: shop-ecs-to-eks\n/);
  expect(readFileSync(output, 'utf8')).toMatch(/^other=1\nverdict=fail\nexit-status=3\n/);
  expect(said).toMatch(/^::error title=cutwatch%3A FAIL::Clients of orders were down/);
});

test('together with what others wrote the summary of a step stays below what GitHub refuses', () => {
  const { summary, env } = github();
  writeFileSync(summary, 'x'.repeat(summaryBytesMax - 3000));
  tellCi(() => report, told, env);
  const text = readFileSync(summary, 'utf8');
  expect(text.length).toBeLessThanOrEqual(summaryBytesMax);
  expect(text).toMatch(/\d parts more did not fit here: the report of the run is whole\.\n$/);
});

test('what cannot be written is said, each for itself, and nothing is thrown', () => {
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: folder, GITHUB_OUTPUT: join(folder, 'no', 'such') };
  tellCi(() => report, told, env);
  expect(said).toMatch(/^note: GitHub was not given the step summary: .*EISDIR/m);
  expect(said).toMatch(/^note: GitHub was not given the outputs: .*ENOENT/m);
});

test('by other limits than its own no file of the run is named: they hold another verdict', () => {
  const { output, env } = github();
  tellCi(() => report, { ...told, isWritten: false }, env);
  expect(readFileSync(output, 'utf8')).not.toContain('report-path');
  tellCi(() => report, { ...told, isWritten: false }, { GITLAB_CI: 'true' });
  expect(said).not.toContain('junit.xml');
});

test('elsewhere nobody is told, and no report is made', () => {
  const reportOf = vi.fn(() => report);
  tellCi(reportOf, told, {});
  tellCi(reportOf, told, { GITLAB_CI: 'true' });
  expect(reportOf).not.toHaveBeenCalled();
  expect(said).toBe('JUnit for this pipeline: reports/run/junit.xml\n');
});

test('on GitHub nothing that is printed for people is a command, and what follows is again', () => {
  const lines = forPeople('a\n::add-mask::b\n', { GITHUB_ACTIONS: 'true' }).trimEnd().split('\n');
  const [, token] = /^::stop-commands::([0-9a-f-]{36})$/.exec(lines[0] ?? '') ?? [];
  expect(token).toBeDefined();
  expect(lines.at(-1)).toBe(`::${token ?? ''}::`);
  expect(forPeople('a', {})).toBe('a\n');
  const again = forPeople('a', { GITHUB_ACTIONS: 'true' });
  expect(again).not.toContain(token);
});
