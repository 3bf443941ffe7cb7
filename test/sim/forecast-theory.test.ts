import { expect, test, vi } from 'vitest';
import { loweredTheory, theoryRatio, waitingRatio } from '../../src/core/residual-theory.ts';
import { expectShares, forecastOf, onlyService } from './forecast-kit.ts';

// Thousands of users take half a second, and several times that where all tests run at once.
vi.setConfig({ testTimeout: 30_000 });

test('an honest cache: of users who ask each time, 1 − t/T are still led to the old side', () => {
  const service = onlyService(forecastOf({ clients: '[fresh]' }));
  expectShares(service, (atS) => waitingRatio(atS, [67]));
  expect(service.all.t50S).toBeCloseTo(33.5, 0);
  expect(service.all.t90S).toBeCloseTo(0.9 * 67, 0);
  expect(service.all.lastS).toBeGreaterThan(66);
  expect(service.all.lastS).toBeLessThan(69);
  expect(service.all.heldLast).toEqual([{ by: 'resolver-cache', ratio: 1 }]);
});

test('removed after N, an honest cache keeps users down for the integral of 1 − t/T from there', () => {
  const { removals } = onlyService(forecastOf({ clients: '[fresh]', change: '{ via: dns, ttlS: 190 }' }));
  expect(removals.map(({ afterS }) => Math.round(afterS))).toEqual([0, 60, 120, 190, 300, 600, 900]);
  for (const { afterS, hitRatio, downS } of removals) {
    const leftS = Math.max(0, 190 - afterS);
    expect(Math.abs(downS.mean - leftS ** 2 / (2 * 190))).toBeLessThanOrEqual(4.4 * downS.standardError);
    expect(Math.abs(hitRatio - leftS / 190)).toBeLessThanOrEqual(4.4 * Math.sqrt(0.25 / 5000));
  }
});

/**
 * A client that keeps an answer s seconds and asks every g on average is within its s for s/(s + g) of the time, with what
 * it got a uniform part of s ago: two waits in a row. Else it would ask now: one.
 */
test('a fixed time on top of an honest cache: the sum of two uniform waits', () => {
  const [s, g, lifeS] = [30, 5, 67];
  const service = onlyService(forecastOf({ clients: '[jvm-30]' }));
  expectShares(
    service,
    (atS) => (s / (s + g)) * waitingRatio(atS, [s, lifeS]) + (g / (s + g)) * waitingRatio(atS, [lifeS]),
  );
  expect(service.all.heldLast[0]?.by).toBe('own-cache');
});

test('removed at once, a fixed time keeps users down for the rest of both waits', () => {
  // Means of both: half of 67 s, and of the 30 s for those who are within them.
  const { removals } = onlyService(forecastOf({ clients: '[jvm-30]', given: { requestEveryS: 0.5 } }));
  const [first] = removals;
  // Whoever asks again while the side is gone may get the old answer again, so that nothing else is different.
  expect(first?.downS.mean).toBeCloseTo(67 / 2 + (30 / 30.5) * 15, 0);
});

test('a resolver that keeps everything for 300 s makes a life of 67 s one of 300', () => {
  const world = '{ resolvers: { vpc: { minTtlS: 300 } } }';
  const service = onlyService(forecastOf({ clients: '[fresh]', world }));
  expectShares(service, (atS) => waitingRatio(atS, [300]));
  expect(service.lifeS).toBe(300);
});

test('a resolver that keeps nothing for longer than 20 s makes it one of 20', () => {
  const world = '{ resolvers: { vpc: { maxTtlS: 20 } } }';
  expectShares(onlyService(forecastOf({ clients: '[fresh]', world })), (atS) => waitingRatio(atS, [20]));
});

test('a resolver that fetches anew 2 s before the end shortens the life by that', () => {
  const world = '{ resolvers: { vpc: { prefetch: last-2-s } } }';
  expectShares(onlyService(forecastOf({ clients: '[fresh]', world })), (atS) => waitingRatio(atS, [65]));
});

test('several caches behind one address are as one: each has a phase of its own', () => {
  const world = '{ resolvers: { vpc: { caches: 4 } } }';
  expectShares(onlyService(forecastOf({ clients: '[fresh]', world })), (atS) => waitingRatio(atS, [67]));
});

test('a TTL lowered together with the switch is too late: the life is the one before', () => {
  const world = `{ zone: { ttlS: 700 }, script: [{ afterChangeS: 0, do: lower-ttl, ttlS: 67 }, { afterChangeS: 0, do: switch-dns }] }`;
  expectShares(onlyService(forecastOf({ clients: '[fresh]', world })), (atS) => waitingRatio(atS, [700]));
});

test('a TTL lowered less than its old life before the switch: what was fetched before that ends later', () => {
  const world =
    '{ zone: { ttlS: 700 }, script: [{ atS: 0, do: lower-ttl, ttlS: 67 }, { afterChangeS: 0, do: switch-dns }] }';
  const change = '{ via: dns, ttlS: 67, baselineS: 300 }';
  // Of 700 s, 400 are left to those who had more than 300 left when it was lowered.
  const theory = loweredTheory({ beforeS: 700, afterS: 67, sinceS: 300 }, []);
  expectShares(onlyService(forecastOf({ clients: '[fresh]', world, change })), (atS) => theoryRatio(theory, atS));
});

