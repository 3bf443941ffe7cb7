import { expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import type { Entry } from '../../src/core/entry.ts';
import { outcomeNumber } from '../../src/core/outcome.ts';
import { parts, type Face } from '../../src/core/row.ts';
import {
  analysisOf,
  authority,
  evidenceOf,
  foldOf,
  freshClient,
  hostname,
  jvmForever,
  laneAnalysisOf,
  mark,
  newAddress,
  oldAddress,
  sideAnswered,
  type LaneLog,
  type Log,
} from './kit.ts';

const switched: Entry[] = [authority(0, [oldAddress], { isFirst: true }), authority(20, [newAddress])];
const moves = { slots: '.'.repeat(60), at: `${'o'.repeat(22)}n` };

// ── is the log whole? ────────────────────────────────────────────────────────────────────────────────────────────────

function wholeness(
  log: Log,
  change: (evidence: ReturnType<typeof evidenceOf>) => ReturnType<typeof evidenceOf> = (same) => same,
): readonly string[] {
  const analysis = foldOf(change(evidenceOf(log))).result();
  expect(analysis.isWhole).toBe(analysis.incompleteBecause.length === 0);
  return analysis.incompleteBecause;
}

test('a log with an end and all its rows is whole', () => {
  expect(wholeness({ lanes: [{ slots: '..x.?_' }] })).toEqual([]);
});

test('a log without an end is not, and its last slots are pending', () => {
  const log = { lanes: [{ slots: '.....__' }], probedUntilNs: null };
  expect(wholeness(log)).toEqual(['The log has no end: the run was killed, crashed, or is still going on.']);
  expect(analysisOf(log).lanes[0]?.slots).toMatchObject({ due: 5, pending: 0 });
});

test('lost rows, damage and what could not be written are each said', () => {
  expect(
    wholeness({ lanes: [{ slots: '......' }], batchRows: 4 }, (all) => ({ ...all, batches: all.batches.slice(0, 1) })),
  ).toEqual(['The run wrote 6 rows, and 4 rows could be read.']);
  const failed: Entry = { type: 'write-failed', atNs: 2e9, what: 'probes.arrows', error: 'ENOSPC' };
  const log = { lanes: [{ slots: '......' }], entries: [failed] };
  expect(wholeness(log)).toEqual(['Writing probes.arrows failed: ENOSPC.']);
  expect(analysisOf(log).prober.blindSpots).toEqual([
    { fromAtNs: 2e9, toAtNs: 18e9, why: 'evidence could not be written' },
  ]);
  const fold = foldOf(evidenceOf({ lanes: [{ slots: '..' }] }));
  fold.problem('probes.arrows is torn.');
  expect(fold.result().incompleteBecause).toEqual(['probes.arrows is torn.']);
});

test('a slot with two results, and results after the end, are our own mistakes, and said', () => {
  const extra = { slot: 1, part: parts.slot, status: 200 };
  expect(wholeness({ lanes: [{ slots: '...', extra: [extra] }] })).toEqual([
    'orders fresh via vpc: 1 slot had a second result.',
  ]);
  expect(wholeness({ lanes: [{ slots: '...' }], probedUntilNs: 2e9 })).toEqual([
    'orders fresh via vpc: slots after the end of probing have results.',
  ]);
});

// ── our own conduct ──────────────────────────────────────────────────────────────────────────────────────────────────

test('lateness is of slots that were sent; stalls, delays and clock steps are said', () => {
  const { prober, findings } = analysisOf({
    lanes: [
      {
        slots: '...?!!..h',
        rows: (slot) => (slot === 2 ? { lateUs: 90_000 } : slot === 3 ? { lateUs: 4_000_000 } : {}),
      },
    ],
    entries: [
      { type: 'prober-stalled', atNs: 2e9, worker: 0, fromNs: 1e9, toNs: 1.25e9 },
      { type: 'prober-stalled', atNs: 2e9, worker: 0, fromNs: 1.2e9, toNs: 1.3e9 },
      { type: 'write-delayed', atNs: 2e9, delayMs: 700 },
      { type: 'clock-stepped', atNs: 3e9, stepMs: -400 },
      { type: 'clock-stepped', atNs: 4e9, stepMs: 20 },
    ],
  });
  expect(prober).toEqual({
    dueCount: 9,
    droppedCount: 1,
    latenessMs: { p50: expect.closeTo(0.301, 3) as number, p99: 90, max: 90 },
    eventLoopDelayMsMax: 250,
    writeDelayMsMax: 700,
    clockStepMs: 420,
    blindSpots: [
      { fromAtNs: 1e9, toAtNs: 1.3e9, why: 'our probing thread stood still' },
      { fromAtNs: 4e9, toAtNs: 6e9, why: 'our machine had no port, file or buffer left' },
    ],
  });
  expect(findings.map((finding) => finding.kind)).toEqual([
    'lane-blocked',
    'slots-dropped',
    'slots-blind',
    'clock-stepped',
  ]);
});

test('ten short suspends are as long unwatched as one, and a step back does not undo one forward', () => {
  const entries = Array.from({ length: 10 }, (_, i): Entry => {
    return { type: 'clock-stepped', atNs: (i + 1) * 1e9, stepMs: i % 3 === 0 ? -900 : 900 };
  });
  expect(analysisOf({ lanes: [{ slots: '.'.repeat(20) }], entries }).prober.clockStepMs).toBe(9000);
});

// ── a service ────────────────────────────────────────────────────────────────────────────────────────────────────────

test('the impact is that of the worst judged lane, and users are weighed by client', () => {
  const slots = (downS: number): string => `${'.'.repeat(25)}${'x'.repeat(downS)}${'.'.repeat(35 - downS)}`;
  const clients = [
    { name: 'fresh', weightRatio: 0.75, archetype: freshClient },
    { name: 'jvm-30', weightRatio: 0.25, archetype: freshClient },
    { name: 'jvm-forever', weightRatio: 0.5, archetype: jvmForever },
  ];
  const log = (weightsGiven: boolean): Log => ({
    lanes: [
      { ...moves, slots: slots(3) },
      { ...moves, slots: slots(5) },
      { ...moves, slots: slots(9), client: 'jvm-30' },
      { ...moves, slots: slots(29), client: 'jvm-forever', archetype: jvmForever, judged: false },
    ],
    entries: switched,
    scenario: (scenario) => ({ ...scenario, clients, weightsGiven }),
  });
  const impact = (weightsGiven: boolean): object | undefined => analysisOf(log(weightsGiven)).services[0]?.impact;
  expect(impact(false)).toEqual({
    downtimeMs: { min: 8000, max: 10_000 },
    impairedMs: { min: 0, max: 0 },
    userWeightedMs: { min: 0.75 * 3000 + 0.25 * 8000, max: 0.75 * 5000 + 0.25 * 10_000 },
    weightsAssumed: true,
  });
  expect(impact(true)).toMatchObject({
    userWeightedMs: { min: (0.75 * 3000 + 0.25 * 8000 + 0.5 * 28_000) / 1.5 },
    weightsAssumed: false,
  });
});

test('latency of the sides is held against each other on their own lanes, above a floor, with enough samples', () => {
  const side = (name: string, count: number, latencyMs: number): LaneLog => ({
    slots: '.'.repeat(count),
    ratePerSecond: 97,
    role: 'side',
    client: `side:${name}`,
    address: name === 'old' ? oldAddress : newAddress,
    at: name === 'old' ? 'o' : 'n',
    latencyMs,
  });
  const latency = (count: number, oldMs: number, newMs: number): Analysis['services'][0]['latencyP99'] =>
    analysisOf({ lanes: [side('old', 2500, oldMs), side('new', count, newMs)] }).services[0]?.latencyP99 ?? null;
  expect(latency(1999, 100, 200)).toBeNull();
  expect(latency(2000, 100, 200)?.ratio).toBeCloseTo(2, 1);
  expect(latency(2000, 100, 200)?.sampleCount).toBe(2000);
  expect(latency(2000, 5, 45)?.ratio).toBe(1);
  expect(latency(2000, 5, 100)?.ratio).toBeCloseTo(2, 1);
});

test('response times are of good slots, from due, by the side that answered', () => {
  const lane = laneAnalysisOf({
    slots: '....x.s.?',
    at: 'oonnnnnn',
    rows: (slot) => (slot === 1 ? { lateUs: 100_000, endedUs: 200_000 } : {}),
  });
  expect(lane.responseTimeMs.old).toMatchObject({ count: 2, max: 300 });
  expect(lane.responseTimeMs.new).toMatchObject({ count: 4, max: 5.3 });
});

// ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test.for([
  { slots: '.....', at: 'ooonn', states: 'old 3 new 2' },
  { slots: '..xx..', at: 'oooonn', states: 'old 2 down 2 new 2' },
  { slots: '..?xx?..', at: 'o', states: 'old 3 down 3 old 2' },
  { slots: '...?...', at: 'o', states: 'old 7' },
  { slots: '..????..', at: 'o', states: 'old 2 unseen 4 old 2' },
  { slots: '??..', at: 'o', states: 'unseen 2 old 2' },
  { slots: '...x', at: 'o', states: 'old 3 down 1' },
  { slots: `....x.x.x.x.x?${'.'.repeat(20)}`, at: 'o', states: 'old 4 impaired 10 old 20' },
  { slots: '..', at: '0', states: 'unknown 2' },
])('$slots reads $states', ({ slots, at, states }) => {
  const { stretches } = laneAnalysisOf({ slots, at }, { addresses: ['10.0.0.1'] });
  expect(stretches.map((one) => `${one.state} ${String((one.toAtNs - one.fromAtNs) / 1e9)}`).join(' ')).toBe(states);
});

