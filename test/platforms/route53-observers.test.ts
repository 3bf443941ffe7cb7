/** Route 53 beside the probes in virtual time: its answers are given, and so is when there are none. */
import { describe, expect, test } from 'vitest';
import { settle } from '../../src/cli/settle.ts';
import type { Entry } from '../../src/core/entry.ts';
import type { Observers } from '../../src/core/ports.ts';
import { newRandom } from '../../src/core/random.ts';
import type { PolicyRecord, RecordPolicy } from '../../src/core/record-policy.ts';
import { sToNs } from '../../src/core/time.ts';
import { changeIdsIn, startRoute53Observers } from '../../src/platforms/route53-observers.ts';
import type { Route53 } from '../../src/platforms/route53.ts';
import { notTold, told } from '../../src/platforms/told.ts';
import { newSimClock } from '../../src/sim/clock.ts';

type Said = Omit<Route53, 'close'>;

/** At `nowS`. */
type Says = (nowS: number) => Partial<Said>;

const orders = 'orders.shop.example';
const calm: Said = {
  policies: async () => told([]),
  health: async (id) => told({ id, isHealthy: true, healthyCount: 16, checkerCount: 16 }),
  change: async () => told({ status: 'INSYNC', submittedAtMs: 0 }),
};

function policy(...records: readonly Partial<PolicyRecord>[]): RecordPolicy {
  const blank = { type: 'A', policy: 'simple', setIdentifier: '', weight: null, failover: null, audience: '' } as const;
  const rest = { ttlS: 60, values: ['127.0.1.1'], alias: null, healthCheckId: null };
  return {
    zone: { id: 'ZPUB', name: 'shop.example', isPrivate: false },
    recordName: orders,
    records: records.map((record) => ({ ...blank, ...rest, ...record })),
  };
}

async function watched(
  forS: number,
  says: Says,
  {
    changeId = null,
    during,
  }: { readonly changeId?: string | null; readonly during?: (atS: number, observers: Observers) => void } = {},
): Promise<{
  readonly entries: readonly Entry[];
  readonly asked: readonly string[];
  readonly isClosed: () => boolean;
}> {
  const clock = newSimClock(settle);
  const entries: Entry[] = [];
  const asked: string[] = [];
  let isClosed = false;
  const now = (): Said => ({ ...calm, ...says(clock.nowNs() / 1e9) });
  const ask = <T>(what: string, answer: () => Promise<T>): Promise<T> => {
    asked.push(what);
    // As long as a call takes.
    return new Promise((resolve) => void clock.at(clock.nowNs() + sToNs(0.11), () => resolve(answer())));
  };
  const observers = startRoute53Observers({
    clock,
    random: newRandom(11, 'route53'),
    route53: {
      policies: (name, signal) => ask(name, () => now().policies(name, signal)),
      health: (id, signal) => ask(id, () => now().health(id, signal)),
      change: (id, signal) => ask(id, () => now().change(id, signal)),
      close: () => void (isClosed = true),
    },
    names: [orders],
    changeId,
    entry: (entry) => entries.push(entry),
  });
  for (let atS = 1; atS < forS; atS += 1) clock.at(sToNs(atS), () => during?.(atS, observers));
  await clock.runUntil(new Promise<void>((resolve) => void clock.at(sToNs(forS), resolve)));
  observers.stop();
  return { entries, asked, isClosed: () => isClosed };
}

const of = <T extends Entry['type']>(entries: readonly Entry[], type: T) =>
  entries.filter((entry): entry is Extract<Entry, { type: T }> => entry.type === type);

test('a policy is told when it differs from before, with when it was not yet so', async () => {
  const weights = (atS: number): number => (atS < 70 ? 90 : 10);
  const { entries } = await watched(200, (atS) => ({
    policies: async () => told([policy({ policy: 'weighted', weight: weights(atS) })]),
  }));
  const seen = of(entries, 'record-policy-seen');
  expect(seen.map(({ policies: [one] }) => one?.records[0]?.weight)).toEqual([90, 10]);
  const [first, second] = seen;
  expect(first).toMatchObject({ name: orders, askedAtNs: 0, previousAskedAtNs: null });
  expect(second?.previousAskedAtNs).toBeLessThan(sToNs(70));
  expect(second?.atNs).toBeGreaterThan(sToNs(70));
});

test('links of the chain are looked at too, but not where they leave Route 53, nor for ever in a loop', async () => {
  const cname = (value: string): RecordPolicy => policy({ type: 'CNAME', values: [value] });
  const chain: Readonly<Record<string, RecordPolicy>> = {
    [orders]: cname('lb.shop.example'),
    'lb.shop.example': cname('back.shop.example'),
    'back.shop.example': cname(orders),
  };
  const { entries, asked } = await watched(20, () => ({
    policies: async (name) => told(chain[name] === undefined ? [] : [chain[name]]),
  }));
  expect(asked).toEqual([orders, 'lb.shop.example', 'back.shop.example']);
  expect(of(entries, 'record-policy-seen').map(({ name, linkOf }) => [name, linkOf])).toEqual([
    [orders, undefined],
    ['lb.shop.example', orders],
    ['back.shop.example', orders],
  ]);
  const out = await watched(20, () => ({ policies: async () => told([cname('shop-1.us-west-1.elb.amazonaws.com')]) }));
  expect(out.asked).toEqual([orders]);
});

