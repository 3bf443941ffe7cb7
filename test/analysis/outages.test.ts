import { expect, test } from 'vitest';
import type { Entry } from '../../src/core/entry.ts';
import { evidenceOf, foldOf, laneAnalysisOf } from './kit.ts';

/** Slots at 1/s, so that slot n is due at n seconds; outages as [first failed, last failed, last good, first good] in s. */
test.for([
  { slots: '....', outages: [] },
  { slots: '..x.', outages: [[2, 2, 1, 3]] },
  { slots: '..xxx..', outages: [[2, 4, 1, 5]] },
  {
    slots: '.x.x.',
    outages: [
      [1, 1, 0, 2],
      [3, 3, 2, 4],
    ],
  },
  // What was not sent neither ends an outage nor starts one.
  { slots: '..x?x.', outages: [[2, 4, 1, 5]] },
  { slots: '..?x?..', outages: [[3, 3, 1, 5]] },
  { slots: '..??..', outages: [] },
  { slots: '.x!x.', outages: [[1, 3, 0, 4]] },
  { slots: '.xlx.', outages: [[1, 3, 0, 4]] },
  { slots: '.x4x.', outages: [[1, 3, 0, 4]] },
  { slots: '.xhx.', outages: [[1, 3, 0, 4]] },
  { slots: '.x_x.', outages: [[1, 3, 0, 4]] },
  // One run, whatever kinds of failure are in it.
  { slots: '.x5rdbwst.', outages: [[1, 8, 0, 9]] },
  // Never good before, still open at the end.
  { slots: 'xx..', outages: [[0, 1, null, 2]] },
  { slots: '..xx', outages: [[2, 3, 1, null]] },
  { slots: '?x?', outages: [[1, 1, null, null]] },
] as { slots: string; outages: (number | null)[][] }[])('$slots', ({ slots, outages }) => {
  const lane = laneAnalysisOf({ slots });
  const s = (ns: number | null): number | null => (ns === null ? null : ns / 1e9);
  expect(
    lane.outages.map((outage) => [
      s(outage.firstFailedAtNs),
      s(outage.lastFailedAtNs),
      s(outage.lastGoodAtNs),
      s(outage.firstGoodAtNs),
    ]),
  ).toEqual(outages);
  expect(lane.outages.map((outage) => outage.openAtEnd)).toEqual(outages.map((outage) => outage[3] === null));
});

// ── bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Due instants at 7/s are whole ns, so a bound is exact to a ns. */
const interval = 1000 / 7;
const ns = (ms: number): number => Math.round(ms * 1e6) / 1e6;
const due = (slot: number): number => Math.round((slot * 1e9) / 7) / 1e6;

test('bounds at 7/s run from due to due, and those of the fault from and to when results were there', () => {
  const lane = laneAnalysisOf({ slots: '...xx?x..', ratePerSecond: 7, latencyMs: (slot) => (slot < 3 ? 40 : 90) });
  const [outage] = lane.outages;
  expect(outage).toMatchObject({
    firstFailedAtNs: due(3) * 1e6,
    lastFailedAtNs: due(6) * 1e6,
    lastGoodAtNs: due(2) * 1e6,
    firstGoodAtNs: due(7) * 1e6,
    failedCount: 3,
    slotCount: 4,
    classes: { 'connect-refused': 3 },
    side: 'old',
  });
  expect(outage?.downMsMin).toBeCloseTo(3 * interval, 5);
  expect(outage?.downMsMax).toBeCloseTo(5 * interval, 5);
  // Each row is 0.3 ms late.
  expect(outage?.faultMsMin).toBe(ns(due(6) - due(3) - 90.3));
  expect(outage?.faultMsMax).toBe(ns(due(7) + 90.3 - due(2)));
});

test('errors with other texts are one outage as long as nothing was good between', () => {
  const lane = laneAnalysisOf({ slots: '..rrr..', rows: (slot) => ({ error: 2 + slot }) });
  expect(lane.outages).toMatchObject([{ failedCount: 3, classes: { reset: 3 } }]);
});

test('a failure that took longer than the outage leaves nothing certain of the fault', () => {
  const [outage] = laneAnalysisOf({ slots: '..tt..' }).outages;
  expect(outage).toMatchObject({ downMsMin: 1000, downMsMax: 3000, faultMsMin: 0 });
  expect(outage?.faultMsMax).toBeCloseTo(3005.3, 5);
});

test('an outage is dated by when its slots were due, not by when they failed', () => {
  const [outage] = laneAnalysisOf({ slots: '..t.....', latencyMs: 5 }).outages;
  expect(outage).toMatchObject({ firstFailedAtNs: 2e9, lastFailedAtNs: 2e9, firstGoodAtNs: 3e9, downMsMax: 2000 });
});

test('an outage that was never over runs to the end of probing, one without a good slot before from the first slot', () => {
  const lane = laneAnalysisOf({ slots: '??xx??', startAtNs: 5e9, staggerNs: 25e7 }, { probedUntilNs: 11.5e9 });
  expect(lane.outages).toMatchObject([{ downMsMin: 1000, downMsMax: 6250, openAtEnd: true, lastGoodAtNs: null }]);
  expect(lane.downtimeMs).toEqual({ min: 1000, max: 6250 });
});