test('a lane that changes sides all the time stays readable, and what was down stays in', () => {
  const at = 'on'.repeat(500);
  const { stretches } = laneAnalysisOf({ slots: `${'.'.repeat(500)}xx${'.'.repeat(498)}`, at });
  expect(stretches.length).toBeLessThanOrEqual(200);
  expect(stretches.find((one) => one.state === 'down')).toMatchObject({ fromAtNs: 500e9, toAtNs: 502e9 });
  stretches.forEach((one, i) => {
    if (i > 0) expect(one.fromAtNs).toBe(stretches[i - 1]?.toAtNs);
  });
});

// ── the retried series ───────────────────────────────────────────────────────────────────────────────────────────────

test('the retried series stands beside the raw one: a retry in time makes the slot good, a late one does not', () => {
  const retry = (slot: number, log: object): object => ({
    slot,
    part: parts.retried,
    status: 200,
    checks: 47,
    address: 2,
    face: 2,
    ...log,
  });
  const { lanes } = analysisOf({
    lanes: [
      {
        slots: '...xxxx...',
        archetype: { ...freshClient, retriesOnce: true },
        extra: [
          retry(3, { endedUs: 9000 }),
          retry(4, { endedUs: 9000, lateUs: 1_999_000 }),
          retry(5, { endedUs: 9000, outcome: outcomeNumber['connect-refused'] }),
        ],
      },
    ],
  });
  expect(lanes.map((lane) => [lane.series, lane.judged, lane.slots.good, lane.slots.failed])).toEqual([
    ['raw', true, 6, 4],
    ['retried', false, 7, 3],
  ]);
  expect(lanes[1]?.classes).toEqual({ 'connect-refused': 2, 'too-slow': 1 });
  expect(lanes[1]?.slots.due).toBe(lanes[0]?.slots.due);
});

