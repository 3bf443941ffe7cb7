import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nsPerS, sToNs } from '../../src/core/time.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import type { PlatformSpec } from '../../src/core/world.ts';
import {
  albSpec,
  ask,
  begin,
  conditionsUntil,
  end,
  newStage,
  nginxSpec,
  outcome,
  replicaSpec,
} from './platform-kit.ts';

const deploy = { kind: 'deploy', side: 'old', services: null, deregisters: 'in-time', lateS: 0 } as const;

type TargetChanged = Extract<TruthEntry, { type: 'target-changed' }>;

function changesOf(entries: readonly TruthEntry[]): readonly TargetChanged[] {
  return entries.filter((entry) => entry.type === 'target-changed');
}

test('one at a time: a new one starts, is ready, is healthy, and only then an old one ends', () => {
  const { platform, entries } = newStage({ ...albSpec, replicaCount: 2, replica: { ...replicaSpec, preStopS: 11 } });
  begin(platform, deploy, 10);
  expect(conditionsUntil(platform, { fromS: 10, untilS: 400 })).toHaveLength(1);
  const told = changesOf(entries).map(({ target, state, isRoutable }) => `${target} ${state}${isRoutable ? ' +' : ''}`);
  const [a, b, c, d] = ['10.1.0.1:8080', '10.1.0.2:8080', '10.1.0.3:8080', '10.1.0.4:8080'];
  expect(told.slice(0, 8)).toEqual([
    `${a} ready +`,
    `${b} ready +`,
    `${c} starting`,
    `${c} ready`,
    `${a} terminating +`,
    `${c} ready +`,
    `${d} starting`,
    // The controller has deregistered it; its preStop hook still runs.
    `${a} terminating`,
  ]);
  const last = new Map(changesOf(entries).map(({ target, state, isRoutable }) => [target, { state, isRoutable }]));
  expect(Object.fromEntries(last)).toEqual({
    [a]: { state: 'gone', isRoutable: false },
    [b]: { state: 'gone', isRoutable: false },
    [c]: { state: 'ready', isRoutable: true },
    [d]: { state: 'ready', isRoutable: true },
  });
  const atS = (target: string, state: string): number =>
    (changesOf(entries).find((one) => one.target === target && one.state === state)?.atNs ?? NaN) / nsPerS;
  expect(atS(c, 'starting')).toBe(10);
  expect(atS(c, 'ready')).toBe(17);
  expect(atS(a, 'terminating')).toBeGreaterThanOrEqual(17);
  expect(atS(a, 'gone')).toBeCloseTo(atS(a, 'terminating') + 13, 6);
});

test('the founding symptom: pods that ended stay in the target group, and requests to them fail', () => {
  const { platform, entries } = newStage(albSpec);
  begin(platform, { ...deploy, deregisters: 'never' }, 10);
  const conditions = conditionsUntil(platform, { fromS: 10, untilS: 300 });
  // Each share is of stale targets among those that get requests: 3 live ones, and up to 3 stale ones.
  for (const { condition } of conditions.slice(1, -1)) {
    expect([1 / 4, 2 / 5, 3 / 6]).toContainEqual(condition.failedRatio);
    expect(condition.fault).toBe('stale-target');
  }
  expect(conditions.length).toBeGreaterThan(2);
  expect(conditions.at(-1)?.condition.fault).toBeNull();

  // Nobody takes them out but the health checks: each gets requests for 15 + 5 to 2 × 15 + 5 s after its SIGTERM or exit.
  const changes = changesOf(entries);
  for (const target of ['10.1.0.1:8080', '10.1.0.2:8080', '10.1.0.3:8080']) {
    const own = changes.filter((change) => change.target === target);
    const ended = own.find(({ state }) => state === 'terminating');
    const out = own.find(({ isRoutable }) => !isRoutable);
    expect(out?.state).toBe('gone');
    const staleS = ((out?.atNs ?? NaN) - (ended?.atNs ?? NaN)) / nsPerS;
    expect(staleS).toBeGreaterThan(15);
    expect(staleS).toBeLessThanOrEqual(35);
  }
});

