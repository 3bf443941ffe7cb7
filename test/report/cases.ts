/** Three runs that everybody should understand from the report alone: a clean one, the founding incident, a broken log. */
import type { Analysis, LaneAnalysis } from '../../src/core/analysis.ts';
import type { Client } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';
import { analysisOf, changeOf, judgedOf, laneOf, outageOf, residualOf, scenarioOf, serviceOf, slotsOf } from './kit.ts';

const clients: readonly Client[] = [
  clientOf('fresh', 'curl, cron jobs and whoever opens a connection for each request'),
  clientOf('keep-alive', 'Go, Python sessions and .NET, which keep a busy connection for ever'),
  clientOf('jvm-forever', 'a JVM that keeps DNS answers for ever'),
];

function clientOf(name: string, standsFor: string): Client {
  return {
    name,
    weightRatio: 1 / 3,
    archetype: {
      resolve: { kind: 'per-connection' },
      connect: { kind: 'new' },
      choose: 'first',
      families: [4],
      retriesOnce: false,
      judged: name !== 'jvm-forever',
      standsFor,
    },
  };
}

function stayedLane(overrides: Partial<LaneAnalysis>): LaneAnalysis {
  return laneOf({
    firstNewAtNs: null,
    lastOldAtNs: sToNs(701.4),
    leavesOldByAtNs: null,
    sides: { old: 1403, new: 0, unknown: 0, conflict: 0 },
    byAddress: [{ address: '127.0.1.7:443', side: 'old', slots: 1403, failed: 0 }],
    responseTimeMs: { old: { count: 1403, p50: 11.3, p90: 14.9, p99: 31.7, p999: 44.1, max: 47.7 }, new: null },
    stretches: [{ state: 'old', fromAtNs: 0, toAtNs: sToNs(701.7) }],
    ...overrides,
  });
}

const sideLanes = (['old', 'new'] as const).map((side, i) =>
  laneOf({
    number: 3 + i,
    role: 'side',
    client: `side:${side}`,
    resolver: null,
    address: side === 'old' ? '127.0.1.7' : '127.0.2.9',
    judged: false,
    sides: { old: side === 'old' ? 1403 : 0, new: side === 'new' ? 1403 : 0, unknown: 0, conflict: 0 },
    oldAfterChange: {},
    leavesOldByAtNs: null,
    leavesOldWhy: '',
    firstNewAtNs: side === 'new' ? sToNs(0.2) : null,
    lastOldAtNs: side === 'old' ? sToNs(701.4) : null,
    byAddress: [{ address: side === 'old' ? '127.0.1.7:443' : '127.0.2.9:443', side, slots: 1403, failed: 0 }],
    responseTimeMs: {
      old: side === 'old' ? { count: 1403, p50: 11.1, p90: 14.7, p99: 31.7, p999: 43.9, max: 44.3 } : null,
      new: side === 'new' ? { count: 1403, p50: 9.3, p90: 12.9, p99: 27.3, p999: 51.7, max: 59.9 } : null,
    },
    stretches: [{ state: side, fromAtNs: 0, toAtNs: sToNs(701.7) }],
  }),
);

const record = { leftS: 20, lifeS: 20, why: 'held by the record, 20 s: one alone leaves at once, within 20 s' };
const residual = [
  residualOf({ kind: 'client', client: 'fresh', resolver: null }, record),
  residualOf(
    { kind: 'client', client: 'jvm-forever', resolver: null },
    { leftS: 24, lifeS: Infinity, why: 'never by itself: it asks once and needs a restart' },
  ),
  residualOf({ kind: 'resolver', client: null, resolver: 'system' }, record),
];

