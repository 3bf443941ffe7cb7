import { expect, test } from 'vitest';
import type { ServiceAnalysis } from '../../src/core/analysis.ts';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import {
  analysisOf,
  authority,
  freshClient,
  keepAliveClient,
  mark,
  newAddress,
  oldAddress,
  type LaneLog,
  type Log,
} from './kit.ts';

const second = '127.0.0.2:53';

/** A fresh lane at 1/s over 60 s, on old until `movesAtS` and on new from then on. */
function lane(movesAtS: number, log: Partial<LaneLog> = {}): LaneLog {
  return { slots: '.'.repeat(60), at: 'o'.repeat(movesAtS) + 'n', ...log };
}

function serviceOf(log: Log): ServiceAnalysis {
  return analysisOf(log).services[0] as ServiceAnalysis;
}

/** Instants in s; null stays null. */
function instants(service: ServiceAnalysis, i = 0): object | null {
  const change = service.changes[i];
  if (change === undefined) return null;
  const s = (ns: number | null): number | null => (ns === null ? null : Math.round(ns / 1e3) / 1e6);
  return {
    mark: s(change.markedAtNs),
    command: s(change.commandFromAtNs),
    first: s(change.authorityFirstAtNs),
    last: s(change.authorityLastAtNs),
    identity: s(change.identityAtNs),
    used: s(change.usedAtNs),
    by: change.usedBy,
    evident: change.isEvident,
  };
}

const switched = [authority(0, [oldAddress], { isFirst: true }), authority(20, [newAddress])];

test('a change is where the authorities moved: not before the poll before, not after the last one’s answer', () => {
  const entries = [
    ...switched,
    authority(0, [oldAddress], { server: second, isFirst: true }),
    authority(22, [newAddress], { server: second }),
  ];
  const service = serviceOf({ lanes: [lane(25)], entries });
  expect(instants(service)).toEqual({
    mark: null,
    command: null,
    first: 20.01,
    last: 22.01,
    identity: 25,
    used: 19,
    by: 'authority',
    evident: true,
  });
  expect(service.outcome).toBe('completed');
});

test('a mark made between the poll before and the answer that showed the change says when it began', () => {
  const service = serviceOf({ lanes: [lane(25)], entries: [...switched, mark(19.4)] });
  expect(instants(service)).toMatchObject({ first: 20.01, used: 19.4, by: 'mark' });
});

test('phases: baseline until the change is used, switching until the last old answer, then the tail', () => {
  const service = serviceOf({ lanes: [lane(25)], entries: [...switched, mark(18)] });
  expect(service.phases).toEqual([
    { name: 'baseline', changeIndex: 0, fromAtNs: 0, toAtNs: 18e9 },
    { name: 'switching', changeIndex: 0, fromAtNs: 18e9, toAtNs: 25e9 },
    { name: 'tail', changeIndex: 0, fromAtNs: 25e9, toAtNs: 60e9 },
  ]);
  expect(service.convergenceS?.min).toBeCloseTo(24 - 20.01, 6);
  // The server changed somewhere between the poll before, at 19 s, and the answer that showed it.
  expect(service.convergenceS?.max).toBeCloseTo(25 - 19, 6);
  expect(service.tail).toEqual({ askedS: 10, watchedS: 35, isWhole: true });
  expect(service.convergenceAutoS).toBe(20);
  expect(service.ttlS).toEqual({ before: null, after: 5 });
});

test('convergence is bounded by when the last server may have changed, and by when it was heard to', () => {
  const other = (atS: number, isFirst = false): Entry =>
    authority(atS, isFirst ? [oldAddress] : [newAddress], { server: second, isFirst });
  const failed = authority(22, null, { server: second });
  const { convergenceS } = serviceOf({ lanes: [lane(27)], entries: [...switched, other(0, true), failed, other(25)] });
  expect(convergenceS?.min).toBeCloseTo(26 - 25.01, 6);
  // A poll that failed says nothing, so the second server may have changed at 21 s.
  expect(convergenceS?.max).toBeCloseTo(27 - 21, 6);
});

