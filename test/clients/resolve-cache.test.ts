import { describe, expect, test } from 'vitest';
import { addressOrder } from '../../src/clients/address-order.ts';
import { newResolveCache } from '../../src/clients/resolve-cache.ts';
import type { ResolvePolicy } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';

/** An answer with a TTL of 20 s, received at 1 s. */
const held = { answer: 2, addresses: ['127.0.1.1'], ttlS: 20, receivedAtNs: sToNs(1) };

describe('what a client does about DNS so many seconds after the start, with an answer of TTL 20 received at 1 s', () => {
  const rows: { policy: ResolvePolicy; at: [number, string][] }[] = [
    {
      policy: { kind: 'per-connection' },
      at: [
        [1.5, 'ask'],
        [30, 'ask'],
      ],
    },
    {
      policy: { kind: 'ttl', minS: 0, maxS: Infinity },
      at: [
        [20.9, 'use'],
        [21, 'ask'],
      ],
    },
    {
      policy: { kind: 'ttl', minS: 60, maxS: Infinity },
      at: [
        [60.9, 'use'],
        [61, 'ask'],
      ],
    },
    {
      policy: { kind: 'ttl', minS: 0, maxS: 5 },
      at: [
        [5.9, 'use'],
        [6, 'ask'],
      ],
    },
    {
      policy: { kind: 'fixed', s: 30, graceS: 0 },
      at: [
        [30.9, 'use'],
        [31, 'ask'],
      ],
    },
    {
      policy: { kind: 'fixed', s: 60, graceS: 60 },
      at: [
        [60.9, 'use'],
        [61, 'use-and-ask'],
        [120.9, 'use-and-ask'],
        [121, 'ask'],
      ],
    },
    { policy: { kind: 'once' }, at: [[86_400, 'use']] },
    {
      policy: { kind: 'refresh', s: 5 },
      at: [
        [5.9, 'use'],
        [6, 'use-and-ask'],
        [600, 'use-and-ask'],
      ],
    },
    { policy: { kind: 'on-break', minS: 30 }, at: [[600, 'use']] },
  ];
  test.for(rows)('$policy', ({ policy, at }) => {
    const cache = newResolveCache(policy);
    expect(cache.decide(0).kind).toBe('ask');
    cache.learn(held);
    for (const [s, kind] of at) expect([s, cache.decide(sToNs(s)).kind]).toEqual([s, kind]);
  });
});

test('one that asks again when a connection breaks waits its least time', () => {
  const cache = newResolveCache({ kind: 'on-break', minS: 30 });
  cache.learn(held);
  cache.broke();
  expect(cache.decide(sToNs(30.9)).kind).toBe('use');
  expect(cache.decide(sToNs(31)).kind).toBe('ask');
  cache.learn({ ...held, receivedAtNs: sToNs(31) });
  expect(cache.decide(sToNs(100)).kind).toBe('use');
});

test('one that resolves once keeps its first answer, whatever comes later', () => {
  const cache = newResolveCache({ kind: 'once' });
  cache.learn(held);
  cache.learn({ ...held, addresses: ['127.0.2.1'] });
  expect(cache.decide(sToNs(9))).toMatchObject({ held: { addresses: ['127.0.1.1'] } });
});

test('a pinned client never asks', () => {
  const cache = newResolveCache({ kind: 'pinned', address: '127.0.1.7' });
  expect(cache.decide(0)).toMatchObject({ kind: 'use', held: { addresses: ['127.0.1.7'], answer: 0 } });
});

test.for([
  { choice: 'first' as const, turn: 3, addresses: ['a'] },
  { choice: 'round-robin' as const, turn: 0, addresses: ['a'] },
  { choice: 'round-robin' as const, turn: 4, addresses: ['b'] },
  { choice: 'next-on-failure' as const, turn: 1, addresses: ['a', 'b', 'c'] },
])('$choice at turn $turn tries $addresses', ({ choice, turn, addresses }) => {
  expect(addressOrder(choice, ['a', 'b', 'c'], turn).addresses).toEqual(addresses);
});

test('happy eyeballs lets the families take turns, the preferred first', () => {
  const { addresses } = addressOrder('happy-eyeballs', ['::1', '::2', '::3', '127.0.0.1'], 0);
  expect(addresses).toEqual(['::1', '127.0.0.1', '::2', '::3']);
});

test('an expired answer is used while a new one is asked for, as long as the grace lasts', () => {
  const cache = newResolveCache({ kind: 'ttl', minS: 0, maxS: 600, graceS: 86_400 });
  cache.learn(held);
  expect(cache.decide(sToNs(20.9)).kind).toBe('use');
  expect(cache.decide(sToNs(21))).toMatchObject({ kind: 'use-and-ask', held: { addresses: ['127.0.1.1'] } });
  expect(cache.decide(sToNs(86_420)).kind).toBe('use-and-ask');
  expect(cache.decide(sToNs(86_421)).kind).toBe('ask');
});

describe('a failure is remembered', () => {
  test('for as long as the policy says', () => {
    const cache = newResolveCache({ kind: 'fixed', s: 30, graceS: 0, negativeS: 10 });
    cache.failed(sToNs(3));
    expect(cache.decide(sToNs(12.9)).kind).toBe('fail');
    expect(cache.decide(sToNs(13)).kind).toBe('ask');
  });

  test('but an answer that is still held is not given up for it', () => {
    const cache = newResolveCache({ kind: 'fixed', s: 30, graceS: 60, negativeS: 10 });
    cache.learn(held);
    cache.failed(sToNs(32));
    expect(cache.decide(sToNs(33)).kind).toBe('use-and-ask');
  });

  test.for<ResolvePolicy>([
    { kind: 'per-connection' },
    { kind: 'fixed', s: 30, graceS: 0 },
    { kind: 'on-break', minS: 30 },
  ])('not at all by $kind without it', (policy) => {
    const cache = newResolveCache(policy);
    cache.failed(sToNs(3));
    expect(cache.decide(sToNs(3)).kind).toBe('ask');
  });
});

describe('what is asked without a request that needs it', () => {
  test('whoever refreshes asks at every multiple, whether needed or not', () => {
    const cache = newResolveCache({ kind: 'refresh', s: 5 });
    expect(cache.askDueAtNs(sToNs(3))).toBeNull();
    cache.learn(held);
    expect(cache.askDueAtNs(sToNs(5.9))).toBeNull();
    expect(cache.askDueAtNs(sToNs(6))).toBe(sToNs(6));
    expect(cache.askDueAtNs(sToNs(17.3))).toBe(sToNs(16));
  });

  test('a connection that breaks too soon is a question that follows', () => {
    const cache = newResolveCache({ kind: 'on-break', minS: 30 });
    cache.learn(held);
    expect(cache.askDueAtNs(sToNs(600))).toBeNull();
    cache.broke();
    expect(cache.askDueAtNs(sToNs(30.9))).toBeNull();
    expect(cache.askDueAtNs(sToNs(33))).toBe(sToNs(31));
    cache.learn({ ...held, receivedAtNs: sToNs(33) });
    expect(cache.askDueAtNs(sToNs(600))).toBeNull();
  });

  test.for<ResolvePolicy>([
    { kind: 'per-connection' },
    { kind: 'ttl', minS: 0, maxS: 60, graceS: 60 },
    { kind: 'fixed', s: 60, graceS: 60 },
    { kind: 'once' },
  ])('$kind asks only when it is used', (policy) => {
    const cache = newResolveCache(policy);
    cache.learn(held);
    cache.broke();
    expect(cache.askDueAtNs(sToNs(600))).toBeNull();
  });
});
