import { expect, test } from 'vitest';
import { junit } from '../../src/report/junit.ts';
import { markdown } from '../../src/report/markdown.ts';
import { reportJsonText, toReport } from '../../src/report/report-json.ts';
import { summaryText } from '../../src/report/text.ts';
import { exitCodeOf, judge } from '../../src/verdict/judge.ts';
import { brokenLog, cleanPass, foundingIncident } from './cases.ts';
import { pageOf } from './page-of.ts';

test.for([
  { name: 'clean-pass', analysis: cleanPass, exitCode: 0 },
  { name: 'founding-incident', analysis: foundingIncident, exitCode: 3 },
  { name: 'broken-log', analysis: brokenLog, exitCode: 4 },
])('$name reads as it did', async ({ name, analysis, exitCode }) => {
  const verdict = judge(analysis);
  const report = toReport(analysis, verdict);
  expect(exitCodeOf(verdict, { commandFailed: false })).toBe(exitCode);
  await expect(reportJsonText(report)).toMatchFileSnapshot(`golden/${name}.json`);
  await expect(markdown(report)).toMatchFileSnapshot(`golden/${name}.md`);
  await expect(junit(report)).toMatchFileSnapshot(`golden/${name}.xml`);
  await expect(pageOf(report)).toMatchFileSnapshot(`golden/${name}.html`);
  await expect(`${summaryText(report, { runPath: 'reports/example' })}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
});

test('the founding incident: a stranger reads who, how long, why, and what should have been done', () => {
  const text = summaryText(toReport(foundingIncident, judge(foundingIncident)), { runPath: 'reports/example' });
  expect(text).toMatch(/^FAIL {2}Clients of orders were down while it moved from ALB\/ECS to nginx\/EKS/);
  expect(text).toContain('orders fresh via system: between 18.5 s and 19.5 s, from 10:01:02.900 to 10:01:21.900 UTC');
  expect(text).toContain('38 of 39 failed probes: the DNS answer they held still named the side left (ALB/ECS)');
  expect(text).toContain(
    'Keep ALB/ECS answering after the switch until the last cached answer has expired: here until 10:01:22.300 UTC',
  );
  expect(text).toContain('old 62.9 s · DOWN 19.0 s · new 619.8 s');
  expect(text.split('\n').length).toBeLessThanOrEqual(25);
});

test('a report from the same evidence has the same bytes, and is read back as it was', () => {
  const textOf = (): string => reportJsonText(toReport(foundingIncident, judge(foundingIncident)));
  expect(textOf()).toBe(textOf());
  expect(JSON.parse(textOf())).toMatchObject({
    schemaVersion: 1,
    services: [
      {
        safeToSwitch: { safe: 'yes', at: '2026-11-24T10:00:42.700Z' },
        safeToRemoveOld: { safe: 'yes', at: '2026-11-24T10:01:22.900Z', side: 'old' },
        oldAnswers: { untilAt: '2026-11-24T10:01:22.300Z' },
      },
    ],
    targets: [],
    staleTargets: [],
    observers: [],
    playbook: [],
  });
});

test('what floating point adds does not reach the report', () => {
  const analysis = { ...cleanPass, prober: { ...cleanPass.prober, clockStepMs: 0.1 + 0.2 } };
  expect(reportJsonText(toReport(analysis, judge(analysis)))).toContain('"clockStepMs": 0.3,');
});
