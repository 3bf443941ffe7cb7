import { expect, test } from 'vitest';
import { sToNs } from '../../src/core/time.ts';
import { newIngressNginx } from '../../src/model/ingress-nginx.ts';
import {
  ask,
  begin,
  conditionsUntil,
  end,
  newStage,
  nginxSpec,
  outcome,
  replicasOf,
  replicaSpec,
} from './platform-kit.ts';

/** Endpoints in their order: g serves, r refuses, s is silent. */
test.for([
  { endpoints: 'g', failed: 0, delayed: 0, outcomes: ['to 1 after 0 s'] },
  { endpoints: 'r', failed: 1, delayed: 0, outcomes: ['502 after 0 s'] },
  { endpoints: 's', failed: 1, delayed: 0, outcomes: ['504 after 15 s'] },
  { endpoints: 'gr', failed: 0, delayed: 0, outcomes: ['to 1 after 0 s'] },
  { endpoints: 'gs', failed: 0, delayed: 1 / 2, outcomes: ['to 1 after 0 s', 'to 1 after 5 s'] },
  { endpoints: 'gss', failed: 0, delayed: 2 / 3, outcomes: ['to 1 after 0 s', 'to 1 after 10 s', 'to 1 after 5 s'] },
  { endpoints: 'grr', failed: 0, delayed: 0, outcomes: ['to 1 after 0 s'] },
  { endpoints: 'grrr', failed: 1 / 4, delayed: 0, outcomes: ['to 1 after 0 s', '502 after 0 s'] },
  {
    endpoints: 'gsrs',
    failed: 1 / 4,
    delayed: 2 / 3,
    outcomes: ['to 1 after 0 s', '504 after 10 s', 'to 1 after 5 s'],
  },
  { endpoints: 'ssr', failed: 1, delayed: 0, outcomes: ['502 after 10 s', '504 after 10 s'] },
])('with endpoints $endpoints and 3 tries $failed of all fail and $delayed of the rest are late', (row) => {
  const front = newIngressNginx(nginxSpec, 1);
  const backends = front.newBackends({ name: 'orders', later: () => {} });
  const replicas = replicasOf(row.endpoints);
  backends.begin(replicas, 0);
  const routes = Array.from({ length: 6000 }, () => front.route(backends));
  const said = routes.map((route) => {
    const to = route.kind === 'to' ? `to ${replicas.indexOf(route.replica) + 1}` : String(route.status);
    return `${to} after ${route.afterNs / 1e9} s`;
  });
  expect(new Set(said)).toEqual(new Set(row.outcomes));

  const chances = front.chances(backends);
  expect(chances.failedRatio).toBeCloseTo(row.failed, 9);
  expect(chances.delayedPart?.ratio ?? 0).toBeCloseTo(row.delayed, 9);
  const failed = routes.filter(({ kind }) => kind === 'page');
  expect(failed.length / routes.length).toBeCloseTo(row.failed, 1);
  const answered = routes.filter(({ kind }) => kind === 'to');
  const delayed = answered.filter(({ afterNs }) => afterNs > 0);
  if (answered.length > 0) expect(delayed.length / answered.length).toBeCloseTo(row.delayed, 1);
  if (delayed.length > 0)
    expect(chances.delayedPart?.delayMs).toBe(Math.min(...delayed.map(({ afterNs }) => afterNs / 1e6)));
  for (const route of routes) expect(route.fault !== null).toBe(route.kind === 'page' || route.afterNs > 0);
  expect(chances.fault).toBe(row.failed > 0 || row.delayed > 0 ? 'stale-endpoints' : null);
});

const deploy = { kind: 'deploy', side: 'old', services: null, deregisters: 'in-time', lateS: 0 } as const;

test('one pod alone, rolled without a preStop hook, is 502 for as long as nginx does not know of the new one', () => {
  const { platform } = newStage({ ...nginxSpec, replicaCount: 1 });
  begin(platform, deploy, 10);
  expect(conditionsUntil(platform, { fromS: 10, untilS: 100 })).toMatchObject([
    { atS: 10, condition: { fault: null } },
    { atS: 17, condition: { fault: 'stale-endpoints', failedRatio: 1, delayMs: 0 } },
    { atS: 20, condition: { fault: null } },
  ]);
});

test('a preStop hook longer than the lag of the endpoints hides the deployment', () => {
  const { platform } = newStage({ ...nginxSpec, replicaCount: 1, replica: { ...replicaSpec, preStopS: 3.7 } });
  begin(platform, deploy, 10);
  expect(conditionsUntil(platform, { fromS: 10, untilS: 100 })).toMatchObject([
    { atS: 10, condition: { fault: null } },
  ]);
});

