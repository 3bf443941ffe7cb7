/** Targets over time and what of the probes' failures they explain: rows of domain facts D.3, each from a log by hand. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import type { Entry, RunMode } from '../../src/core/entry.ts';
import type { Definition } from '../../src/core/row.ts';
import type { StaleTarget } from '../../src/core/stale-target.ts';
import { nsToS, sToNs } from '../../src/core/time.ts';
import { outcomeNumber } from '../../src/core/outcome.ts';
import { analysisOf, hostname, type LaneLog, type Rows } from './kit.ts';
import { shopEntries, type Shop } from './targets-kit.ts';

/** Face 3 is an ALB's. */
const albFace: Definition = {
  kind: 'face',
  number: 3,
  value: { certificateSha256: '', alpn: '', tlsVersion: '', headers: [['server', 'awselb/2.0']], unexpectedBody: '' },
};

/** `.` good, `2` 502 at once, `4` 504 after 10 s, `3` 503, `a` 500 of the application, `w` another application's 404. */
function slotsOn(text: string, more: Partial<LaneLog> = {}): LaneLog {
  const kinds: Readonly<Record<string, Rows>> = {
    '2': { status: 502, checks: 46, face: 3 },
    '4': { status: 504, checks: 46, face: 3, endedUs: 10_050_000 },
    '3': { status: 503, checks: 46, face: 3 },
    a: { status: 500, checks: 46 },
    w: { status: 404, checks: 46 },
    t: { outcome: outcomeNumber['first-byte-timed-out'], status: 0, checks: 0, face: 0, endedUs: 12_000_000 },
  };
  return { slots: '.'.repeat(text.length), at: 'n', rows: (slot) => kinds[text[slot] ?? ''] ?? {}, ...more };
}

function analysed(
  shops: readonly Shop[],
  log: { slots?: string; lanes?: readonly LaneLog[]; entries?: readonly Entry[]; mode?: RunMode } = {},
): Analysis {
  const lengthS = Math.max(...shops.map((shop) => shop.lengthS), log.slots?.length ?? 0);
  return analysisOf({
    lanes: log.lanes ?? [slotsOn(log.slots ?? '.'.repeat(lengthS))],
    entries: [...shops.flatMap(shopEntries), ...(log.entries ?? [])],
    definitions: [albFace],
    mode: log.mode ?? 'cutover',
    scenario: (scenario) => ({
      ...scenario,
      sides: {
        ...scenario.sides,
        new: {
          ...scenario.sides.new,
          aws: { region: null, profile: null, loadBalancers: ['shop'], ecs: null, schedules: [] },
          kubernetes: { kubeconfig: null, context: null, namespace: 'shop', services: [], cronJobs: [] },
        },
      },
    }),
  });
}

const said = (stale: StaleTarget): string =>
  `${stale.fault} ${stale.target ?? 'group'} ${nsToS(stale.fromAtNs).toFixed(1)}–${nsToS(stale.toAtNs).toFixed(1)}${stale.isOpenAtEnd ? '…' : ''}`;

const staleOf = (shop: Shop, slots?: string): readonly string[] =>
  (analysed([shop], slots === undefined ? {} : { slots }).staleTargets ?? []).map(said);

const lengthS = 60;
/** Ready for 10 s, terminating for 3 s, gone. */
const ended = `${'r'.repeat(10)}ttt.`;

