/** Pods rolled under a watched run, with targets left behind or not: what the report says, held against the world. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { newRandom } from '../../src/core/random.ts';
import type { StaleTarget } from '../../src/core/stale-target.ts';
import { nsToS, sToNs } from '../../src/core/time.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import { causesOf } from '../../src/cli/rehearsal-story.ts';
import { judge } from '../../src/verdict/judge.ts';
import { scenariosFolder } from './simulated.ts';
import { playWorld, type Json, type PlayedWorld } from './worlds.ts';

vi.setConfig({ testTimeout: 120_000 });

const pollNs = sToNs(3.3);
/** What does not last so long is no fault, and polls take some of both ends. */
const surelyNs = sToNs(10) + 2 * pollNs;

interface Twist {
  readonly replica?: Json;
  readonly platform?: Json;
  readonly deploy?: Json;
  readonly isObserved?: boolean;
  readonly more?: readonly Json[];
  readonly side?: Json;
  readonly tailS?: number;
  readonly baselineS?: number;
}

/** The scenario that ships, with something else in it. */
function twisted({ replica, platform, deploy, isObserved, more = [], side, ...waits }: Twist): Json {
  const base = parse(readFileSync(join(scenariosFolder, 'stale-targets-after-deploy.yaml'), 'utf8')) as {
    readonly [key: string]: Json;
  } & { readonly world: { readonly new: Json & { readonly replica: Json }; readonly script: readonly Json[] } };
  const { world, sides, change } = base;
  return {
    ...base,
    change: { ...change, ...waits },
    sides: { ...sides, new: { ...(sides?.['new'] as Json), ...side } },
    world: {
      ...world,
      observed: isObserved ?? true,
      new: { ...world.new, ...platform, replica: { ...world.new.replica, ...replica } },
      script: [...world.script.map((step) => (step['do'] === 'deploy' ? { ...step, ...deploy } : step)), ...more],
      expect: undefined,
    },
  };
}

interface Span {
  readonly target: string;
  readonly fromNs: number;
  readonly toNs: number;
}

/** When it got requests and had gone, by the world's word. */
function trueSpans(truth: readonly TruthEntry[], endNs: number): Span[] {
  const open = new Map<string, number>();
  const spans: Span[] = [];
  for (const entry of truth) {
    if (entry.type !== 'target-changed' || entry.side !== 'new') continue;
    const isStale = entry.state === 'gone' && entry.isRoutable;
    const fromNs = open.get(entry.target);
    if (isStale && fromNs === undefined) open.set(entry.target, entry.atNs);
    if (isStale || fromNs === undefined) continue;
    open.delete(entry.target);
    spans.push({ target: entry.target, fromNs, toNs: entry.atNs });
  }
  return [...spans, ...[...open].map(([target, fromNs]) => ({ target, fromNs, toNs: endNs }))];
}

const goneTargets = ({ analysis }: PlayedWorld): readonly StaleTarget[] =>
  (analysis.staleTargets ?? []).filter(({ fault }) => fault === 'stale-gone');

/** Each that was stale for long enough is named, no other is, and its window is the world's to within a poll. */
function expectTrueWindows(played: PlayedWorld): void {
  const endNs = played.analysis.endedAtNs;
  const spans = trueSpans(played.truth, endNs);
  const named = goneTargets(played).filter(({ target }) => target !== null);
  for (const stale of named) {
    const [span] = spans.filter(({ target }) => target === stale.target);
    expect(span, stale.text).toBeDefined();
    if (span === undefined) continue;
    expect(Math.abs(stale.fromAtNs - span.fromNs)).toBeLessThanOrEqual(pollNs);
    if (!stale.isOpenAtEnd) expect(Math.abs(stale.toAtNs - span.toNs)).toBeLessThanOrEqual(pollNs);
    const lengthMs = (span.toNs - span.fromNs) / 1e6;
    // A watch tells a little late, and what was not polled any more is not known.
    if (!stale.isOpenAtEnd) expect(stale.windowMs.min).toBeLessThanOrEqual(lengthMs);
    if (!stale.isOpenAtEnd) expect(stale.windowMs.max).toBeGreaterThanOrEqual(lengthMs - 300);
  }
  const surely = spans.filter(({ fromNs, toNs }) => toNs - fromNs > surelyNs && fromNs < endNs - sToNs(12) - surelyNs);
  expect(named.map(({ target }) => target)).toEqual(expect.arrayContaining(surely.map(({ target }) => target)));
}