test.for([
  { slots: '..x.', downtime: [0, 2000] },
  { slots: '.xx.', downtime: [1000, 3000] },
  { slots: '.?..', downtime: [0, 2000] },
  { slots: '.x...x.', downtime: [0, 4000] },
  { slots: '?...', downtime: [0, 1000] },
  { slots: '..?', downtime: [0, 2000] },
  { slots: '.xx..l.4..', downtime: [1000, 7000] },
] as { slots: string; downtime: [number, number] }[])(
  'downtime of $slots is all of it that may have been',
  ({ slots, downtime }) => {
    expect(laneAnalysisOf({ slots }).downtimeMs).toEqual({ min: downtime[0], max: downtime[1] });
  },
);

test.for([
  ['.', 'good'],
  ['x', 'failed'],
  ['s', 'failed'],
  ['5', 'failed'],
  ['w', 'failed'],
  ['b', 'failed'],
  ['?', 'dropped'],
  ['!', 'blind'],
  ['l', 'blind'],
  ['4', 'blocked'],
  ['h', 'blocked'],
  ['_', 'pending'],
] as [string, 'good'][])('a slot written %s is %s', ([slots, name]) => {
  expect(laneAnalysisOf({ slots }).slots[name]).toBe(1);
});

test('sent are the slots for which a request went out, or failed before one could', () => {
  expect(laneAnalysisOf({ slots: '.x5?!l4h_' }).slots).toEqual({
    due: 9,
    sent: 5,
    good: 1,
    failed: 2,
    dropped: 1,
    blind: 2,
    blocked: 2,
    pending: 1,
  });
});

test('a status that was asked for is never a refusal, and a challenge page is one whatever its status', () => {
  const asked = { status: 403 };
  expect(laneAnalysisOf({ slots: '.', rows: () => asked }).slots.good).toBe(1);
  const challenge = {
    kind: 'face',
    number: 9,
    value: {
      certificateSha256: '',
      alpn: '',
      tlsVersion: '',
      headers: [['cf-mitigated', 'challenge']],
      unexpectedBody: '',
    },
  } as const;
  const rows = (): object => ({ status: 503, face: 9 });
  expect(laneAnalysisOf({ slots: '5', rows }, { definitions: [challenge] }).slots.blocked).toBe(1);
});

test('a response just in time is good, and a microsecond later it is too slow', () => {
  const lane = laneAnalysisOf({ slots: '..', rows: (slot) => ({ lateUs: 1000, endedUs: 1_999_000 + slot }) });
  expect(lane.slots).toMatchObject({ good: 1, failed: 1 });
  expect(lane.classes).toEqual({ 'too-slow': 1 });
});

// ── our own stalls ───────────────────────────────────────────────────────────────────────────────────────────────────

test('too slow only because our own thread stood still is blind; slow without it is failed', () => {
  const stall = (fromNs: number, toNs: number, worker = 0): Entry => ({
    type: 'prober-stalled',
    atNs: toNs,
    worker,
    fromNs,
    toNs,
  });
  const count = (entries: Entry[]): object => laneAnalysisOf({ slots: '...s...' }, { entries }).slots;
  // Due at 3 s, answered 3.0003 s later; 2 s are allowed.
  expect(count([stall(3.5e9, 4.6e9)])).toMatchObject({ blind: 1, failed: 0 });
  expect(count([stall(3.5e9, 4.1e9), stall(5e9, 5.5e9)])).toMatchObject({ blind: 1, failed: 0 });
  expect(count([stall(3.5e9, 4.4e9)])).toMatchObject({ blind: 0, failed: 1 });
  expect(count([stall(1e9, 3.5e9)])).toMatchObject({ blind: 0, failed: 1 });
  expect(count([stall(3.5e9, 4.6e9, 1)])).toMatchObject({ blind: 0, failed: 1 });
});

test('where the run says how many threads it had, a lane belongs to the thread of its number', () => {
  const evidence = evidenceOf({
    lanes: [{ slots: '...s...' }, { slots: '...s...' }],
    entries: [{ type: 'prober-stalled', atNs: 5e9, worker: 1, fromNs: 3.5e9, toNs: 4.6e9 }],
  });
  const started = { ...evidence.started, workerCount: 2 };
  const lanes = foldOf({ ...evidence, started }).result().lanes;
  expect(lanes.map((lane) => lane.slots.blind)).toEqual([0, 1]);
});

// ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const page = (maker: string): string =>
  `<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n${maker}</body>\r\n</html>\r\n`;

test.for([
  { unexpectedBody: page(''), server: null, failureClass: '5xx-alb' },
  { unexpectedBody: page('<hr><center>nginx</center>\r\n'), server: null, failureClass: '5xx-nginx' },
  { unexpectedBody: '{"error":"down"}', server: 'awselb/2.0', failureClass: '5xx-alb' },
  { unexpectedBody: '{"error":"down"}', server: 'nginx', failureClass: '5xx-app' },
])('a 502 with server $server is $failureClass', ({ unexpectedBody, server, failureClass }) => {
  const headers = server === null ? [] : [['server', server] as const];
  const face = { certificateSha256: '', alpn: '', tlsVersion: '', headers, unexpectedBody };
  const lane = laneAnalysisOf(
    { slots: '.5.', rows: (slot) => (slot === 1 ? { status: 502, face: 9 } : {}) },
    { definitions: [{ kind: 'face', number: 9, value: face }] },
  );
  expect(lane.classes).toEqual({ [failureClass]: 1 });
});