describe('what a target turns out to be', () => {
  test.for<{ what: string; shop: Omit<Shop, 'lengthS'>; stale: readonly string[] }>([
    { what: 'all is well', shop: { targets: { 1: 'h', 2: 'h' }, pods: { 1: 'r', 2: 'r' } }, stale: [] },
    {
      what: 'it gets requests, and nobody is there',
      shop: { targets: { 1: 'hhhhhhhhhhhu', 2: 'h' }, pods: { 1: ended, 2: 'r' } },
      stale: ['stale-gone 10.2.0.1:8080 13.0–33.0'],
    },
    {
      what: 'deregistered in time: it drains for as long as it likes',
      shop: { targets: { 1: 'hhhhd', 2: 'h' }, pods: { 1: ended, 2: 'r' } },
      stale: [],
    },
    {
      what: 'for no longer than two systems may disagree',
      shop: { targets: { 1: 'hhhhhhhu', 2: 'h' }, pods: { 1: ended, 2: 'r' } },
      stale: [],
    },
    {
      what: 'never deregistered',
      shop: { targets: { 1: 'h', 2: 'h' }, pods: { 1: ended, 2: 'r' } },
      stale: ['stale-gone 10.2.0.1:8080 13.0–60.0…'],
    },
    {
      what: 'unused is not routable',
      shop: { targets: { 1: 'hhhhn', 2: 'h' }, pods: { 1: ended, 2: 'r' } },
      stale: [],
    },
    {
      what: 'unavailable gets requests unchecked',
      shop: { targets: { 1: 'vvvvvvvvvvvd', 2: 'h' }, pods: { 1: ended, 2: 'r' } },
      stale: ['stale-gone 10.2.0.1:8080 13.0–33.0'],
    },
    {
      what: 'initial is not routable beside a healthy one',
      shop: { targets: { 1: 'i', 2: 'h' }, pods: { 1: '.', 2: 'r' } },
      stale: [],
    },
    {
      what: 'fail-open: where none is healthy, unhealthy ones get requests',
      shop: { targets: { 1: 'hhhhu', 2: 'hhhhhhu' }, pods: { 1: `${'r'.repeat(10)}.`, 2: 'r' } },
      stale: ['stale-gone 10.2.0.1:8080 15.1–60.0…'],
    },
    {
      what: "its address is another's now",
      shop: { targets: { 1: 'hhhhhhhhhhhhd', 2: 'h' }, pods: { 1: `${'r'.repeat(10)}ttt${'.'.repeat(4)}o`, 2: 'r' } },
      stale: ['stale-reused 10.2.0.1:8080 17.0–36.0'],
    },
    {
      what: 'it ends, and goes on getting requests for longer than a controller needs',
      shop: { targets: { 1: 'h', 2: 'h' }, pods: { 1: `${'r'.repeat(10)}t`, 2: 'r' } },
      stale: ['late-deregistration 10.2.0.1:8080 25.0–60.0…'],
    },
    {
      what: 'it ends, and is deregistered within a controller’s lag',
      shop: { targets: { 1: 'hhhhhhhd', 2: 'h' }, pods: { 1: `${'r'.repeat(10)}t`, 2: 'r' } },
      stale: [],
    },
    {
      what: 'a pod is ready, and no target',
      shop: { targets: { 2: 'h' }, pods: { 1: `${'s'.repeat(7)}r`, 2: 'r' } },
      stale: ['missing-target 10.2.0.1:8080 7.0–60.0…'],
    },
    {
      what: 'a pod is ready, and registered within a controller’s lag',
      shop: { targets: { 1: '-------i', 2: 'h' }, pods: { 1: `${'s'.repeat(7)}r`, 2: 'r' } },
      stale: [],
    },
    {
      what: 'the group is empty',
      shop: { targets: { 1: 'hhhh-' }, pods: { 1: `${'r'.repeat(10)}.` } },
      stale: ['no-target group 9.1–60.0…'],
    },
    {
      what: 'all drain',
      shop: { targets: { 1: 'hhhhd' }, pods: { 1: `${'r'.repeat(10)}.` } },
      stale: ['no-target group 9.1–60.0…'],
    },
    {
      what: 'no rule leads to the group: nobody cares',
      shop: { targets: { 1: 'h' }, pods: { 1: ended }, group: { rules: [] } },
      stale: [],
    },
    {
      what: 'several clusters share the group, and its target is of another one',
      shop: { targets: { 1: 'h', 9: 'h' }, pods: { 1: 'r' }, isMultiCluster: true },
      stale: [],
    },
    {
      what: 'several clusters share the group, and its target was ours',
      shop: { targets: { 1: 'h', 9: 'h' }, pods: { 1: ended }, isMultiCluster: true },
      stale: ['stale-gone 10.2.0.1:8080 13.0–60.0…'],
    },
    {
      what: 'in a group of our own a target that was never anybody’s is stale from the first look on',
      shop: { targets: { 1: 'h', 9: 'h' }, pods: { 1: 'r' } },
      stale: ['stale-gone 10.2.0.9:8080 0.1–60.0…'],
    },
    {
      what: 'behind node ports nobody says who is on which node',
      shop: { targets: { 1: 'h' }, pods: { 1: ended }, group: { targetType: 'instance' } },
      stale: [],
    },
    {
      what: 'nobody says whose the group is, and nobody of ours ever had the address',
      shop: { targets: { 9: 'h' }, pods: { 1: ended }, isBound: false },
      stale: [],
    },
    {
      what: 'nobody says whose the group is, and a pod that had the address has gone',
      shop: { targets: { 1: 'h' }, pods: { 1: ended }, isBound: false },
      stale: ['stale-gone 10.2.0.1:8080 13.0–60.0…'],
    },
    {
      what: 'a tag says whose the group is',
      shop: { targets: { 1: 'h', 9: 'h' }, pods: { 1: 'r' }, isBound: false, group: { owner: 'shop/orders' } },
      stale: ['stale-gone 10.2.0.9:8080 0.1–60.0…'],
    },
  ])('$what', ({ shop, stale }) => {
    expect(staleOf({ ...shop, lengthS })).toEqual(stale);
  });

  test('who is behind the port of an instance is not known: nobody is accused, and that is said', () => {
    const shop: Shop = { ...half, group: { targetType: 'instance' } };
    const { staleTargets, targetWatch } = analysed([shop]);
    expect(staleTargets).toBeUndefined();
    expect(targetWatch).toEqual([
      {
        service: 'orders',
        sides: [],
        gaps: [],
        untold: ['the targets of orders-tg are instances, and which pods are behind a port of theirs nobody tells'],
      },
    ]);
    const suspect = analysed([shop], { slots: some('2', 2, [14, 63]) });
    expect(suspect.staleTargets).toMatchObject([{ proof: 'P1', target: null }]);
  });

  test('a fault must outlast ten seconds as seen, and more than two polls', () => {
    const lasting = (pollCount: number): readonly string[] =>
      staleOf({ targets: { 1: `hhhhh${'h'.repeat(pollCount)}d`, 2: 'h' }, pods: { 1: ended, 2: 'r' }, lengthS });
    // Seen from 13 s on, at the polls of 15.05, 18.05 …
    expect([0, 1, 2, 3, 4].map((count) => lasting(count).length)).toEqual([0, 0, 0, 0, 1]);
  });

  test('while an observer was blind nothing is concluded, and what was before and after counts by itself', () => {
    const shop: Shop = { targets: { 1: 'h', 2: 'h' }, pods: { 1: ended, 2: 'r' }, lengthS, blindS: [20, 40] };
    expect(staleOf(shop)).toEqual(['stale-gone 10.2.0.1:8080 40.0–60.0…']);
    expect(analysed([shop]).targetWatch).toEqual([
      {
        service: 'orders',
        sides: ['new'],
        gaps: [{ fromAtNs: sToNs(20), toAtNs: sToNs(40), why: 'AWS throttles' }],
      },
    ]);
  });

  test('the window is expected to end with the health checks, and told as an interval', () => {
    const shop: Shop = { targets: { 1: 'hhhhhhhhhhhu', 2: 'h' }, pods: { 1: ended, 2: 'r' }, lengthS };
    const [stale] = analysed([shop]).staleTargets ?? [];
    expect(stale).toMatchObject({
      owner: 'pod-1',
      expectedWindowMs: { min: 15_000, max: 35_000 },
      windowMs: { min: 17_050, max: 20_050 },
      proof: null,
      services: ['orders'],
      check: null,
    });
    expect(stale?.text).toBe(
      '10.2.0.1:8080 of orders-tg (pod-1) still got requests after its pod or task had gone, for between 17 s and 20.1 s (expected: at most 35 s): no probe failed by it.',
    );
  });
});

