import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stretchCountMax, stretchEdgesNs } from '../../src/analysis/residual-grid.ts';
import { residualRatio, type ResidualCurve } from '../../src/core/analysis.ts';
import type { Archetype } from '../../src/core/scenario.ts';
import { nsToS, sToNs } from '../../src/core/time.ts';
import {
  analysisOf,
  authority,
  foldOf,
  evidenceOf,
  freshClient,
  jvmForever,
  keepAliveClient,
  mark,
  newAddress,
  oldAddress,
  type LaneLog,
  type Log,
} from './kit.ts';

/** Slot n is due at n s; the only authority is heard to change at 10.3 s, and its record lives 5 s. */
const changed = [mark(10), authority(0, [oldAddress], { isFirst: true }), authority(10.3, [newAddress])];

function curvesOf(lanes: readonly LaneLog[], log: Partial<Log> = {}): readonly ResidualCurve[] {
  return analysisOf({ entries: changed, ...log, lanes }).services[0]?.residual ?? [];
}

function clientCurve(lane: LaneLog, log: Partial<Log> = {}): ResidualCurve {
  const curve = curvesOf([lane], log).find(({ kind }) => kind === 'client');
  if (curve === undefined) throw new Error('no curve');
  return curve;
}

/** `1` all on the old side, `0` none; where something was not seen, the least and the most. */
function sharesOf({ points }: ResidualCurve): string {
  return points
    .map((point) => {
      const { min, max } = residualRatio(point);
      return `${String(nsToS(point.afterMs * 1e6))}:${min === max ? String(min) : `${String(min)}–${String(max)}`}`;
    })
    .join(' ');
}

test.for([
  { title: 'leaves in one step', slots: '.'.repeat(20), at: 'oooooooooooooon', shares: '0:1 1:1 2:1 3:0 4:0 5:0' },
  // A refused connection went there all the same: who is led to a side that is gone is not counted as having left.
  { title: 'fails there', slots: '............xx......', at: 'oooooooooooooon', shares: '0:1 1:1 2:1 3:0 4:0 5:0' },
  // The first stretch after the theory's end is shown, so that what ended is seen to have ended.
  { title: 'left before', slots: '.'.repeat(20), at: 'ooooooooooon', shares: '0:0 1:0 2:0 3:0 4:0 5:0' },
  {
    title: 'was not seen for a while',
    slots: '............?!4d....',
    at: 'oooooooooooooon',
    shares: '0:1 1:0–1 2:0–1 3:0–1 4:0–1 5:0',
  },
])('a client that $title', ({ slots, at, shares }) => {
  expect(sharesOf(clientCurve({ slots, at }))).toBe(shares);
});

test('time counts from when the last authority was heard to have changed, and says how much that may be off', () => {
  const curve = clientCurve({ slots: '.'.repeat(20), at: 'oooooooooooooon' });
  expect(nsToS(curve.fromAtNs)).toBeCloseTo(10.31, 9);
  expect(nsToS(curve.notBeforeNs)).toBeLessThan(10.31);
  expect(nsToS(curve.notBeforeNs)).toBeGreaterThanOrEqual(9.3);
  expect(curve.watchedMs).toBeCloseTo(9690, 6);
  expect(curve.lastLeavingAtNs).toBe(sToNs(13));
  expect(curve.theoryEndMs).toBe(5000);
  expect(curve.points.map(({ theoryRatio }) => theoryRatio)).toEqual(
    [0.9, 0.7, 0.5, 0.3, 0.1, 0].map((ratio): unknown => expect.closeTo(ratio, 9)),
  );
  expect(curve.lateReasons).toEqual({});
});

test('a single late old answer is visible, however long after the change and however many were not', () => {
  const slots = '.'.repeat(4000);
  const at = `${'o'.repeat(13)}${'n'.repeat(3487)}o${'n'.repeat(10)}`;
  const curve = clientCurve({ slots, at });
  expect(curve.points.length).toBeLessThanOrEqual(stretchCountMax);
  const late = curve.points.filter(({ leavingCount, afterMs }) => leavingCount > 0 && afterMs > 5000);
  expect(late).toMatchObject([{ leavingCount: 1 }]);
  expect(curve.lastLeavingAtNs).toBe(sToNs(3500));
  expect(curve.lateReasons).toEqual({ 'resolver-violates-ttl': 1 });
});