test('in 20 of 20 runs each target that is left behind is named, strongly, and its window is within a poll of the truth', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const played = await playWorld(twisted({}), seed);
    expectTrueWindows(played);
    expect(goneTargets(played).map(({ proof }) => proof)).toEqual(['P2', 'P2', 'P2']);
    expect(causesOf(played.analysis)).toEqual(['stale-target']);
    const reason = judge(played.analysis).reasons.find(({ objective }) => objective === 'staleTargetCountMax');
    expect(reason).toMatchObject({ severity: 'fail', value: 'fail', observed: { min: 3, max: 3 } });
  }
});

test('in 20 of 20 runs the same roll accuses nobody where targets are deregistered before their pods stop', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = twisted({ replica: { preStopS: 14 }, deploy: { deregisters: 'in-time' } });
    const { analysis } = await playWorld(world, seed);
    expect(analysis.staleTargets).toBeUndefined();
    const verdict = judge(analysis);
    expect(verdict.reasons.filter(({ value }) => value === 'fail')).toEqual([]);
    const reason = verdict.reasons.find(({ objective }) => objective === 'staleTargetCountMax');
    expect(reason).toMatchObject({ value: 'pass', observed: { min: 0, max: 0 } });
  }
});

test('without access to the platform the same failures are a suspicion, and their cause stays what was seen', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const { analysis } = await playWorld(twisted({ isObserved: false }), seed);
    expect(analysis.staleTargets?.map(({ proof, target }) => `${String(proof)} ${String(target)}`)).toEqual([
      'P1 null',
    ]);
    expect(causesOf(analysis)).toEqual(['target-failed']);
    expect(analysis.findings.map(({ kind }) => kind)).toContain('stale-target-suspected');
    const reason = judge(analysis).reasons.find(({ objective }) => objective === 'staleTargetCountMax');
    expect(reason).toMatchObject({ severity: 'warn', value: 'inconclusive' });
  }
});

test('an application that fails while targets are well is no stale target, however near the roll', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const { analysis } = await playWorld(
      twisted({
        replica: { preStopS: 14 },
        deploy: { deregisters: 'in-time' },
        more: [{ afterChangeS: 9, do: 'fail-app', side: 'new', status: 502, ratio: 0.4, forS: 23 }],
      }),
      seed,
    );
    expect(analysis.staleTargets).toBeUndefined();
    expect(causesOf(analysis)).toEqual(['app-5xx']);
  }
});

describe('whoever watches is blind in the middle of a run', () => {
  const blind = (api: 'aws' | 'kubernetes', afterChangeS: number, forS?: number): Json => ({
    afterChangeS,
    do: 'fail-platform-api',
    side: 'new',
    api,
    ...(forS === undefined ? {} : { forS }),
  });
  const reasonOf = ({ analysis }: PlayedWorld): unknown =>
    judge(analysis).reasons.find(({ objective }) => objective === 'staleTargetCountMax');

  test.for(['aws', 'kubernetes'] as const)(
    '%s gone for good while targets are left behind: nobody is accused, nothing passes, and the blind time is told',
    async (api) => {
      for (let seed = 1; seed <= 5; seed += 1) {
        const played = await playWorld(twisted({ more: [blind(api, 2)] }), seed);
        const { analysis } = played;
        const changeNs = analysis.services[0]?.changes[0]?.usedAtNs ?? 0;
        const gaps = (analysis.observers ?? []).flatMap((one) => one.gaps.map((gap) => ({ name: one.name, ...gap })));
        const names = [...new Set(gaps.map(({ name }) => name))];
        expect(names.every((name) => name.startsWith(api === 'aws' ? 'elbv2' : 'kubernetes'))).toBe(true);
        expect(names.length).toBeGreaterThanOrEqual(2);
        for (const { fromAtNs, toAtNs, name } of gaps) {
          // From when it last saw: a poll of the inventory is a minute old.
          expect(changeNs + sToNs(2) - fromAtNs).toBeLessThanOrEqual(sToNs(name === 'elbv2:new' ? 66 : 3.4));
          expect(toAtNs).toBe(analysis.endedAtNs);
        }
        expect(goneTargets(played).filter(({ proof }) => proof === 'P2' || proof === 'P3')).toEqual([]);
        expect(analysis.staleTargets?.map(({ proof }) => proof)).toContain('P1');
        expect(reasonOf(played)).toMatchObject({ severity: 'fail', value: 'inconclusive', observed: null });
        expect(played.differsFromLive).toBe(false);
      }
    },
  );

  test('an innocent roll that was not watched to its end is inconclusive, not passed', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const innocent = { replica: { preStopS: 14 }, deploy: { deregisters: 'in-time' } };
      const played = await playWorld(twisted({ ...innocent, more: [blind('aws', 9, 17)] }), seed);
      expect(played.analysis.staleTargets).toBeUndefined();
      expect(reasonOf(played)).toMatchObject({ severity: 'fail', value: 'inconclusive' });
      expect(judge(played.analysis).value).toBe('inconclusive');
    }
  });

  test('what was blind before the roll, and sees again, changes nothing', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const early = { atS: 1.3, do: 'fail-platform-api', side: 'new', forS: 2.1 };
      const played = await playWorld(twisted({ more: [early], baselineS: 11 }), seed);
      expectTrueWindows(played);
      expect(goneTargets(played).map(({ proof }) => proof)).toEqual(['P2', 'P2', 'P2']);
      expect(reasonOf(played)).toMatchObject({ value: 'fail', observed: { min: 3, max: 3 } });
    }
  });

  test('targets that are left behind before it is blind and after it are each found for what was seen of them', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const played = await playWorld(twisted({ more: [blind('aws', 26, 3)] }), seed);
      const named = goneTargets(played).filter(({ target }) => target !== null);
      expect(named.length).toBeGreaterThanOrEqual(1);
      const text = expect.stringMatching(/^At least [123] stale targets? .*AWS does not answer/);
      expect(reasonOf(played)).toMatchObject({ value: 'fail', observed: null, text });
    }
  });
});