describe('two clusters with a service of one name', () => {
  const old: Shop = {
    targets: { 11: 'h', 12: 'h' },
    pods: { 11: 'r', 12: 'r' },
    lengthS,
    side: 'old',
    arn: 'arn:tg/old',
  };
  const renewed: Shop = {
    ...old,
    targets: { 1: 'h', 2: 'h' },
    pods: { 1: 'r', 2: 'r' },
    side: 'new',
    arn: 'arn:tg/new',
  };
  /** Both have a pod with the address; that of the new cluster ends. */
  const ending: Shop = { ...renewed, pods: { 1: ended, 2: 'r' } };
  const overlapping: Shop = { ...old, targets: { 1: 'h', 2: 'h' }, pods: { 1: 'r', 2: 'r' } };
  const tagged = { isBound: false, group: { owner: 'shop/orders' } };

  test.for<{ what: string; shops: readonly Shop[]; stale: readonly string[] }>([
    { what: 'the pods of one are no missing targets of the other', shops: [old, renewed], stale: [] },
    {
      what: 'a pod of one with the same address is nobody’s excuse in the other',
      shops: [overlapping, ending],
      stale: ['new stale-gone 10.2.0.1:8080 13.0–60.0…'],
    },
    {
      what: 'where a tag alone says whose the group is, it is of its own side',
      shops: [old, renewed].map((shop) => ({ ...shop, ...tagged })),
      stale: [],
    },
    {
      what: 'with a tag alone a pod of the other side is no excuse either',
      shops: [overlapping, ending].map((shop) => ({ ...shop, ...tagged })),
      stale: ['new stale-gone 10.2.0.1:8080 13.0–60.0…'],
    },
  ])('$what', ({ shops, stale }) => {
    const { staleTargets = [] } = analysed(shops);
    expect(staleTargets.map((one) => `${one.side} ${said(one)}`)).toEqual(stale);
  });

  test('the cluster whose binding names the group is asked, though its balancer is of the other side', () => {
    const moved = shopEntries(ending).map((entry): Entry => {
      const isOfAws = entry.type === 'platform-seen' && entry.observer.startsWith('elbv2');
      return isOfAws ? { ...entry, side: 'old', observer: entry.observer.replace(':new', ':old') } : entry;
    });
    const { staleTargets = [] } = analysed([overlapping], { entries: moved });
    expect(staleTargets.map((one) => `${one.side} ${said(one)}`)).toEqual(['old stale-gone 10.2.0.1:8080 13.0–60.0…']);
  });
});

