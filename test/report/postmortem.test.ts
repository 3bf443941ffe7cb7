/** A post-mortem to begin with: it holds what the run knows, and invents nothing. */
import { expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { postmortem } from '../../src/report/postmortem.ts';
import { toReport } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { brokenLog, cleanPass, foundingIncident } from './cases.ts';
import { serviceOf } from './kit.ts';

function textOf(analysis: Analysis): string {
  return postmortem(toReport(analysis, judge(analysis)));
}

/** The lines under a heading. */
function part(text: string, title: string): string {
  return text.split(/^## /m).find((one) => one.startsWith(title)) ?? '';
}

test.for([
  { name: 'founding-incident', analysis: foundingIncident },
  { name: 'clean-pass', analysis: cleanPass },
])('$name reads as it did', async ({ name, analysis }) => {
  await expect(textOf(analysis)).toMatchFileSnapshot(`golden/${name}.postmortem.md`);
});

test('has every part, and every blank says who fills it', () => {
  const text = textOf(foundingIncident);
  const titles = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(titles).toEqual([
    'Summary',
    'Impact',
    'Timeline (UTC)',
    'Causes, with evidence',
    'What went well',
    'What went badly, and where we had luck',
    'What was not seen',
    'Actions',
  ]);
  const blanks = text.split('_____').slice(1);
  expect(blanks.length).toBeGreaterThan(10);
  for (const after of blanks) expect(after).toMatch(/^ \([a-z]/);
});

test('the timeline is in order, in UTC, from the beginning of the watch to its end', () => {
  const marks = [
    { atNs: sToNs(61.3), text: 'now' },
    { atNs: sToNs(5), text: 'cron jobs off' },
  ];
  const rows = [...part(textOf({ ...foundingIncident, marks }), 'Timeline').matchAll(/^\| ([\d:.]+) \| (.*) \|$/gm)];
  const instants = rows.map(([, at]) => at ?? '');
  expect(instants).toEqual(instants.toSorted());
  expect(rows.at(0)?.[2]).toBe('The watch began');
  expect(rows.at(-1)?.[2]).toBe('The watch ended');
  const said = rows.map(([, at, text]) => `${at ?? ''} ${text ?? ''}`);
  expect(said).toContain('10:00:05.000 Mark: cron jobs off');
  expect(said).toContain('10:01:02.700 orders: First failed probe of a judged client');
  expect(said).toContain('10:01:21.900 orders: Every judged client was good again');
});

test('services that moved together stand in one row', () => {
  const services = [serviceOf(), serviceOf({ name: 'billing' })];
  expect(textOf({ ...cleanPass, services })).toMatch(/\| orders and billing: The change to nginx\/EKS is counted/);
});

test('a client that was never good again is not said to have been', () => {
  const lanes = foundingIncident.lanes.map((lane) => ({
    ...lane,
    outages: lane.outages.map((outage) => ({ ...outage, firstGoodAtNs: null, openAtEnd: true })),
  }));
  const timeline = part(textOf({ ...foundingIncident, lanes }), 'Timeline');
  expect(timeline).toContain('A judged client was still down when the watch ended');
  expect(timeline).not.toContain('good again');
});

test('without weights user-minutes are a blank; with them they are computed, and how is said', () => {
  expect(part(textOf(foundingIncident), 'Impact')).toMatch(/\| _____ \(service owner: weights of clients/);
  const [service] = foundingIncident.services;
  const analysis: Analysis = {
    ...foundingIncident,
    scenario: { ...foundingIncident.scenario, weightsGiven: true },
    services: [
      serviceOf({
        ...service,
        impact: { ...serviceOf().impact, userWeightedMs: { min: 9250, max: 10_250 }, weightsAssumed: false },
      }),
    ],
  };
  const impact = part(textOf(analysis), 'Impact');
  // 9.25 s × 1,000 ÷ 60 = 154.2; 10.25 s × 1,000 ÷ 60 = 170.8.
  expect(impact).toContain('between 154 and 171 for each 1,000 users × _____ (service owner: thousands of users)');
  expect(impact).toContain('by their weights in the scenario');
});

test('of a log that is not whole it says what was not seen, and praises nothing that was not', () => {
  const text = textOf(brokenLog);
  expect(part(text, 'What was not seen')).toContain('The log is not whole');
  expect(part(text, 'What went well')).not.toContain('No judged client');
});

test('where nothing was judged nobody is said to have been well', () => {
  const impact = part(textOf({ ...cleanPass, lanes: [] }), 'Impact');
  expect(impact).toMatch(/\| orders \| none was judged \| – \|/);
});

test('where nobody was judged, the average user was down for nobody knows how long', () => {
  const lanes = cleanPass.lanes.map((lane) => ({ ...lane, qualified: false, judgedPart: null }));
  const impact = part(textOf({ ...cleanPass, lanes }), 'Impact');
  expect(impact).toMatch(/^\| orders \| none was judged \| – \| not known \| _____ \(/m);
  expect(impact).not.toContain('0 s |');
});

test('what went well while nobody knows the end went so as far as it was seen', () => {
  const service = serviceOf({ tail: { askedS: 600, watchedS: 71, isWhole: false } });
  const well = part(textOf({ ...cleanPass, services: [service], endedBecause: 'interrupted' }), 'What went well');
  expect(well).toContain('orders: within what was asked, as far as it was seen: longest outage');
  expect(part(textOf(cleanPass), 'What went well')).toContain(
    'orders: within what was asked: the tail was watched, longest outage',
  );
});
