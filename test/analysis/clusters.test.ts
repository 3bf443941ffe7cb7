import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LaneAnalysis } from '../../src/core/analysis.ts';
import { laneAnalysisOf, mark } from './kit.ts';

/** Two addresses, `0` and `1`; the second one is dead in [fromS, toS), both are in the down spans. */
interface TwoAddresses {
  readonly pick: (slot: number) => 0 | 1;
  readonly deadS: readonly [number, number];
  readonly downS?: readonly [number, number];
  readonly ratePerSecond?: number;
  readonly lengthS?: number;
}

const addresses = ['127.0.1.11', '127.0.1.12'];

function twoAddresses(world: TwoAddresses): LaneAnalysis {
  const { pick, deadS, downS = [0, 0], ratePerSecond = 2, lengthS = 120 } = world;
  const count = lengthS * ratePerSecond;
  const at = Array.from({ length: count }, (_, slot) => pick(slot));
  const isIn = (slot: number, [fromS, toS]: readonly [number, number]): boolean =>
    slot / ratePerSecond >= fromS && slot / ratePerSecond < toS;
  const slots = at
    .map((address, slot) => (isIn(slot, downS) || (address === 1 && isIn(slot, deadS)) ? 'x' : '.'))
    .join('');
  return laneAnalysisOf({ slots, at: at.join(''), ratePerSecond }, { addresses });
}

const alternate = (slot: number): 0 | 1 => (slot % 2 === 1 ? 1 : 0);

/** A small generator, so that a table row is the same for ever. */
function chance(seed: number): () => 0 | 1 {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 31 === 1 ? 1 : 0;
  };
}

test.for([1, 2, 3, 4, 5])(
  'one of two addresses dead for 30 s is one impaired span and no outage (round robin, or chance %i)',
  (seed) => {
    for (const pick of [alternate, chance(seed)]) {
      const lane = twoAddresses({ pick, deadS: [40, 70] });
      expect(lane.outages).toEqual([]);
      expect(lane.downtimeMs).toEqual({ min: 0, max: 0 });
      expect(lane.impaired).toHaveLength(1);
      expect(lane.impaired[0]).toMatchObject({
        failedAddresses: ['127.0.1.12'],
        causes: { 'address-down': lane.slots.failed },
      });
      expect(lane.impaired[0]?.failedShare).toBeGreaterThan(0.3);
      expect(lane.impaired[0]?.failedShare).toBeLessThan(0.7);
      const { min, max } = lane.impairedMs;
      expect(min).toBeGreaterThanOrEqual(24_000);
      expect(min).toBeLessThan(30_000);
      expect(max).toBeGreaterThan(min);
    }
  },
);

test.for([1, 2, 3])('a total outage of 10 s within it is still an outage (chance %i)', (seed) => {
  for (const pick of [alternate, chance(seed)]) {
    const lane = twoAddresses({ pick, deadS: [40, 80], downS: [55, 65] });
    expect(lane.outages).toHaveLength(1);
    const [outage] = lane.outages;
    expect(outage?.downMsMin).toBeGreaterThanOrEqual(9000);
    expect(outage?.downMsMin).toBeLessThanOrEqual(15_000);
    expect(lane.impaired).toHaveLength(2);
    expect(lane.impaired.every((span) => span.failedAddresses.join() === '127.0.1.12')).toBe(true);
    expect(lane.downtimeMs.max).toBe(outage?.downMsMax);
  }
});

test('a single failure at the address that is alive, while the other is dead, is an outage of that moment', () => {
  const slots = [...'x.'.repeat(20)];
  slots[21] = 'x';
  const lane = laneAnalysisOf(
    { slots: slots.join('') + '.'.repeat(20), at: '10'.repeat(30), ratePerSecond: 2 },
    { addresses },
  );
  expect(lane.outages).toMatchObject([{ firstFailedAtNs: 10e9, lastFailedAtNs: 11e9 }]);
  expect(lane.impaired).toHaveLength(2);
});

test('failures that mix by chance, without an address to blame, are one impaired span', () => {
  const draw = chance(7);
  const flaky = Array.from({ length: 80 }, () => (draw() === 1 && draw() === 1 ? '5' : '.')).join('');
  const lane = laneAnalysisOf({ slots: '.'.repeat(20) + flaky + '.'.repeat(20), ratePerSecond: 2 });
  expect(lane.outages).toEqual([]);
  expect(lane.impaired).toMatchObject([{ failedAddresses: [] }]);
  expect(lane.impaired[0]?.causes).toEqual({ 'app-5xx': lane.slots.failed });
});

test('a run longer than chance would give is an outage, and what flickers after it is looked at again', () => {
  const slots = '.'.repeat(20) + 'x'.repeat(20) + '.x.'.repeat(10) + '.'.repeat(20);
  const lane = laneAnalysisOf({ slots, ratePerSecond: 2 });
  expect(lane.outages).toMatchObject([{ failedCount: 20 }]);
  expect(lane.impaired).toMatchObject([{ failedCount: 10 }]);
});

test('a long outage that flickers at its end does not make itself likely', () => {
  const lane = laneAnalysisOf({ slots: `${'.'.repeat(20)}${'x'.repeat(20)}.x.x${'.'.repeat(20)}`, ratePerSecond: 2 });
  expect(lane.outages.map((outage) => outage.failedCount)).toEqual([20, 1, 1]);
  expect(lane.impaired).toEqual([]);
});