test('of many that are no targets a few are told each by itself, and the others by their number', () => {
  const numbers = Array.from({ length: 41 }, (_, i) => i + 10);
  const shop: Shop = {
    targets: { 1: 'h' },
    pods: { 1: 'r', ...Object.fromEntries(numbers.map((i) => [i, 'r'])) },
    lengthS: 60,
  };
  const { staleTargets = [], findings } = analysed([shop]);
  expect(staleTargets).toHaveLength(41);
  const told = findings.filter(({ kind }) => kind === 'missing-target');
  expect(told).toHaveLength(6);
  expect(told.at(-1)?.text).toBe('The same is to be said of 36 more of orders-tg.');
});

test('three hundred pods replaced one by one are read within the time of a test', () => {
  const count = 300;
  const numbers = Array.from({ length: count }, (_, i) => i);
  // Every second one pod ends, after another has taken its place; its target is deregistered at the second poll after.
  const pollsUntil = (second: number): number => Math.ceil(second / 3) + 1;
  const shop: Shop = {
    targets: Object.fromEntries(
      numbers.flatMap((i) => [
        [i, `${'h'.repeat(pollsUntil(10 + i))}d`],
        [count + i, `${'-'.repeat(pollsUntil(8 + i))}h`],
      ]),
    ),
    pods: Object.fromEntries(
      numbers.flatMap((i) => [
        [i, `${'r'.repeat(10 + i)}ttt.`],
        [count + i, `${'s'.repeat(8 + i)}r`],
      ]),
    ),
    lengthS: count + 20,
  };
  const { staleTargets = [], targets = [] } = analysed([shop]);
  expect(staleTargets).toEqual([]);
  expect(targets).toHaveLength(2 * count);
});

