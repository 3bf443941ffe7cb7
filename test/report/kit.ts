/** A hand-made analysis, so that the verdict and the report are tested without the room that makes them. */
import type {
  Analysis,
  ChangeSeen,
  Judged,
  LaneAnalysis,
  Outage,
  ResidualCurve,
  ServiceAnalysis,
  SlotCounts,
} from '../../src/core/analysis.ts';
import type { Check, Objectives, Scenario, Service, SideSpec } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';

const objectives: Objectives = {
  outageMsMax: 2000,
  downtimeMsMax: 5000,
  failedRatioMax: 0.001,
  worstMinuteFailedRatioMax: 0.05,
  burst5xxCountMax: 0,
  staleTargetCountMax: 0,
  convergenceSMax: null,
  flipBackCountMax: 0,
  latencyP99RatioMax: 1.5,
};

function checkOf(name: string): Check {
  return {
    name,
    url: `https://${name}.shop.example/ready`,
    scheme: 'https',
    hostname: `${name}.shop.example`,
    port: 443,
    path: '/ready',
    request: { method: 'GET', headers: [], body: null, token: null },
    expect: { statusIn: [200], bodyIncludes: null, bodyMatches: null, headers: [] },
    goodWithinMs: 2000,
    timeouts: { connectMs: 5000, tlsMs: 5000, firstByteMs: 12_000, totalMs: 12_000 },
    ratePerSecond: 2,
  };
}

function sideOf(side: 'old' | 'new', title: string): SideSpec {
  return { side, title, addresses: [], marker: [], certificateSha256: [] };
}

export function serviceSpecOf(name: string, own: Partial<Objectives> = {}): Service {
  return {
    name,
    checks: [checkOf(name)],
    resolvers: ['system'],
    tls: { caPem: null, certificatePem: null, keyPem: null },
    objectives: { ...objectives, ...own },
  };
}

export function scenarioOf(overrides: Partial<Scenario> = {}): Scenario {
  return {
    name: 'shop-ecs-to-eks',
    services: [serviceSpecOf('orders')],
    sides: { old: sideOf('old', 'ALB/ECS'), new: sideOf('new', 'nginx/EKS') },
    resolvers: [{ name: 'system', server: { kind: 'udp', address: '127.0.0.53', port: 53 } }],
    authorities: 'auto',
    clients: [],
    weightsGiven: false,
    change: {
      via: 'dns',
      direction: 'old-to-new',
      ttlBeforeS: 3600,
      ttlS: 20,
      ttlLoweredAt: null,
      baselineS: 60,
      waitS: 3600,
      convergenceTimeoutS: 900,
      tailS: 600,
    },
    references: [],
    objectives,
    ...overrides,
  };
}

export function slotsOf(counts: Partial<SlotCounts> = {}): SlotCounts {
  const { good = 1321, failed = 0, dropped = 0, blind = 0, blocked = 0, pending = 0 } = counts;
  return {
    due: good + failed + dropped + blind + blocked + pending,
    sent: good + failed,
    good,
    failed,
    dropped,
    blind,
    blocked,
    pending,
  };
}

export function judgedOf(overrides: Partial<Judged> = {}): Judged {
  const none = { min: 0, max: 0 };
  return {
    fromAtNs: sToNs(61.3),
    toAtNs: sToNs(701.7),
    slots: slotsOf({ good: 1281 }),
    longestOutageMs: none,
    downtimeMs: none,
    failedRatio: none,
    failedCount: none,
    baselineFailedRatio: 0,
    worstMinuteFailedRatio: none,
    burst5xxCount: none,
    flipBackCount: none,
    resolutionMs: 500,
    ...overrides,
  };
}