test('by identity alone, nobody left late, and at most one interval after the last good answer', () => {
  const { convergenceS } = serviceOf({ lanes: [lane(25)] });
  expect(convergenceS?.min).toBe(0);
  expect(convergenceS?.max).toBeCloseTo(1, 6);
});

test('the limit of convergence that nobody gave leaves clients what they cache themselves', () => {
  const cached = { ...freshClient, resolve: { kind: 'fixed', s: 30, graceS: 0 } } as const;
  const lanes = [lane(25), lane(43, { client: 'jvm-30', archetype: cached })];
  expect(serviceOf({ lanes, entries: switched }).convergenceAutoS).toBe(2 * 5 + 10 + 30);
  // One that never leaves by itself is not waited for.
  const kept = [lane(25), lane(43, { client: 'keep-alive', archetype: keepAliveClient })];
  expect(serviceOf({ lanes: kept, entries: switched }).convergenceAutoS).toBe(20);
});

test('without a change there is only a baseline, and no tail', () => {
  const service = serviceOf({ lanes: [lane(60)], entries: [authority(0, [oldAddress], { isFirst: true })] });
  expect(service).toMatchObject({ outcome: 'none', changes: [], convergenceS: null, tail: { isWhole: false } });
  expect(service.phases.map((phase) => phase.name)).toEqual(['baseline']);
});

test('identity alone is evidence; a mark alone is none', () => {
  expect(instants(serviceOf({ lanes: [lane(25)] }))).toMatchObject({
    identity: 25,
    used: 24,
    by: 'identity',
    evident: true,
  });
  const marked = serviceOf({ lanes: [lane(60)], entries: [mark(20)] });
  expect(instants(marked)).toMatchObject({ used: 20, by: 'mark', evident: false });
  expect(marked).toMatchObject({ outcome: 'none', tail: { isWhole: false } });
});

test('a deployment moves nothing, so that it was begun is evidence enough', () => {
  const scenario: Log['scenario'] = (one) => ({ ...one, change: { ...one.change, via: 'deploy' } });
  const service = serviceOf({ lanes: [lane(60)], entries: [mark(20)], scenario, mode: 'deploy' });
  expect(instants(service)).toMatchObject({ used: 20, by: 'mark', evident: true });
  expect(service.outcome).toBe('completed');
});

test('weights move a share: who still gets the old side is no laggard, does not flip, and holds nothing up', () => {
  const scenario: Log['scenario'] = (one) => ({ ...one, change: { ...one.change, via: 'weights' } });
  const entries = [authority(0, [oldAddress], { isFirst: true }), authority(20, [oldAddress, newAddress])];
  const at = `${'o'.repeat(20)}${'ono'.repeat(14)}`;
  const slots = `${'.'.repeat(36)}x${'.'.repeat(23)}`;
  const analysis = analysisOf({ lanes: [lane(60, { at, slots })], entries, scenario, mode: 'weights' });
  expect(analysis.services[0]).toMatchObject({ convergenceS: null, tail: { isWhole: true } });
  expect(analysis.lanes[0]).toMatchObject({
    oldAfterChange: {},
    leavesOldByAtNs: null,
    outages: [{ causes: { unattributed: 1 } }],
    judgedPart: { fromAtNs: 19e9, flipBackCount: { min: 0, max: 0 } },
  });
});

test('only a lane that resolves and connects anew for each slot shows where DNS leads', () => {
  const service = serviceOf({ lanes: [lane(60), lane(25, { client: 'keep-alive', archetype: keepAliveClient })] });
  expect(service.changes).toEqual([]);
});

test('the first answer of the other side after one of the leaving side is the change; being there from the start is none', () => {
  expect(serviceOf({ lanes: [lane(0)] }).changes).toEqual([]);
  expect(instants(serviceOf({ lanes: [lane(25, { at: `n${'o'.repeat(29)}n` })] }))).toMatchObject({ identity: 30 });
});