// ── what they explain ────────────────────────────────────────────────────────────────────────────────────────────────

/** Nobody behind the first of two from 13 s on; health checks find it at 63.05 s. */
const half: Shop = {
  targets: { 1: `${'h'.repeat(21)}u`, 2: 'h' },
  pods: { 1: ended, 2: 'r' },
  lengthS: 120,
};

/** Over 120 s: each `every`th second from `fromS` to `toS` is of this kind. */
const some = (kind: string, every: number, [fromS, toS]: readonly [number, number]): string =>
  Array.from({ length: 120 }, (_, s) => (s >= fromS && s < toS && (s - fromS) % every === 0 ? kind : '.')).join('');

const over = (...layers: readonly string[]): string =>
  Array.from(
    { length: 120 },
    (_, s) => layers.map((layer) => layer[s] ?? '.').findLast((one) => one !== '.') ?? '.',
  ).join('');

const causesOf = ({ lanes }: Analysis): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { causes } of lanes.flatMap(({ outages, impaired }) => [...outages, ...impaired])) {
    for (const [cause, count] of Object.entries(causes)) counts[cause] = (counts[cause] ?? 0) + count;
  }
  return counts;
};

describe('which failures were its', () => {
  test.for<{ what: string; slots: string; proof: string | null; causes: Readonly<Record<string, number>> }>([
    {
      what: 'half fail while one of two is stale',
      slots: some('2', 2, [14, 63]),
      proof: 'P2',
      causes: { 'stale-target': 25 },
    },
    {
      what: 'so with 504 after ten seconds',
      slots: some('4', 2, [14, 63]),
      proof: 'P2',
      causes: { 'stale-target': 25 },
    },
    {
      what: 'as many fail while none is stale: the reason is another',
      slots: over(some('2', 2, [14, 63]), some('2', 2, [64, 112])),
      proof: 'P1',
      causes: { 'target-failed': 49 },
    },
    {
      what: 'hardly any fails while none is stale',
      slots: over(some('2', 2, [14, 63]), some('2', 2, [90, 91])),
      proof: 'P2',
      causes: { 'stale-target': 25, 'target-failed': 1 },
    },
    {
      what: 'fewer fail than it explains',
      slots: some('2', 13, [14, 63]),
      proof: 'P1',
      causes: { 'target-failed': 4 },
    },
    { what: 'more fail than it explains', slots: some('2', 1, [14, 63]), proof: 'P1', causes: { 'target-failed': 49 } },
    { what: 'the application itself fails', slots: some('a', 2, [14, 63]), proof: null, causes: { 'app-5xx': 25 } },
    { what: 'there is no target at all (S6)', slots: some('3', 2, [14, 63]), proof: null, causes: { 'no-target': 25 } },
    {
      what: 'our own limit ended them (S13)',
      slots: some('t', 2, [14, 63]),
      proof: null,
      causes: { unattributed: 25 },
    },
    {
      what: "another's 404, though nobody has its address",
      slots: some('w', 2, [14, 63]),
      proof: null,
      causes: { 'wrong-answer': 25 },
    },
    { what: 'nothing fails', slots: '.'.repeat(120), proof: null, causes: {} },
  ])('$what', ({ slots, proof, causes }) => {
    const analysis = analysed([half], { slots });
    expect(analysis.staleTargets?.map((stale) => stale.proof)).toEqual([proof]);
    expect(causesOf(analysis)).toEqual(causes);
  });

  test('what they were held against stands beside them, with the counter-check', () => {
    const analysis = analysed([half], { slots: over(some('2', 2, [14, 63]), some('2', 2, [90, 91])) });
    const [stale] = analysis.staleTargets ?? [];
    expect(stale?.signatures).toEqual({ S2: 25 });
    expect(stale?.check).toMatchObject({
      // The last one fell between two polls that differ.
      failedCount: 24,
      outsideFailedCount: 1,
      togetherFailedCount: 25,
    });
    // While its pod was ending it may have served, or not.
    expect(stale?.check?.expectedRatio.max).toBe(0.5);
    expect(stale?.check?.expectedRatio.min).toBeGreaterThan(0.4);
    expect(stale?.evidence.at(-1)).toMatch(
      /^counter-check: while no target was stale, 1 failure of the same kind among \d+ probes$/,
    );
  });

  test('a 404 of another application is its when its address is another’s', () => {
    const reused: Shop = { ...half, pods: { 1: `${'r'.repeat(10)}tto`, 2: 'r' } };
    const analysis = analysed([reused], { slots: some('w', 2, [14, 63]) });
    expect(analysis.staleTargets?.[0]).toMatchObject({ fault: 'stale-reused', proof: 'P2', signatures: { S8: 25 } });
    expect(causesOf(analysis)).toEqual({ 'stale-target': 25 });
  });

  test('what fails as a pod ends and nothing is confirmed counts neither for nor against', () => {
    // A second pod goes from 80 s on and is deregistered 6 s later.
    const shop: Shop = {
      targets: { ...half.targets, 3: `${'h'.repeat(29)}d` },
      pods: { ...half.pods, 3: `${'r'.repeat(80)}.` },
      lengthS: 120,
    };
    const analysis = analysed([shop], { slots: over(some('2', 3, [14, 63]), some('2', 1, [80, 86])) });
    expect(analysis.staleTargets?.map(({ target, proof }) => `${String(target)} ${String(proof)}`)).toEqual([
      '10.2.0.1:8080 P2',
      'null P1',
    ]);
    expect(analysis.staleTargets?.[0]?.check?.outsideFailedCount).toBe(0);
  });

  test('what was under way as a deregistration delay ended is no stale target’s, and says what to do', () => {
    // Taken out between 27.05 and 30.05 s, its requests are given up 5 s later, those that take 7 s among them.
    const shop: Shop = {
      targets: { 1: `${'h'.repeat(10)}d`, 2: 'h' },
      pods: { 1: `${'r'.repeat(28)}${'t'.repeat(40)}`, 2: 'r' },
      group: { deregistrationDelayS: 5 },
      lengthS: 120,
    };
    const slow = { status: 502, checks: 46, face: 3, endedUs: 7_000_000 } as const;
    const lane = slotsOn('.'.repeat(120), { rows: (slot) => (slot >= 26 && slot <= 28 ? slow : {}) });
    const { staleTargets, findings } = analysed([shop], { lanes: [lane] });
    expect(staleTargets).toBeUndefined();
    expect(findings.find(({ kind }) => kind === 'drain-too-short')?.text).toMatch(
      /^3 probes on the new side got 502 as the deregistration delay of a target ended, 5 s after/,
    );
    const long = analysed([{ ...shop, group: { deregistrationDelayS: 300 } }], { lanes: [lane] });
    expect(long.findings.map(({ kind }) => kind)).not.toContain('drain-too-short');
  });

  test('a group with a part of the weight explains that part', () => {
    const light: Shop = { ...half, group: { rules: [{ hosts: [hostname], paths: [], weightRatio: 0.2 }] } };
    const heavy: Shop = {
      targets: { 7: 'h', 8: 'h' },
      pods: { 7: 'r', 8: 'r' },
      lengthS: 120,
      arn: 'arn:tg/heavy',
      service: 'shop/heavy',
      group: { name: 'heavy-tg', rules: [{ hosts: [hostname], paths: [], weightRatio: 0.8 }] },
    };
    const proofAt = (every: number): unknown =>
      analysed([light, heavy], { slots: some('2', every, [14, 63]) }).staleTargets?.[0]?.proof;
    // Of ten requests one: of 49 about five, and never half.
    expect([proofAt(10), proofAt(2)]).toEqual(['P2', 'P1']);
  });

  test('a target group of another hostname explains nothing here', () => {
    const other: Shop = { ...half, group: { rules: [{ hosts: ['billing.shop.example'], paths: [], weightRatio: 1 }] } };
    const analysis = analysed([other], { slots: some('2', 2, [14, 63]) });
    expect(causesOf(analysis)).toEqual({ 'target-failed': 25 });
    expect(analysis.staleTargets?.[0]).toMatchObject({ services: [], proof: null });
  });
});

