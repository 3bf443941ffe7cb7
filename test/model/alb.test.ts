import { expect, test } from 'vitest';
import { sToNs } from '../../src/core/time.ts';
import { newAlb } from '../../src/model/alb.ts';
import { newEndpoints } from '../../src/model/endpoints.ts';
import { albSpec, ask, begin, end, newStage, nginxSpec, outcome, replicasOf } from './platform-kit.ts';

test.for([
  { targets: '', statuses: [503], failed: 1, fault: 'no-targets' },
  { targets: 'ggg', statuses: [], failed: 0, fault: null },
  { targets: 'ggs', statuses: [504], failed: 1 / 3, fault: 'stale-target' },
  { targets: 'grgs', statuses: [502, 504], failed: 1 / 2, fault: 'stale-target' },
  { targets: 'rrr', statuses: [502], failed: 1, fault: 'stale-target' },
])('with targets "$targets" so many fail: $failed, by $statuses', ({ targets, statuses, failed, fault }) => {
  const alb = newAlb(albSpec, 3);
  const backends = newEndpoints({ spec: nginxSpec, later: () => {} });
  backends.begin(replicasOf(targets), 0);
  const routes = Array.from({ length: 6000 }, () => alb.route(backends));
  const pages = routes.filter((route) => route.kind === 'page');
  expect(new Set(pages.map(({ status }) => status))).toEqual(new Set(statuses));
  expect(alb.chances(backends)).toMatchObject({ fault, failedRatio: failed });
  expect(pages.length / routes.length).toBeCloseTo(failed, 1);
  for (const { status, afterNs } of pages) {
    if (status === 504) {
      expect(afterNs).toBeGreaterThanOrEqual(sToNs(10));
      expect(afterNs).toBeLessThan(sToNs(10.1));
    } else expect(afterNs).toBeLessThan(sToNs(0.01));
  }
});

test('on success it adds nothing: the Server is the application’s; what it says itself is awselb', () => {
  const { platform } = newStage(albSpec);
  expect(ask(platform, 1)).toMatchObject({
    status: 200,
    reason: 'OK',
    headers: ['Server', 'gunicorn', 'Content-Type', 'text/plain', 'X-Served-By', 'ecs'],
    body: 'ready\n',
    closes: false,
    fault: null,
  });
  expect(ask(platform, 1, { path: '/made?n=1' })).toMatchObject({ status: 201, reason: 'Created', body: '' });
  expect(ask(platform, 1, { path: '/elsewhere', isSecure: true })).toMatchObject({ status: 200, body: 'ready\n' });
  expect(ask(platform, 1, { hostname: 'nobody.test' })).toMatchObject({
    status: 404,
    reason: 'Not Found',
    headers: ['Server', 'awselb/2.0', 'Content-Type', 'text/plain; charset=utf-8'],
    fault: null,
  });
  const lost = { kind: 'lose-targets', side: 'old', services: ['orders'], forS: null } as const;
  begin(platform, lost, 2);
  expect(ask(platform, 3)).toMatchObject({
    status: 503,
    reason: 'Service Temporarily Unavailable',
    headers: ['Server', 'awselb/2.0', 'Content-Type', 'text/html'],
    closes: false,
    fault: 'no-targets',
  });
  end(platform, lost, 4);
  // Registered anew, none has passed a check yet.
  expect(ask(platform, 4)).toMatchObject({ status: 503, fault: 'no-targets' });
  platform.advance(sToNs(4 + albSpec.healthCheck.intervalS));
  expect(ask(platform, 4 + albSpec.healthCheck.intervalS)).toMatchObject({ status: 200, fault: null });
});

test('a target without a Server header of its own is passed on without one', () => {
  const { platform } = newStage({ ...albSpec, replica: { ...albSpec.replica, server: null } });
  expect(ask(platform, 1)).toMatchObject({ headers: ['Content-Type', 'text/plain', 'X-Served-By', 'ecs'] });
});

test('after its age a connection has one more answer, and keeps the age it was opened under', () => {
  const { platform } = newStage(albSpec);
  const closesAt = (atS: number, openedAtS: number): boolean => {
    const held = { address: '127.0.1.1', openedAtNs: sToNs(openedAtS), requestCount: 7 };
    const served = ask(platform, atS, { held });
    return served.kind === 'answered' && served.closes;
  };
  begin(platform, { kind: 'lower-connection-age', side: 'old', clientKeepAliveS: 60 }, 1000);
  expect(closesAt(1060, 999)).toBe(false);
  expect(closesAt(1060, 1001)).toBe(false);
  expect(closesAt(1061, 1001)).toBe(true);
  expect(closesAt(4598, 999)).toBe(false);
  expect(closesAt(4599, 999)).toBe(true);
});

test.for([
  { alpn: 'h2', requestCount: 9998, closes: false },
  { alpn: 'h2', requestCount: 9999, closes: true },
  // Requests of before that were under way together with the last one.
  { alpn: 'h2', requestCount: 10_003, closes: true },
  { alpn: 'http/1.1', requestCount: 9999, closes: false },
  { alpn: '', requestCount: 123_457, closes: false },
])('with $requestCount requests before this one, a connection of "$alpn" closes: $closes', (row) => {
  const { platform } = newStage(albSpec);
  const held = { address: '127.0.1.1', openedAtNs: sToNs(1), requestCount: row.requestCount, alpn: row.alpn };
  expect(ask(platform, 2, { held })).toMatchObject({ status: 200, closes: row.closes });
});

test('an application slower than the idle timeout is 504 when that is over', () => {
  const { platform } = newStage(albSpec);
  // 60 s less a service time of 11.5 to 34.5 ms: a draw of 12.5 ms or more is too late.
  const slow = { kind: 'slow-app', side: 'old', services: null, byMs: 59_987.5, forS: null } as const;
  begin(platform, slow, 1);
  const served = Array.from({ length: 4000 }, () => ask(platform, 2));
  const late = served.filter((one) => outcome(one) === '504 after 60000 ms');
  const condition = platform.condition('127.0.1.1', 'orders.shop.test', sToNs(2));
  expect(condition).toMatchObject({ fault: 'app-slow', delayMs: 59_987.5 });
  expect(condition.failedRatio).toBeCloseTo(22 / 23, 9);
  expect(late.length / served.length).toBeCloseTo(22 / 23, 1);
  for (const one of served) expect(one).toMatchObject({ fault: 'app-slow' });
});