/** 30 s in which nothing answered, between 20 s on the old side and what follows on the new one. */
const outageOfTheSwitch = `${'.'.repeat(20)}${'x'.repeat(30)}${'.'.repeat(40)}`;
const markerOnly: Log['scenario'] = (one) => ({
  ...one,
  sides: { old: { ...one.sides.old, addresses: [] }, new: { ...one.sides.new, addresses: [] } },
});
const markers = ['ecs', 'eks'].map((value, i) => ({
  kind: 'face' as const,
  number: 7 + i,
  value: {
    certificateSha256: '',
    alpn: '',
    tlsVersion: '',
    headers: [['x-served-by', value] as const],
    unexpectedBody: '',
  },
}));

test.for<[string, Log]>([
  [
    'the record is deleted, and created again',
    {
      lanes: [{ slots: outageOfTheSwitch.replaceAll('x', 'd'), at: `${'o'.repeat(50)}n` }],
      entries: [authority(0, [oldAddress], { isFirst: true }), authority(20, []), authority(50, [newAddress])],
    },
  ],
  [
    'the new side, known by its marker only, refuses at first',
    {
      lanes: [
        {
          slots: outageOfTheSwitch,
          at: `${'o'.repeat(20)}n`,
          rows: (slot) => ({ face: slot < 20 ? 7 : slot < 50 ? 0 : 8 }),
        },
      ],
      scenario: markerOnly,
      definitions: markers,
    },
  ],
  [
    'the old side is turned off before DNS leads elsewhere',
    {
      lanes: [{ slots: outageOfTheSwitch, at: `${'o'.repeat(50)}n` }],
      entries: [authority(0, [oldAddress], { isFirst: true }), authority(49, [newAddress])],
    },
  ],
  [
    'no authority answers meanwhile',
    {
      lanes: [{ slots: outageOfTheSwitch, at: `${'o'.repeat(20)}n` }],
      entries: [
        authority(0, [oldAddress], { isFirst: true }),
        authority(20, null),
        authority(30, null),
        authority(50, [newAddress]),
      ],
    },
  ],
])('an outage of the switch itself is the change’s, not the baseline’s: %s', ([, log]) => {
  const analysis = analysisOf(log);
  expect(instants(analysis.services[0] as ServiceAnalysis)).toMatchObject({ used: 19 });
  expect(analysis.lanes[0]).toMatchObject({
    qualified: true,
    outages: [{ failedCount: 30 }],
    judgedPart: { longestOutageMs: { min: 29_000, max: 31_000 } },
  });
  expect(analysis.lanes[0]?.outages[0]?.phase).not.toBe('baseline');
});

test('a rollback began when the dead side was left, however long it had been dead', () => {
  const scenario: Log['scenario'] = (one) => ({ ...one, change: { ...one.change, direction: 'new-to-old' } });
  const slots = `${'.'.repeat(5)}${'x'.repeat(20)}${'.'.repeat(35)}`;
  const lanes = [{ slots, at: `${'n'.repeat(25)}o` }];
  expect(instants(serviceOf({ lanes, scenario, mode: 'rollback' }))).toMatchObject({ used: 24, identity: 25 });
});

test('a different address set of the same side is no change', () => {
  const entries = [authority(0, ['127.0.1.1'], { isFirst: true }), authority(20, ['127.0.1.7', '127.0.1.8'])];
  expect(serviceOf({ lanes: [lane(60)], entries }).changes).toEqual([]);
});

test.for([
  ['switch', 20],
  ['Cutover begins', 20],
  ['change of orders', 20],
  ['switch orders and billing', 20],
  ['switch billing', null],
  ['switch orders-v2', 20],
  ['rollback', null],
  ['coffee, then switch', null],
] as [string, number | null][])('the mark “%s” is a change of orders at %s s', ([text, atS]) => {
  const log: Log = { lanes: [lane(60), lane(60, { service: 'billing' })], entries: [mark(20, text)] };
  expect(serviceOf(log).changes[0]?.usedAtNs ?? null).toBe(atS === null ? null : atS * 1e9);
});

