import { expect, test } from 'vitest';
import type { Judged } from '../../src/core/analysis.ts';
import {
  analysisOf,
  authority,
  freshClient,
  keepAliveClient,
  laneAnalysisOf,
  mark,
  newAddress,
  oldAddress,
  type LaneLog,
  type Log,
} from './kit.ts';

function judged(lane: LaneLog, log: Partial<Log> = {}): Judged {
  const part = laneAnalysisOf(lane, { entries: [mark(10)], ...log }).judgedPart;
  if (part === null) throw new Error('the lane has no judged part');
  return part;
}

test('before any change nothing is judged', () => {
  expect(laneAnalysisOf({ slots: '..x..' }).judgedPart).toBeNull();
});

test('only slots due from the change on are judged', () => {
  const part = judged({ slots: '.xx.......|..x..'.replace('|', '') });
  expect(part).toMatchObject({
    fromAtNs: 10e9,
    toAtNs: 15e9,
    slots: { due: 5, good: 4, failed: 1 },
    downtimeMs: { min: 0, max: 2000 },
    longestOutageMs: { min: 0, max: 2000 },
    baselineFailedRatio: 0.2,
  });
});

test('an outage that was there before the change counts from the change on', () => {
  const part = judged({ slots: '.......xxxxxx..' });
  expect(part).toMatchObject({ downtimeMs: { min: 2000, max: 3000 }, longestOutageMs: { min: 2000, max: 3000 } });
  const rightAfter = judged({ slots: '..........xx..' });
  expect(rightAfter.downtimeMs).toEqual({ min: 1000, max: 3000 });
});

test('the longest outage and downtime are two things', () => {
  expect(judged({ slots: `${'.'.repeat(12)}xx...xxxx....?..` })).toMatchObject({
    longestOutageMs: { min: 3000, max: 5000 },
    downtimeMs: { min: 4000, max: 3000 + 5000 + 2000 },
  });
});

test('the failed ratio is of all that was due, above what the baseline had, and the unseen may all have failed', () => {
  const part = judged({ slots: `${'.'.repeat(9)}x${'.'.repeat(14)}xxx?4.` });
  expect(part.failedCount).toEqual({ min: 3, max: 5 });
  expect(part.baselineFailedRatio).toBe(0.1);
  expect(part.failedRatio.min).toBeCloseTo(3 / 20 - 0.1, 9);
  expect(part.failedRatio.max).toBeCloseTo(5 / 20 - 0.1, 9);
  expect(judged({ slots: `${'x.'.repeat(5)}......x` }).failedRatio.min).toBe(0);
});

test('the worst minute is over the slots of a full minute, wherever it begins', () => {
  // 7/s: 420 slots a minute; 90 failures within a minute that begins at no whole one.
  const slots = [...'.'.repeat(1400)];
  for (let i = 0; i < 90; i += 1) slots[333 + i * 4] = 'x';
  slots[333 + 90 * 4 + 61] = '?';
  const part = judged({ slots: slots.join(''), ratePerSecond: 7 });
  expect(part.worstMinuteFailedRatio).toEqual({ min: 90 / 420, max: 90 / 420 });
  expect(judged({ slots: `${'.'.repeat(12)}xx?.` }).worstMinuteFailedRatio).toEqual({ min: 2 / 60, max: 3 / 60 });
});

test('two failures a minute apart are in two minutes', () => {
  const apart = (slots: number): number =>
    judged({ slots: `${'.'.repeat(12)}x${'.'.repeat(slots - 1)}x...` }).worstMinuteFailedRatio.min;
  expect(apart(59)).toBe(2 / 60);
  expect(apart(60)).toBe(1 / 60);
});