describe('the access log', () => {
  const line = (slot: number, target: string | null, targetStatus: number | null = null): Entry => ({
    type: 'access-logged',
    atNs: sToNs(slot),
    lane: 0,
    slot,
    part: 0,
    loadBalancer: 'app/shop/1',
    target,
    targetGroupArn: null,
    elbStatus: 502,
    targetStatus,
    errorReason: '',
  });

  test('proves single failures, however few', () => {
    const analysis = analysed([half], { slots: some('2', 40, [20, 62]), entries: [line(20, '10.2.0.1:8080')] });
    expect(analysis.staleTargets?.[0]).toMatchObject({ proof: 'P3', failedCount: 1 });
    expect(causesOf(analysis)).toEqual({ 'stale-target': 1, 'target-failed': 1 });
  });

  test('acquits it of what another target did', () => {
    const slots = some('2', 2, [14, 63]);
    const entries = Array.from({ length: 120 }, (_, slot) => line(slot, '10.2.0.2:8080')).filter(
      (_, s) => slots[s] === '2',
    );
    const analysis = analysed([half], { slots, entries });
    expect(analysis.staleTargets?.map(({ proof }) => proof)).toContain(null);
    expect(causesOf(analysis)).toEqual({ 'target-failed': 25 });
  });

  test('acquits it of an error that the target itself answered', () => {
    const entries = [line(20, '10.2.0.1:8080', 502)];
    expect(causesOf(analysed([half], { slots: some('2', 99, [20, 62]), entries }))).toEqual({ 'target-failed': 1 });
  });

  test('proves what fails on a target that drains, which is no fault by itself', () => {
    const drained: Shop = { ...half, targets: { 1: 'hhhhd', 2: 'h' } };
    expect(analysed([drained]).staleTargets).toBeUndefined();
    const analysis = analysed([drained], { slots: some('2', 99, [20, 62]), entries: [line(20, '10.2.0.1:8080')] });
    expect(analysis.staleTargets?.[0]).toMatchObject({ fault: 'drain-race', proof: 'P3', failedCount: 1 });
  });
});

