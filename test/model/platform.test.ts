import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sToNs } from '../../src/core/time.ts';
import type { PlatformStep } from '../../src/model/in-force.ts';
import type { Served } from '../../src/model/world-model.ts';
import { addresses, albSpec, ask, begin, conditionsUntil, end, newStage, nginxSpec, outcome } from './platform-kit.ts';

const [first = '', second = ''] = addresses.old;
const side = 'old';
const services = null;

test('well, every address and hostname is well, nothing is planned but the schedule, and every answer is good', () => {
  for (const spec of [albSpec, nginxSpec]) {
    const { platform } = newStage(spec);
    expect(platform.condition(second, 'ORDERS.shop.test', 0)).toEqual({
      fault: null,
      failedRatio: 0,
      delayMs: 0,
      hits: 'all',
    });
    expect(platform.nextEventNs()).toBe(sToNs(60));
    for (let i = 0; i < 500; i += 1) {
      const served = ask(platform, i / 7, { hostname: 'ORDERS.shop.test' });
      expect(served).toMatchObject({ status: 200, fault: null });
      if (served.kind !== 'answered') continue;
      expect(served.afterNs).toBeGreaterThanOrEqual(0.5 * 23e6);
      expect(served.afterNs).toBeLessThan(1.5 * 23e6);
    }
  }
});

// c connects, r refused, s silent.
test.for([
  {
    what: 'a load balancer removed, refusing',
    step: { kind: 'remove-load-balancer', side, how: 'refused', forS: 9 },
    dials: ['refused', 'refused'],
    kept: 'reset after 0 ms',
    cut: 'reset',
    fault: 'load-balancer-removed',
  },
  {
    what: 'a load balancer removed, silent',
    step: { kind: 'remove-load-balancer', side, how: 'silent', forS: 9 },
    dials: ['silent', 'silent'],
    kept: 'silent',
    cut: 'silent',
    fault: 'load-balancer-removed',
  },
  {
    what: 'the second zone lost, silent',
    step: { kind: 'lose-zone', side, zone: 2, how: 'silent', forS: 9 },
    dials: ['accepted', 'silent'],
    kept: 'silent',
    cut: 'silent',
    fault: 'zone-lost',
  },
  {
    what: 'the second zone lost, refusing',
    step: { kind: 'lose-zone', side, zone: 2, how: 'refused', forS: 9 },
    dials: ['accepted', 'refused'],
    kept: 'reset after 0 ms',
    cut: 'reset',
    fault: 'zone-lost',
  },
] as const)('$what: new connections fail, kept ones are cut, and none of before outlives it', (row) => {
  const { platform } = newStage(nginxSpec);
  const kept = { address: second, openedAtNs: sToNs(5), requestCount: 3 };
  // Dialled just before, connected just after.
  const underWay = { address: second, openedAtNs: sToNs(20.004), requestCount: 0 };
  expect(platform.cut(kept, sToNs(19))).toBeNull();
  begin(platform, row.step, 20);
  expect([first, second].map((address) => platform.dial(address, sToNs(21)).kind)).toEqual(row.dials);
  for (const held of [kept, underWay]) {
    expect(platform.cut(held, sToNs(21))).toEqual({ how: row.cut, fault: row.fault });
    expect(outcome(ask(platform, 21, { held }))).toBe(row.kept);
    expect(ask(platform, 21, { held })).toMatchObject({ fault: row.fault });
  }
  expect(platform.condition(second, 'orders.shop.test', sToNs(21))).toEqual({
    fault: row.fault,
    failedRatio: 1,
    delayMs: 0,
    hits: 'all',
  });
  if (row.dials[0] === 'accepted') {
    const here = { ...kept, address: first };
    expect(platform.condition(first, 'orders.shop.test', sToNs(21)).fault).toBeNull();
    expect(platform.cut(here, sToNs(21))).toBeNull();
    expect(ask(platform, 21, { held: here })).toMatchObject({ status: 200, fault: null });
  }

  end(platform, row.step, 29);
  expect(platform.dial(second, sToNs(29))).toEqual({ kind: 'accepted', afterNs: 0 });
  expect(platform.condition(second, 'orders.shop.test', sToNs(29)).fault).toBeNull();
  expect(platform.cut(kept, sToNs(30))).toMatchObject({ how: 'reset' });
  expect(ask(platform, 30, { held: kept })).toMatchObject({ kind: 'reset', fault: 'connection-ended' });
  const fresh = { address: second, openedAtNs: sToNs(29), requestCount: 0 };
  expect(platform.cut(fresh, sToNs(30))).toBeNull();
  expect(ask(platform, 30, { held: fresh })).toMatchObject({ status: 200 });
});