test('a name server that lags for several lives leads half of all users back again and again', () => {
  const world = '{ zone: { ttlS: 10, nameServers: [{ name: a }, { name: b, lagS: 50 }] } }';
  const service = onlyService(forecastOf({ clients: '[fresh]', world }));
  expectShares(service, (atS) => (atS < 10 ? 1 - atS / 20 : 0.5 * waitingRatio(atS - 50, [10])));
  const { downS } = service.removals.find(({ afterS }) => afterS === 20) ?? { downS: { mean: NaN, standardError: 0 } };
  expect(Math.abs(downS.mean - (0.5 * 30 + 0.5 * 5))).toBeLessThanOrEqual(4.4 * downS.standardError);
});

test('a name server that lags leads half of all caches back until it has the change', () => {
  // An answer that ends within the lag is fetched from the laggard with chance 1/2, and lives 67 s again.
  const world = `{ zone: { ttlS: 67, nameServers: [{ name: a }, { name: b, lagS: 50 }] } }`;
  const service = onlyService(forecastOf({ clients: '[fresh]', world }));
  expectShares(service, (atS) => {
    const isFromBefore = waitingRatio(atS, [67]);
    const hasFromLaggard = Math.max(0, Math.min(atS, 50) - Math.max(0, atS - 67)) / 67;
    return isFromBefore + hasFromLaggard / 2;
  });
  expect(service.all.heldLast).toEqual([{ by: 'name-server', ratio: 1 }]);
});

test('a client that asks once stays for ever, and removal strands it', () => {
  const service = onlyService(forecastOf({ clients: '{ fresh: 3, jvm-forever: 1 }' }));
  const [, jvm] = service.clients;
  expect(jvm).toMatchObject({ t50S: null, t99S: null, lastS: null, stayRatio: 1 });
  expect(jvm?.heldLast).toEqual([{ by: 'never-asks', ratio: 1 }]);
  expect(service.all.stayRatio).toBe(0.25);
  expect(service.curve.at(-1)?.ratio).toBe(0.25);
  expect(service.all.heldAtT90).toEqual([{ by: 'never-asks', ratio: 1 }]);
  for (const { stuckRatio } of service.removals) expect(stuckRatio).toBe(0.25);
  // Those who can leave are down as if there were no others.
  expect(service.removals[0]?.downS.mean).toBeCloseTo(67 / 2, -1);
});

test('a busy kept connection holds until the load balancer ends it for its age: 1 − t/3600 for an ALB', () => {
  // Then one more request is served, and the next one asks DNS again: on average 5 s each, which the slack allows for.
  const { all, curve, removals } = onlyService(forecastOf({ clients: '[keep-alive]' }));
  const at = (atS: number): number => curve.findLast((point) => point.atS <= atS)?.ratio ?? NaN;
  for (const atS of [300, 1000, 1900, 2800, 3500]) expect(at(atS)).toBeCloseTo(1 - atS / 3610, 1);
  expect(all.lastS).toBeGreaterThan(3600);
  expect(all.lastS).toBeLessThan(3720);
  expect(all.heldLast).toEqual([{ by: 'kept-connection', ratio: 1 }]);
  // When the side goes they connect anew, and DNS leads them as it does everybody.
  expect(removals[0]?.downS.mean).toBeCloseTo(67 / 2, -1);
  expect(removals.find(({ afterS }) => afterS === 120)?.downS.mean).toBe(0);
});

test('connections opened after the age was lowered end at the lower one, those from before do not', () => {
  const script = `script: [{ atS: 0, do: lower-connection-age, side: old, clientKeepAliveS: 60 }, { afterChangeS: 0, do: switch-dns }]`;
  const change = '{ via: dns, ttlS: 67, baselineS: 3600 }';
  const waited = onlyService(
    forecastOf({ clients: '[keep-alive]', change, world: `{ ${script} }`, given: { populationCount: 20 } }),
  );
  expect(waited.all.t99S).toBeLessThan(67 + 60 + 30);
  const hurried = onlyService(
    forecastOf({ clients: '[keep-alive]', world: `{ ${script} }`, given: { populationCount: 20 } }),
  );
  expect(hurried.all.t99S).toBeGreaterThan(3000);
});

test('a client that asks only when its connection breaks leaves when the server ends it, and is mended by the removal', () => {
  const service = onlyService(forecastOf({ clients: '[grpc]', given: { populationCount: 20 } }));
  expect(service.all.t50S).toBeGreaterThan(1500);
  expect(service.all.stayRatio).toBe(0);
  const [first] = service.removals;
  expect(first?.stuckRatio).toBe(0);
  expect(first?.downS.mean).toBeCloseTo(67 / 2 + 30 / 2, -1.5);
});

test('a client that refreshes by itself is as old as its last question, however seldom it sends a request', () => {
  const { all } = onlyService(forecastOf({ clients: '[envoy-dns]', given: { requestEveryS: 600 } }));
  const { all: asking } = onlyService(forecastOf({ clients: '[fresh]', given: { requestEveryS: 600 } }));
  expect(Math.abs((all.t90S ?? 0) - (asking.t90S ?? 0))).toBeLessThan(12);
});

test('who asks the authoritative servers himself is nobody, and no share of the users', () => {
  const { clients, all } = onlyService(forecastOf({ clients: '[authority, pinned-ip]' }));
  expect(clients.map(({ client, weightRatio, stayRatio }) => [client, weightRatio, stayRatio])).toEqual([
    ['pinned-ip', 1, 1],
  ]);
  expect(all.stayRatio).toBe(1);
});

test('a connection that idles longer than the server allows is opened anew, so that DNS decides', () => {
  const { all } = onlyService(forecastOf({ clients: '[keep-alive]', given: { requestEveryS: 600 } }));
  expect(all.t99S).toBeLessThan(67 + 60);
});
