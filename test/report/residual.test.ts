import { expect, test } from 'vitest';
import type { ResidualCurve } from '../../src/core/analysis.ts';
import { pageOf } from './page-of.ts';
import { markdown } from '../../src/report/markdown.ts';
import { toReport, type Report } from '../../src/report/report-json.ts';
import { summaryText } from '../../src/report/text.ts';
import { timeAt, timePosition, timeTicks } from '../../src/report/time-axis.ts';
import { judge } from '../../src/verdict/judge.ts';
import { analysisOf, residualOf, serviceOf } from './kit.ts';

const resolver = { kind: 'resolver', client: null, resolver: 'isp' } as const;
const fresh = { kind: 'client', client: 'fresh', resolver: null } as const;
const record = { leftS: 16, lifeS: 20, why: 'held by the record, 20 s' };

function reportOf(...residual: readonly ResidualCurve[]): Report {
  const analysis = analysisOf({ services: [serviceOf({ residual })] });
  return toReport(analysis, judge(analysis));
}

/** The row of a client or resolver in the table of who was still there. */
function rowOf(report: Report, name: string): string {
  return (
    markdown(report)
      .split('\n')
      .filter((line) => line.startsWith(`| ${name} |`))
      .at(-1) ?? ''
  );
}

const late: Partial<ResidualCurve> = { lateReasons: { 'resolver-violates-ttl': 14 } };

test.for<{ title: string; curve: ResidualCurve; row: string }>([
  {
    title: 'left in time',
    curve: residualOf(fresh, record),
    row: '14 s – 16 s | 14 s – 16 s | 14 s – 16 s | 15.5 s | 10 s, 18 s, 20 s | as in theory |',
  },
  {
    title: 'never leaves by itself',
    curve: residualOf(fresh, { leftS: 24, lifeS: Infinity, why: 'never' }),
    row: 'not yet | not yet | not yet | 23.5 s | not by itself | stays, as such do |',
  },
  {
    title: 'is proved to be late',
    curve: residualOf(fresh, { ...record, lifeS: 3 }, late),
    row: '15.5 s | 1.5 s, 2.7 s, 3 s | 14 too late: a resolver broke the TTL × 14 |',
  },
  {
    title: 'was not there',
    curve: residualOf(fresh, record, { lastLeavingAtNs: null }),
    row: 'never | 10 s, 18 s, 20 s | was not there |',
  },
  {
    title: 'has no theory',
    curve: residualOf(fresh, record, {
      theoryEndMs: null,
      points: residualOf(fresh, record).points.map((point) => ({ ...point, theoryRatio: null })),
    }),
    row: '15.5 s | not known | nothing to hold it against |',
  },
  {
    title: 'was not seen at its end',
    curve: residualOf(fresh, record, {
      levels: [0.5, 0.1, 0.01].map((ratio) => ({ ratio, observedMs: { min: 2000, max: null }, theoryMs: 1 })),
    }),
    row: '&gt; 2 s | &gt; 2 s | &gt; 2 s | 15.5 s | 1 ms, 1 ms, 20 s | how it ended was not seen |',
  },
])('who $title reads so', ({ curve, row }) => {
  expect(rowOf(reportOf(curve), 'fresh')).toContain(row);
});

test('in Markdown a curve is one line of text, in which one among thousands still shows', () => {
  const points = residualOf(fresh, record).points.map((point, i) =>
    i === 10
      ? { ...point, leavingCount: 1, targetCount: 5003 }
      : i === 9
        ? { ...point, targetCount: 0, unseenCount: 4 }
        : point,
  );
  const row = rowOf(reportOf(residualOf(fresh, record, { points })), 'fresh');
  expect(row).toMatch(/\| █{21}░▁▁ \|/);
});

test('in the page a curve is drawn, without script or style of its own, and one among thousands is two units high', () => {
  const points = residualOf(fresh, record).points.map((point, i) =>
    i === 10 ? { ...point, leavingCount: 1, targetCount: 5003 } : i === 5 ? { ...point, unseenCount: 4 } : point,
  );
  const page = pageOf(reportOf(residualOf(fresh, record, { points })));
  const [, svg = ''] = /<td[^>]* class="curve"[^>]*>(<svg.*?<\/svg>)<\/td>/.exec(page) ?? [];
  expect(svg).toContain('role="img" aria-label="fresh: share on ALB/ECS, over time"');
  const [, seen = ''] = /class="c-seen" d="([^"]*)"/.exec(svg) ?? [];
  expect(seen.split('M').length - 1).toBe(9);
  expect(seen).toMatch(/M[\d.]+ 42h[\d.]+v2h/);
  // Half were not seen: between a half and all.
  expect(svg).toMatch(/class="c-unseen" d="M[\d.]+ 4h[\d.]+v20h/);
  expect(svg).toContain('class="c-theory"');
  expect(svg).not.toMatch(/style=|on\w+=|<script|NaN|Infinity/);
});

test('a theory that is not known is not drawn', () => {
  const points = residualOf(fresh, record).points.map((point) => ({ ...point, theoryRatio: null }));
  expect(pageOf(reportOf(residualOf(fresh, record, { points })))).not.toContain('class="c-theory"');
});

test('the terminal says only who was too late, the one that outlasted its theory by most', () => {
  const summaryOf = (report: Report): string => summaryText(report, { runPath: 'here' });
  expect(summaryOf(reportOf(residualOf(fresh, record)))).not.toContain('too late');
  const both = reportOf(
    residualOf(fresh, { ...record, leftS: 12, lifeS: 3 }, late),
    residualOf(resolver, { ...record, lifeS: 3 }, late),
  );
  expect(summaryOf(both)).toContain(
    'orders, resolver isp: still on ALB/ECS after 15.5 s, in theory 3 s at most (a resolver broke the TTL × 14); 1 more in the report',
  );
});

test('a rollback has curves of its own, of the side that it left', () => {
  const text = markdown(
    reportOf(residualOf(fresh, record), residualOf(fresh, record, { changeIndex: 1, leaving: 'new' })),
  );
  expect(text).toContain('### Who was still on ALB/ECS');
  expect(text).toContain('### Who was still on nginx/EKS');
});

test('time is drawn from 0 to its end, there and back, with round ticks that do not touch', () => {
  for (const untilMs of [900, 5700, 23_500, 1_500_000, 40_000_000]) {
    expect(timePosition(0, untilMs)).toBe(0);
    expect(timePosition(untilMs, untilMs)).toBeCloseTo(1, 12);
    for (const position of [0.1, 0.37, 0.9]) {
      expect(timePosition(timeAt(position, untilMs), untilMs)).toBeCloseTo(position, 9);
    }
    const ticks = timeTicks(untilMs);
    expect(ticks.length).toBeGreaterThan(2);
    ticks
      .slice(1)
      .forEach(({ position }, i) => expect(position - (ticks[i]?.position ?? 0)).toBeGreaterThanOrEqual(0.17));
  }
});