test('a half, a tenth, a hundredth: between the last stretch that was above and the next, as far as was seen', () => {
  const levelsOf = (slots: string, at: string): unknown =>
    clientCurve({ slots, at }).levels.map(({ observedMs, theoryMs }) => [observedMs.min, observedMs.max, theoryMs]);
  const theories = [2500, 4500, 4950];
  expect(levelsOf('.'.repeat(20), 'oooooooooooooon')).toEqual(theories.map((ms) => [2000, 3000, ms]));
  expect(levelsOf('.'.repeat(20), 'ooooooooooon')).toEqual(theories.map((ms) => [0, 0, ms]));
  expect(levelsOf('............?!4d....', 'oooooooooooooon')).toEqual(theories.map((ms) => [0, 5000, ms]));
  // Still there at the end, and at the end not seen.
  expect(levelsOf('.'.repeat(20), 'o')).toEqual(theories.map((ms) => [null, null, ms]));
  expect(levelsOf('..............??????', 'o')).toEqual(theories.map((ms) => [2000, null, ms]));
});

test('every slot due after the change is in one stretch, or in none only where nobody was or should be there', () => {
  const lane = { slots: '.?x.4.!.d'.repeat(11), at: `${'o'.repeat(37)}n`, archetype: jvmForever, ratePerSecond: 3 };
  const curve = clientCurve(lane, {
    entries: [mark(4), authority(0, [oldAddress], { isFirst: true }), authority(4.1, [newAddress])],
  });
  const count = curve.points.reduce(
    (sum, point) => sum + point.leavingCount + point.targetCount + point.unseenCount,
    0,
  );
  // 99 slots at 3/s: slot 13 is the first due after 4.11 s.
  expect(count).toBe(99 - 13);
});

const keeps = { rows: (slot: number) => ({ connectionAgeMs: slot * 1000 }) };
const dotnet: Archetype = { ...freshClient, connect: { kind: 'keep-alive', idleS: 60, maxAgeS: 120, maxRequests: 0 } };
const jvm30: Archetype = { ...freshClient, resolve: { kind: 'fixed', s: 30, graceS: 0 } };
const firefox: Archetype = { ...freshClient, resolve: { kind: 'fixed', s: 60, graceS: 60 } };
const pod: Archetype = { ...freshClient, resolve: { kind: 'ttl', minS: 5, maxS: 30 } };
const clamp: Archetype = { ...freshClient, resolve: { kind: 'ttl', minS: 60, maxS: 600 } };

test.for<{ name: string; archetype: Archetype; endS: number | null; at2s: number; keeps?: true }>([
  { name: 'fresh', archetype: freshClient, endS: 5, at2s: 0.5 },
  { name: 'jvm-30: the record and then 30 s', archetype: jvm30, endS: 35, at2s: 1 - 2.5 ** 2 / 300 },
  { name: 'firefox: one request more in the grace', archetype: firefox, endS: 66, at2s: 1 - 2.5 ** 2 / 610 },
  { name: 'a lower limit below the TTL adds nothing', archetype: pod, endS: 5, at2s: 0.5 },
  { name: 'a lower limit above the TTL does', archetype: clamp, endS: 65, at2s: 1 - 2.5 ** 2 / 600 },
  {
    name: 'dotnet-factory: until its connections are 120 s old',
    archetype: dotnet,
    endS: 125,
    at2s: 1 - 2.5 ** 2 / 1200,
    keeps: true,
  },
  { name: 'a connection that nothing ends: at most all', archetype: keepAliveClient, endS: null, at2s: 1, keeps: true },
  // It would keep its connections, but the server ends each of them.
  { name: 'a connection that the server ends each time', archetype: keepAliveClient, endS: 5, at2s: 0.5 },
  { name: 'jvm-forever', archetype: jvmForever, endS: null, at2s: 1 },
])('in theory, $name', ({ archetype, endS, at2s, keeps: isKeeping }) => {
  const curve = clientCurve({ slots: '.'.repeat(20), at: 'o', archetype, ...(isKeeping ? keeps : {}) });
  expect(curve.theoryEndMs).toBe(endS === null ? null : endS * 1000);
  expect(curve.points[2]?.theoryRatio).toBeCloseTo(at2s, 9);
});