describe('without access to any platform', () => {
  const rolled: Entry = { type: 'marked', atNs: sToNs(20), text: 'deploy orders 1.7' };
  const suspected = (slots: string, entries: readonly Entry[]): readonly string[] => {
    const { staleTargets = [], findings, lanes } = analysed([], { lanes: [slotsOn(slots)], entries });
    expect(
      lanes.flatMap(({ outages, impaired }) => [...outages, ...impaired]).some(({ causes }) => causes['stale-target']),
    ).toBe(false);
    expect(findings.filter(({ kind }) => kind === 'stale-target-suspected')).toHaveLength(staleTargets.length);
    return staleTargets.map(
      ({ proof, target, failedCount }) => `${String(proof)} ${String(target)} ${String(failedCount)}`,
    );
  };

  test('failures of such a signature after a rollout are a suspicion, which says what would prove it', () => {
    expect(suspected(some('2', 3, [25, 60]), [rolled])).toEqual(['P1 null 12']);
    const { findings } = analysed([], { lanes: [slotsOn(some('4', 3, [25, 60]))], entries: [rolled] });
    expect(findings.find(({ kind }) => kind === 'stale-target-suspected')?.text).toMatch(
      /beginning 5 s after a rollout, 12 probes of 34 failed .* To know: let the run see the target groups/,
    );
  });

  test.for([
    { what: 'with no rollout (S12)', slots: some('2', 3, [25, 60]), entries: [] },
    { what: 'before the rollout', slots: some('2', 3, [5, 20]), entries: [rolled] },
    { what: 'of the application', slots: some('a', 3, [25, 60]), entries: [rolled] },
    { what: 'for want of any target', slots: some('3', 3, [25, 60]), entries: [rolled] },
    { what: 'by our own limit (S13)', slots: some('t', 3, [25, 60]), entries: [rolled] },
    { what: 'of two', slots: some('2', 20, [25, 60]), entries: [rolled] },
    {
      what: 'beside a step of a playbook that is called after deployments',
      slots: some('2', 3, [25, 60]),
      entries: [{ ...rolled, text: 'playbook: step new-side-deployed begins' } as Entry],
    },
    {
      what: 'beside a note about something else',
      slots: some('2', 3, [25, 60]),
      entries: [{ ...rolled, text: 'lunch' }],
    },
  ] as const)('failures $what are none', ({ slots, entries }) => {
    expect(suspected(slots, entries as readonly Entry[])).toEqual([]);
  });

  test('failures more than two minutes after a rollout are none', () => {
    const slots = `${'.'.repeat(150)}${'2.'.repeat(10)}`;
    expect(suspected(slots, [rolled])).toEqual([]);
  });
});