test.for([
  { slots: `${'.'.repeat(11)}55555${'.'.repeat(20)}`, count: [1, 1], why: 'one burst of 503' },
  { slots: `${'.'.repeat(11)}xxxxx${'.'.repeat(20)}`, count: [0, 0], why: 'refusals are no 5xx' },
  { slots: `${'.'.repeat(11)}xxxx5${'.'.repeat(20)}`, count: [1, 1], why: 'one 5xx in it is enough' },
  { slots: `${'.'.repeat(11)}5555${'.'.repeat(20)}`, count: [0, 0], why: 'four are no burst' },
  { slots: `${'.'.repeat(11)}5555?${'.'.repeat(20)}`, count: [0, 1], why: 'the unseen one may be the fifth' },
  { slots: `${'.'.repeat(11)}?????${'.'.repeat(20)}`, count: [0, 1], why: 'five unseen may be one' },
  { slots: `${'.'.repeat(11)}55555${'.'.repeat(16)}55555....`, count: [2, 2], why: 'two bursts' },
] as { slots: string; count: [number, number]; why: string }[])('bursts of 5xx: $why', ({ slots, count }) => {
  expect(judged({ slots }).burst5xxCount).toEqual({ min: count[0], max: count[1] });
});

test.for([
  { slots: '.'.repeat(20), ms: 1000 },
  { slots: `${'.'.repeat(12)}??....`, ms: 3000 },
  { slots: `${'.'.repeat(12)}x?x...`, ms: 2000 },
  { slots: `${'.'.repeat(10)}???...`, ms: 3000 },
  { slots: `${'.'.repeat(12)}...??`, ms: 3000 },
  { slots: `${'.'.repeat(10)}?????`, ms: 5000 },
])('the finest outage that could have been seen in $slots is $ms ms', ({ slots, ms }) => {
  expect(judged({ slots }).resolutionMs).toBe(ms);
});

test('at 7/s a lane without a gap resolves one interval', () => {
  expect(judged({ slots: '.'.repeat(140), ratePerSecond: 7 }).resolutionMs).toBeCloseTo(1000 / 7, 5);
});

// ── flipping back ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Authorities changed at 20.01 s with a TTL of 5 s: from 27.01 s on, being back on old is a flip. */
const switched = [authority(0, [oldAddress], { isFirst: true }), authority(20, [newAddress])];
const flips = (at: string, log: Partial<LaneLog> = {}, entries: Log['entries'] = switched): object | undefined =>
  analysisOf({
    lanes: [
      { slots: '.'.repeat(60), at: `${'o'.repeat(22)}n` },
      { slots: '.'.repeat(60), at, ...log },
    ],
    entries,
  }).lanes[1]?.judgedPart?.flipBackCount;

test.for([
  { at: `${'o'.repeat(24)}n`, count: [0, 0], why: 'none' },
  { at: `${'o'.repeat(21)}ononon`, count: [0, 0], why: 'within the TTL, caches differ' },
  {
    at: `${'o'.repeat(22)}nnnnon`,
    count: [0, 0],
    why: 'in the second that TTLs are rounded by and the one that a poll is shared',
  },
  { at: `${'o'.repeat(22)}nnnnnnon`, count: [1, 1], why: 'just after it' },
  { at: `${'o'.repeat(22)}nnnnnnnnoonnon`, count: [2, 2], why: 'two, however long each' },
] as { at: string; count: [number, number]; why: string }[])('flips back: $why', ({ at, count }) => {
  expect(flips(at)).toEqual({ min: count[0], max: count[1] });
});

test('an answer of an unknown side may have been a flip', () => {
  const rows = (slot: number): object => (slot === 40 ? { address: 1 } : {});
  expect(flips(`${'o'.repeat(22)}n`, { rows })).toEqual({ min: 0, max: 1 });
});

test('without authorities a flip is possible, not certain', () => {
  expect(flips(`${'o'.repeat(22)}nnnnnnnnoonnon`, {}, [mark(20)])).toEqual({ min: 0, max: 2 });
});

test('only clients that follow DNS for each slot can flip', () => {
  const at = `${'o'.repeat(22)}nnnnnnnnoonnon`;
  expect(flips(at, { archetype: keepAliveClient })).toEqual({ min: 0, max: 0 });
  expect(flips(at, { archetype: { ...freshClient, resolve: { kind: 'fixed', s: 30, graceS: 0 } } })).toEqual({
    min: 0,
    max: 0,
  });
});

// ── impaired ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('what is impaired is judged by its ratios and is not in downtime', () => {
  const part = judged({ slots: `${'.'.repeat(20)}${'x.'.repeat(15)}${'.'.repeat(20)}` });
  expect(part.downtimeMs).toEqual({ min: 0, max: 0 });
  expect(part.failedCount.min).toBe(15);
  expect(part.worstMinuteFailedRatio.min).toBe(0.25);
});
