import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newRandom } from '../../src/core/random.ts';
import { nsPerS, sToNs } from '../../src/core/time.ts';
import type { AlbSpec } from '../../src/core/world.ts';
import { newReplica, makeReady, type Replica } from '../../src/model/replicas.ts';
import type { Backends } from '../../src/model/front.ts';
import { newTargetGroup } from '../../src/model/target-group.ts';
import { newTimeline, type Timeline } from '../../src/model/timeline.ts';
import { albSpec, replicaSpec } from './platform-kit.ts';

type HealthCheck = AlbSpec['healthCheck'];

function newGroup(
  healthCheck: HealthCheck,
  { count, seed = 1, whenGone = 'silent' }: { count: number; seed?: number; whenGone?: 'silent' | 'refused' },
): { group: Backends; timeline: Timeline; replicas: readonly Replica[] } {
  const timeline = newTimeline();
  const group = newTargetGroup({
    spec: { ...albSpec, healthCheck },
    later: (atNs, run) => timeline.at(atNs, run),
    random: newRandom(seed, 'health checks'),
  });
  const replicas = Array.from({ length: count }, (_, i) => {
    const replica = newReplica(`10.0.0.${i}:80`, { ...replicaSpec, whenGone });
    makeReady(replica);
    return replica;
  });
  group.begin(replicas, 0);
  return { group, timeline, replicas };
}

function takeDown(replica: Replica): void {
  replica.isServing = false;
  replica.state = 'gone';
}

/** The instant from which `isSo`, s. */
function whenSo(timeline: Timeline, isSo: () => boolean): number {
  for (let atNs = 0; ; atNs = timeline.nextNs() ?? Infinity) {
    if (atNs === Infinity) return Infinity;
    timeline.advance(atNs);
    if (isSo()) return atNs / nsPerS;
  }
}

const controllerDefault = { intervalS: 15, timeoutS: 5, healthyCount: 2, unhealthyCount: 2 };
const awsDefault = { intervalS: 30, timeoutS: 5, healthyCount: 5, unhealthyCount: 2 };

test.for([
  { name: 'the defaults of the controller', healthCheck: controllerDefault, whenGone: 'silent', atMostS: 35 },
  { name: 'the defaults of AWS', healthCheck: awsDefault, whenGone: 'silent', atMostS: 65 },
  { name: 'the defaults of the controller', healthCheck: controllerDefault, whenGone: 'refused', atMostS: 30 },
  { name: 'the defaults of AWS', healthCheck: awsDefault, whenGone: 'refused', atMostS: 60 },
] as const)(
  'with $name a target that has gone ($whenGone) is unhealthy within $atMostS s, and at the earliest one interval before',
  ({ healthCheck, whenGone, atMostS }) => {
    const tookS = Array.from({ length: 400 }, (_, seed) => {
      const { group, timeline, replicas } = newGroup(healthCheck, { count: 2, seed, whenGone });
      const [leaving = newReplica('', replicaSpec)] = replicas;
      const atS = 100 + seed * 1.37;
      timeline.advance(sToNs(atS));
      takeDown(leaving);
      group.receptionChanged(leaving, sToNs(atS));
      return whenSo(timeline, () => group.health(leaving) === 'unhealthy') - atS;
    });
    const [leastS, mostS] = [Math.min(...tookS), Math.max(...tookS)];
    expect(mostS).toBeLessThanOrEqual(atMostS + 1e-6);
    expect(leastS).toBeGreaterThan(atMostS - healthCheck.intervalS - 1e-6);
    // Every phase is drawn alike.
    expect(mostS).toBeGreaterThan(atMostS - healthCheck.intervalS * 0.05);
    expect(leastS).toBeLessThan(atMostS - healthCheck.intervalS * 0.95);
  },
);

test('a new target is in service with its first good check; one that was unhealthy needs as many as are asked for', () => {
  const { group, timeline, replicas } = newGroup(awsDefault, { count: 1 });
  const [old] = replicas as [Replica];
  const fresh = newReplica('10.0.0.9:80', replicaSpec);
  makeReady(fresh);
  timeline.advance(sToNs(11));
  const inServiceAtS: number[] = [];
  group.add(fresh, sToNs(11), (atNs) => inServiceAtS.push(atNs / nsPerS));
  expect(group.health(fresh)).toBe('initial');
  expect(group.routable()).toEqual([old]);
  const healthyAtS = whenSo(timeline, () => group.health(fresh) === 'healthy');
  expect(inServiceAtS).toEqual([healthyAtS]);
  expect(healthyAtS).toBeGreaterThanOrEqual(11);
  expect(healthyAtS).toBeLessThan(11 + 30);

  fresh.isServing = false;
  group.receptionChanged(fresh, sToNs(healthyAtS + 1));
  const unhealthyAtS = whenSo(timeline, () => group.health(fresh) === 'unhealthy');
  expect(unhealthyAtS).toBeCloseTo(healthyAtS + 60, 6);
  fresh.isServing = true;
  group.receptionChanged(fresh, sToNs(unhealthyAtS + 1));
  expect(whenSo(timeline, () => group.health(fresh) === 'healthy')).toBeCloseTo(unhealthyAtS + 5 * 30, 6);
});