test('a rollback run takes a rollback mark for its change, waives the baseline, and judges from where the dead side was left', () => {
  const scenario: Log['scenario'] = (one) => ({ ...one, change: { ...one.change, direction: 'new-to-old' } });
  const analysis = analysisOf({
    lanes: [{ slots: `${'x'.repeat(25)}${'.'.repeat(35)}`, at: `${'n'.repeat(25)}o` }],
    entries: [mark(20, 'rollback')],
    mode: 'rollback',
    scenario,
  });
  expect(instants(analysis.services[0] as ServiceAnalysis)).toMatchObject({ used: 20, identity: 25, evident: true });
  expect(analysis.services[0]?.changes[0]?.direction).toBe('new-to-old');
  expect(analysis.lanes[0]).toMatchObject({
    qualified: true,
    outages: [{ failedCount: 25 }],
    judgedPart: { fromAtNs: 25e9, longestOutageMs: { min: 0, max: 0 } },
  });
});

test('the wrapped command’s edges are recorded, and the first one is the change when it is the earliest', () => {
  const command: Entry[] = [
    { type: 'command-started', atNs: 15e9, command: ['./switch.sh'], pid: 7 },
    { type: 'command-ended', atNs: 21e9, exitCode: 0, signal: null, error: '' },
  ];
  const analysis = analysisOf({ lanes: [lane(25)], entries: [...switched, ...command] });
  expect(analysis.services[0]?.changes[0]).toMatchObject({
    commandFromAtNs: 15e9,
    commandToAtNs: 21e9,
    usedAtNs: 15e9,
    usedBy: 'command',
  });
  expect(analysis.command).toEqual({
    words: ['./switch.sh'],
    exitCode: 0,
    signal: null,
    error: '',
    fromAtNs: 15e9,
    toAtNs: 21e9,
  });
});

test('while a server that answers has not changed, the change is partial and nothing has converged', () => {
  const entries = [...switched, authority(0, [oldAddress], { server: second, isFirst: true })];
  const service = serviceOf({ lanes: [lane(25)], entries });
  expect(instants(service)).toMatchObject({ first: 20.01, last: null });
  expect(service).toMatchObject({ outcome: 'partial', tail: { isWhole: false } });
});

test('a server that no longer answers does not hold the change up; what it would say is not known', () => {
  const entries = [
    ...switched,
    authority(0, [oldAddress], { server: second, isFirst: true }),
    authority(21, null, { server: second }),
  ];
  const analysis = analysisOf({ lanes: [lane(25)], entries });
  expect(instants(analysis.services[0] as ServiceAnalysis)).toMatchObject({ last: 20.01 });
  expect(analysis.findings.map((finding) => finding.kind)).toContain('authority-unreachable');
});

test('a server that flaps at the switch has changed when it stays', () => {
  const entries = [
    ...switched,
    authority(21, [oldAddress]),
    authority(22, [newAddress]),
    authority(23, [oldAddress]),
    authority(24, [newAddress]),
  ];
  const service = serviceOf({ lanes: [lane(30)], entries });
  expect(instants(service)).toMatchObject({ first: 20.01, last: 24.01 });
  expect(service.changes).toHaveLength(1);
});

test('an answer that is said again and again has been so since it was first said', () => {
  const entries = [...switched, authority(30, [newAddress]), authority(40, [newAddress])];
  expect(instants(serviceOf({ lanes: [lane(25)], entries }))).toMatchObject({ first: 20.01, last: 20.01 });
});

test('back for less than ten seconds is not yet a rollback', () => {
  const entries = [...switched, authority(55, [oldAddress])];
  const service = serviceOf({ lanes: [{ slots: '.'.repeat(60), at: `${'o'.repeat(25)}${'n'.repeat(31)}o` }], entries });
  expect(service.changes).toHaveLength(1);
  expect(service.outcome).toBe('partial');
});

test('authorities that are all back at the end have not completed, though no client has noticed yet', () => {
  const entries = [...switched, authority(53, [oldAddress])];
  expect(serviceOf({ lanes: [lane(25)], entries })).toMatchObject({ changes: [{}], outcome: 'partial' });
});

