import { expect, test } from 'vitest';
import type { LaneAnalysis } from '../../src/core/analysis.ts';
import type { Entry } from '../../src/core/entry.ts';
import { outcomeNumber } from '../../src/core/outcome.ts';
import { parts, type Definition } from '../../src/core/row.ts';
import {
  analysisOf,
  authority,
  freshClient,
  jvmForever,
  keepAliveClient,
  mark,
  newAddress,
  oldAddress,
  type LaneLog,
  type Log,
} from './kit.ts';

const sideLane = (slots: string, address: string, side = 'old'): LaneLog => ({
  slots,
  role: 'side',
  client: `side:${side}`,
  address,
  at: address === newAddress ? 'n' : 'o',
});

/** The causes of all failures of the first lane. */
function causes(lane: LaneLog, others: readonly LaneLog[] = [], log: Partial<Log> = {}): object {
  const [first] = analysisOf({ lanes: [lane, ...others], ...log }).lanes as [LaneAnalysis];
  const counts: Record<string, number> = {};
  for (const one of [...first.outages, ...first.impaired]) {
    for (const [cause, count] of Object.entries(one.causes)) counts[cause] = (counts[cause] ?? 0) + count;
  }
  return counts;
}

test.for([
  ['d', 'dns-failed'],
  ['c', 'tls'],
  ['s', 'too-slow'],
  ['b', 'wrong-answer'],
  ['w', 'wrong-answer'],
  ['5', 'app-5xx'],
  ['x', 'unattributed'],
  ['t', 'unattributed'],
] as [string, string][])('a slot written %s failed by %s', ([slot, cause]) => {
  expect(causes({ slots: `...${slot}...` }, [sideLane('.......', oldAddress)])).toEqual({ [cause]: 1 });
});