test('outages that follow one another closely are too few runs to be chance, and stay outages', () => {
  const lane = laneAnalysisOf({
    slots: '.'.repeat(20) + `${'x'.repeat(6)}${'.'.repeat(10)}`.repeat(4) + '.'.repeat(20),
    ratePerSecond: 2,
  });
  expect(lane.outages).toHaveLength(4);
  expect(lane.impaired).toEqual([]);
});

test.for([
  { slots: 'x.x.x.x', impaired: 0, why: 'fewer than five failures' },
  { slots: 'xxx.xxx', impaired: 0, why: 'fewer than three runs' },
  { slots: 'xxxxxxxx', impaired: 0, why: 'nothing good' },
  { slots: 'x.x.x.x.x', impaired: 1, why: 'five failures in five runs' },
  { slots: `x.x.x${'.'.repeat(16)}x.x.x`, impaired: 0, why: 'sixteen good slots part them' },
  { slots: `x.x.x${'.'.repeat(15)}x.x.x`, impaired: 1, why: 'fifteen do not' },
  { slots: 'x?x?x?x?x', impaired: 0, why: 'unseen slots part no runs' },
])('$slots: $why', ({ slots, impaired }) => {
  expect(laneAnalysisOf({ slots: `${'.'.repeat(20)}${slots}${'.'.repeat(20)}` }).impaired).toHaveLength(impaired);
});

test('at a high rate, a second of good slots parts two clusters', () => {
  const slots = (good: number): string => `${'.'.repeat(60)}x.x.x${'.'.repeat(good)}x.x.x${'.'.repeat(60)}`;
  expect(laneAnalysisOf({ slots: slots(36), ratePerSecond: 37 }).impaired).toHaveLength(1);
  expect(laneAnalysisOf({ slots: slots(37), ratePerSecond: 37 }).impaired).toHaveLength(0);
});

test('bursts have at least five failures and tell 5xx by status, and failures without an answer as 0', () => {
  const lane = laneAnalysisOf({ slots: `${'.'.repeat(20)}55x.5w${'.'.repeat(16)}5555${'.'.repeat(20)}` });
  expect(lane.bursts).toEqual([
    { fromAtNs: 20e9, toAtNs: 25e9, failedCount: 5, slotCount: 6, statuses: { '0': 1, '503': 3 } },
  ]);
});

test('impaired milliseconds run from the first to the last failure, at most from good to good', () => {
  const lane = laneAnalysisOf({ slots: `..??x.x.x.x.x?..${'.'.repeat(20)}` });
  expect(lane.impaired).toHaveLength(1);
  expect(lane.impairedMs).toEqual({ min: 8000, max: 13_000 });
});

/** At 10/s, as a lane that is at its in-flight cap: what was dropped may have failed, or not. */
test.for([
  // After a lone failure 25 drops are an outage of at most 27 intervals; after a flicker they are no less.
  { slots: `x${'?'.repeat(25)}`, longestMsMax: 2700, totalMsMax: 2700 },
  { slots: `x.x.x.x.x${'?'.repeat(25)}`, longestMsMax: 2700, totalMsMax: 2700 },
  { slots: `${'?'.repeat(7)}x.x.x.x.x??`, longestMsMax: 900, totalMsMax: 1300 },
  { slots: `x.x.x${'?'.repeat(11)}x.x.x.x`, longestMsMax: 1400, totalMsMax: 1400 },
  { slots: `x.x.x.${'?'.repeat(11)}.x.x.x.x`, longestMsMax: 1200, totalMsMax: 1200 },
  { slots: 'x.x.x.x.x', longestMsMax: 0, totalMsMax: 0 },
])(
  'what was not seen in or beside a flicker may have been an outage: $slots',
  ({ slots, longestMsMax, totalMsMax }) => {
    const quiet = '.'.repeat(20);
    const lane = laneAnalysisOf({ slots: quiet + slots + quiet, ratePerSecond: 10 }, { entries: [mark(1.2)] });
    expect(lane.downtimeMs.min).toBe(0);
    expect(lane.downtimeMs.max).toBeCloseTo(totalMsMax, 6);
    expect(lane.judgedPart?.downtimeMs).toEqual(lane.downtimeMs);
    expect(lane.judgedPart?.longestOutageMs.min).toBe(0);
    expect(lane.judgedPart?.longestOutageMs.max).toBeCloseTo(longestMsMax, 6);
  },
);

test('every failure is in an outage or in an impaired span, never in both', () => {
  const flicker = fc.string({ unit: fc.constantFrom('.', 'x', '5', '?'), minLength: 20, maxLength: 200 });
  fc.assert(
    fc.property(flicker, fc.string({ unit: fc.constantFrom('0', '1'), minLength: 20, maxLength: 200 }), (slots, at) => {
      const lane = laneAnalysisOf({ slots, at, ratePerSecond: 7 }, { addresses });
      const spans = [
        ...lane.outages.map((outage) => [outage.firstFailedAtNs, outage.lastFailedAtNs]),
        ...lane.impaired.map((span) => [span.fromAtNs, span.toAtNs]),
      ].toSorted((a, b) => (a[0] as number) - (b[0] as number));
      spans.forEach((span, i) => {
        if (i > 0) expect(span[0]).toBeGreaterThan(spans[i - 1]?.[1] as number);
      });
      const listed = [...lane.outages, ...lane.impaired].reduce((sum, one) => sum + one.failedCount, 0);
      expect(listed).toBe(lane.slots.failed);
    }),
  );
});
