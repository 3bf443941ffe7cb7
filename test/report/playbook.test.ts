import { expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { playbookSection } from '../../src/report/playbook-section.ts';
import { toReport } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { foundingIncident } from './cases.ts';

const { startedAtMs } = foundingIncident;

function reportOf(playbook: NonNullable<Analysis['playbook']>): ReturnType<typeof toReport> {
  const analysis: Analysis = { ...foundingIncident, playbook };
  return toReport(analysis, judge(analysis));
}

test('what a playbook said beside the run is listed with when it was read, and who went on all the same', () => {
  const report = reportOf([
    {
      type: 'step-checked',
      atNs: sToNs(7.3),
      step: 'jobs-exclusive',
      check: 'jobs-exclusive',
      result: 'unknown',
      isAccepted: true,
      observedAtMs: startedAtMs + 7001,
      evidence: ['jobs of ALB/ECS: denied', 'jobs of nginx/EKS: denied'],
    },
    {
      type: 'step-checked',
      atNs: sToNs(11),
      step: 'tell-everybody',
      check: null,
      result: 'not-applicable',
      isAccepted: false,
      observedAtMs: null,
      evidence: ['the operator says that it is done'],
    },
  ]);
  expect(report.playbook[0]).toEqual({
    at: '2026-11-24T10:00:07.300Z',
    step: 'jobs-exclusive',
    check: 'jobs-exclusive',
    result: 'unknown',
    accepted: true,
    observedAt: '2026-11-24T10:00:07.001Z',
    evidence: ['jobs of ALB/ECS: denied', 'jobs of nginx/EKS: denied'],
  });
  const [section] = playbookSection(report);
  expect(section?.table?.rows.map((row) => row.map(({ text }) => text))).toEqual([
    [
      '10:00:07.300',
      'jobs-exclusive',
      '? not known, accepted',
      '10:00:07.001',
      'jobs of ALB/ECS: denied; jobs of nginx/EKS: denied',
    ],
    ['10:00:11.000', 'tell-everybody', '– said to be done', '–', 'the operator says that it is done'],
  ]);
});

test('without a playbook there is no section of it', () => {
  expect(playbookSection(reportOf([]))).toEqual([]);
});