test('ECS tells as much, a little less often', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const ecs = { cluster: 'shop', services: ['orders'] };
    const played = await playWorld(
      twisted({
        side: { kubernetes: undefined, aws: { region: 'us-west-2', loadBalancer: 'k8s-shop-9f1c', ecs } },
        platform: { healthCheck: { intervalS: 15, timeoutS: 5, healthyCount: 1, unhealthyCount: 4 } },
        tailS: 110,
      }),
      seed,
    );
    expect(goneTargets(played).map(({ proof }) => proof)).toEqual(['P2', 'P2', 'P2']);
    const { rollouts = [], services } = played.analysis;
    expect(rollouts).toMatchObject([{ name: 'orders', fromRevision: '1', toRevision: '2', replacedCount: 3 }]);
    // The last task of before is looked for every 10 to 11 s.
    const goneNs = new Map<string, number>();
    for (const entry of played.truth) {
      if (entry.type !== 'target-changed' || entry.side !== 'new' || entry.state !== 'gone') continue;
      if (!goneNs.has(entry.target)) goneNs.set(entry.target, entry.atNs);
    }
    const lastGoneNs = Math.max(...goneNs.values());
    const tailFromNs = services[0]?.phases.find(({ name }) => name === 'tail')?.fromAtNs ?? 0;
    expect(tailFromNs).toBeGreaterThanOrEqual(lastGoneNs);
    expect(nsToS(tailFromNs - lastGoneNs)).toBeLessThan(11.5);
  }
});

describe('worlds by chance', () => {
  test.for(Array.from({ length: 24 }, (_, i) => i + 1))(
    'world %i: who is named was stale, and no other failure is its',
    async (seed) => {
      const random = newRandom(seed, 'stale worlds');
      const of = <T>(...some: readonly T[]): T => some[Math.floor(random() * some.length)] as T;
      const between = (min: number, max: number): number => Math.round((min + random() * (max - min)) * 10) / 10;
      const intervalS = of(5, 7, 15);
      const played = await playWorld(
        twisted({
          replica: { preStopS: of(0, 0, between(1, 20)), exitS: between(0.2, 4), whenGone: of('silent', 'refused') },
          platform: {
            replicas: of(2, 3, 5),
            controllerLagS: between(0.3, 19),
            healthCheck: { intervalS, timeoutS: 3, healthyCount: 2, unhealthyCount: of(2, 3, 5) },
          },
          deploy: of<Json>(
            { deregisters: 'in-time' },
            { deregisters: 'late', lateS: between(5, 50) },
            { deregisters: 'never' },
          ),
          more:
            random() < 0.4
              ? [{ afterChangeS: between(0, 60), do: 'fail-app', side: 'new', status: 503, ratio: 0.3, forS: 11 }]
              : [],
          tailS: 100,
        }),
        seed,
      );
      const { analysis, truth } = played;
      expect(played.differsFromLive).toBe(false);
      expectTrueWindows(played);
      const isHit = truth.some((entry) => entry.type === 'request-hit' && entry.fault === 'stale-target');
      if (!isHit) expect(causesOf(analysis)).not.toContain('stale-target');
      for (const { proof, text } of goneTargets(played)) if (proof !== null) expect(isHit, text).toBe(true);
      expect(nsToS(analysis.endedAtNs)).toBeGreaterThan(100);
    },
  );
});
