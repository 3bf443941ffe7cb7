import { describe, expect, test } from 'vitest';
import { newRoute53Look } from '../../src/cli/preflight-route53.ts';
import { settle } from '../../src/cli/settle.ts';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import type { RecordPolicy } from '../../src/core/record-policy.ts';
import { newSimClock } from '../../src/sim/clock.ts';
import { scenarioOf } from '../checks/kit.ts';

const hostname = 'orders.shop.test';
const link = 'lb.shop.test';

function policySeen(name: string, more: Partial<RecordPolicy['records'][number]> = {}): Entry {
  const plain = { type: 'A', policy: 'simple', setIdentifier: '', weight: null, failover: null, audience: '' } as const;
  const record = { ...plain, ttlS: 60, values: ['192.0.2.1'], alias: null, healthCheckId: null, ...more };
  const zone = { id: 'ZPUB', name: 'shop.test', isPrivate: false };
  const whose = name === hostname ? {} : { linkOf: hostname };
  const policies = [{ zone, recordName: name, records: [record] }];
  return { type: 'record-policy-seen', atNs: 1, name, ...whose, askedAtNs: 0, previousAskedAtNs: null, policies };
}

const healthSeen: Entry = {
  type: 'record-health-seen',
  atNs: 2,
  askedAtNs: 1,
  previousAskedAtNs: null,
  health: { id: 'h-1', isHealthy: true, healthyCount: 9, checkerCount: 16 },
};

const blinded = (observer: string, why: string): EntryOf<'observer-blinded'> => ({
  type: 'observer-blinded',
  atNs: 1,
  observer,
  sinceNs: 0,
  why,
});

function look(route53 = 'route53: true') {
  const clock = newSimClock(settle);
  let tell: (entry: Entry) => void = () => {};
  const scenario = scenarioOf(route53);
  const one = newRoute53Look({
    clock,
    scenario,
    observe: (entry) => {
      tell = entry;
      return { marked() {}, stop() {} };
    },
  });
  let isReady = false;
  void one.ready.then(() => (isReady = true));
  return {
    clock,
    facts: () => one.facts(),
    async hears(...entries: readonly Entry[]): Promise<boolean> {
      for (const entry of entries) tell(entry);
      await settle();
      return isReady;
    },
  };
}

describe('the first look waits until there is something to say of everything that is asked', () => {
  test('a plain record is all', async () => {
    const one = look();
    expect(await one.hears()).toBe(false);
    expect(await one.hears(policySeen(hostname))).toBe(true);
    expect(one.facts().policies).toMatchObject([{ name: hostname, hostname }]);
  });

  test('the name that it is another name of is waited for, and the health check that this has', async () => {
    const one = look();
    const alias = { target: 'record', name: link, evaluatesTargetHealth: false } as const;
    expect(await one.hears(policySeen(hostname, { values: [], alias }))).toBe(false);
    expect(await one.hears(policySeen(link, { healthCheckId: 'h-1' }))).toBe(false);
    expect(await one.hears(healthSeen)).toBe(true);
    expect(one.facts().policies).toMatchObject([{ name: hostname }, { name: link, hostname }]);
    expect(one.facts().health).toMatchObject([{ id: 'h-1' }]);
  });

  test('a change that is to be followed is waited for, or that nobody knows it', async () => {
    const one = look('route53: { changeId: C1 }');
    expect(await one.hears(policySeen(hostname))).toBe(false);
    expect(await one.hears({ type: 'noted', atNs: 1, text: 'Route 53 knows no change C1' })).toBe(true);
    expect(one.facts().change).toBe(null);
    expect(one.facts().blind).toEqual([{ what: 'route53:change', why: 'Route 53 knows no change C1', mayPass: false }]);
  });

  test('who cannot see is not waited for', async () => {
    expect(await look().hears(blinded('route53', 'AWS throttles route53:ListHostedZonesByName'))).toBe(true);
  });

  test('nor anybody for longer than a minute', async () => {
    const one = look();
    await one.clock.runUntil(new Promise<void>((resolve) => void one.clock.at(59.9e9, resolve)));
    expect(await one.hears()).toBe(false);
    await one.clock.runUntil(new Promise<void>((resolve) => void one.clock.at(60.1e9, resolve)));
    expect(await one.hears()).toBe(true);
  });
});

test('what recovers is no longer blind, and what only somebody can mend does not pass by itself', async () => {
  const one = look();
  await one.hears(
    { ...blinded('route53', 'there are no AWS credentials: set AWS_PROFILE'), isLasting: true },
    blinded('route53:health', 'slow'),
  );
  expect(one.facts().blind.map(({ mayPass }) => mayPass)).toEqual([false, true]);
  await one.hears({ type: 'observer-recovered', atNs: 9, observer: 'route53' });
  expect(one.facts().blind.map(({ what }) => what)).toEqual(['route53:health']);
});
