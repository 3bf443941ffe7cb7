import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newRandom } from '../../src/core/random.ts';
import { sToNs } from '../../src/core/time.ts';
import type { ResolverConduct } from '../../src/core/world.ts';
import { newResolver } from '../../src/model/resolver.ts';
import { honest } from './conduct.ts';
import { newTextZone } from './zone-text.ts';

interface Seen {
  readonly atS: number;
  readonly address: string;
  readonly ttlS: number;
  readonly fetched: boolean;
}

interface Case {
  readonly ttlS: number;
  readonly changeAtS: number;
  readonly gapsMs: readonly number[];
  readonly conduct?: Partial<ResolverConduct>;
}

/** One name, asked again and again, that moves once. */
function observe({ ttlS, changeAtS, gapsMs, conduct = {} }: Case): readonly Seen[] {
  const zones = ['127.0.1.1', '127.0.2.1'].map((address) => newTextZone(`orders.shop.example ${ttlS} A ${address}`));
  let fetchCount = 0;
  const resolver = newResolver({
    name: 'vpc',
    conduct: { ...honest, ...conduct },
    setting: {
      sites: [],
      loadBalancerNames: { old: [], new: [] },
      places: { sides: { old: [], new: [] }, nameServers: {}, resolvers: {}, references: {} },
    },
    upstream: (question, nowNs) => {
      fetchCount += 1;
      return zones[nowNs < sToNs(changeAtS) ? 0 : 1]?.ask(question) ?? null;
    },
    random: newRandom(11, 'resolver'),
    record: () => {},
  });
  let atS = 0;
  return gapsMs.map((gapMs) => {
    atS = Math.round(atS * 1000 + gapMs) / 1000;
    const countBefore = fetchCount;
    const [one] = resolver.ask({ name: 'orders.shop.example', type: 'A' }, sToNs(atS)).answers;
    return { atS, address: one?.data ?? '', ttlS: one?.ttlS ?? 0, fetched: fetchCount > countBefore };
  });
}

const ttl = fc.integer({ min: 1, max: 90 });
const moves = fc.record({
  ttlS: ttl,
  changeAtS: fc.integer({ min: 0, max: 200 }),
  gapsMs: fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 60 }),
});

/** Lives of entries: the rows from one fetch to the next. */
function lives(rows: readonly Seen[]): readonly (readonly Seen[])[] {
  const all: Seen[][] = [];
  for (const row of rows) {
    if (row.fetched) all.push([]);
    all.at(-1)?.push(row);
  }
  return all;
}

test('an honest cache serves no answer that is older than its TTL, and none is fetched before', () => {
  fc.assert(
    fc.property(moves, (one) => {
      const rows = observe(one);
      for (const { atS, address } of rows) {
        if (address === '127.0.1.1') expect(atS).toBeLessThan(one.changeAtS + one.ttlS);
      }
      for (const life of lives(rows)) {
        const born = life[0]?.atS ?? 0;
        for (const { atS } of life) expect(atS - born).toBeLessThan(one.ttlS);
      }
      const fetches = rows.filter(({ fetched }) => fetched).map(({ atS }) => atS);
      for (const [i, atS] of fetches.slice(1).entries())
        expect(atS - (fetches[i] ?? 0)).toBeGreaterThanOrEqual(one.ttlS);
    }),
  );
});

test('all questions of one life see the same end, to the nearest second, and none sees 0', () => {
  fc.assert(
    fc.property(moves, (one) => {
      for (const life of lives(observe(one))) {
        const endS = (life[0]?.atS ?? 0) + one.ttlS;
        for (const { atS, ttlS } of life) {
          expect(Math.abs(atS + ttlS - endS)).toBeLessThan(1);
          expect(ttlS).toBeGreaterThan(0);
        }
      }
    }),
  );
});

test('limits bound what is shown and how long it is kept', () => {
  fc.assert(
    fc.property(moves, ttl, ttl, (one, a, b) => {
      const [minTtlS, maxTtlS] = [Math.min(a, b), Math.max(a, b)];
      const heldS = Math.min(Math.max(one.ttlS, minTtlS), maxTtlS);
      const rows = observe({ ...one, conduct: { minTtlS, maxTtlS } });
      for (const life of lives(rows)) {
        expect(life[0]?.ttlS).toBe(heldS);
        for (const { atS, ttlS } of life) {
          expect(ttlS).toBeLessThanOrEqual(heldS);
          expect(atS - (life[0]?.atS ?? 0)).toBeLessThan(heldS);
        }
      }
    }),
  );
});

test('prefetch never makes an answer older, and never shows more than the TTL', () => {
  fc.assert(
    fc.property(moves, fc.constantFrom('last-tenth', 'last-2-s'), (one, prefetch) => {
      for (const { atS, address, ttlS } of observe({ ...one, conduct: { prefetch } })) {
        if (address === '127.0.1.1') expect(atS).toBeLessThan(one.changeAtS + one.ttlS);
        expect(ttlS).toBeLessThanOrEqual(one.ttlS);
      }
    }),
  );
});

test('behind one address, caches are honest each for itself: after the change every answer is new within a TTL', () => {
  fc.assert(
    fc.property(moves, fc.integer({ min: 2, max: 5 }), (one, cacheCount) => {
      const rows = observe({ ...one, conduct: { cacheCount } });
      for (const { atS, address } of rows) {
        if (address === '127.0.1.1') expect(atS).toBeLessThan(one.changeAtS + one.ttlS);
      }
      // No more caches than that were filled within one life.
      for (const { atS } of rows) {
        const filled = rows.filter((row) => row.fetched && row.atS > atS && row.atS - atS < one.ttlS);
        expect(filled.length).toBeLessThanOrEqual(cacheCount);
      }
    }),
  );
});

test('asked at random instants, a busy honest cache still has the old answer with 1 − age / TTL', () => {
  const ttlS = 60;
  const random = newRandom(5, 'phase');
  const ages = [6, 21, 42, 57];
  const runs = 2000;
  const oldCounts = ages.map(() => 0);
  for (let i = 0; i < runs; i += 1) {
    // Somebody else fills the cache at an instant that has nothing to do with the change, and again at each end.
    const fillS = random() * ttlS;
    const changeAtS = 2 * ttlS;
    for (const [k, age] of ages.entries()) {
      const askAtS = changeAtS + age;
      const fills = Array.from({ length: 4 }, (_, n) => fillS + n * ttlS).filter((s) => s < askAtS);
      const instants = [...fills, askAtS];
      const gapsMs = instants.map((s, n) => (s - (instants[n - 1] ?? 0)) * 1000);
      const last = observe({ ttlS, changeAtS, gapsMs: gapsMs.map((ms) => Math.ceil(ms)) }).at(-1);
      if (last?.address === '127.0.1.1') oldCounts[k] = (oldCounts[k] ?? 0) + 1;
    }
  }
  for (const [k, age] of ages.entries()) {
    const expected = 1 - age / ttlS;
    expect(Math.abs((oldCounts[k] ?? 0) / runs - expected)).toBeLessThan(0.045);
  }
});

test('the same seed gives the same answers', () => {
  const one: Case = {
    ttlS: 7,
    changeAtS: 40,
    gapsMs: Array.from({ length: 50 }, (_, i) => 137 * (i % 13)),
    conduct: { cacheCount: 3 },
  };
  expect(observe(one)).toEqual(observe(one));
});
