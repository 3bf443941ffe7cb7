import { expect, test } from 'vitest';
import type { LaneAnalysis } from '../../src/core/analysis.ts';
import type { Entry } from '../../src/core/entry.ts';
import type { Archetype } from '../../src/core/scenario.ts';
import {
  analysisOf,
  authority,
  freshClient,
  hostname,
  jvmForever,
  keepAliveClient,
  laneAnalysisOf,
  mark,
  newAddress,
  oldAddress,
  type Log,
} from './kit.ts';

/** Authorities changed at 20.01 s, TTL 5 s: compliant caches are done at 25.01 s. */
const switched = [authority(0, [oldAddress], { isFirst: true }), authority(20, [newAddress])];
const moves = { slots: '.'.repeat(60), at: `${'o'.repeat(22)}n` };

test.for([
  { client: 'fresh', change: {}, leavesS: 26.01 },
  { client: 'ttl', change: { resolve: { kind: 'ttl', minS: 60, maxS: 3600 } }, leavesS: 86.01 },
  // Once more after its life, at 1/s, which makes the cache ask.
  { client: 'stale', change: { resolve: { kind: 'ttl', minS: 0, maxS: 3600, graceS: 86_400 } }, leavesS: 28.01 },
  { client: 'jvm-30', change: { resolve: { kind: 'fixed', s: 30, graceS: 0 } }, leavesS: 56.01 },
  { client: 'firefox', change: { resolve: { kind: 'fixed', s: 60, graceS: 60 } }, leavesS: 146.01 },
  { client: 'envoy', change: { resolve: { kind: 'refresh', s: 5 } }, leavesS: 31.01 },
  { client: 'grpc', change: { resolve: { kind: 'on-break', minS: 30 } }, leavesS: null },
  { client: 'jvm-forever', change: { resolve: { kind: 'once' } }, leavesS: null },
  { client: 'pinned', change: { resolve: { kind: 'pinned', address: oldAddress } }, leavesS: null },
  { client: 'busy', change: { connect: { kind: 'keep-alive', idleS: 90, maxAgeS: 0, maxRequests: 0 } }, leavesS: null },
  {
    client: 'dotnet',
    change: { connect: { kind: 'keep-alive', idleS: 60, maxAgeS: 120, maxRequests: 0 } },
    leavesS: 146.01,
  },
  {
    client: 'idle',
    change: { connect: { kind: 'keep-alive', idleS: 0.5, maxAgeS: 0, maxRequests: 0 } },
    leavesS: 26.01,
  },
  { client: 'h2', change: { connect: { kind: 'http2', idleS: 300 } }, leavesS: null },
] as { client: string; change: Partial<Archetype>; leavesS: number | null }[])(
  '$client must be gone by $leavesS',
  ({ client, change, leavesS }) => {
    const lanes = [moves, { ...moves, client, archetype: { ...freshClient, ...change } }];
    const lane = analysisOf({ lanes, entries: switched }).lanes[1];
    expect(lane?.leavesOldByAtNs ?? null).toBe(leavesS === null ? null : leavesS * 1e9);
    expect(lane?.leavesOldWhy).not.toBe('');
  },
);

test('a TTL that was lowered counts until the last answer with the old one has aged out', () => {
  const at = (loweredS: number): number => {
    const entries = [
      authority(0, [oldAddress], { isFirst: true, ttlS: 30 }),
      authority(loweredS, [oldAddress], { ttlS: 5 }),
      authority(20, [newAddress], { ttlS: 5 }),
    ];
    return (laneAnalysisOf(moves, { entries }).leavesOldByAtNs ?? 0) / 1e9;
  };
  expect(at(15)).toBeCloseTo(15.01 + 30 + 1, 6);
  expect(at(1)).toBeCloseTo(1.01 + 30 + 1, 6);
});

/** An answer by way of an alias: the alias and the address each have a life of their own. */
function aliased(
  atS: number,
  address: string,
  { link, aliasTtlS, ttlS }: { readonly link: string; readonly aliasTtlS: number; readonly ttlS: number },
): Entry {
  const entry = authority(atS, [address], { isFirst: atS === 0, ttlS: Math.min(aliasTtlS, ttlS) });
  if (entry.type !== 'dns-answered' || entry.reply.kind !== 'answered') throw new Error('an answer was asked for');
  const answers = [
    { name: hostname, type: 'CNAME', ttlS: aliasTtlS, data: link },
    { name: link, type: 'A', ttlS, data: address },
  ];
  return { ...entry, reply: { ...entry.reply, chain: [link], answers } };
}