/** TTL 20, the old side left running. */
export const cleanPass: Analysis = analysisOf({
  scenario: scenarioOf({ clients }),
  services: [
    serviceOf({
      residual,
      safeToRemoveOld: {
        safe: 'no',
        atNs: null,
        because: [
          'orders keep-alive via system was still on ALB/ECS; it leaves not before the server closes its connection.',
        ],
        besides: [
          'jvm-forever never leaves by itself: restart or mend such clients before ALB/ECS goes.',
          "Our resolvers are a sample of the world's.",
        ],
        side: 'old',
      },
    }),
  ],
  lanes: [
    laneOf(),
    stayedLane({
      number: 1,
      client: 'keep-alive',
      oldAfterChange: { 'kept-connection': 1281 },
      leavesOldWhy: 'it keeps a busy connection until the server closes it',
    }),
    stayedLane({
      number: 2,
      client: 'jvm-forever',
      judged: false,
      oldAfterChange: { pinned: 1281 },
      leavesOldWhy: 'it asks DNS once in its life',
    }),
    ...sideLanes,
  ],
});

const refused = { 'connect-refused': 38 };
const stoppedAtNs = sToNs(62.9);

/** TTL 20, the old side stopped 1.6 s after the switch. */
export const foundingIncident: Analysis = analysisOf({
  scenario: scenarioOf({ clients }),
  services: [
    serviceOf({
      impact: {
        downtimeMs: { min: 18_500, max: 19_500 },
        impairedMs: { min: 0, max: 0 },
        userWeightedMs: { min: 9250, max: 10_250 },
        weightsAssumed: true,
      },
      latencyP99: null,
      residual,
    }),
  ],
  lanes: [
    laneOf({
      slots: slotsOf({ good: 1365, failed: 38 }),
      sides: { old: 125, new: 1240, unknown: 38, conflict: 0 },
      lastOldAtNs: sToNs(62.4),
      oldAfterChange: { 'within-ttl': 3 },
      outages: [outageOf()],
      downtimeMs: { min: 18_500, max: 19_500 },
      classes: refused,
      byAddress: [
        { address: '127.0.1.7:443', side: 'old', slots: 163, failed: 38 },
        { address: '127.0.2.9:443', side: 'new', slots: 1240, failed: 0 },
      ],
      stretches: [
        { state: 'old', fromAtNs: 0, toAtNs: stoppedAtNs },
        { state: 'down', fromAtNs: stoppedAtNs, toAtNs: sToNs(81.9) },
        { state: 'new', fromAtNs: sToNs(81.9), toAtNs: sToNs(701.7) },
      ],
      judgedPart: judgedOf({
        slots: slotsOf({ good: 1243, failed: 38 }),
        longestOutageMs: { min: 18_500, max: 19_500 },
        downtimeMs: { min: 18_500, max: 19_500 },
        failedRatio: { min: 38 / 1281, max: 38 / 1281 },
        failedCount: { min: 38, max: 38 },
        worstMinuteFailedRatio: { min: 38 / 120, max: 38 / 120 },
      }),
    }),
    laneOf({
      number: 1,
      client: 'keep-alive',
      slots: slotsOf({ good: 1402, failed: 1 }),
      outages: [
        outageOf({
          firstFailedAtNs: sToNs(62.7),
          lastFailedAtNs: sToNs(62.7),
          lastGoodAtNs: sToNs(62.2),
          firstGoodAtNs: sToNs(63.2),
          downMsMin: 0,
          downMsMax: 1000,
          faultMsMin: 0,
          faultMsMax: 1009.7,
          failedCount: 1,
          slotCount: 1,
          causes: { 'kept-connection': 1 },
          classes: { reset: 1 },
        }),
      ],
      downtimeMs: { min: 0, max: 1000 },
      classes: { reset: 1 },
      freshChecks: { good: 1, failed: 0 },
      stretches: [
        { state: 'old', fromAtNs: 0, toAtNs: sToNs(62.7) },
        { state: 'down', fromAtNs: sToNs(62.7), toAtNs: sToNs(63.2) },
        { state: 'new', fromAtNs: sToNs(63.2), toAtNs: sToNs(701.7) },
      ],
      judgedPart: judgedOf({
        slots: slotsOf({ good: 1280, failed: 1 }),
        longestOutageMs: { min: 0, max: 1000 },
        downtimeMs: { min: 0, max: 1000 },
        failedRatio: { min: 1 / 1281, max: 1 / 1281 },
        failedCount: { min: 1, max: 1 },
        worstMinuteFailedRatio: { min: 1 / 120, max: 1 / 120 },
      }),
    }),
    stayedLane({
      number: 2,
      client: 'jvm-forever',
      judged: false,
      slots: slotsOf({ good: 125, failed: 1278 }),
      lastOldAtNs: sToNs(62.6),
      oldAfterChange: { pinned: 3 },
      leavesOldWhy: 'it asks DNS once in its life',
      outages: [
        outageOf({
          firstFailedAtNs: sToNs(63.1),
          lastFailedAtNs: sToNs(701.6),
          lastGoodAtNs: sToNs(62.6),
          firstGoodAtNs: null,
          downMsMin: 638_500,
          downMsMax: 639_100,
          faultMsMin: 638_499.1,
          faultMsMax: 639_100,
          failedCount: 1278,
          slotCount: 1278,
          openAtEnd: true,
          causes: { pinned: 1278 },
          classes: { 'connect-refused': 1278 },
        }),
      ],
      downtimeMs: { min: 638_500, max: 639_100 },
      classes: { 'connect-refused': 1278 },
      stretches: [
        { state: 'old', fromAtNs: 0, toAtNs: sToNs(63.1) },
        { state: 'down', fromAtNs: sToNs(63.1), toAtNs: sToNs(701.7) },
      ],
    }),
  ],
  findings: [
    {
      kind: 'side-down',
      service: 'orders',
      severity: 'warn',
      text: 'ALB/ECS stopped answering 1.6 s after the change.',
      evidence: ['orders side:old at 127.0.1.7: slot 126 refused', 'TTL of the answers then held: 18 s left'],
    },
  ],
});