test('who asks the authorities themselves has left at once, in theory', () => {
  const evidence = evidenceOf({ lanes: [{ slots: '.'.repeat(20), at: 'ooooooooooon' }], entries: changed });
  const lanes = evidence.started.lanes.map((lane) => ({
    ...lane,
    resolver: { name: 'vpc', server: { kind: 'system' as const }, authority: { beyond: null } },
  }));
  const [curve] = foldOf({ ...evidence, started: { ...evidence.started, lanes } }).result().services[0]?.residual ?? [];
  expect(curve?.theoryEndMs).toBe(0);
  expect(curve?.points.map(({ theoryRatio }) => theoryRatio)).toEqual([0]);
});

test('a TTL lowered too shortly before the change: what was cached before keeps the rest of its longer life', () => {
  const entries = [
    mark(10),
    authority(0, [oldAddress], { isFirst: true, ttlS: 40 }),
    authority(4.3, [oldAddress], { ttlS: 5 }),
    authority(10.3, [newAddress]),
  ];
  const curve = clientCurve({ slots: '.'.repeat(60), at: `${'o'.repeat(30)}n` }, { entries });
  expect(curve.theoryEndMs).toBe(34_000);
  // 6 of 40 s are over: 85 % have one of 34 s, the others one of 5 s.
  expect(curve.points[2]?.theoryRatio).toBeCloseTo(0.85 * (1 - 2.5 / 34) + 0.15 * 0.5, 9);
  expect(curve.lateReasons).toEqual({});
});

test('while an authority lags there is no theory, and while nothing changed no curve', () => {
  const lagging = [
    ...changed,
    authority(0, [oldAddress], { isFirst: true, server: '127.0.0.2:53' }),
    authority(15, [oldAddress], { server: '127.0.0.2:53' }),
  ];
  const curve = clientCurve({ slots: '.'.repeat(20), at: 'oooooooooooooon' }, { entries: lagging });
  expect(curve.points[0]?.theoryRatio).toBe(null);
  expect(curve.theoryEndMs).toBe(null);
  expect(curve.theoryWhy).toBe('not every authoritative server has changed');
  expect(curvesOf([{ slots: '.'.repeat(20), at: 'o' }], { entries: [] })).toEqual([]);
});

test('clients in the order of the lanes, then resolvers; a side’s own lanes are nobody', () => {
  const curves = curvesOf([
    { slots: '.'.repeat(20), at: 'oooooooooooon' },
    { slots: '.'.repeat(20), at: 'o', client: 'jvm-forever', archetype: jvmForever },
    { slots: '.'.repeat(20), at: 'o', client: 'side:old', role: 'side', address: oldAddress, resolver: null },
  ]);
  expect(curves.map(({ kind, client, resolver }) => [kind, client, resolver])).toEqual([
    ['client', 'fresh', null],
    ['client', 'jvm-forever', null],
    ['resolver', null, 'vpc'],
  ]);
});

test('edges begin at 0, rise to the end, and are at most sixty however long it is watched', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 400_000, noNaN: true }),
      fc.double({ min: 0.05, max: 60, noNaN: true }),
      (lengthS, leastS) => {
        const edges = stretchEdgesNs(sToNs(lengthS), sToNs(leastS));
        expect(edges[0]).toBe(0);
        expect(edges.at(-1)).toBe(sToNs(lengthS));
        expect(edges.length - 1).toBeLessThanOrEqual(stretchCountMax);
        const widths = edges.slice(1).map((edge, i) => edge - (edges[i] as number));
        const leastNs = Math.min(sToNs(leastS), sToNs(lengthS));
        for (const width of widths) expect(width).toBeGreaterThanOrEqual(leastNs);
      },
    ),
  );
});