test.for([
  {
    what: 'the alias leads elsewhere: what counts is the life of the alias',
    links: ['old', 'new'],
    ttlsS: [37, 5],
    leavesS: 58.01,
  },
  { what: 'and where the alias lives for a shorter time, too', links: ['old', 'new'], ttlsS: [5, 37], leavesS: 26.01 },
  {
    what: 'the alias stays and its target moves: the life of the address counts',
    links: ['lb', 'lb'],
    ttlsS: [37, 5],
    leavesS: 26.01,
  },
])('$what', ({ links: [before = '', after = ''], ttlsS: [aliasTtlS = 0, ttlS = 0], leavesS }) => {
  const entries = [
    aliased(0, oldAddress, { link: `${before}.shop.example`, aliasTtlS, ttlS }),
    aliased(20, newAddress, { link: `${after}.shop.example`, aliasTtlS, ttlS }),
  ];
  const { leavesOldByAtNs } = laneAnalysisOf(moves, { entries });
  expect((leavesOldByAtNs ?? 0) / 1e9).toBeCloseTo(leavesS, 6);
});

test('a resolver that keeps an alias for as long as it may is not accused by the shorter life of its target', () => {
  const entries = [
    aliased(0, oldAddress, { link: 'old.shop.example', aliasTtlS: 30, ttlS: 5 }),
    aliased(20, newAddress, { link: 'new.shop.example', aliasTtlS: 30, ttlS: 5 }),
  ];
  const { oldAfterChange } = laneAnalysisOf({ slots: '.'.repeat(80), at: `${'o'.repeat(48)}n` }, { entries });
  expect(oldAfterChange).toEqual({ 'within-ttl': 29 });
});

test('without authorities the TTL is what probes received, and runs from the change; with none, from the scenario', () => {
  expect(laneAnalysisOf(moves, { entries: [mark(20)] }).leavesOldByAtNs).toBe(26e9);
  const rows = (): object => ({ answerTtlS: 0 });
  const scenario: Log['scenario'] = (one) => ({ ...one, change: { ...one.change, ttlS: 9 } });
  expect(laneAnalysisOf({ ...moves, rows }, { entries: [mark(20)], scenario }).leavesOldByAtNs).toBe(30e9);
  expect(laneAnalysisOf({ ...moves, rows }, { entries: [mark(20)] })).toMatchObject({
    leavesOldByAtNs: null,
    leavesOldWhy: 'the TTL of the record is not known',
  });
});

test('before a change nobody has to leave', () => {
  expect(laneAnalysisOf({ slots: '....' })).toMatchObject({
    leavesOldByAtNs: null,
    leavesOldWhy: 'no change was seen that everybody must follow',
  });
});

// ── why a slot was still there ───────────────────────────────────────────────────────────────────────────────────────

/** All slots of one lane, the last of them on old at 40 s with these facts; the change's authorities moved at 20.01 s. */
function reasons(
  rows: object,
  archetype: Archetype = freshClient,
  entries: Log['entries'] = switched,
): LaneAnalysis['oldAfterChange'] {
  const at = `${'o'.repeat(19)}${'n'.repeat(21)}on`;
  const lanes = [moves, { slots: '.'.repeat(60), at, archetype, rows: (slot: number) => (slot === 40 ? rows : {}) }];
  return analysisOf({ lanes, entries }).lanes[1]?.oldAfterChange ?? {};
}

