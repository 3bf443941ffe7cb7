/** The drawing of a run: what it shows of failures and sides, and that it is a drawing wherever it is opened. */
import { expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { toReport } from '../../src/report/report-json.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { columnsOf } from '../../src/report/timeline-columns.ts';
import { timelineSvg } from '../../src/report/timeline-svg.ts';
import { judge } from '../../src/verdict/judge.ts';
import { brokenLog, cleanPass, foundingIncident } from './cases.ts';
import { changeOf, laneOf, serviceOf } from './kit.ts';
import { snapshotOf } from './picture-of.ts';

function snapshot(analysis: Analysis, binCount?: number): Snapshot {
  return snapshotOf(toReport(analysis, judge(analysis)), binCount);
}

/** The areas of one colour: from, y, to, height in pixels. */
function areasOf(svg: string, colour: string): { from: number; y: number; to: number; height: number }[] {
  return [...svg.matchAll(new RegExp(`<path class="cw-${colour}"[^>]* d="([^"]*)"`, 'g'))].flatMap(([, d = '']) =>
    [...d.matchAll(/M([\d.]+) ([\d.]+)H([\d.]+)v([\d.]+)/g)].map(([, from, y, to, height]) => ({
      from: Number(from),
      y: Number(y),
      to: Number(to),
      height: Number(height),
    })),
  );
}

test.for([
  { name: 'clean-pass', analysis: cleanPass },
  { name: 'founding-incident', analysis: foundingIncident },
  { name: 'broken-log', analysis: brokenLog },
])('$name looks as it did', async ({ name, analysis }) => {
  const svg = timelineSvg(snapshot(analysis));
  expect(svg).toBe(timelineSvg(snapshot(analysis)));
  await expect(svg).toMatchFileSnapshot(`golden/${name}.svg`);
});

test('time zero is the change, wherever the run began', () => {
  const svg = timelineSvg(snapshot(foundingIncident));
  // 61.3 s of 701.7 s, on an axis from 166 to 796.
  const zero = 166 + (630 * 61.3) / 701.7;
  const [, at] = /<text [^>]*x="([\d.]+)"[^>]*font-weight="600"[^>]*>0<\/text>/.exec(svg) ?? [];
  expect(Number(at)).toBeCloseTo(zero, 1);
  expect(svg).toContain('0 is the change, 10:01:01.300 UTC');
});

test('a run without a change counts from its start, and says so', () => {
  const analysis = { ...cleanPass, services: [serviceOf({ outcome: 'none', changes: [] })] };
  expect(timelineSvg(snapshot(analysis))).toContain('No change was seen: 0 is the start');
});

/** Moved after a baseline of an hour. */
const late: Analysis = {
  ...cleanPass,
  endedAtNs: sToNs(4301.7),
  services: [serviceOf({ changes: [changeOf({ usedAtNs: sToNs(3661.3) })] })],
  lanes: [
    laneOf({
      stretches: [
        { state: 'old', fromAtNs: 0, toAtNs: sToNs(3681.9) },
        { state: 'new', fromAtNs: sToNs(3681.9), toAtNs: sToNs(4301.7) },
      ],
    }),
  ],
};

test('of a long baseline in which nobody failed half as much is drawn as of what follows, and that is said', () => {
  const svg = timelineSvg(snapshot(late));
  // 640.4 s after the change, so 320.2 s before it, of 960.6 s in all; 3,341.1 s are left out.
  const [, at] = /<text [^>]*x="([\d.]+)"[^>]*font-weight="600"[^>]*>0<\/text>/.exec(svg) ?? [];
  expect(Number(at)).toBeCloseTo(166 + 630 / 3, 1);
  expect(svg).toContain('The first 55 min 41 s are not drawn: none of these clients failed in them.');
});

test('a failure or a mark in the baseline is drawn, however early', () => {
  const [lane] = late.lanes;
  const failed = { state: 'down', fromAtNs: sToNs(100), toAtNs: sToNs(110) } as const;
  const lanes = [
    laneOf({
      ...lane,
      classes: { reset: 1 },
      stretches: [{ state: 'old', fromAtNs: 0, toAtNs: sToNs(100) }, failed, ...(lane?.stretches ?? [])],
    }),
  ];
  const early = timelineSvg(snapshot({ ...late, lanes }));
  expect(early).not.toContain('are not drawn');
  expect(areasOf(early, 'failed').length).toBeGreaterThan(0);
  const marked = timelineSvg(snapshot({ ...late, marks: [{ atNs: sToNs(2000), text: 'cron jobs off' }] }));
  expect(marked).toContain('The first 33 min 20 s are not drawn');
});

test('who answered is drawn from the change of sides on, of judged clients alone', () => {
  const analysis = {
    ...foundingIncident,
    lanes: [
      laneOf(),
      laneOf({
        number: 1,
        client: 'pinned',
        judged: false,
        stretches: [{ state: 'old', fromAtNs: 0, toAtNs: sToNs(701.7) }],
      }),
    ],
  };
  const svg = timelineSvg(snapshot(analysis));
  const x = 166 + (630 * 81.9) / 701.7;
  expect(Math.abs((areasOf(svg, 'old').at(-1)?.to ?? 0) - x)).toBeLessThan(1);
  expect(Math.abs((areasOf(svg, 'new')[0]?.from ?? 0) - x)).toBeLessThan(1);
});

test('one failed probe of ten million is wide and high enough to be seen', () => {
  const base = snapshot(cleanPass, 3);
  const binCount = 7200;
  const [lane] = base.picture.lanes;
  const svg = timelineSvg({
    ...base,
    picture: {
      ...base.picture,
      binCount,
      binMs: base.nowMs / binCount,
      lanes: [
        {
          name: lane?.name ?? '',
          runs: [
            [0, 4321, 0, 1400, 0, 0, 0],
            [4321, 1, 0, 1399, 0, 1, 0],
            [4322, 2878, 0, 1400, 0, 0, 0],
          ],
          failures: [[4321, 'reset', 'new', 1]],
        },
      ],
    },
  });
  const below = areasOf(svg, 'failed').at(-1);
  expect((below?.to ?? 0) - (below?.from ?? 0)).toBeGreaterThanOrEqual(1.9);
  expect(below?.height).toBe(4);
});

test('columns keep every probe of the bins they are made of', () => {
  const picture = {
    ...snapshot(cleanPass).picture,
    binMs: 7,
    binCount: 101,
    lanes: [
      {
        name: 'a',
        runs: [
          [3, 17, 1, 0, 2, 0, 1],
          [90, 11, 0, 5, 0, 3, 0],
        ] as const,
        failures: [],
      },
      { name: 'b', runs: [[0, 101, 1, 1, 1, 1, 1]] as const, failures: [] },
      { name: 'not asked for', runs: [[0, 101, 9, 9, 9, 9, 9]] as const, failures: [] },
    ],
  };
  const columns = columnsOf(picture, new Set(['a', 'b']), 13);
  const sum = (of: 'old' | 'new' | 'other' | 'failed' | 'unseen'): number =>
    columns.reduce((total, column) => total + column[of], 0);
  expect([sum('old'), sum('new'), sum('other'), sum('failed'), sum('unseen')]).toEqual([118, 156, 135, 134, 118]);
  expect(columns.length).toBe(13);
  expect(columns.at(0)?.fromMs).toBe(0);
  expect(columns.at(-1)?.toMs).toBe(707);
  columns.slice(1).forEach((column, i) => expect(column.fromMs).toBe(columns[i]?.toMs));
});

test('fourteen services with twenty lanes and 2,400 bins each are a small drawing', () => {
  const names = Array.from({ length: 14 }, (_, i) => `service-${String(i)}`);
  const analysis = {
    ...foundingIncident,
    services: names.map((name) => serviceOf({ name })),
    lanes: names.flatMap((service, s) =>
      Array.from({ length: 20 }, (_, i) =>
        laneOf({ number: 20 * s + i, service, check: service, client: `c${String(i)}` }),
      ),
    ),
  };
  const base = snapshot(analysis, 1);
  const noisy = base.picture.lanes.map(({ name }, l) => ({
    name,
    runs: Array.from({ length: 2400 }, (_, i) => [i, 1, (i * 7 + l) % 5, (i * 3 + l) % 4, 0, (i * l) % 3, 0] as const),
    failures: [],
  }));
  const svg = timelineSvg({
    ...base,
    picture: { ...base.picture, binCount: 2400, binMs: base.nowMs / 2400, lanes: noisy },
  });
  expect(svg.length).toBeLessThan(2_000_000);
});

test('light without a style sheet, dark by the reader’s choice, and nothing from elsewhere', () => {
  const svg = timelineSvg(snapshot(foundingIncident));
  expect(svg).toContain('@media (prefers-color-scheme:dark)');
  for (const [element] of svg.matchAll(/<(?:rect|path|text) [^>]*>/g)) expect(element).toMatch(/ (fill|stroke)="#/);
  expect(svg).not.toMatch(/<script|<image|<foreignObject|href|url\(|@import/i);
});
