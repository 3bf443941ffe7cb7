import { describe, expect, test } from 'vitest';
import { sToNs } from '../../src/core/time.ts';
import type { PlatformSpec } from '../../src/core/world.ts';
import type { Held, Platform } from '../../src/model/world-model.ts';
import { albSpec, ask, begin, end, newStage, nginxSpec, outcome, replicaSpec } from './platform-kit.ts';

const address = '127.0.1.1';

/** One WebSocket, opened at `atS`. */
function open(platform: Platform, atS: number): Held {
  const held = { address, openedAtNs: sToNs(atS), requestCount: 0 };
  const served = ask(platform, atS, { held, isUpgrade: true });
  if (served.kind !== 'answered' || served.session === undefined) throw new Error(outcome(served));
  return { ...held, requestCount: 1, session: served.session };
}

/** When the platform ends it, looked at whenever something happens; null = not until `untilS`. */
function endS(platform: Platform, held: Held, { fromS, untilS }: { fromS: number; untilS: number }): string | null {
  for (let atNs: number | null = sToNs(fromS); atNs !== null && atNs <= sToNs(untilS); atNs = platform.nextEventNs()) {
    platform.advance(atNs);
    const cut = platform.cut(held, atNs);
    if (cut !== null) return `${cut.how} at ${atNs / 1e9} s: ${cut.fault}`;
  }
  return null;
}

const alone = { replicaCount: 1, replica: { ...replicaSpec, startS: 3.7, preStopS: 11, exitS: 2.3 } } as const;
const deploy = { kind: 'deploy', side: 'old', services: null, deregisters: 'in-time', lateS: 0 } as const;
const kinds: readonly PlatformSpec[] = [albSpec, nginxSpec];

test.for(kinds)('$kind passes an upgrade on; the application grants it under its own headers', (spec) => {
  const { platform } = newStage(spec);
  const served = ask(platform, 1, { isUpgrade: true, path: '/live' });
  expect(served).toMatchObject({
    kind: 'answered',
    status: 101,
    reason: 'Switching Protocols',
    body: '',
    closes: false,
  });
  const headers = served.kind === 'answered' ? served.headers : [];
  expect(headers).toEqual([...(spec.kind === 'alb' ? ['Server', 'gunicorn'] : []), 'X-Served-By', 'ecs']);
  expect(ask(platform, 1, { isUpgrade: true, hostname: 'nobody.test' })).toMatchObject({ status: 404 });
});

test('an application that fails grants none, and those that are open stay', () => {
  const { platform } = newStage(albSpec);
  const held = open(platform, 1);
  const failing = { kind: 'fail-app', side: 'old', services: null, status: 500, ratio: 1, forS: null } as const;
  begin(platform, failing, 2);
  expect(ask(platform, 3, { isUpgrade: true })).toMatchObject({ status: 500 });
  expect(ask(platform, 3, { held })).toMatchObject({ kind: 'answered', status: 101, fault: null });
  begin(platform, { kind: 'lose-targets', side: 'old', services: null, forS: null }, 4);
  expect(ask(platform, 5, { isUpgrade: true })).toMatchObject({ status: 500 + 3 });
  expect(ask(platform, 5, { held })).toMatchObject({ status: 101 });
});

test('it outlives the age and the requests at which HTTP connections end', () => {
  const { platform } = newStage({ ...nginxSpec, keepAliveRequestCount: 3 });
  const held = { ...open(platform, 1), requestCount: 5000 };
  expect(ask(platform, 7201, { held })).toMatchObject({ status: 101, closes: false });
});

test.for([
  { spec: { ...albSpec, idleTimeoutS: 47 }, idleS: 47 },
  { spec: { ...nginxSpec, keepAliveTimeoutS: 75 }, idleS: 60 },
])('one that is not pinged ends: $spec.kind after $idleS s', ({ spec, idleS }) => {
  const { platform } = newStage(spec);
  expect(platform.idleEndNs(open(platform, 1), sToNs(9))).toBe(sToNs(9 + idleS));
});

describe('a deployment', () => {
  // Started at 20 s, ready at 23.7 s; an ALB waits for its first check besides.
  test.for([
    { spec: { ...nginxSpec, ...alone }, ended: /^closed at 37(\.0+\d*)? s: connection-ended$/ },
    { spec: { ...albSpec, ...alone }, ended: /^closed at (3[7-9]|4\d|5[01])(\.\d+)? s: connection-ended$/ },
  ])('cuts it when its task or pod exits: $spec.kind', ({ spec, ended }) => {
    const { platform } = newStage(spec);
    const held = open(platform, 1);
    begin(platform, deploy, 20);
    expect(endS(platform, held, { fromS: 20, untilS: 200 })).toMatch(ended);
    expect(outcome(ask(platform, 200, { held }))).toBe('closed after 0 ms');
  });

  test('cuts it at an ALB when the deregistration delay is over, however long its task goes on', () => {
    const replica = { ...replicaSpec, startS: 3.7, preStopS: 500 };
    const spec = { ...albSpec, replicaCount: 1, replica, deregistrationDelayS: 31, controllerLagS: 3 };
    const { platform } = newStage(spec);
    const held = open(platform, 1);
    begin(platform, deploy, 20);
    const [, atS] = /at ([\d.]+) s/.exec(endS(platform, held, { fromS: 20, untilS: 600 }) ?? '') ?? [];
    // Ready at 23.7 s, in service within a check of 15 s, heard 3 s and over 31 s later.
    expect(Number(atS)).toBeGreaterThanOrEqual(57.7);
    expect(Number(atS)).toBeLessThanOrEqual(72.7);
  });

  test('leaves it where its task or pod is of another service', () => {
    const { platform } = newStage(nginxSpec, { services: ['orders', 'billing'] });
    const held = open(platform, 1);
    begin(platform, { ...deploy, services: ['billing'] }, 20);
    expect(endS(platform, held, { fromS: 20, untilS: 200 })).toBe(null);
  });
});

test('a reload of nginx keeps what is open for 240 s more; an ALB has nothing to reload', () => {
  const step = { kind: 'lower-connection-age', side: 'old', clientKeepAliveS: 60 } as const;
  const ended = kinds.map((spec) => {
    const { platform } = newStage(spec);
    const [before, after] = [open(platform, 1), open(platform, 33)];
    begin(platform, step, 32);
    return [before, after].map((held) => endS(platform, held, { fromS: 32, untilS: 900 }));
  });
  expect(ended).toEqual([
    [null, null],
    ['closed at 272 s: connection-ended', null],
  ]);
});

test('a load balancer that is removed resets it, or falls silent', () => {
  for (const how of ['refused', 'silent'] as const) {
    const { platform } = newStage(albSpec);
    const held = open(platform, 1);
    const removed = { kind: 'remove-load-balancer', side: 'old', how, forS: null } as const;
    begin(platform, removed, 5);
    expect(platform.cut(held, sToNs(5))?.how).toBe(how === 'refused' ? 'reset' : 'silent');
    end(platform, removed, 9);
  }
});
