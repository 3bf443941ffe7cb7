import { expect, test } from 'vitest';
import type { Finding } from '../../src/core/analysis.ts';
import { analysisOf, authority, freshClient, jvmForever, keepAliveClient, newAddress, oldAddress } from './kit.ts';

/** Probed once a second from 0 s; the authorities change between 69 and `changedS`, or so. */
function coldLanesAt(changedS: number, ttlS: number, lateS = 0): Finding | undefined {
  const lane = { slots: '.'.repeat(changedS + 40), at: `${'o'.repeat(changedS + 2)}n` };
  const entries = [authority(0, [oldAddress], { isFirst: true, ttlS }), authority(changedS, [newAddress], { ttlS })];
  const late = { slots: `${'d'.repeat(lateS)}${lane.slots.slice(lateS)}`, at: lane.at };
  const lanes = [
    lane,
    { ...late, client: 'keep-alive', archetype: keepAliveClient },
    { ...lane, client: 'jvm-forever', archetype: jvmForever, judged: false },
    { ...lane, client: 'jvm-30', archetype: { ...freshClient, resolve: { kind: 'fixed', s: 30, graceS: 0 } as const } },
    { ...lane, role: 'side' as const, client: 'side:old', address: oldAddress, resolver: null },
  ];
  return analysisOf({ lanes, entries }).findings.find(({ kind }) => kind === 'cold-lanes');
}

const lanesIn = (finding: Finding | undefined): readonly string[] =>
  (finding?.evidence ?? []).map((text) => text.split(' via ')[0] ?? '');

test.for([
  { changedS: 59, ttlS: 5, isCold: true },
  { changedS: 62, ttlS: 5, isCold: false },
  { changedS: 62, ttlS: 67, isCold: true },
  { changedS: 69, ttlS: 67, isCold: false },
])('a change after $changedS s with TTL $ttlS finds lanes cold: $isCold', ({ changedS, ttlS, isCold }) => {
  expect(lanesIn(coldLanesAt(changedS, ttlS))).toEqual(
    isCold ? ['orders keep-alive', 'orders jvm-forever', 'orders jvm-30'] : [],
  );
});

test('only those are named that had no answer for so long; who remembers nothing is never cold', () => {
  const finding = coldLanesAt(70, 5, 13);
  expect(finding).toMatchObject({ service: 'orders', severity: 'info' });
  expect(lanesIn(finding)).toEqual(['orders keep-alive']);
});

test.for([
  // `w` is answered 404, `5` 503, `x` not at all.
  { slots: 'w'.repeat(20), evidence: ['orders websocket via vpc: 404'] },
  { slots: `x5${'w'.repeat(18)}`, evidence: ['orders websocket via vpc: 404'] },
  { slots: `.${'w'.repeat(19)}`, evidence: null },
  { slots: 'x'.repeat(20), evidence: null },
  { slots: '5'.repeat(20), evidence: null },
])('a WebSocket that was never granted is said: $slots', ({ slots, evidence }) => {
  const archetype = { ...freshClient, connect: { kind: 'held', maxAgeS: 0 } } as const;
  const { findings } = analysisOf({ lanes: [{ slots: '.'.repeat(20) }, { slots, client: 'websocket', archetype }] });
  expect(findings.find(({ kind }) => kind === 'no-websocket')?.evidence ?? null).toEqual(evidence);
});