test('back for good is a second change, and the service is rolled back', () => {
  const entries = [...switched, authority(40, [oldAddress]), mark(39, 'rollback now')];
  const service = serviceOf({ lanes: [{ slots: '.'.repeat(60), at: `${'o'.repeat(25)}${'n'.repeat(18)}o` }], entries });
  expect(service.changes.map((change) => change.direction)).toEqual(['old-to-new', 'new-to-old']);
  expect(instants(service, 0)).toMatchObject({ first: 20.01, last: 20.01, used: 19 });
  expect(instants(service, 1)).toEqual({
    mark: 39,
    command: null,
    first: 40.01,
    last: 40.01,
    identity: 43,
    used: 39,
    by: 'mark',
    evident: true,
  });
  expect(service.outcome).toBe('rolled-back');
  expect(service.phases.map(({ name, changeIndex, fromAtNs }) => [name, changeIndex, fromAtNs / 1e9])).toEqual([
    ['baseline', 0, 0],
    ['switching', 0, 19],
    ['tail', 0, 25],
    ['switching', 1, 39],
    ['tail', 1, 43],
  ]);
});

test('a server that no longer answers does not hide that the others went back for good', () => {
  const entries = [
    ...switched,
    authority(0, [oldAddress], { server: second, isFirst: true }),
    authority(21, [newAddress], { server: second }),
    authority(30, null, { server: second }),
    authority(40, [oldAddress]),
  ];
  const service = serviceOf({ lanes: [{ slots: '.'.repeat(60), at: `${'o'.repeat(25)}${'n'.repeat(18)}o` }], entries });
  expect(service).toMatchObject({ outcome: 'rolled-back', changes: [{}, { direction: 'new-to-old' }] });
});

test('one server that went back is no rollback', () => {
  const entries = [
    ...switched,
    authority(0, [oldAddress], { server: second, isFirst: true }),
    authority(21, [newAddress], { server: second }),
    authority(40, [oldAddress], { server: second }),
  ];
  const service = serviceOf({ lanes: [lane(25)], entries });
  expect(service.changes).toHaveLength(1);
  expect(service).toMatchObject({ outcome: 'partial', changes: [{ authorityLastAtNs: null }] });
});

test('without authorities, all fresh lanes that are back for ten slots and ten seconds tell of a rollback', () => {
  const back = (slots: number): LaneLog => ({
    slots: '.'.repeat(60),
    at: `${'o'.repeat(20)}${'n'.repeat(40 - slots)}${'o'.repeat(slots)}`,
  });
  expect(serviceOf({ lanes: [back(15), back(12)] }).changes).toHaveLength(2);
  expect(serviceOf({ lanes: [back(15), back(9)] }).changes).toHaveLength(1);
  expect(serviceOf({ lanes: [back(15), lane(20)] }).changes).toHaveLength(1);
});

test('an authority that answers with both sides has begun, and has not changed', () => {
  const entries = [authority(0, [oldAddress], { isFirst: true }), authority(20, [oldAddress, newAddress])];
  const service = serviceOf({ lanes: [lane(60)], entries });
  expect(instants(service)).toMatchObject({ first: 20.01, last: null, evident: true });
  expect(service.outcome).toBe('partial');
});

test('a compliant lane that is on the old side at the end has not converged', () => {
  const entries = [authority(0, [oldAddress], { isFirst: true, ttlS: 60 }), authority(20, [newAddress])];
  const service = serviceOf({ lanes: [lane(25), lane(60)], entries });
  expect(service).toMatchObject({ outcome: 'partial', tail: { watchedS: 0, isWhole: false } });
  expect(service.phases.map((phase) => phase.name)).toEqual(['baseline', 'switching']);
});

test('a tail that ended before it was over is not whole', () => {
  expect(serviceOf({ lanes: [lane(51)], entries: switched }).tail).toEqual({ askedS: 10, watchedS: 9, isWhole: false });
});

