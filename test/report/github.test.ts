/** What GitHub is told: in which order, how much, and in which words. */
import { expect, test } from 'vitest';
import type { Reason } from '../../src/core/verdict.ts';
import { annotations, outputs, stepSummary, summaryBytesMax } from '../../src/report/github.ts';
import { toReport, type Report } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { brokenLog, cleanPass, foundingIncident } from './cases.ts';
import { judgedOf, laneOf, serviceOf } from './kit.ts';

const [pass, fail, open] = [cleanPass, foundingIncident, brokenLog].map((analysis) =>
  toReport(analysis, judge(analysis)),
) as [Report, Report, Report];
const facts = { exitCode: 3, runPath: 'reports/run', isWritten: true };

function reason(overrides: Partial<Reason>): Reason {
  return {
    objective: 'downtimeMsMax',
    service: 'orders',
    severity: 'fail',
    value: 'fail',
    limit: null,
    observed: null,
    text: 'text',
    ...overrides,
  };
}

function withReasons(reasons: readonly Reason[]): Report {
  return { ...fail, verdict: { value: 'fail', reasons } };
}

test('what failed comes before what is open, and that before what only warns', () => {
  const report = withReasons([
    reason({ severity: 'warn', value: 'inconclusive', text: 'warns, open' }),
    reason({ value: 'pass', text: 'kept' }),
    reason({ severity: 'warn', text: 'warns' }),
    reason({ value: 'inconclusive', text: 'open' }),
    reason({ text: 'failed' }),
    reason({ objective: 'command-failed', service: null, severity: 'warn', text: 'command' }),
  ]);
  const said = annotations(report, 3).map((line) => /^::(\w+) .*::(.*)$/.exec(line)?.slice(1));
  expect(said.slice(1)).toEqual([
    ['error', 'failed'],
    ['error', 'command'],
    ['error', 'open'],
    ['warning', 'warns'],
    ['warning', 'warns, open'],
  ]);
});

test.for([
  { count: 9, annotationCount: 10, last: 'text' },
  { count: 10, annotationCount: 10, last: '2 more reasons in the summary and in the report.' },
  { count: 1234, annotationCount: 10, last: '1,226 more reasons in the summary and in the report.' },
])('$count reasons are $annotationCount annotations', ({ count, annotationCount, last }) => {
  const lines = annotations(withReasons(Array.from({ length: count }, () => reason({}))), 3);
  expect(lines.length).toBe(annotationCount);
  expect(lines.at(-1)?.split('::').at(-1)).toBe(last);
});

test('a pass is one notice; what nobody can say is an error, as the exit status is', () => {
  const withoutWarnings = {
    ...pass,
    verdict: { ...pass.verdict, reasons: pass.verdict.reasons.filter(({ value }) => value === 'pass') },
  };
  expect(annotations(withoutWarnings, 0)).toEqual([expect.stringMatching(/^::notice title=cutwatch%3A PASS::/)]);
  expect(annotations(open, 4)[0]).toMatch(/^::error title=cutwatch%3A INCONCLUSIVE::/);
});

test('a rehearsal that ended as it was to end has no error, whatever its verdict', () => {
  expect(annotations(fail, 0).filter((line) => line.startsWith('::error'))).toEqual([]);
});

test('percent signs, commas and colons are what they are, after the runner unescaped them', () => {
  const [, line = ''] = annotations(withReasons([reason({ service: 'a:b,c', text: '100 % of a::b, %0A' })]), 3);
  const [, title = '', text = ''] = /^::error title=(.*?)::(.*)$/.exec(line) ?? [];
  const unescaped = (given: string): string =>
    given.replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%0A', '\n').replaceAll('%25', '%');
  expect(unescaped(title)).toBe('cutwatch: a:b,c, downtime');
  expect(unescaped(text)).toBe('100 % of a::b, %0A');
});

test('downtime is that of the judged client hit worst, in whole ms, its bounds rounded apart', () => {
  const lanes = [
    laneOf({ judgedPart: judgedOf({ downtimeMs: { min: 1234.9, max: 1235.1 } }) }),
    laneOf({ number: 1, judgedPart: judgedOf({ downtimeMs: { min: 7.5, max: 5678.2 } }) }),
    laneOf({ number: 2, judged: false, judgedPart: judgedOf({ downtimeMs: { min: 9e6, max: 9e6 } }) }),
  ];
  const text = outputs(toReport({ ...cleanPass, lanes }, judge({ ...cleanPass, lanes })), facts);
  expect(text).toMatch(/^downtime-ms-min=1234$/m);
  expect(text).toMatch(/^downtime-ms-max=5679$/m);
});

test('what was probes that nobody saw is in the upper bound, though none failed', () => {
  expect(outputs(open, facts)).toMatch(/^downtime-ms-min=0\ndowntime-ms-max=1400$/m);
});

test('where a service was not judged nobody knows how long it was down for at the most', () => {
  const analysis = { ...foundingIncident, services: [serviceOf(), serviceOf({ name: 'billing' })] };
  expect(outputs(toReport(analysis, judge(analysis)), facts)).toMatch(/^downtime-ms-min=18500\ndowntime-ms-max=$/m);
  const none = { ...foundingIncident, lanes: [] };
  expect(outputs(toReport(none, judge(none)), facts)).toMatch(/^downtime-ms-min=\ndowntime-ms-max=$/m);
});

test('a summary of any run fits, by whole parts, its folds closed, and says what is left out', () => {
  const name = (i: number): string => `service-${String(i)}`;
  const services = Array.from({ length: 60 }, (_, i) => serviceOf({ name: name(i) }));
  const lanes = services.flatMap(({ name: service }, s) =>
    Array.from({ length: 60 }, (_, i) =>
      laneOf({ number: 60 * s + i, service, check: service, client: `client-${String(i)}-${'ü'.repeat(60)}` }),
    ),
  );
  const analysis = { ...cleanPass, services, lanes };
  const report = toReport(analysis, judge(analysis));
  expect(Buffer.byteLength(stepSummary(report, -Infinity))).toBeGreaterThan(summaryBytesMax);
  const text = stepSummary(report);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(summaryBytesMax);
  expect(Buffer.byteLength(text)).toBeGreaterThan(summaryBytesMax / 2);
  expect(text).toMatch(/^\d+ parts? more did not fit here: the report of the run is whole\.$/m);
  expect(text.split('<details>').length).toBe(text.split('</details>').length);
});