test.for([
  ['within-ttl', { answerAgeMs: 15_000, answerTtlS: 60 }],
  ['within-ttl', { answerAgeMs: 22_000, answerTtlS: 60 }],
  ['resolver-violates-ttl', { answerAgeMs: 0, answerTtlS: 5 }],
  ['resolver-violates-ttl', { answerAgeMs: 13_000, answerTtlS: 60 }],
  ['application-cache', { answerAgeMs: 25_000, answerTtlS: 5 }],
  ['kept-connection', { connectionAgeMs: 30_000, answerAgeMs: 30_000, answerTtlS: 60 }],
  ['kept-connection', { connectionAgeMs: 10_000, answerAgeMs: 18_000, answerTtlS: 5 }],
  ['unknown', { answer: 0, answerTtlS: 0 }],
] as [string, object][])('%s: %j', ([reason, rows]) => {
  expect(reasons(rows)).toEqual({ [reason]: 1 });
});

test('pinned is pinned, and a client that asks once keeps its answer in a cache of its own', () => {
  expect(reasons({}, { ...freshClient, resolve: { kind: 'pinned', address: oldAddress } })).toEqual({ pinned: 1 });
  expect(reasons({ answerAgeMs: 39_000, answerTtlS: 5 }, jvmForever)).toEqual({ 'application-cache': 1 });
});

test('an answer received while some authorities had changed and others had not is theirs to explain', () => {
  const server = '127.0.0.2:53';
  const lagging = [
    ...switched,
    authority(0, [oldAddress], { server, isFirst: true }),
    authority(45, [newAddress], { server }),
  ];
  expect(reasons({ answerAgeMs: 0, answerTtlS: 5 }, freshClient, lagging)).toEqual({ 'authority-lags': 1 });
  expect(reasons({ answerAgeMs: 30_000, answerTtlS: 60 }, freshClient, lagging)).toEqual({ 'within-ttl': 1 });
});

test('without authorities nothing is proved against a resolver', () => {
  expect(reasons({ answerAgeMs: 0, answerTtlS: 5 }, freshClient, [mark(20)])).toEqual({ 'resolver-lags': 1 });
  expect(reasons({ answerAgeMs: 17_000, answerTtlS: 60 }, freshClient, [mark(20)])).toEqual({ 'within-ttl': 1 });
});

test('a resolver that provably breaks the TTL is a finding and does not hold up convergence', () => {
  const stuck = { slots: '.'.repeat(60), at: 'o', resolver: 'isp' };
  const analysis = analysisOf({ lanes: [moves, stuck], entries: switched });
  expect(analysis.services[0]?.phases.at(-1)).toMatchObject({ name: 'tail' });
  expect(analysis.lanes[1]?.oldAfterChange['resolver-violates-ttl']).toBeGreaterThan(20);
  expect(analysis.findings.find((finding) => finding.kind === 'resolver-violates-ttl')).toMatchObject({
    severity: 'warn',
  });
});

test('nor does a client that opened a connection by such an answer and kept it for as long as it may', () => {
  const short: Archetype = {
    ...keepAliveClient,
    connect: { kind: 'keep-alive', idleS: 0, maxAgeS: 9, maxRequests: 0 },
  };
  // The answer came at 38 s, long after every correct cache had dropped it, and its connection lasts until 46 s.
  const rows = (slot: number): object =>
    slot < 38 || slot > 46
      ? {}
      : { connectionAgeMs: (slot - 38) * 1000, answerAgeMs: (slot - 38) * 1000, answerTtlS: 5 };
  const at = `${'o'.repeat(47)}n`;
  const kept = { slots: '.'.repeat(60), at, client: 'short', resolver: 'isp', archetype: short, rows };
  const [service] = analysisOf({ lanes: [moves, kept], entries: switched }).services;
  expect(service?.convergenceS?.max).toBeLessThan(10);
});

test('a kept connection does not hold up convergence either, and is said', () => {
  const kept = {
    slots: '.'.repeat(60),
    at: 'o',
    client: 'keep-alive',
    archetype: keepAliveClient,
    rows: (slot: number) => ({ connectionAgeMs: slot * 1000 }),
  };
  const analysis = analysisOf({ lanes: [moves, kept], entries: switched });
  expect(analysis.services[0]).toMatchObject({ outcome: 'completed', tail: { isWhole: true } });
  expect(analysis.lanes[1]?.oldAfterChange).toEqual({ 'kept-connection': 41 });
  expect(analysis.findings.find((finding) => finding.kind === 'stays-behind')?.text).toMatch(
    /^orders keep-alive via vpc .* not before the server closes/,
  );
});