// ── DNS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a resolver’s answers: TTLs as received, the first new and the last old one, and when it had converged', () => {
  const rows = (slot: number): object => ({
    answerTtlS: slot < 22 ? 5 - (slot % 3) : 60,
    answerAgeMs: slot === 21 ? 1000 : 0,
  });
  const analysis = analysisOf({ lanes: [{ ...moves, rows }], entries: switched });
  expect(analysis.resolvers).toMatchObject([
    {
      name: 'vpc',
      hostname,
      ttlS: { authoritative: 5, min: 3, max: 60 },
      firstNewAtNs: 22e9 + 300_000,
      lastOldAtNs: 20e9 + 300_000,
      convergedMs: 0,
      // The server may have changed as early as at 19 s; the first new answer came at 22.0003 s.
      convergedMsMax: 3000.3,
    },
  ]);
  expect(analysis.authorities).toEqual([
    {
      address: '127.0.0.1:53',
      hostname,
      linkOf: [],
      zone: '',
      nameServer: null,
      nsid: null,
      soaSerial: null,
      lameCount: 0,
      ttlS: 5,
      firstNewAtNs: 20.01e9,
      lastOldAtNs: 19e9,
      unreachableCount: 0,
    },
  ]);
});

test('a resolver that gave the new answer before its last old one had converged by the next new one at the latest', () => {
  const at = `${'o'.repeat(22)}nnno${'n'.repeat(34)}`;
  const [flapping] = analysisOf({ lanes: [{ slots: '.'.repeat(60), at }], entries: switched }).resolvers;
  expect(flapping?.convergedMs).toBeCloseTo(4990.3, 6);
  expect(flapping?.convergedMsMax).toBeCloseTo(7000.3, 6);
  const [stuck] = analysisOf({ lanes: [{ slots: '.'.repeat(60), at: 'o' }], entries: switched }).resolvers;
  expect(stuck).toMatchObject({ convergedMsMax: null });
});