const faceOf = (
  number: number,
  headers: readonly (readonly [string, string])[],
  unexpectedBody: string,
): Definition => ({
  kind: 'face',
  number,
  value: { certificateSha256: '', alpn: '', tlsVersion: '', headers, unexpectedBody },
});
const nginxPage = (title: string): string =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n` +
  '<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n';
const faces = [
  faceOf(9, [['server', 'awselb/2.0']], ''),
  faceOf(10, [], nginxPage('503 Service Temporarily Unavailable')),
  faceOf(11, [], nginxPage('502 Bad Gateway')),
];

test.for([
  [503, 9, 'ALB', 'no-target'],
  [502, 9, 'ALB', 'target-failed'],
  [504, 9, 'ALB', 'target-failed'],
  [503, 10, 'nginx', 'no-target'],
  [502, 11, 'nginx', 'target-failed'],
] as [number, number, string, string][])('a %i with face %i, of an %s, alone is %s', ([status, face, , cause]) => {
  const rows = (slot: number): object => (slot === 3 ? { status, face } : {});
  expect(causes({ slots: '...5...', rows }, [], { definitions: faces })).toEqual({ [cause]: 1 });
});

test('what fails on the side’s own lane too is the side, where all its addresses do, and else the address', () => {
  const lane = { slots: '....xx....' };
  expect(causes(lane, [sideLane('....xx....', oldAddress)])).toEqual({ 'side-down': 2 });
  expect(causes(lane, [sideLane('....xx....', oldAddress), sideLane('..........', '127.0.1.2')])).toEqual({
    'address-down': 2,
  });
  expect(causes(lane, [sideLane('..........', oldAddress), sideLane('....xx....', '127.0.1.2')])).toEqual({
    unattributed: 2,
  });
  expect(causes(lane, [sideLane('..........', oldAddress)])).toEqual({ unattributed: 2 });
});

test('an address that answers, if only with a 504, is not down', () => {
  const lane = (slots: string): LaneLog => ({
    slots,
    rows: (slot) => (slots[slot] === '5' ? { status: 504, face: 9 } : {}),
  });
  const others = (slots: string): LaneLog[] => [
    { ...sideLane(slots, oldAddress), rows: lane(slots).rows ?? ((): object => ({})) },
    sideLane('.'.repeat(10), '127.0.1.2'),
  ];
  expect(causes(lane('....55....'), others('....55....'), { definitions: faces })).toEqual({ 'target-failed': 2 });
});

test('where failures and good answers mix at every address of a side, none of them is down', () => {
  const slots = '.'.repeat(20) + '.x..x.x...xx.x..x.x....' + '.'.repeat(20);
  const shifted = '.'.repeat(20) + 'x..xx...x.x..xx...x.x..' + '.'.repeat(20);
  const lane = { slots };
  expect(causes(lane, [sideLane(slots, oldAddress), sideLane(shifted, '127.0.1.2')])).toEqual({ 'side-impaired': 8 });
});

test('between two slots of a side’s own lanes it is as they are on the way to failing: the whole side at once', () => {
  // The side ends at 5.0 s: the client notices at 5.1, its own lanes at 5.4 and 5.9.
  const lane: LaneLog = { slots: '.....x....', staggerNs: 0.1e9 };
  const own = (address: string, staggerNs: number): LaneLog => ({ ...sideLane('.....x....', address), staggerNs });
  expect(causes(lane, [own(oldAddress, 0.4e9), own('127.0.1.2', 0.9e9)])).toEqual({ 'side-down': 1 });
});

test('a side’s own lane names its own side', () => {
  expect(causes(sideLane('...xx...', oldAddress))).toEqual({ 'side-down': 2 });
});

// ── after the change ─────────────────────────────────────────────────────────────────────────────────────────────────

/** The founding incident: the old side stops right after the switch, while caches still hold its address. */
const switched: Entry[] = [authority(0, [oldAddress], { isFirst: true, ttlS: 20 }), authority(20, [newAddress])];
const stale = { slots: `${'.'.repeat(22)}${'x'.repeat(10)}${'.'.repeat(28)}`, at: `${'o'.repeat(32)}n` };
const deadOld = sideLane(`${'.'.repeat(22)}${'x'.repeat(38)}`, oldAddress);
const aliveNew = sideLane('.'.repeat(60), newAddress, 'new');

test('failing on the old side after the change is a stale answer', () => {
  expect(causes(stale, [deadOld, aliveNew], { entries: switched })).toEqual({ 'stale-answer': 10 });
});

test('the same with 503 of an application that is being taken down', () => {
  expect(causes({ ...stale, slots: stale.slots.replaceAll('x', '5') }, [aliveNew], { entries: switched })).toEqual({
    'stale-answer': 10,
  });
});

test('where the new side is down as well, it is not the answer’s fault', () => {
  const deadNew = sideLane(`${'.'.repeat(22)}${'x'.repeat(10)}${'.'.repeat(28)}`, newAddress, 'new');
  expect(causes(stale, [deadOld, deadNew], { entries: switched })).toEqual({ 'side-down': 10 });
});

test('on a connection older than the change it is the connection', () => {
  const rows = (slot: number): object => ({ connectionAgeMs: slot * 1000 });
  expect(causes({ ...stale, archetype: keepAliveClient, rows }, [deadOld, aliveNew], { entries: switched })).toEqual({
    'kept-connection': 10,
  });
  const young = (): object => ({ connectionAgeMs: 500 });
  expect(
    causes({ ...stale, archetype: keepAliveClient, rows: young }, [deadOld, aliveNew], { entries: switched }),
  ).toEqual({ 'stale-answer': 10 });
});

test('clients that never ask again are pinned; the side’s own lanes say that the side is down', () => {
  expect(causes({ ...stale, archetype: jvmForever }, [], { entries: switched })).toEqual({ pinned: 10 });
  const pinned = { ...freshClient, resolve: { kind: 'pinned', address: oldAddress } } as const;
  expect(causes({ ...stale, archetype: pinned }, [], { entries: switched })).toEqual({ pinned: 10 });
  expect(causes(deadOld, [{ ...stale, slots: '.'.repeat(60) }, aliveNew], { entries: switched })).toEqual({
    'side-down': 38,
  });
});

test('the same failures before DNS said anything else are nobody’s stale answer, marked or not', () => {
  expect(causes(stale, [deadOld], { entries: [mark(20)] })).toEqual({ 'side-down': 10 });
  const early = { slots: `${'.'.repeat(10)}xx${'.'.repeat(48)}`, at: `${'o'.repeat(22)}n` };
  expect(causes(early, [], { entries: switched })).toEqual({ unattributed: 2 });
});

test('a kept connection that died, while a new one at once was served, is the connection', () => {
  const rows = (slot: number): object => ({ connectionAgeMs: slot * 1000 });
  const check = (outcome: 'answered' | 'connect-refused'): LaneLog => ({
    slots: '.....r......',
    archetype: keepAliveClient,
    rows,
    extra: [
      {
        slot: 5,
        part: parts.freshCheck,
        outcome: outcomeNumber[outcome],
        status: 200,
        checks: 47,
        address: 2,
        endedUs: 4000,
      },
    ],
  });
  expect(causes(check('answered'))).toEqual({ 'kept-connection': 1 });
  expect(causes(check('connect-refused'))).toEqual({ unattributed: 1 });
  expect(analysisOf({ lanes: [check('answered')] }).lanes[0]?.freshChecks).toEqual({ good: 1, failed: 0 });
  expect(analysisOf({ lanes: [check('connect-refused')] }).lanes[0]?.freshChecks).toEqual({ good: 0, failed: 1 });
});

test('causes are counted within one outage and never cut it', () => {
  const lanes = [{ slots: '...dx5bs...' }, sideLane('...........', oldAddress)];
  const lane = analysisOf({ lanes, entries: [mark(1)] }).lanes[0];
  expect(lane?.outages).toMatchObject([
    {
      failedCount: 5,
      causes: { 'app-5xx': 1, 'dns-failed': 1, 'too-slow': 1, unattributed: 1, 'wrong-answer': 1 },
      phase: 'switching',
    },
  ]);
});

// ── our own network ──────────────────────────────────────────────────────────────────────────────────────────────────

const reference = (slots: string, log: Partial<LaneLog> = {}): LaneLog => ({ slots, role: 'reference', ...log });

test('failures while all references fail too are listed, and are not certain', () => {
  const lane = { slots: `${'.'.repeat(20)}xxxx${'.'.repeat(20)}` };
  const down = reference(`${'.'.repeat(20)}xxxx${'.'.repeat(20)}`);
  const both = analysisOf({ lanes: [lane, down, down], entries: [mark(10)] });
  expect(both.lanes[0]?.outages).toMatchObject([
    { failedCount: 4, downMsMin: 3000, causes: { 'own-network-suspected': 4 } },
  ]);
  expect(both.lanes[0]?.slots.failed).toBe(4);
  expect(both.lanes[0]?.downtimeMs).toEqual({ min: 0, max: 5000 });
  expect(both.lanes[0]?.judgedPart).toMatchObject({
    failedCount: { min: 0, max: 4 },
    longestOutageMs: { min: 0, max: 5000 },
    worstMinuteFailedRatio: { min: 0, max: 4 / 60 },
  });
  expect(both.findings.find((finding) => finding.kind === 'own-network-suspected')?.evidence).toEqual([
    '2026-11-20T10:00:19.000Z to 2026-11-20T10:00:24.005Z',
  ]);
  const one = analysisOf({ lanes: [lane, down, reference('.'.repeat(44))] });
  expect(one.lanes[0]?.downtimeMs).toEqual({ min: 3000, max: 5000 });
});

test('a silence lasts from the last answer to the next, not for whole seconds', () => {
  // Lost from 20.2 to 24.2 s. The first lane is due at .25, before the references are; another one answered at 20.1.
  const lost = `${'.'.repeat(20)}xxxx${'.'.repeat(20)}`;
  const late = `${'.'.repeat(21)}xxxx${'.'.repeat(19)}`;
  const lanes: LaneLog[] = [
    { slots: lost, staggerNs: 0.25e9 },
    { slots: late, staggerNs: 0.1e9 },
    reference(lost, { staggerNs: 0.6e9 }),
    reference(lost, { staggerNs: 0.7e9 }),
  ];
  expect(analysisOf({ lanes }).lanes.slice(0, 2)).toMatchObject([
    { downtimeMs: { min: 0 }, outages: [{ causes: { 'own-network-suspected': 4 } }] },
    { downtimeMs: { min: 0 }, outages: [{ causes: { 'own-network-suspected': 4 } }] },
  ]);
});

test('while one lane is answered as often as another fails, it is not our network, whatever the references do', () => {
  const lanes = [{ slots: 'x'.repeat(40) }, { slots: '.'.repeat(40), staggerNs: 0.5e9 }, reference('x'.repeat(40))];
  expect(analysisOf({ lanes }).lanes[0]?.outages[0]?.causes).toEqual({ unattributed: 40 });
});

test('suspect failures between certain ones neither end an outage nor shorten what is certain of it', () => {
  const lane = { slots: `${'.'.repeat(20)}xxxxxx${'.'.repeat(20)}` };
  const down = reference(`${'.'.repeat(22)}xx${'.'.repeat(22)}`);
  expect(analysisOf({ lanes: [lane, down] }).lanes[0]?.downtimeMs).toEqual({ min: 5000, max: 7000 });
  const late = reference(`${'.'.repeat(22)}xxxx${'.'.repeat(20)}`);
  expect(analysisOf({ lanes: [lane, late] }).lanes[0]?.downtimeMs).toEqual({ min: 1000, max: 7000 });
});

test('an answer came through our network, whatever it says', () => {
  const down = reference(`${'.'.repeat(20)}xxxx${'.'.repeat(20)}`);
  const answered = analysisOf({ lanes: [{ slots: `${'.'.repeat(20)}5555${'.'.repeat(20)}` }, down] });
  expect(answered.lanes[0]?.outages[0]?.causes).toEqual({ 'app-5xx': 4 });
});

test('a reference that is probed seldom is down while the results around are', () => {
  const lane = { slots: `${'.'.repeat(20)}xxxx${'.'.repeat(20)}` };
  const seldom = (slots: string): LaneLog => reference(slots, { ratePerSecond: 0.2 });
  expect(analysisOf({ lanes: [lane, seldom('....xx...')] }).lanes[0]?.downtimeMs.min).toBe(0);
  expect(analysisOf({ lanes: [lane, seldom('....x....')] }).lanes[0]?.downtimeMs.min).toBe(2000);
});

test('without references, everything failing at once is our own network only if DNS failed too', () => {
  const slots = `${'.'.repeat(20)}xxxx${'.'.repeat(20)}`;
  const lanes = [{ slots }, { slots: slots.replaceAll('x', 'd') }];
  const watch = (isBack: boolean): Entry[] => [
    authority(0, [oldAddress], { isFirst: true }),
    authority(20, null),
    ...(isBack ? [authority(24, [oldAddress])] : []),
  ];
  const rows = (): object => ({ answerAgeMs: 5000, answerTtlS: 60 });
  const analysis = (entries: Entry[], all: LaneLog[]): LaneAnalysis['downtimeMs'] | undefined =>
    analysisOf({ lanes: all, entries }).lanes[0]?.downtimeMs;
  const held = lanes.map((lane) => ({ ...lane, rows }));
  expect(analysis(watch(true), held)?.min).toBe(0);
  // Answers came: then it is the service that is down.
  expect(analysis([authority(0, [oldAddress], { isFirst: true })], held)?.min).toBe(3000);
  // A lane was served.
  expect(analysis(watch(true), [...held, { slots: '.'.repeat(44), rows }])?.min).toBe(3000);
  // A lane's own resolver answered.
  expect(analysis(watch(true), [{ slots }, ...held])?.min).toBe(3000);
  // Nobody asked anything of DNS.
  expect(analysis([], [{ slots, resolver: null }])?.min).toBe(3000);
});