test.for([
  { whenGone: 'silent', statuses: ['200', '502', '504'] },
  { whenGone: 'refused', statuses: ['200', '502'] },
] as const)(
  'a stale target that is $whenGone: answers are $statuses, in the share of the stale ones',
  ({ whenGone, statuses }) => {
    const { platform } = newStage({ ...albSpec, replica: { ...replicaSpec, whenGone } });
    begin(platform, { ...deploy, deregisters: 'never' }, 10);
    const seen = new Map<string, number>();
    let expectedFailed = 0;
    let count = 0;
    for (let atS = 10; atS < 120; atS += 0.0137) {
      const served = ask(platform, atS);
      expectedFailed += platform.condition('127.0.1.1', 'orders.shop.test', sToNs(atS)).failedRatio;
      count += 1;
      const status = outcome(served).slice(0, 3);
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
    expect([...seen.keys()].toSorted()).toEqual(statuses);
    const failed = count - (seen.get('200') ?? 0);
    expect(expectedFailed).toBeGreaterThan(500);
    expect(Math.abs(failed - expectedFailed)).toBeLessThan(5 * Math.sqrt(expectedFailed));
  },
);

test.for([
  { what: 'a controller quicker than the preStop hook', preStopS: 5, deregisters: 'in-time', lateS: 0, staleS: 0 },
  { what: 'a controller slower than it', preStopS: 1.3, deregisters: 'in-time', lateS: 0, staleS: 1.7 },
  { what: 'one that is late', preStopS: 1.3, deregisters: 'late', lateS: 8, staleS: 9.7 },
] as const)('$what leaves each target stale for $staleS s', ({ preStopS, deregisters, lateS, staleS }) => {
  const { platform } = newStage({
    ...albSpec,
    replicaCount: 1,
    // Longer than any check's timeout and threshold need.
    healthCheck: { ...albSpec.healthCheck, unhealthyCount: 10 },
    replica: { ...replicaSpec, preStopS },
  });
  begin(platform, { ...deploy, deregisters, lateS }, 10);
  const conditions = conditionsUntil(platform, { fromS: 10, untilS: 100 });
  const from = conditions.find(({ condition }) => condition.fault !== null);
  const to = conditions.at(-1);
  if (staleS === 0) expect(from).toBeUndefined();
  else {
    expect(from?.condition).toMatchObject({ fault: 'stale-target', failedRatio: 1 / 2 });
    expect(to?.condition.fault).toBeNull();
    expect((to?.atS ?? 0) - (from?.atS ?? 0)).toBeCloseTo(staleS, 6);
  }
});

test('a second deployment waits for the first, and only the services named are deployed', () => {
  const { platform, entries } = newStage(nginxSpec, { services: ['orders', 'billing'] });
  begin(platform, { ...deploy, services: ['billing'] }, 10);
  begin(platform, { ...deploy, services: ['billing'] }, 12);
  platform.advance(sToNs(500));
  const started = changesOf(entries).filter(({ state }) => state === 'starting');
  expect(started.map(({ service, atNs }) => `${service} ${atNs / nsPerS}`)).toEqual(
    [10, 17, 24, 31, 38, 45].map((atS) => `billing ${atS}`),
  );
});

test('targets lost while a deployment is under way come back, and it goes on to its end, ending each old one once', () => {
  const { platform, entries } = newStage(albSpec);
  const lost = { kind: 'lose-targets', side: 'old', services: null, forS: 9 } as const;
  begin(platform, deploy, 10);
  platform.act({ step: lost, isEnd: false }, sToNs(15));
  expect(platform.condition('127.0.1.1', 'orders.shop.test', sToNs(20)).fault).toBe('no-targets');
  platform.act({ step: lost, isEnd: true }, sToNs(24));
  // All have to pass a check again.
  expect(platform.condition('127.0.1.1', 'orders.shop.test', sToNs(24)).fault).toBe('no-targets');
  platform.advance(sToNs(600));
  expect(platform.condition('127.0.1.1', 'orders.shop.test', sToNs(600)).fault).toBeNull();
  const ended = changesOf(entries).filter(({ state, isRoutable }) => state === 'gone' && !isRoutable);
  expect(ended.map(({ target }) => target)).toEqual(['10.1.0.1:8080', '10.1.0.2:8080', '10.1.0.3:8080']);
});

const order = ['starting', 'ready', 'terminating', 'gone'];

test('each target is in one state at a time and never in an earlier one; as many as asked for live; the truth says who gets requests', () => {
  const spec = fc.record({
    isAlb: fc.boolean(),
    replicaCount: fc.integer({ min: 1, max: 4 }),
    preStopS: fc.constantFrom(0, 1.7, 11),
    whenGone: fc.constantFrom('silent' as const, 'refused' as const),
  });
  const deed = fc.record({
    afterS: fc.double({ min: 0, max: 47, noNaN: true }),
    deregisters: fc.constantFrom('in-time' as const, 'late' as const, 'never' as const),
    /** When it is over, all targets are lost for a while. */
    isLost: fc.boolean(),
  });
  fc.assert(
    fc.property(spec, fc.array(deed, { maxLength: 6 }), fc.nat(), (drawn, deeds, seed) => {
      const { isAlb, replicaCount, preStopS, whenGone } = drawn;
      const over = { replicaCount, replica: { ...replicaSpec, preStopS, whenGone } };
      const platformSpec: PlatformSpec = isAlb ? { ...albSpec, ...over } : { ...nginxSpec, ...over };
      const { platform, entries } = newStage(platformSpec, { seed });
      let atS = 0;
      for (const { afterS, deregisters, isLost } of deeds) {
        atS += afterS;
        begin(platform, { ...deploy, deregisters, lateS: 6 }, atS);
        if (!isLost) continue;
        const lost = { kind: 'lose-targets', side: 'old', services: null, forS: 9 } as const;
        begin(platform, lost, atS + 131);
        end(platform, lost, atS + 140);
        atS += 140;
      }
      const now = new Map<string, TargetChanged>();
      platform.advance(sToNs(atS + 1500));
      const changes = changesOf(entries);
      for (const [i, change] of changes.entries()) {
        const before = now.get(change.target);
        if (before !== undefined) {
          expect(order.indexOf(change.state)).toBeGreaterThanOrEqual(order.indexOf(before.state));
          expect([before.state, before.isRoutable]).not.toEqual([change.state, change.isRoutable]);
        } else expect(['starting', 'ready']).toContain(change.state);
        now.set(change.target, change);
        if (changes[i + 1]?.atNs === change.atNs) continue;
        const living = [...now.values()].filter(({ state }) => state === 'ready').length;
        expect([replicaCount, replicaCount + 1]).toContain(living);
      }
      const states = [...now.values()];
      expect(states.filter(({ state }) => state === 'ready')).toHaveLength(replicaCount);
      expect(states.filter(({ state }) => state === 'gone')).toHaveLength(deeds.length * replicaCount);
      for (const { state, isRoutable } of states) if (state === 'ready') expect(isRoutable).toBe(true);
      if (isAlb) for (const { state, isRoutable } of states) expect(isRoutable).toBe(state === 'ready');
    }),
    { numRuns: 150 },
  );
});