export function laneOf(overrides: Partial<LaneAnalysis> = {}): LaneAnalysis {
  return {
    number: 0,
    role: 'client',
    service: 'orders',
    check: 'orders',
    client: 'fresh',
    resolver: 'system',
    address: null,
    series: 'raw',
    ratePerSecond: 2,
    judged: true,
    qualified: true,
    slots: slotsOf({ good: 1403 }),
    sides: { old: 163, new: 1240, unknown: 0, conflict: 0 },
    firstNewAtNs: sToNs(81.9),
    lastOldAtNs: sToNs(81.4),
    oldAfterChange: { 'within-ttl': 41 },
    leavesOldByAtNs: sToNs(82.3),
    leavesOldWhy: 'TTL 20 s, and one probe',
    outages: [],
    impaired: [],
    bursts: [],
    downtimeMs: { min: 0, max: 0 },
    impairedMs: { min: 0, max: 0 },
    resolutionMs: 500,
    classes: {},
    responseTimeMs: {
      old: { count: 163, p50: 11.3, p90: 14.9, p99: 31.7, p999: 44.1, max: 44.1 },
      new: { count: 1240, p50: 9.7, p90: 13.1, p99: 27.3, p999: 52.9, max: 61.3 },
    },
    byAddress: [
      { address: '127.0.1.7:443', side: 'old', slots: 163, failed: 0 },
      { address: '127.0.2.9:443', side: 'new', slots: 1240, failed: 0 },
    ],
    stretches: [
      { state: 'old', fromAtNs: 0, toAtNs: sToNs(81.9) },
      { state: 'new', fromAtNs: sToNs(81.9), toAtNs: sToNs(701.7) },
    ],
    freshChecks: { good: 0, failed: 0 },
    judgedPart: judgedOf(),
    ...overrides,
  };
}

export function outageOf(overrides: Partial<Outage> = {}): Outage {
  return {
    firstFailedAtNs: sToNs(62.9),
    lastFailedAtNs: sToNs(81.4),
    lastGoodAtNs: sToNs(62.4),
    firstGoodAtNs: sToNs(81.9),
    downMsMin: 18_500,
    downMsMax: 19_500,
    faultMsMin: 18_498.7,
    faultMsMax: 19_511.3,
    failedCount: 38,
    slotCount: 38,
    openAtEnd: false,
    side: 'old',
    causes: { 'stale-answer': 38 },
    classes: { 'connect-refused': 38 },
    phase: 'switching',
    ...overrides,
  };
}

export function changeOf(overrides: Partial<ChangeSeen> = {}): ChangeSeen {
  return {
    direction: 'old-to-new',
    markedAtNs: null,
    commandFromAtNs: sToNs(61.3),
    commandToAtNs: sToNs(62.1),
    authorityFirstAtNs: sToNs(61.9),
    authorityLastAtNs: sToNs(61.9),
    identityAtNs: sToNs(81.9),
    usedAtNs: sToNs(61.3),
    usedBy: 'command',
    isEvident: true,
    ...overrides,
  };
}

/** Seen every 2 s for 24 s: all there until `leftS`, nobody after it; in theory held for up to `lifeS`, or for ever. */
export function residualOf(
  whose: Pick<ResidualCurve, 'kind' | 'client' | 'resolver'>,
  { leftS, lifeS, why }: { readonly leftS: number; readonly lifeS: number; readonly why: string },
  overrides: Partial<ResidualCurve> = {},
): ResidualCurve {
  const theoryOf = (atS: number): number => Math.max(0, 1 - atS / lifeS);
  const stays = leftS >= 24;
  return {
    ...whose,
    changeIndex: 0,
    leaving: 'old',
    fromAtNs: sToNs(61.9),
    notBeforeNs: sToNs(60.9),
    watchedMs: stays ? 24_000 : 639_800,
    points: Array.from({ length: 12 }, (_, i) => ({
      afterMs: 2000 * i,
      untilMs: 2000 * (i + 1),
      leavingCount: 2 * i < leftS ? 4 : 0,
      targetCount: 2 * i < leftS ? 0 : 4,
      unseenCount: 0,
      theoryRatio: theoryOf(2 * i + 1),
    })),
    levels: [0.5, 0.1, 0.01].map((ratio) => ({
      ratio,
      observedMs: stays ? { min: null, max: null } : { min: 1000 * (leftS - 2), max: 1000 * leftS },
      theoryMs: lifeS === Infinity ? null : 1000 * lifeS * (1 - ratio),
    })),
    lastLeavingAtNs: sToNs(61.9 + leftS - 0.5),
    theoryEndMs: lifeS === Infinity ? null : 1000 * lifeS,
    theoryWhy: why,
    lateReasons: {},
    ...overrides,
  };
}