/** `kill -9` 30 s after the change: nothing failed, and nothing is proved. */
export const brokenLog: Analysis = analysisOf({
  scenario: scenarioOf({ clients }),
  isWhole: false,
  incompleteBecause: ['The journal has no end: the prober was killed, or its machine went down.'],
  endedBecause: '',
  endedAtNs: sToNs(91.3),
  command: {
    words: ['./switch.sh'],
    exitCode: null,
    signal: null,
    error: '',
    fromAtNs: sToNs(61.3),
    toAtNs: null,
  },
  services: [
    serviceOf({
      changes: [changeOf({ commandToAtNs: null })],
      phases: [
        { name: 'baseline', changeIndex: 0, fromAtNs: 0, toAtNs: sToNs(61.3) },
        { name: 'switching', changeIndex: 0, fromAtNs: sToNs(61.3), toAtNs: sToNs(91.3) },
      ],
      tail: { askedS: 600, watchedS: 0, isWhole: false },
      safeToRemoveOld: {
        safe: 'unknown',
        atNs: null,
        because: ['Of the tail of 10 min only 0 s were watched.', 'The log is not whole.'],
        besides: ["Our resolvers are a sample of the world's."],
        side: 'old',
      },
      latencyP99: { oldMs: 31.7, newMs: 27.3, ratio: 1, sampleCount: 183 },
    }),
  ],
  lanes: [
    laneOf({
      slots: slotsOf({ good: 181, pending: 2 }),
      sides: { old: 163, new: 18, unknown: 0, conflict: 0 },
      stretches: [
        { state: 'old', fromAtNs: 0, toAtNs: sToNs(81.9) },
        { state: 'new', fromAtNs: sToNs(81.9), toAtNs: sToNs(90.9) },
        { state: 'unseen', fromAtNs: sToNs(90.9), toAtNs: sToNs(91.3) },
      ],
      judgedPart: judgedOf({
        toAtNs: sToNs(91.3),
        slots: slotsOf({ good: 58, pending: 2 }),
        longestOutageMs: { min: 0, max: 1400 },
        downtimeMs: { min: 0, max: 1400 },
        failedRatio: { min: 0, max: 2 / 60 },
        failedCount: { min: 0, max: 2 },
        worstMinuteFailedRatio: { min: 0, max: 2 / 120 },
      }),
    }),
  ],
});