test('an idle connection ends after the idle timeout of its load balancer', () => {
  const held = { address: first, openedAtNs: 0, requestCount: 1 };
  expect(newStage(albSpec).platform.idleEndNs(held, sToNs(7))).toBe(sToNs(67));
  expect(newStage(nginxSpec).platform.idleEndNs(held, sToNs(7))).toBe(sToNs(82));
});

test.for([
  { spec: albSpec, certificate: null, name: 'orders.shop.test', shown: { kind: 'right', names: ['orders.shop.test'] } },
  { spec: albSpec, certificate: null, name: 'nobody.test', shown: { kind: 'other-name', names: ['orders.shop.test'] } },
  { spec: nginxSpec, certificate: null, name: 'nobody.test', shown: { kind: 'default', names: ['ingress.local'] } },
  { spec: nginxSpec, certificate: null, name: '', shown: { kind: 'default', names: ['ingress.local'] } },
  {
    spec: nginxSpec,
    certificate: 'default',
    name: 'orders.shop.test',
    shown: { kind: 'default', names: ['ingress.local'] },
  },
  {
    spec: nginxSpec,
    certificate: 'other-name',
    name: 'orders.shop.test',
    shown: { kind: 'other-name', names: ['shop.elb.test'] },
  },
  {
    spec: albSpec,
    certificate: 'expired',
    name: 'Orders.shop.test',
    shown: { kind: 'expired', names: ['Orders.shop.test'] },
  },
] as const)('$spec.kind asked for "$name" with certificate $certificate put up shows: $shown.kind', (row) => {
  const { platform } = newStage(row.spec);
  const { certificate } = row;
  if (certificate !== null) {
    begin(platform, { kind: 'show-wrong-certificate', side, certificate, forS: null }, 3);
    expect(platform.condition(first, 'orders.shop.test', sToNs(4))).toEqual({
      fault: 'wrong-certificate',
      failedRatio: 1,
      delayMs: 0,
      hits: 'new-connections',
    });
  }
  expect(platform.certificate(first, row.name, sToNs(4))).toEqual({ ...row.shown, side: 'old' });
});

test('where every request fails anyway, a wrong certificate is not what is told', () => {
  const { platform } = newStage(albSpec);
  begin(platform, { kind: 'show-wrong-certificate', side, certificate: 'expired', forS: null }, 3);
  begin(platform, { kind: 'lose-targets', side, services, forS: null }, 4);
  expect(platform.condition(first, 'orders.shop.test', sToNs(5))).toMatchObject({ fault: 'no-targets', hits: 'all' });
});

test('a failing application answers in its own words, and only as often as is said', () => {
  const { platform } = newStage(albSpec);
  begin(platform, { kind: 'fail-app', side, services, status: 503, ratio: 0.37, forS: null }, 1);
  const served = Array.from({ length: 5000 }, () => ask(platform, 2));
  const failed = served.filter((one) => one.kind === 'answered' && one.status === 503);
  expect(failed[0]).toMatchObject({
    status: 503,
    reason: 'Service Unavailable',
    headers: ['Server', 'gunicorn', 'Content-Type', 'application/json', 'X-Served-By', 'ecs'],
    body: '{"status":503,"error":"Service Unavailable"}\n',
    fault: 'app-failing',
  });
  expect(failed.length / served.length).toBeCloseTo(0.37, 1);
  expect(platform.condition(first, 'orders.shop.test', sToNs(2))).toMatchObject({
    fault: 'app-failing',
    failedRatio: expect.closeTo(0.37, 9),
  });
});

test('only the services named fail, and a step ends as it began', () => {
  const { platform } = newStage(nginxSpec, { services: ['orders', 'billing'] });
  const slow: PlatformStep = { kind: 'slow-app', side, services: ['billing'], byMs: 700, forS: 10 };
  const more: PlatformStep = { kind: 'slow-app', side, services: null, byMs: 300, forS: 10 };
  const delays = (): readonly number[] =>
    ['orders', 'billing'].map((name) => platform.condition(first, `${name}.shop.test`, sToNs(50)).delayMs);
  begin(platform, slow, 1);
  expect(delays()).toEqual([0, 700]);
  begin(platform, more, 2);
  expect(delays()).toEqual([300, 1000]);
  expect(ask(platform, 50, { hostname: 'billing.shop.test' })).toMatchObject({ status: 200, fault: 'app-slow' });
  end(platform, slow, 11);
  expect(delays()).toEqual([300, 300]);
  end(platform, more, 12);
  expect(delays()).toEqual([0, 0]);
  expect(() => end(platform, more, 13)).toThrow('what ends has begun');
});

