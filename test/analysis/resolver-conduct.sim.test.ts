/**
 * Resolvers of every conduct that the model knows, side by side in one simulated cutover, over many seeds: each is called
 * what it is as far as that shows, and none is called what it is not.
 */
import { describe, expect, test } from 'vitest';
import type { Analysis, LaneAnalysis, ResolverAnalysis } from '../../src/core/analysis.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import { simulateResolvers } from './simulated-resolvers.ts';

const honest = {
  plain: 'honest',
  unbound: 'unbound',
  'unbound-stale': 'unbound-stale',
  bind9: 'bind9',
  'bind9-stale': 'bind9-stale',
  dnsmasq: 'dnsmasq',
  'systemd-resolved': 'systemd-resolved',
  vpc: 'vpc',
  google: 'google',
  two: '{ caches: 2 }',
  nine: '{ caches: 9, prefetch: last-2-s }',
};
const ownWays = {
  'dnsmasq-stale': 'dnsmasq-stale',
  coredns: 'coredns',
  'coredns-stale': 'coredns-stale',
  kubernetes: 'kubernetes',
  knot: 'knot',
};
/** What no resolver but one that lengthens, or keeps what has ended, may be told. */
const accusations = ['resolver-violates-ttl', 'resolver-raises-ttl', 'resolver-lags', 'resolver-serves-stale'];

function seedsFrom(first: number, count: number): number[] {
  const one = process.env['CUTWATCH_SEED'];
  return one === undefined ? Array.from({ length: count }, (_, i) => first + i) : [Number(one)];
}

/** Numbers that do not divide; of the world and of the polls. */
function sizes(seed: number): { readonly ttlS: number; readonly ratePerSecond: number } {
  return { ttlS: [3, 7, 11, 23][seed % 4] ?? 7, ratePerSecond: [1.3, 1, 2.7][seed % 3] ?? 1 };
}

function accusationsOf(analysis: Analysis, names: readonly string[]): string[] {
  const ofResolvers = analysis.resolvers
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, findings }) =>
      findings.filter(({ kind }) => accusations.includes(kind)).map(({ kind }) => `${name} ${kind}`),
    );
  const ofLanes = analysis.lanes
    .filter(({ resolver }) => names.includes(resolver ?? ''))
    .flatMap((lane) =>
      reasonsOf([lane])
        .filter((reason) => reason.startsWith('resolver') || reason === 'unknown')
        .map((reason) => `${String(lane.resolver)} ${reason}`),
    );
  return [...ofResolvers, ...ofLanes];
}

function reasonsOf(lanes: readonly LaneAnalysis[]): string[] {
  return lanes.flatMap((lane) => Object.keys(lane.oldAfterChange));
}

function resolverOf({ resolvers }: Analysis, name: string): ResolverAnalysis {
  const found = resolvers.find((resolver) => resolver.name === name);
  if (found === undefined) throw new Error(`no resolver ${name}`);
  return found;
}

describe('an undisturbed cutover', () => {
  test.for(seedsFrom(1, 12))(
    'seed %i: nobody honest is accused, and each other one is called what it is',
    async (seed) => {
      const { ttlS, ratePerSecond } = sizes(seed);
      const own = {
        lengthens: `{ minTtlS: ${2 * ttlS + 5} }`,
        shortens: `{ maxTtlS: ${Math.floor(ttlS / 2)} }`,
        constant: '{ countsDown: false }',
      };
      const { analysis, truth, differsFromLive } = await simulateResolvers({
        resolvers: { ...honest, ...ownWays, ...own },
        seed,
        ttlS,
        ratePerSecond,
        baselineS: 3 * ttlS + 11,
        tailS: 3 * ttlS + 11,
      });
      expect(differsFromLive).toBe(false);
      const isRaisedBy5 = ttlS < 4;
      const unsuspected = [
        ...Object.keys(honest),
        'shortens',
        'constant',
        'kubernetes',
        ...(isRaisedBy5 ? [] : ['coredns', 'coredns-stale', 'knot']),
      ];
      expect(
        accusationsOf(
          analysis,
          unsuspected.filter((name) => !isRaisedBy5 || name !== 'kubernetes'),
        ),
      ).toEqual([]);
      expect(resolverOf(analysis, 'lengthens').conduct).toEqual({ kind: 'raises-ttl', clampS: 2 * ttlS + 5 });
      expect(resolverOf(analysis, 'knot').conduct.kind).toBe(isRaisedBy5 ? 'raises-ttl' : 'honest');
      // It says so itself, each time that an entry has ended.
      expect(resolverOf(analysis, 'dnsmasq-stale').conduct.kind).toBe('serves-stale');
      if (ttlS > 5) {
        expect(resolverOf(analysis, 'shortens').conduct).toEqual({ kind: 'lowers-ttl', clampS: Math.floor(ttlS / 2) });
        expect(resolverOf(analysis, 'constant').conduct).toEqual({ kind: 'constant-ttl', clampS: ttlS });
        expect(resolverOf(analysis, 'google').cacheCount).toBeGreaterThan(1);
        expect(resolverOf(analysis, 'google').cacheCount).toBeLessThanOrEqual(4);
        expect(resolverOf(analysis, 'two').cacheCount).toBe(2);
        for (const name of Object.keys(honest))
          expect([name, resolverOf(analysis, name).conduct.kind]).toEqual([name, 'honest']);
      }
      for (const name of ['plain', 'unbound', 'bind9', 'dnsmasq', 'vpc', 'lengthens', 'constant'])
        expect(resolverOf(analysis, name).cacheCount ?? 1).toBe(1);
      expectConvergenceAsTrue(analysis, truth, ratePerSecond);
    },
  );
});