test('nobody seen to leave is no convergence, even where every resolver is at fault', () => {
  const service = serviceOf({ lanes: [lane(60), lane(60)], entries: switched });
  expect(service).toMatchObject({ outcome: 'partial', tail: { isWhole: false } });
});

test.for<[string, LaneLog[]]>([
  ['keep-alive clients only', [lane(60, { client: 'keep-alive', archetype: keepAliveClient })]],
  ['the one that follows never qualified, and fails on the new side', [lane(20, { slots: 'x'.repeat(60) })]],
])('nobody reached the new side, which is dead: %s', ([, clients]) => {
  const dead: LaneLog = { slots: 'x'.repeat(60), at: 'n', role: 'side', client: 'side:new', address: newAddress };
  const service = serviceOf({ lanes: [...clients, dead], entries: switched });
  expect(service).toMatchObject({ outcome: 'partial', convergenceS: null, tail: { watchedS: 0, isWhole: false } });
});

test('where nobody must follow, the first client that the new side served begins the tail, and it stays a part', () => {
  const kept = lane(33, { client: 'keep-alive', archetype: keepAliveClient });
  const service = serviceOf({ lanes: [kept], entries: switched });
  expect(service).toMatchObject({ outcome: 'partial', convergenceS: null, tail: { watchedS: 27, isWhole: true } });
});

test('a command that has not ended is not over: what nobody must follow converges when it ends', () => {
  const scenario: Log['scenario'] = (one) => ({ ...one, change: { ...one.change, via: 'deploy' } });
  const started: Entry = { type: 'command-started', atNs: 20e9, command: ['./deploy.sh'], pid: 7 };
  const ended: Entry = { type: 'command-ended', atNs: 37e9, exitCode: 0, signal: null, error: '' };
  const tail = (entries: Entry[]): object => serviceOf({ lanes: [lane(60)], entries, scenario, mode: 'deploy' }).tail;
  expect(tail([started])).toMatchObject({ watchedS: 0, isWhole: false });
  expect(tail([started, ended])).toMatchObject({ watchedS: 23, isWhole: true });
});

// ── qualified lanes ──────────────────────────────────────────────────────────────────────────────────────────────────

test.for([
  [`${'.'.repeat(10)}xxxx`, 12, true],
  [`${'.'.repeat(9)}x${'.'.repeat(9)}`, 19, false],
  [`${'.'.repeat(5)}?${'.'.repeat(5)}`, 11, false],
  ['.'.repeat(20), 9, false],
  [`x${'.'.repeat(20)}`, 11, true],
] as [string, number, boolean][])('%s with the change at %i s is qualified: %s', ([slots, atS, isQualified]) => {
  expect(analysisOf({ lanes: [{ slots }], entries: [mark(atS)] }).lanes[0]?.qualified).toBe(isQualified);
});

test('before any change, ten good slots in a row anywhere qualify', () => {
  expect(analysisOf({ lanes: [{ slots: `xx${'.'.repeat(10)}xx` }] }).lanes[0]?.qualified).toBe(true);
});

test('an alias out of the zone says by its target’s name which side it means', () => {
  const alias = (atS: number, target: string, options: object = {}): Entry => {
    const entry = authority(atS, [], options) as EntryOf<'dns-answered'>;
    return { ...entry, reply: { ...entry.reply, chain: [target] } } as Entry;
  };
  const named = (side: 'old' | 'new', address: string) => ({
    addresses: [
      { kind: 'name' as const, name: `${side}.elb.test.` },
      { kind: 'address' as const, address },
    ],
  });
  const service = serviceOf({
    lanes: [lane(25)],
    entries: [alias(0, 'old.elb.test', { isFirst: true }), alias(20, 'NEW.elb.test')],
    scenario: (one) => ({
      ...one,
      sides: {
        old: { ...one.sides.old, ...named('old', oldAddress) },
        new: { ...one.sides.new, ...named('new', newAddress) },
      },
    }),
  });
  expect(instants(service)).toMatchObject({ first: 20.01, last: 20.01, evident: true });
});