test('a throttled side answers late: each request waits for its CPU time, and for those before it', () => {
  const { platform } = newStage({ ...nginxSpec, replicaCount: 1 });
  const step: PlatformStep = { kind: 'throttle-cpu', side, quotaMs: 20, demandMs: 50, forS: 100 };
  const afterMs = (served: Served): number => (served.kind === 'answered' ? served.afterNs / 1e6 : NaN);
  begin(platform, step, 1);
  expect(platform.condition(first, 'orders.shop.test', sToNs(1))).toEqual({
    fault: 'cpu-throttled',
    failedRatio: 0,
    delayMs: 80,
    hits: 'all',
  });
  // One a second: each alone. Then ten at once, of which the last needs 500 ms of CPU time at 20 ms in each 100.
  const alone = Array.from({ length: 60 }, (_, i) => ask(platform, 2 + i * 1.037));
  for (const served of alone) {
    expect(served).toMatchObject({ status: 200, fault: 'cpu-throttled' });
    expect(afterMs(served)).toBeGreaterThan(60);
    expect(afterMs(served)).toBeLessThan(160 + 1.5 * 23);
  }
  const together = Array.from({ length: 10 }, () => afterMs(ask(platform, 90)));
  expect(together.at(-1)).toBeGreaterThan(1500);
  expect(together).toEqual(together.toSorted((a, b) => a - b));
  end(platform, step, 101);
  expect(ask(platform, 101)).toMatchObject({ fault: null });
  expect(afterMs(ask(platform, 101))).toBeLessThan(1.5 * 23);
});

test('of two quotas the one that came last counts, and the other again when that is over', () => {
  const { platform } = newStage({ ...nginxSpec, replicaCount: 1 });
  const tight: PlatformStep = { kind: 'throttle-cpu', side, quotaMs: 10, demandMs: 95, forS: 100 };
  const wide: PlatformStep = { kind: 'throttle-cpu', side, quotaMs: 50, demandMs: 95, forS: 10 };
  const afterMs = (atS: number): number => {
    const served = ask(platform, atS);
    return served.kind === 'answered' ? served.afterNs / 1e6 : NaN;
  };
  begin(platform, tight, 1);
  expect(afterMs(2)).toBeGreaterThan(700);
  begin(platform, wide, 20);
  expect(platform.condition(first, 'orders.shop.test', sToNs(21)).delayMs).toBe(0);
  expect(afterMs(21)).toBeLessThan(50 + 1.5 * 23);
  end(platform, wide, 30);
  expect(afterMs(31)).toBeGreaterThan(700);
});

test('same seed, same world; another seed, another', () => {
  const story = (seed: number): string => {
    const { platform, entries } = newStage(albSpec, { seed });
    begin(platform, { kind: 'deploy', side, services, deregisters: 'never', lateS: 0 }, 5);
    const served = Array.from({ length: 300 }, (_, i) => outcome(ask(platform, 10 + i * 0.37)));
    return JSON.stringify([entries, served]);
  };
  expect(story(7)).toBe(story(7));
  expect(story(7)).not.toBe(story(8));
});

// ── whatever happens, requests meet what the condition says ──────────────────────────────────────────────────────────

const forS = null;
const stepArbitrary: fc.Arbitrary<PlatformStep> = fc.oneof(
  fc.record({
    kind: fc.constant('deploy' as const),
    side: fc.constant(side),
    services: fc.constant(services),
    deregisters: fc.constantFrom('in-time' as const, 'late' as const, 'never' as const),
    lateS: fc.constant(6),
  }),
  fc.record({
    kind: fc.constant('remove-load-balancer' as const),
    side: fc.constant(side),
    how: fc.constantFrom('refused' as const, 'silent' as const),
    forS: fc.constant(forS),
  }),
  fc.record({
    kind: fc.constant('lose-zone' as const),
    side: fc.constant(side),
    zone: fc.constantFrom(1, 2),
    how: fc.constantFrom('refused' as const, 'silent' as const),
    forS: fc.constant(forS),
  }),
  fc.constant({ kind: 'lose-targets', side, services, forS } as const),
  fc.record({
    kind: fc.constant('fail-app' as const),
    side: fc.constant(side),
    services: fc.constantFrom(null, ['orders'], ['billing']),
    status: fc.constantFrom(500, 503),
    ratio: fc.constantFrom(0.13, 0.37, 1),
    forS: fc.constant(forS),
  }),
  fc.record({
    kind: fc.constant('slow-app' as const),
    side: fc.constant(side),
    services: fc.constant(services),
    byMs: fc.constantFrom(170, 3300, 59_990),
    forS: fc.constant(forS),
  }),
);

