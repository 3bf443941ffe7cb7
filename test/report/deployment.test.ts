import { expect, test } from 'vitest';
import type { Analysis, ReplicasAnalysis, RolloutAnalysis } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { pageOf } from './page-of.ts';
import { markdown } from '../../src/report/markdown.ts';
import { toReport, type Report } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { analysisOf, serviceOf } from './kit.ts';

function reportOf(overrides: Partial<Analysis>): Report {
  const analysis = analysisOf(overrides);
  return toReport(analysis, judge(analysis));
}

const rollout: RolloutAnalysis = {
  side: 'new',
  name: 'orders',
  fromRevision: '7',
  toRevision: '8',
  notBeforeNs: sToNs(61.1),
  beganAtNs: sToNs(61.7),
  readyAtNs: sToNs(69.3),
  completeAtNs: sToNs(74.8),
  state: 'complete',
  reason: '',
  desiredCount: 3,
  replacedCount: 3,
};

const replicas: ReplicasAnalysis = {
  header: 'x-served-by-pod',
  replicas: [
    {
      name: 'orders-7f9c-1',
      firstAtNs: sToNs(0.3),
      lastAtNs: sToNs(71.3),
      answered: { baseline: 11, switching: 3, tail: 0 },
      failedCount: 0,
    },
    {
      name: '<script>alert(1)</script>',
      firstAtNs: sToNs(66.3),
      lastAtNs: sToNs(99.3),
      answered: { baseline: 0, switching: 4, tail: 13 },
      failedCount: 2,
    },
  ],
  otherCount: 0,
  namelessCount: 3,
  namelessFailedCount: 3,
};

test('whether a name may be switched or a side may go is not asked of a deployment', () => {
  const asked = /Safe to switch|may go/;
  expect(markdown(reportOf({}))).toMatch(asked);
  expect(markdown(reportOf({ mode: 'deploy', rollouts: [rollout] }))).not.toMatch(asked);
});

test('rollouts are a table: revisions, when it began, when all were ready, and when the last of before had gone', () => {
  const text = markdown(reportOf({ rollouts: [rollout] }));
  expect(text).toMatch(/\| orders \| 7 → 8 \| 3 \| [\d:.]+ \| [\d:.]+ \| [\d:.]+ \| 13\.1 s \|/);
  const failed = { ...rollout, completeAtNs: null, readyAtNs: null, state: 'failed', reason: 'no progress' } as const;
  expect(markdown(reportOf({ rollouts: [failed] }))).toContain('failed: no progress');
});

test('who answered is told by replica and phase, as shares, and its names are only text', () => {
  const report = reportOf({ services: [serviceOf({ replicas })] });
  const text = markdown(report);
  expect(text).toMatch(/\| orders-7f9c-1 \| [\d:.]+ \| [\d:.]+ \| 100 % \(11\) \| 42\.9 % \(3\) \| – \| 0 \|/);
  expect(text).toContain('3 answers did not have the header, 3 of them failures');
  expect(text).not.toContain('<script>');
  expect(pageOf(report)).not.toContain('<script>alert');
});

test('without a header that tells replicas apart, and without rollouts, a report is as ever', () => {
  const report = reportOf({});
  expect(report).not.toHaveProperty('rollouts');
  expect(report.services[0]).not.toHaveProperty('replicas');
});