test('whatever the log says in whatever order, the result is the same, and proof is never without failures', () => {
  const kinds = fc.constantFrom('h', 'i', 'u', 'd', 'n', 'v', '-');
  const lives = fc.constantFrom('s', 'r', 't', '.', 'o');
  const text = (one: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
    fc.array(one, { minLength: 1, maxLength }).map((characters) => characters.join(''));
  fc.assert(
    fc.property(
      fc.array(text(kinds, 12), { minLength: 1, maxLength: 3 }),
      fc.array(text(lives, 30), { minLength: 1, maxLength: 3 }),
      fc.array(fc.constantFrom('.', '.', '2', '4', 'a'), { minLength: 40, maxLength: 40 }),
      fc.option(fc.tuple(fc.integer({ min: 1, max: 18 }), fc.integer({ min: 19, max: 39 })), { nil: undefined }),
      (targets, pods, slots, blindS) => {
        const shop: Shop = {
          targets: Object.fromEntries(targets.map((one, i) => [String(i + 1), one])),
          pods: Object.fromEntries(pods.map((one, i) => [String(i + 1), one])),
          lengthS: 40,
          ...(blindS === undefined ? {} : { blindS }),
        };
        const analysis = analysed([shop], { slots: slots.join('') });
        for (const stale of analysis.staleTargets ?? []) {
          expect(stale.fromAtNs).toBeLessThanOrEqual(stale.toAtNs);
          expect(stale.windowMs.min).toBeLessThanOrEqual(stale.windowMs.max);
          if (stale.proof === null) expect(stale.failedCount).toBe(0);
          if (stale.proof === 'P2') expect(stale.check?.failedCount ?? 0).toBeGreaterThanOrEqual(3);
          if (blindS === undefined || stale.target === null) continue;
          // Nothing was concluded while nobody could see.
          expect(stale.toAtNs <= sToNs(blindS[0] + 3.1) || stale.fromAtNs >= sToNs(blindS[1])).toBe(true);
        }
        expect(JSON.stringify(analysed([{ ...shop }], { slots: slots.join('') }))).toBe(JSON.stringify(analysis));
      },
    ),
    { numRuns: 60 },
  );
});