test('whatever is in force, as many requests fail as the condition says, the late ones are as late, and where all is well nothing is amiss', () => {
  const deed = fc.record({
    step: stepArbitrary,
    afterS: fc.double({ min: 0, max: 23, noNaN: true }),
    /** Null: it goes on. */
    endsAfterS: fc.option(fc.double({ min: 0.1, max: 60, noNaN: true })),
  });
  let faultyCount = 0;
  fc.assert(
    fc.property(fc.boolean(), fc.array(deed, { maxLength: 4 }), fc.nat(), (isAlb, deeds, seed) => {
      const { platform } = newStage(isAlb ? albSpec : nginxSpec, { seed, services: ['orders', 'billing'] });
      const acts: { atS: number; step: PlatformStep; isEnd: boolean }[] = [];
      let atS = 1;
      for (const { step, afterS, endsAfterS } of deeds) {
        atS += afterS;
        acts.push({ atS, step, isEnd: false });
        if (endsAfterS !== null && 'forS' in step) acts.push({ atS: atS + endsAfterS, step, isEnd: true });
      }
      acts.sort((a, b) => a.atS - b.atS);
      let nowS = 0;
      const lastS = acts.at(-1)?.atS ?? 1;
      for (const [i, act] of [...acts, { atS: lastS + 37, step: null, isEnd: false }].entries()) {
        // As it was in between, at some instant.
        const betweenS = nowS + (act.atS - nowS) * ((i * 0.37 + 0.21) % 1);
        meet(platform, betweenS);
        nowS = act.atS;
        if (act.step !== null) platform.act({ step: act.step, isEnd: act.isEnd }, sToNs(act.atS));
      }
    }),
    { numRuns: 60 },
  );
  expect(faultyCount).toBeGreaterThan(30);

  function meet(platform: ReturnType<typeof newStage>['platform'], nowS: number): void {
    const [nowNs, count] = [sToNs(nowS), 900];
    for (const address of addresses.old) {
      const condition = platform.condition(address, 'orders.shop.test', nowNs);
      const dialled = platform.dial(address, nowNs);
      const held = { address, openedAtNs: nowNs, requestCount: 0 };
      if (condition.fault !== null) faultyCount += 1;
      if (dialled.kind !== 'accepted') {
        expect(condition).toEqual({ fault: dialled.fault, failedRatio: 1, delayMs: 0, hits: 'all' });
        continue;
      }
      const served = Array.from({ length: count }, () => ask(platform, nowS, { held }));
      const failed = served.filter((one) => one.kind !== 'answered' || one.status !== 200);
      if (condition.fault === null) {
        expect(condition).toEqual({ fault: null, failedRatio: 0, delayMs: 0, hits: 'all' });
        for (const one of served) expect(one.fault).toBeNull();
      }
      for (const one of failed) expect(one.fault).not.toBeNull();
      expectShare(failed.length, count, condition.failedRatio);

      const good = served.filter((one) => one.kind === 'answered' && one.status === 200);
      const { delayMs, delayedPart = { ratio: 1, delayMs } } = condition;
      const laterThan = (ms: number) => good.filter((one) => one.kind === 'answered' && one.afterNs >= ms * 1e6);
      expect(laterThan(delayMs)).toHaveLength(good.length);
      if (delayedPart.delayMs === 0) return;
      for (const one of laterThan(delayedPart.delayMs)) expect(one.fault).not.toBeNull();
      expectShare(laterThan(delayedPart.delayMs).length, good.length, delayedPart.ratio);
    }
  }

  /** Within 5 standard deviations; none and all exactly. */
  function expectShare(hitCount: number, count: number, ratio: number): void {
    const spread = Math.sqrt(count * ratio * Math.max(0, 1 - ratio));
    expect(Math.abs(hitCount - count * ratio)).toBeLessThanOrEqual(5 * spread + 1e-6);
  }
});

test('the condition changes at events that are announced, and at no other instant', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(),
      fc.constantFrom('late' as const, 'never' as const),
      (isAlb, seed, deregisters) => {
        const stages = [1, 2].map(() => newStage(isAlb ? albSpec : nginxSpec, { seed }));
        const [announced, watched] = stages.map(({ platform }) => {
          begin(platform, { kind: 'deploy', side, services, deregisters, lateS: 4 }, 2);
          return platform;
        });
        if (announced === undefined || watched === undefined) return;
        const changes = conditionsUntil(announced, { fromS: 2, untilS: 120 });
        let nowIn = 0;
        for (let atS = 2; atS < 120; atS += 0.173) {
          while ((changes[nowIn + 1]?.atS ?? Infinity) <= atS) nowIn += 1;
          expect(watched.condition(first, 'orders.shop.test', sToNs(atS))).toEqual(changes[nowIn]?.condition);
        }
      },
    ),
    { numRuns: 40 },
  );
});
