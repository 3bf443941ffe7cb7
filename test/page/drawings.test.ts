import { expect, test } from 'vitest';
import type { Dot, PictureLatency } from '../../src/core/picture.ts';
import { dotsSvg, nearestDot, rangeOf } from '../../src/page/close-up.ts';
import { distributionSvg } from '../../src/page/distribution.ts';
import { failuresByBin, failureStripSvg } from '../../src/page/failure-strip.ts';
import { latencyAt, latencyData } from '../../src/page/latency-data.ts';
import { stateStripSvg, textsAt } from '../../src/page/state-strip.ts';
import { interestingRange, passes, zeroOf } from '../../src/page/view.ts';

const hostile = `</svg></script><img src=x onerror="alert('1')">`;
const range = { fromMs: 1000, toMs: 8000 };

test('every probe of a close-up is a mark, and its shape says what it was', () => {
  const dots: Dot[] = [
    [1100, 31, 'good', 'old', null],
    [1600, 33, 'good', 'new', null],
    [2100, 5000, 'connect-refused', 'old', 'stale-answer'],
    [2600, 5000, '5xx-alb', 'new', null],
    [3100, 0, 'dropped', 'unknown', null],
  ];
  const svg = dotsSvg(dots, range, 701, 'lane');
  const marks = (kind: string): number =>
    (new RegExp(`class="dot ${kind}" d="([^"]*)"`).exec(svg)?.[1] ?? '').split('M').length - 1;
  expect([marks('d-old'), marks('d-new'), marks('d-unseen')]).toEqual([1, 1, 1]);
  // A cross has two strokes.
  expect(marks('d-failed')).toBe(4);
  expect(nearestDot(dots, 2300)?.[0]).toBe(2100);
  expect(nearestDot([], 2300)).toBeNull();
});

test('the first and the last mark of a close-up are not at its very edge', () => {
  const { fromMs, toMs } = rangeOf({ service: 'orders', fromMs: 1000, toMs: 8000, part: 'whole', lanes: [] });
  expect([fromMs, toMs]).toEqual([860, 8140]);
});

test('text from outside stays text in every drawing', () => {
  const label = { height: 22, label: hostile, isNamed: true };
  const drawings = [
    dotsSvg([[1100, 31, 'good', 'old', null]], range, 701, hostile),
    stateStripSvg([{ fromMs: 0, toMs: 9000, className: 's-old', text: hostile.slice(0, 20) }], range, 701, label),
    failureStripSvg([[3, 7]], 501, range, 701, hostile),
    distributionSvg([{ side: 'old', distribution: [[30, 33, 7]] }], hostile) ?? '',
  ];
  for (const drawing of drawings) {
    expect(drawing).toContain('&lt;/svg&gt;');
    expect(drawing.match(/<(img|script)|onerror="/g)).toBeNull();
  }
});

test('failures of one bin are one bar, of all sides and kinds', () => {
  const counts = failuresByBin([
    [7, 'reset', 'old', 2],
    [3, 'reset', 'old', 1],
    [7, 'too-slow', 'new', 3],
  ]);
  expect(counts).toEqual([
    [3, 1],
    [7, 5],
  ]);
  expect(failureStripSvg(counts, 501, range, 701, 'all').match(/M/g)).toHaveLength(2);
});

test('an instant is drawn, and found by who points near it', () => {
  const spans = [{ fromMs: 4000, toMs: 4000, className: 'e-mark', text: 'mark: rollback' }];
  expect(stateStripSvg(spans, range, 701, { height: 16, label: 'events' })).toMatch(
    /class="e-mark" d="M300.4 2h3v12h-3z"/,
  );
  expect(textsAt(spans, { fromMs: 3990, toMs: 4010 })).toEqual(['mark: rollback']);
  expect(textsAt(spans, { fromMs: 4001, toMs: 4010 })).toEqual([]);
});

test('response times of both sides share one list of instants, also where bins are joined', () => {
  const of = (side: 'old' | 'new', bins: PictureLatency['bins'], binCount = 1): PictureLatency => ({
    service: 'orders',
    client: 'fresh',
    side,
    binCount,
    bins,
    distribution: [],
  });
  const old = of('old', [[0, 4, 31, 44, 45]], 4);
  const fresh = of('new', [
    [4, 1, 21, 22, 23],
    [1, 2, 25, 26, 27],
  ]);
  expect(latencyData(old, fresh, 500)).toEqual({
    atMs: [750, 1000, 2250],
    oldP50: [null, 31, null],
    oldP99: [null, 44, null],
    newP50: [25, null, 21],
    newP99: [26, null, 22],
  });
  expect(latencyAt(old, 500, 1999)?.[2]).toBe(31);
  expect(latencyAt(old, 500, 2000)).toBeUndefined();
  expect(latencyData(undefined, undefined, 500).atMs).toEqual([]);
});

test('where nobody answered well there are no response times, so that no line leads over it', () => {
  const bins = [0, 1, 2, 61, 62].map((bin) => [bin, 3, 21, 22, 23] as const);
  const side = { service: 'orders', client: 'fresh', side: 'new', bins, distribution: [] } as const;
  const { atMs, newP50, newP99, oldP50 } = latencyData(undefined, side, 500);
  expect(atMs).toEqual([250, 750, 1250, 16_000, 30_750, 31_250]);
  expect(newP50).toEqual([21, 21, 21, null, 21, 21]);
  expect(newP99).toEqual([22, 22, 22, null, 22, 22]);
  expect(oldP50.every((ms) => ms === null)).toBe(true);
});

test('a distribution with a gap goes down to nothing in it', () => {
  const svg =
    distributionSvg(
      [
        {
          side: 'new',
          distribution: [
            [30, 33, 7],
            [60, 66, 3],
          ],
        },
      ],
      'spread',
    ) ?? '';
  expect(svg.split('V126').length - 1).toBe(2);
  expect(distributionSvg([{ side: 'new', distribution: [] }], 'none')).toBeNull();
});

test('the filter lets pass what it names, and time counts from the first change of that', () => {
  const lane = { service: 'orders', client: 'fresh', resolver: 'office' };
  expect(passes({ service: '', client: '', resolver: '' }, lane)).toBe(true);
  expect(passes({ service: 'orders', client: 'fresh', resolver: 'vpc' }, lane)).toBe(false);
  const services = [
    { name: 'orders', changedAtMs: 6102 },
    { name: 'billing', changedAtMs: 5101 },
    { name: 'search', changedAtMs: null },
  ];
  const all = { service: '', client: '', resolver: '' };
  expect(zeroOf(services, all)).toBe(5101);
  expect(zeroOf(services, { ...all, service: 'orders' })).toBe(6102);
  expect(zeroOf(services, { ...all, service: 'search' })).toBeNull();
});

test('what is shown of the change goes on until after its last failure', () => {
  const whole = { fromMs: 0, toMs: 3_600_000 };
  const lanes = [{ failures: [[100, 'reset', 'old', 1]] as const }, { failures: [] }];
  const shown = interestingRange(whole, [600_000], lanes, 7001);
  expect(shown.fromMs).toBeLessThan(600_000);
  expect(shown.toMs).toBeGreaterThan(101 * 7001);
  expect(shown.toMs).toBeLessThan(1_000_000);
  expect(interestingRange(whole, [], [], 7001).fromMs).toBe(0);
});
