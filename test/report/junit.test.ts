/** JUnit as GitLab, Jenkins and GitHub's reporters read it: a case for each objective of each service, each name once. */
import { expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import { junit } from '../../src/report/junit.ts';
import { toReport } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { brokenLog, cleanPass, foundingIncident } from './cases.ts';
import { laneOf, scenarioOf, serviceOf, serviceSpecOf } from './kit.ts';

interface Case {
  readonly key: string;
  readonly body: string;
}

function xmlOf(analysis: Analysis): string {
  return junit(toReport(analysis, judge(analysis)));
}

function casesOf(xml: string): Case[] {
  return [...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)" time="0">(.*?)<\/testcase>/gs)].map(
    ([, className, name, body = '']) => ({ key: `${className ?? ''}/${name ?? ''}`, body }),
  );
}

const objectives = [
  'outageMsMax',
  'downtimeMsMax',
  'failedRatioMax',
  'worstMinuteFailedRatioMax',
  'burst5xxCountMax',
  'staleTargetCountMax',
  'convergenceSMax',
  'flipBackCountMax',
  'latencyP99RatioMax',
];

test('each objective of each service is one case, and no name is there twice', () => {
  const names = ['orders', 'billing', 'the', 'run'];
  const lanes = names.flatMap((service, s) =>
    foundingIncident.lanes.map((lane) => ({ ...lane, service, check: service, number: 10 * s + lane.number })),
  );
  const services = names.map((name) => serviceOf({ name }));
  const scenario = scenarioOf({ services: names.map((name) => serviceSpecOf(name)) });
  const keys = casesOf(xmlOf({ ...foundingIncident, scenario, services, lanes })).map(({ key }) => key);
  for (const name of names) {
    for (const objective of objectives) expect(keys).toContain(`${name}/${objective}`);
  }
  expect(new Set(keys).size).toBe(keys.length);
});

test('a case has the same name whatever came of it, so that two pipelines can be compared', () => {
  const keysOf = (analysis: Analysis): string[] => casesOf(xmlOf(analysis)).map(({ key }) => key);
  expect(keysOf(foundingIncident)).toEqual(keysOf(cleanPass));
});

test('a missed limit fails with every lane that missed it, and the other lanes beside it', () => {
  const failed = casesOf(xmlOf(foundingIncident)).find(({ key }) => key === 'orders/downtimeMsMax')?.body ?? '';
  expect(failed).toMatch(/<failure message="orders fresh via system: downtime between 18\.5 s and 19\.5 s, limit 5 s/);
  expect(failed).toContain('orders keep-alive via system: at most 1 s');
});

test('what is inconclusive is skipped with its reason, and counted as such', () => {
  const xml = xmlOf(brokenLog);
  const cases = casesOf(xml);
  const skipped = cases.filter(({ body }) => body.includes('<skipped message="'));
  expect(skipped.map(({ key }) => key)).toContain('orders/tail-watched');
  expect(xml).toMatch(new RegExp(`<testsuites [^>]*failures="0" errors="0" skipped="${String(skipped.length)}"`));
});

test('every reason of a skipped case is in it, not the first alone', () => {
  const report = toReport(cleanPass, judge(cleanPass));
  const open = (lane: string) =>
    ({
      objective: 'downtimeMsMax',
      service: 'orders',
      severity: 'fail',
      value: 'inconclusive',
      limit: 5000,
      observed: null,
      text: `${lane} was not seen.`,
    }) as const;
  const reasons = [open('one'), open('two')];
  const [only] = casesOf(junit({ ...report, verdict: { value: 'inconclusive', reasons } }));
  expect(only?.body).toContain('<skipped message="one was not seen."/>');
  expect(only?.body).toContain('two was not seen.');
});

test('a warning never fails a case, and is told in it', () => {
  const analysis = {
    ...cleanPass,
    services: [serviceOf({ latencyP99: { oldMs: 31, newMs: 77, ratio: 2.5, sampleCount: 2643 } })],
  };
  const warned = casesOf(xmlOf(analysis)).find(({ key }) => key === 'orders/latencyP99RatioMax')?.body;
  expect(warned).toMatch(/^\s*<system-out>warning: /);
});

test('a hundred lanes of a service are told, and more are counted', () => {
  const lanes = Array.from({ length: 107 }, (_, i) => laneOf({ number: i, client: `client-${String(i)}` }));
  const body = casesOf(xmlOf({ ...cleanPass, lanes })).find(({ key }) => key === 'orders/outageMsMax')?.body ?? '';
  expect(body).toContain('and 7 more lanes in report.json');
  expect(body).not.toContain('client-101');
});
