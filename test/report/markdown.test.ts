/** The report for a pull request: what stands first, what is folded, and its lanes over time in a line of text. */
import { expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { markdown } from '../../src/report/markdown.ts';
import { toReport } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { cleanPass, foundingIncident } from './cases.ts';
import { laneOf, outageOf, serviceOf } from './kit.ts';

function textOf(analysis: Analysis): string {
  return markdown(toReport(analysis, judge(analysis)));
}

/** The cells of the service in the table at the top. */
function rowOf(text: string, service: string): string[] {
  const row = text.split('\n').find((line) => line.startsWith(`| ${service} | `)) ?? '';
  return row.split(' | ').map((cell) => cell.replaceAll('|', '').trim());
}

test('verdict, who, how long, why and what to do stand before any table', () => {
  const text = textOf(foundingIncident);
  const order = [
    '# FAIL',
    '**Who was down**',
    '**For how long**',
    '**Why**',
    '**What to do**',
    '| Service |',
    '<details>',
  ];
  const places = order.map((words) => text.indexOf(words));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test('every table but that of the services is folded', () => {
  const unfolded = textOf(foundingIncident).replaceAll(/<details>.*?<\/details>/gs, '');
  expect(unfolded.match(/^\| --- /gm)?.length).toBe(1);
});

test('of fourteen services everything at the top is a screen or two, and nothing is lost', () => {
  const services = Array.from({ length: 14 }, (_, i) => serviceOf({ name: `service-${String(i)}` }));
  const lanes = services.flatMap(({ name: service }, i) => [
    laneOf({ number: i, service, check: service, outages: [outageOf()] }),
  ]);
  const text = textOf({ ...foundingIncident, services, lanes });
  const unfolded = text.replaceAll(/<details>.*?<\/details>\n/gs, '').trimEnd();
  expect(unfolded.split('\n').length).toBeLessThan(90);
  // What befell all of them alike is said once.
  expect(text.match(/was down: /g)).toHaveLength(1);
  for (const { name } of services) {
    expect(text).toContain(`${name} fresh via system: between `);
    expect(rowOf(text, name)[2]).toBe('1 of 1');
  }
});

test('the strip has each failing client in its place, as high as their share, and the change', () => {
  const down = { state: 'down', fromAtNs: sToNs(90), toAtNs: sToNs(90.5) } as const;
  const lanes = [
    laneOf({
      stretches: [
        { state: 'old', fromAtNs: 0, toAtNs: sToNs(90) },
        down,
        { state: 'new', fromAtNs: sToNs(90.5), toAtNs: sToNs(701.7) },
      ],
    }),
    laneOf({ number: 1, client: 'a' }),
    laneOf({ number: 2, client: 'b' }),
  ];
  // 701.7 s in 32 cells of 21.9 s: 90 s lies in the fifth, the change at 61.3 s in the third; one of three is ▃.
  expect(rowOf(textOf({ ...cleanPass, lanes }), 'orders')[5]).toBe(`··│··▃${'·'.repeat(27)}`);
});

test('a stretch that nobody saw is not drawn as a good one', () => {
  const lanes = [
    laneOf({
      stretches: [
        { state: 'new', fromAtNs: 0, toAtNs: sToNs(350) },
        { state: 'unseen', fromAtNs: sToNs(350), toAtNs: sToNs(701.7) },
      ],
    }),
  ];
  expect(rowOf(textOf({ ...cleanPass, lanes }), 'orders')[5]).toMatch(/^··│·+░{15,16}$/);
});

test('the chart names no zone that a reader’s browser could shift it by', () => {
  const chart = /```mermaid\n(.*?)```/s.exec(textOf(foundingIncident))?.[1] ?? '';
  expect(chart).toContain('Down orders fresh via system :crit, 2026-11-24 10:01:02.900, 2026-11-24 10:01:21.900');
  expect(chart).not.toMatch(/\dZ|T\d\d:/);
});