test('a single failed check in a row of two changes nothing', () => {
  const { group, timeline, replicas } = newGroup(controllerDefault, { count: 1 });
  const [replica] = replicas as [Replica];
  replica.isServing = false;
  group.receptionChanged(replica, 0);
  timeline.advance(sToNs(15));
  replica.isServing = true;
  group.receptionChanged(replica, sToNs(15));
  timeline.advance(sToNs(300));
  expect(group.health(replica)).toBe('healthy');
  expect(timeline.nextNs()).toBeNull();
});

test('where all that were checked are unhealthy, all get requests, also those not yet checked', () => {
  const { group, timeline, replicas } = newGroup(controllerDefault, { count: 2 });
  const [one, other] = replicas as [Replica, Replica];
  for (const replica of replicas) {
    takeDown(replica);
    group.receptionChanged(replica, 0);
  }
  timeline.advance(sToNs(20));
  timeline.advance(sToNs(36));
  expect([group.health(one), group.health(other)]).toEqual(['unhealthy', 'unhealthy']);
  expect(group.routable()).toEqual([one, other]);

  const fresh = newReplica('10.0.0.9:80', replicaSpec);
  makeReady(fresh);
  group.add(fresh, sToNs(36), () => {});
  expect(group.routable()).toEqual([one, other, fresh]);
  timeline.advance(sToNs(36 + 15));
  expect(group.routable()).toEqual([fresh]);

  group.remove(fresh, sToNs(52));
  expect(group.routable()).toEqual([one, other]);
  group.remove(one, sToNs(52));
  group.remove(other, sToNs(52));
  expect(group.routable()).toEqual([]);
  expect(group.health(one)).toBe('draining');
  timeline.advance(sToNs(52 + 299.9));
  expect(group.health(one)).toBe('draining');
  timeline.advance(sToNs(52 + 300));
  expect(group.health(one)).toBeNull();
});

test('those not yet checked get no requests by themselves, whether or not others drain', () => {
  const { group, timeline, replicas } = newGroup(controllerDefault, { count: 1 });
  const [leaving] = replicas as [Replica];
  const fresh = newReplica('10.0.0.9:80', replicaSpec);
  makeReady(fresh);
  group.add(fresh, sToNs(3.7), () => {});
  group.remove(leaving, sToNs(3.7));
  expect([group.health(leaving), group.health(fresh)]).toEqual(['draining', 'initial']);
  expect(group.routable()).toEqual([]);
  const inServiceAtS = whenSo(timeline, () => group.routable().length > 0);
  expect(group.routable()).toEqual([fresh]);
  expect(inServiceAtS).toBeGreaterThanOrEqual(3.7);
  expect(inServiceAtS).toBeLessThan(3.7 + controllerDefault.intervalS);
});

test('every target is in one state, a draining one gets nothing, and steady targets plan nothing', () => {
  const deed = fc.record({
    kind: fc.constantFrom('down', 'gone', 'up', 'remove', 'add', 'lose', 'regain'),
    which: fc.nat({ max: 3 }),
    afterS: fc.double({ min: 0.1, max: 41, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 25 }), fc.nat(), (deeds, seed) => {
      const { group, timeline, replicas } = newGroup(controllerDefault, { count: 4, seed });
      const members = new Set(replicas);
      let isLost = false;
      let nowNs = 0;
      for (const { kind, which, afterS } of deeds) {
        nowNs += sToNs(afterS);
        timeline.advance(nowNs);
        const replica = replicas[which] as Replica;
        if (kind === 'down' || kind === 'up' || kind === 'gone') {
          replica.isServing = kind === 'up';
          replica.state = kind === 'gone' ? 'gone' : 'ready';
          group.receptionChanged(replica, nowNs);
        } else if (kind === 'remove') {
          members.delete(replica);
          group.remove(replica, nowNs);
        } else if (kind === 'add' && !members.has(replica)) {
          members.add(replica);
          group.add(replica, nowNs, () => {});
        } else if (kind === 'lose' && !isLost) {
          isLost = true;
          group.lose(nowNs);
        } else if (kind === 'regain' && isLost) {
          isLost = false;
          for (const one of members) if (one.state === 'gone') members.delete(one);
          group.regain(nowNs);
        }
        const routable = group.routable();
        expect(new Set(routable).size).toBe(routable.length);
        const known = new Set([...members].map((one) => group.health(one)));
        for (const one of routable) expect(members.has(one)).toBe(true);
        if (isLost) expect(routable).toEqual([]);
        else expect(routable.length > 0).toBe(known.has('healthy') || known.has('unhealthy'));
        // Fail-open or not: all that get requests are healthy, or nobody is.
        const healths = new Set(routable.map((one) => group.health(one) === 'healthy'));
        expect(healths.size).toBeLessThanOrEqual(1);
      }
      timeline.advance(nowNs + sToNs(1000));
      expect(timeline.nextNs()).toBeNull();
      if (isLost) return;
      for (const one of members) expect(group.health(one)).toBe(one.isServing ? 'healthy' : 'unhealthy');
    }),
    { numRuns: 300 },
  );
});