// ── findings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const face = (headers: Face['headers']): Face => ({
  certificateSha256: '',
  alpn: '',
  tlsVersion: '',
  headers,
  unexpectedBody: '',
});

/** The finding of this kind, in one line. */
function finding(kind: string, log: Log): string | undefined {
  const found = analysisOf(log).findings.find((one) => one.kind === kind);
  return found === undefined ? undefined : `${found.severity}: ${found.text} ${found.evidence.join('; ')}`;
}

test('TLS failures are told with address and reason, and the ingress controller’s default certificate by name', () => {
  const log = (error: string): Log => ({
    lanes: [{ slots: '..cc.', at: 'n', rows: (slot) => (slot === 2 || slot === 3 ? { error: 2 } : {}) }],
    definitions: [{ kind: 'error', number: 2, value: error }],
  });
  expect(finding('wrong-certificate', log('certificate has expired'))).toBe(
    `warn: TLS fails at ${newAddress}: certificate has expired. 2 slots failed so`,
  );
  expect(finding('default-certificate', log('not for this name: ingress.local'))).toMatch(/default certificate/);
});

test('a challenge or a rate limit is no downtime, and said', () => {
  const slowed: Entry = { type: 'lane-slowed', atNs: 12e9, lane: 0, slot: 12 };
  expect(finding('lane-blocked', { lanes: [{ slots: '..44hh' }], entries: [slowed] })).toMatch(
    /^warn: orders fresh via vpc: 4 slots met a refusal .* 2026-11-20T10:00:12.000Z: slowed to one probe in 10 s, from slot 12 on$/,
  );
});

test('sides that cannot be told, and those that contradict themselves, are said', () => {
  const log = (rows: object): Log => ({
    lanes: [{ slots: '....', at: '0', rows: () => rows }],
    addresses: ['10.0.0.1'],
    definitions: [{ kind: 'face', number: 9, value: face([['x-served-by', 'ecs']]) }],
  });
  expect(finding('side-unknown', log({}))).toMatch(
    /which side 100 % of its probes reached is not known.*10.0.0.1: unknown, 4 slots/,
  );
  expect(finding('side-conflict', log({ address: 3, face: 9 }))).toMatch(
    /speak for different sides.*127.0.2.1: conflict, 4 slots/,
  );
  expect(finding('side-unknown', log({ face: 9 }))).toBeUndefined();
});