test('of three pods rolled, the one that has ended is hidden by the next try: at once while its port is closed, 5 s later once it has gone', () => {
  const { platform } = newStage({ ...nginxSpec, endpointLagS: 4 });
  begin(platform, deploy, 10);
  expect(conditionsUntil(platform, { fromS: 10, untilS: 26 })).toMatchObject([
    { atS: 10, condition: { fault: null } },
    // Its exit takes 2 s, from the SIGTERM at 17 s.
    {
      atS: 19,
      condition: { fault: 'stale-endpoints', failedRatio: 0, delayMs: 0, delayedPart: { ratio: 1 / 3, delayMs: 5000 } },
    },
    { atS: 21, condition: { fault: null } },
    {
      atS: 26,
      condition: { fault: 'stale-endpoints', failedRatio: 0, delayMs: 0, delayedPart: { ratio: 1 / 3, delayMs: 5000 } },
    },
  ]);
});

test('endpoints that nobody took out are there for ever, until the list is made anew', () => {
  const { platform } = newStage({ ...nginxSpec, replicaCount: 1 });
  const lost = { kind: 'lose-targets', side: 'old', services: null, forS: 9 } as const;
  const now = (atS: number) => platform.condition('127.0.1.1', 'orders.shop.test', sToNs(atS));
  begin(platform, { ...deploy, deregisters: 'never' }, 10);
  expect(now(3000)).toMatchObject({
    fault: 'stale-endpoints',
    failedRatio: 0,
    delayMs: 0,
    delayedPart: { ratio: 1 / 2, delayMs: 5000 },
  });
  begin(platform, lost, 3001);
  end(platform, lost, 3010);
  expect(now(3010).fault).toBeNull();
});

test('without endpoints it says 503 in its own form, and has no Server header in anything', () => {
  const { platform } = newStage(nginxSpec);
  const lost = { kind: 'lose-targets', side: 'old', services: null, forS: 9 } as const;
  expect(ask(platform, 1)).toMatchObject({
    status: 200,
    reason: 'OK',
    headers: ['Content-Type', 'text/plain', 'X-Served-By', 'ecs'],
    body: 'ready\n',
  });
  begin(platform, lost, 2);
  const page = ask(platform, 3);
  expect(page).toMatchObject({
    status: 503,
    reason: 'Service Temporarily Unavailable',
    headers: ['Content-Type', 'text/html'],
    closes: false,
    fault: 'no-targets',
  });
  if (page.kind === 'answered') expect(page.body).toHaveLength(190);
  expect(platform.condition('127.0.1.2', 'orders.shop.test', sToNs(3))).toMatchObject({
    fault: 'no-targets',
    failedRatio: 1,
  });
  end(platform, lost, 11);
  expect(ask(platform, 11)).toMatchObject({ status: 200, fault: null });
  expect(ask(platform, 12, { hostname: 'nobody.test' })).toMatchObject({
    status: 404,
    headers: ['Content-Type', 'text/html'],
    fault: null,
  });
});

test('over TLS it promises TLS for a year, also in its error pages, but not under its fake certificate', () => {
  const { platform } = newStage(nginxSpec);
  const header = ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'];
  const headersOf = (hostname: string, isSecure: boolean): readonly string[] => {
    const served = ask(platform, 1, { hostname, isSecure });
    return served.kind === 'answered' ? served.headers.slice(-2) : [];
  };
  expect(headersOf('orders.shop.test', true)).toEqual(header);
  expect(headersOf('orders.shop.test', false)).not.toEqual(header);
  expect(headersOf('nobody.test', true)).not.toEqual(header);
});

test.for([
  { ageS: 10, requestCount: 0, closes: false },
  { ageS: 10, requestCount: 998, closes: false },
  { ageS: 10, requestCount: 999, closes: true },
  { ageS: 3599, requestCount: 5, closes: false },
  { ageS: 3601, requestCount: 5, closes: true },
])(
  'a connection of $ageS s with $requestCount requests before this one: closes $closes',
  ({ ageS, requestCount, closes }) => {
    const { platform } = newStage(nginxSpec);
    const held = { address: '127.0.1.1', openedAtNs: sToNs(5000 - ageS), requestCount };
    expect(ask(platform, 5000, { held })).toMatchObject({ closes });
  },
);

test('a closed port is tried on for any method; what was sent is sent again only if that is harmless', () => {
  const { platform } = newStage(nginxSpec);
  const slow = { kind: 'slow-app', side: 'old', services: null, byMs: 61_000, forS: null } as const;
  begin(platform, slow, 1);
  expect(outcome(ask(platform, 2))).toBe('504 after 180000 ms');
  expect(outcome(ask(platform, 2, { method: 'POST' }))).toBe('504 after 60000 ms');
});