export function serviceOf(overrides: Partial<ServiceAnalysis> = {}): ServiceAnalysis {
  return {
    name: 'orders',
    outcome: 'completed',
    changes: [changeOf()],
    phases: [
      { name: 'baseline', changeIndex: 0, fromAtNs: 0, toAtNs: sToNs(61.3) },
      { name: 'switching', changeIndex: 0, fromAtNs: sToNs(61.3), toAtNs: sToNs(101.7) },
      { name: 'tail', changeIndex: 0, fromAtNs: sToNs(101.7), toAtNs: sToNs(701.7) },
    ],
    ttlS: { before: 3600, after: 20 },
    impact: {
      downtimeMs: { min: 0, max: 0 },
      impairedMs: { min: 0, max: 0 },
      userWeightedMs: { min: 0, max: 0 },
      weightsAssumed: true,
    },
    convergenceS: { min: 19.5, max: 20 },
    convergenceAutoS: 50,
    tail: { askedS: 600, watchedS: 600, isWhole: true },
    latencyP99: { oldMs: 31.7, newMs: 27.3, ratio: 1, sampleCount: 2643 },
    safeToSwitch: {
      safe: 'yes',
      atNs: sToNs(42.7),
      because: ['Each address of nginx/EKS answers well by itself.'],
      besides: [],
    },
    safeToRemoveOld: {
      safe: 'yes',
      atNs: sToNs(82.9),
      because: ['Every watched name server, resolver and client has left ALB/ECS, and what they may keep has ended.'],
      besides: ["Our resolvers are a sample of the world's."],
      side: 'old',
    },
    oldAnswers: { untilNs: sToNs(82.3), leastS: 20, ownCaches: [], keptLongerBy: [], isOpen: false },
    residual: [],
    ...overrides,
  };
}

export function analysisOf(overrides: Partial<Analysis> = {}): Analysis {
  return {
    mode: 'cutover',
    scenario: scenarioOf(),
    runId: '5eed0a1b',
    version: '0.1.0',
    vantage: 'office',
    startedAtMs: Date.UTC(2026, 10, 24, 10, 0, 0),
    endedAtNs: sToNs(701.7),
    isWhole: true,
    incompleteBecause: [],
    endedBecause: 'tail-watched',
    command: {
      words: ['./switch.sh', 'new'],
      exitCode: 0,
      signal: null,
      error: '',
      fromAtNs: sToNs(61.3),
      toAtNs: sToNs(62.1),
    },
    commandWithheldBecause: null,
    marks: [],
    services: [serviceOf()],
    lanes: [laneOf()],
    resolvers: [
      {
        name: 'system',
        hostname: 'orders.shop.example',
        ttlS: { authoritative: 20, min: 1, max: 20 },
        firstNewAtNs: sToNs(81.9),
        lastOldAtNs: sToNs(81.4),
        convergedMs: 20_000,
        convergedMsMax: 21_100,
        conduct: { kind: 'honest', clampS: null },
        cacheCount: 1,
        caches: [{ firstNewAtNs: sToNs(81.9), lastOldAtNs: sToNs(81.4) }],
        flipBackCount: 0,
        findings: [],
      },
    ],
    authorities: [
      {
        address: '127.0.0.1:5353',
        hostname: 'orders.shop.example',
        linkOf: [],
        zone: 'shop.example',
        nameServer: 'ns-1.shop.example',
        nsid: null,
        soaSerial: 1,
        lameCount: 0,
        ttlS: 20,
        firstNewAtNs: sToNs(61.9),
        lastOldAtNs: sToNs(61.4),
        unreachableCount: 0,
      },
    ],
    findings: [],
    prober: {
      dueCount: 1403,
      droppedCount: 0,
      latenessMs: { p50: 0.21, p99: 1.13, max: 3.7 },
      eventLoopDelayMsMax: 4.3,
      writeDelayMsMax: 11.9,
      clockStepMs: 0.7,
      blindSpots: [],
    },
    sides: { old: { addresses: ['127.0.1.7'] }, new: { addresses: ['127.0.2.9'] } },
    ...overrides,
  };
}