test('a load balancer that changes its addresses is no change, and said; shared addresses too', () => {
  const entries = [
    sideAnswered(0, 'old', ['10.0.0.1']),
    sideAnswered(9, 'old', ['10.0.0.1']),
    sideAnswered(30, 'old', ['10.0.0.2']),
  ];
  expect(finding('addresses-changed', { lanes: [{ slots: '....' }], entries })).toBe(
    'info: The addresses of old.elb.example changed; that is no change of side. 2026-11-20T10:00:30.010Z: 10.0.0.1 became 10.0.0.2',
  );
  const shared = [sideAnswered(0, 'old', ['10.0.0.1']), sideAnswered(0, 'new', ['10.0.0.1'])];
  expect(finding('addresses-shared', { lanes: [{ slots: '....' }], entries: shared })).toMatch(
    /10.0.0.1 belongs to both sides/,
  );
});

test('an address that some clients skip is dead for the others', () => {
  const extra = [3, 4, 5].map((slot) => ({
    slot,
    part: parts.triedBefore,
    outcome: outcomeNumber['connect-refused'],
    address: 4,
  }));
  expect(finding('address-dead', { lanes: [{ slots: '..........', extra }], addresses: ['127.0.1.9'] })).toMatch(
    /^warn: 127.0.1.9 fails while other .* tried in vain 3 times before another address$/,
  );
});

test('an authority that changed late, and one that did not, are said', () => {
  const server = '127.0.0.2:53';
  const first = authority(0, [oldAddress], { server, isFirst: true });
  const log = (...entries: Entry[]): Log => ({ lanes: [moves], entries: [...switched, first, ...entries] });
  expect(finding('authority-lags', log(authority(22, [newAddress], { server })))).toBeUndefined();
  expect(finding('authority-lags', log(authority(24, [newAddress], { server })))).toMatch(/^info: /);
  expect(finding('authority-lags', log(authority(32, [newAddress], { server })))).toMatch(
    /^warn: .* changed between 10.9 s and 13.1 s after the first one/,
  );
  expect(finding('authority-lags', log())).toMatch(/still answers with the old side, others with the new side/);
});

test('HSTS that only the new side sends is a trap for a rollback', () => {
  const hsts = face([['strict-transport-security', 'max-age=31536000; includeSubDomains']]);
  const log = (from: number): Log => ({
    lanes: [{ ...moves, rows: (slot) => (slot >= from ? { face: 9 } : {}) }],
    definitions: [{ kind: 'face', number: 9, value: hsts }],
  });
  expect(finding('rollback-trap', log(22))).toMatch(/^info: .* strict-transport-security: max-age=31536000/);
  expect(finding('rollback-trap', log(0))).toBeUndefined();
});

test('what never leaves by itself is told as conduct, not as a number of users', () => {
  const stays = { slots: '.'.repeat(60), at: 'o', client: 'jvm-forever', archetype: jvmForever };
  const text = finding('stays-behind', { lanes: [moves, stays], entries: switched });
  expect(text).toMatch(/^info: orders jvm-forever via vpc was still on the old side .* not how many there are/);
  expect(finding('stays-behind', { lanes: [moves, stays], entries: [mark(20)] })).toBeDefined();
  expect(finding('stays-behind', { lanes: [stays] })).toBeUndefined();
});

test('definitions over the cap, assumed weights and notes are said', () => {
  const noted: Entry = { type: 'noted', atNs: 1e9, text: 'The lane of 10.0.0.9 joined late.' };
  const evidence = evidenceOf({ lanes: [{ slots: '...' }], entries: [noted] });
  const entries = evidence.entries.map((entry): Entry =>
    entry.type === 'run-ended' ? { ...entry, definitionOverCapCount: 3 } : entry,
  );
  const kinds = foldOf({ ...evidence, entries })
    .result()
    .findings.map((one) => one.kind);
  expect(kinds).toEqual(['definitions-over-cap', 'noted']);
  const two = [1, 2].map((n) => ({ name: `client-${String(n)}`, weightRatio: 0.5, archetype: freshClient }));
  expect(
    finding('weights-assumed', { lanes: [{ slots: '...' }], scenario: (one) => ({ ...one, clients: two }) }),
  ).toMatch(/each of the 2/);
});