test('health checks are looked at once a record has one, and what their checkers say is told when it turns', async () => {
  const { entries, asked } = await watched(100, (atS) => ({
    policies: async () => told([policy({ healthCheckId: 'h-1' })]),
    health: async (id) => told({ id, isHealthy: atS < 40, healthyCount: atS < 40 ? 9 : 1, checkerCount: 16 }),
  }));
  expect(of(entries, 'record-health-seen').map(({ health }) => health.isHealthy)).toEqual([true, false]);
  expect(asked.filter((what) => what === 'h-1').length).toBeGreaterThan(7);
});

describe('a change made through the API', () => {
  test('is followed until INSYNC, and then no more', async () => {
    const { entries, asked } = await watched(
      100,
      (atS) => ({ change: async () => told({ status: atS < 31 ? 'PENDING' : 'INSYNC', submittedAtMs: 1234 }) }),
      { changeId: 'C1' },
    );
    const [pending, inSync, ...others] = of(entries, 'dns-change-seen');
    expect(others).toEqual([]);
    expect(pending).toMatchObject({ id: 'C1', status: 'PENDING', submittedAtMs: 1234, previousAskedAtNs: null });
    expect(inSync).toMatchObject({ id: 'C1', status: 'INSYNC' });
    expect(inSync?.previousAskedAtNs).toBeLessThan(sToNs(31));
    expect((inSync?.atNs ?? 0) - (inSync?.previousAskedAtNs ?? 0)).toBeLessThan(sToNs(3));
    const count = asked.filter((what) => what === 'C1').length;
    expect(count).toBeLessThan(18);
  });

  test('that a mark names is followed from then on, and the records are looked at anew', async () => {
    const { entries, asked } = await watched(60, () => ({}), {
      during: (atS, observers) => {
        if (atS === 40) observers.marked('switch orders: /change/C0123456789ABC, and /change/C9');
      },
    });
    const changes = of(entries, 'dns-change-seen');
    expect(changes.map(({ id }) => id)).toEqual(['C0123456789ABC', 'C9']);
    expect(changes[0]?.askedAtNs).toBe(sToNs(40));
    // At 0 s, after 30 s and at the mark.
    expect(asked.filter((what) => what === orders)).toHaveLength(3);
  });

  test('that nobody knows is said once, and given up', async () => {
    const { entries, asked } = await watched(60, () => ({ change: async () => notTold('missing', 'unknown') }), {
      changeId: 'C404',
    });
    expect(asked.filter((what) => what === 'C404')).toHaveLength(1);
    expect(of(entries, 'noted')).toMatchObject([
      { text: 'Route 53 knows no change C404 in the account that is asked' },
    ]);
    expect(of(entries, 'observer-blinded')).toEqual([]);
  });

  test.for([
    { text: 'switch', ids: [] },
    { text: '/change/C1', ids: ['C1'] },
    { text: '{"ChangeInfo":{"Id":"/change/C0AB"}}', ids: ['C0AB'] },
    { text: 'see https://wiki.example/change/management', ids: [] },
    { text: `/change/${'C'.repeat(33)}`, ids: [] },
  ])('ids in "$text"', ({ text, ids }) => {
    expect(changeIdsIn(text)).toEqual(ids);
  });
});

test('who may not read health checks still reads records and changes: each observer is blind by itself', async () => {
  const { entries } = await watched(
    100,
    () => ({
      policies: async () => told([policy({ healthCheckId: 'h-1' })]),
      health: async () => notTold('denied', 'the AWS credentials in use may not do route53:GetHealthCheck'),
    }),
    { changeId: 'C1' },
  );
  expect(of(entries, 'observer-started').map(({ observer }) => observer)).toEqual([
    'route53',
    'route53:change',
    'route53:health',
  ]);
  expect(of(entries, 'observer-blinded').map(({ observer }) => observer)).toEqual(['route53:health']);
});

test.for(['throttled', 'timed-out', 'denied', 'unreachable'] as const)(
  '%s for half a minute: blind from the last look to the next that sees, and nothing that was told before is told again',
  async (reason) => {
    const { entries } = await watched(300, (atS) => ({
      policies: async () => (atS > 65 && atS < 95 ? notTold(reason, 'not now') : told([policy({})])),
    }));
    const [started, , blinded, recovered, ...rest] = entries;
    expect(rest).toEqual([]);
    expect(started?.type).toBe('observer-started');
    expect(blinded).toMatchObject({ type: 'observer-blinded', observer: 'route53', why: 'not now' });
    expect(recovered).toMatchObject({ type: 'observer-recovered', observer: 'route53' });
    const { sinceNs } = blinded as Extract<Entry, { type: 'observer-blinded' }>;
    expect(sinceNs).toBeGreaterThan(sToNs(29));
    expect(sinceNs).toBeLessThan(sToNs(65));
    expect(recovered?.atNs).toBeGreaterThan(sToNs(95));
  },
);

test('what is stopped is closed, and a mark after that does nothing', async () => {
  let last: Observers | null = null;
  const { entries, isClosed } = await watched(5, () => ({}), { during: (_, observers) => (last = observers) });
  const count = entries.length;
  (last as unknown as Observers).marked('switch /change/C7');
  await settle();
  expect(entries).toHaveLength(count);
  expect(isClosed()).toBe(true);
});