/** A poll may come so much after the entry that it meets; what it is answered with is known a little later. */
function expectConvergenceAsTrue(analysis: Analysis, truth: readonly TruthEntry[], ratePerSecond: number): void {
  const pollS = Math.ceil(ratePerSecond) / ratePerSecond + 1;
  for (const { name, caches, firstNewAtNs } of analysis.resolvers) {
    const cached = truth.filter((entry) => entry.type === 'answer-cached' && entry.resolver === name);
    const news = cached
      .filter((entry) => entry.type === 'answer-cached' && entry.side === 'new')
      .map(({ atNs }) => atNs);
    if (caches.length > 1 || news.length === 0) continue;
    const late = ((firstNewAtNs ?? Infinity) - Math.min(...news)) / 1e9;
    expect([name, late >= 0 && late <= pollS + 0.01]).toEqual([name, true]);
  }
}

test.for(seedsFrom(41, 8))(
  'seed %i: a TTL that is lowered or raised in the run, or shortly before it, is held against nobody',
  async (seed) => {
    const steps = [
      ['{ atS: 3, do: lower-ttl, ttlS: 7 }'],
      ['{ atS: 31, do: lower-ttl, ttlS: 7 }'],
      ['{ atS: 31, do: lower-ttl, ttlS: 47 }'],
      ['{ afterChangeS: 17, do: lower-ttl, ttlS: 47 }'],
    ][seed % 4];
    const ttlS = [300, 23, 7, 7][seed % 4] ?? 7;
    const { ratePerSecond } = sizes(seed);
    const { analysis } = await simulateResolvers({
      resolvers: { ...honest, coredns: 'coredns', knot: 'knot', kubernetes: 'kubernetes' },
      seed,
      ttlS,
      ratePerSecond,
      steps: steps ?? [],
      baselineS: 53,
      tailS: 67,
    });
    expect(
      accusationsOf(
        analysis,
        analysis.resolvers.map(({ name }) => name),
      ),
    ).toEqual([]);
  },
);

test.for(seedsFrom(61, 8))(
  'seed %i: cut off from the authorities, those that serve stale answers are told from those that do not',
  async (seed) => {
    const { ratePerSecond } = sizes(seed);
    const stale = ['unbound-stale', 'bind9-stale', 'dnsmasq-stale', 'coredns-stale', 'vpc'];
    const others = ['plain', 'unbound', 'bind9', 'dnsmasq', 'coredns', 'google', 'knot'];
    const { analysis } = await simulateResolvers({
      resolvers: Object.fromEntries([...stale, ...others].map((name) => [name, name === 'plain' ? 'honest' : name])),
      seed,
      ttlS: 7,
      ratePerSecond,
      baselineS: 29,
      tailS: 47,
      steps: [...stale, ...others].map(
        (resolver) => `{ atS: 23, do: cut-off-resolver, resolver: ${resolver}, forS: 41 }`,
      ),
    });
    for (const name of stale) {
      const { conduct, findings } = resolverOf(analysis, name);
      expect([name, conduct.kind]).toEqual([name, 'serves-stale']);
      expect(findings.find(({ kind }) => kind === 'resolver-serves-stale')).toMatchObject({ severity: 'warn' });
      expect(findings.map(({ kind }) => kind)).not.toContain('resolver-violates-ttl');
    }
    const staleReasons = new Set(reasonsOf(analysis.lanes.filter(({ resolver }) => stale.includes(resolver ?? ''))));
    expect([...staleReasons].filter((reason) => reason !== 'authority-lags').toSorted()).toEqual([
      'resolver-lags',
      'within-ttl',
    ]);
    expect(accusationsOf(analysis, others)).toEqual([]);
  },
);

test.for(seedsFrom(81, 4))(
  'seed %i: a record that was deleted and created again is remembered as absent, and the resolver is not accused of it',
  async (seed) => {
    const { ratePerSecond } = sizes(seed);
    const { analysis } = await simulateResolvers({
      resolvers: { plain: 'honest', unbound: 'unbound', bind9: 'bind9' },
      seed,
      ttlS: 7,
      ratePerSecond,
      baselineS: 17,
      tailS: 61,
      zone: ', soaTtlS: 37, soaMinimumS: 37',
      switches: false,
      steps: ['{ afterChangeS: 0, do: delete-and-create-record, to: new, gapS: 9 }'],
    });
    for (const { findings } of analysis.resolvers) {
      const found = findings.find(({ kind }) => kind === 'resolver-remembers-absence');
      expect(found).toMatchObject({ severity: 'warn' });
      expect(found?.text).toMatch(/may be remembered for 37 s/);
    }
    expect(
      accusationsOf(
        analysis,
        analysis.resolvers.map(({ name }) => name),
      ),
    ).toEqual([]);
  },
);
