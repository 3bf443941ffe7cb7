/**
 * Whether it is safe to switch, and whether the side left may go, held against worlds. `yes` is tried out: the same world is
 * played again and the side is removed at the very instant that was said.
 */
import { expect, test, vi } from 'vitest';
import type { ServiceAnalysis } from '../../src/core/analysis.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import { nsPerS, nsToS, sToNs } from '../../src/core/time.ts';
import { keepAnswering } from '../../src/report/keep-answering.ts';
import { toReport } from '../../src/report/report-json.ts';
import { serviceViews } from '../../src/report/service-view.ts';
import { tell } from '../../src/report/story.ts';
import { judge } from '../../src/verdict/judge.ts';
import { randomWorld } from '../truth/random-world.ts';
import { loweredWorld } from './lowered-world.ts';
import { play } from './simulated.ts';
import { playWorld, withMore, type Json, type PlayedWorld } from './worlds.ts';

vi.setConfig({ testTimeout: 120_000 });

function seedsFrom(first: number, count: number): readonly number[] {
  const one = process.env['CUTWATCH_SEED'];
  return one === undefined ? Array.from({ length: count }, (_, i) => first + i) : [Number(one)];
}

function changedAtNs(truth: readonly TruthEntry[]): number {
  return truth.find((entry) => entry.type === 'change-made')?.atNs ?? Infinity;
}

// ── may the side left go ─────────────────────────────────────────────────────────────────────────────────────────────

/** Requests of judged clients of the service that met nothing, because the side left had gone. */
function hurtBy(
  { analysis, truth }: PlayedWorld,
  { name, safeToRemoveOld }: ServiceAnalysis,
  fromNs: number,
): string[] {
  const { side } = safeToRemoveOld;
  const addresses = new Set(side === null ? [] : analysis.sides[side].addresses);
  const judged = new Map(
    analysis.lanes.filter((lane) => lane.judged && lane.service === name).map((lane) => [lane.number, lane.client]),
  );
  return truth.flatMap((entry) => {
    if (entry.type !== 'request-hit' || entry.fault !== 'load-balancer-removed' || entry.atNs < fromNs) return [];
    const client = judged.get(entry.trace?.lane ?? -1);
    if (client === undefined || !addresses.has(entry.address)) return [];
    return [`${client} at ${String(nsToS(entry.atNs))} s`];
  });
}

test('where it is said that the side left may go from some instant on, nobody who is judged is hurt when it goes then', async () => {
  let [yesCount, tried] = [0, 0];
  for (const seed of seedsFrom(1, 36)) {
    const world = JSON.parse(randomWorld(seed)) as Json;
    const { analysis, truth } = await playWorld(world, seed);
    for (const service of analysis.services) {
      const { safe, atNs, side } = service.safeToRemoveOld;
      if (safe !== 'yes') continue;
      yesCount += 1;
      const afterChangeS = Math.ceil(((atNs ?? 0) - changedAtNs(truth)) / 1e6) / 1000;
      const how = ['refused', 'silent'][seed % 2];
      const again = await playWorld(
        // Watched for longer, so that whoever comes back later meets it, too.
        withMore(world, { change: { tailS: 90 }, steps: [{ afterChangeS, do: 'remove-load-balancer', side, how }] }),
        seed,
      );
      expect({ seed, service: service.name, hurt: hurtBy(again, service, atNs ?? 0) }).toMatchObject({ hurt: [] });
      tried += 1;
    }
  }
  // A rule that never says yes hurts nobody either.
  if (process.env['CUTWATCH_SEED'] === undefined) expect(yesCount).toBeGreaterThan(12);
  expect(tried).toBe(yesCount);
});

test('no two sentences of a report contradict each other about the side left', async () => {
  for (const seed of seedsFrom(101, 24)) {
    const { analysis } = await playWorld(JSON.parse(randomWorld(seed)) as Json, seed);
    const report = toReport(analysis, judge(analysis));
    for (const view of serviceViews(report)) {
      const { safeToRemoveOld, oldAnswers, changes } = view.service;
      const { safe, at, because } = safeToRemoveOld;
      if (safe === 'yes') expect(at).not.toBe(null);
      else expect(because).not.toEqual([]);
      if (safe === 'unknown') expect(at).toBe(null);
      if (at === null || changes.length !== 1) continue;
      expect(Date.parse(at)).toBeGreaterThanOrEqual(keepAnswering(report, view)?.untilMs ?? 0);
      expect(Date.parse(at)).toBeGreaterThanOrEqual(Date.parse(oldAnswers?.untilAt ?? ''));
      const advice = tell(report).answers.find(({ question }) => question === 'What to do')?.lines ?? [];
      if (safe === 'yes' && report.services.length === 1) {
        expect(advice.filter((line) => line.startsWith(`Leave ${view.leaving} running`))).toEqual([]);
      }
    }
  }
});

// ── safe to switch ───────────────────────────────────────────────────────────────────────────────────────────────────

/** By how much what caches of these resolvers hold at that instant outlives the TTL, s. */
function heldTooLongS(truth: readonly TruthEntry[], resolvers: readonly string[], atNs: number, ttlS: number): number {
  const held = new Map<string, number>();
  for (const entry of truth) {
    if (entry.type !== 'answer-cached' || entry.atNs > atNs || !resolvers.includes(entry.resolver)) continue;
    held.set(`${entry.resolver} ${String(entry.cache)} ${entry.hostname}`, entry.atNs + sToNs(entry.ttlS));
  }
  return Math.max(0, ...[...held.values()].map((endNs) => (endNs - atNs) / nsPerS - ttlS));
}

test('where it is said to be safe to switch, and since when, no cache that obeys holds the old TTL', async () => {
  const counts = { yes: 0, no: 0, unknown: 0 };
  for (const seed of seedsFrom(1, 40)) {
    const { rehearsal, honest, ttlS } = loweredWorld(seed);
    const { analysis, truth } = await playWorld(rehearsal, seed);
    const { safe, atNs } = (analysis.services[0] as ServiceAnalysis).safeToSwitch;
    counts[safe] += 1;
    const changeNs = changedAtNs(truth);
    const tooLongS = (instantNs: number): number => heldTooLongS(truth, honest, instantNs, ttlS);
    if (safe === 'yes') expect({ seed, tooLongS: tooLongS(changeNs) }).toEqual({ seed, tooLongS: 0 });
    if (atNs !== null && atNs <= changeNs) expect({ seed, tooLongS: tooLongS(atNs) }).toEqual({ seed, tooLongS: 0 });
  }
  if (process.env['CUTWATCH_SEED'] === undefined) {
    expect(Math.min(counts.yes, counts.no)).toBeGreaterThan(8);
    expect(counts.unknown).toBe(0);
  }
});

// ── scenarios ────────────────────────────────────────────────────────────────────────────────────────────────────────

test.for([
  { name: 'clean-cutover', safe: 'no', because: 'keep-alive', besides: 'jvm-forever never leaves by itself' },
  { name: 'rollback', safe: 'yes', because: 'has left nginx/EKS', besides: 'a sample of the world' },
  { name: 'lagging-name-server', safe: 'yes', because: 'has left', besides: '' },
  { name: 'deploy-under-watch', safe: 'unknown', because: 'A deployment moves nobody', besides: '' },
  { name: 'weighted-shift', safe: 'unknown', because: 'Weights send a share', besides: '' },
])('in $name the side left may go: $safe', async ({ name, safe, because, besides }) => {
  const { analysis } = await play(name);
  const advice = (analysis.services[0] as ServiceAnalysis).safeToRemoveOld;
  expect(advice.safe).toBe(safe);
  expect(advice.because.join(' ')).toContain(because);
  expect(advice.besides.join(' ')).toContain(besides);
});

test.for([
  { name: 'ttl-not-lowered', because: 'with TTL 22 s: lower it to 4 s or less' },
  { name: 'wrong-certificate-on-new-side', because: 'failed' },
])('in $name it was not safe to switch: $because', async ({ name, because }) => {
  const { analysis } = await play(name);
  const advice = (analysis.services[0] as ServiceAnalysis).safeToSwitch;
  expect(advice.safe).toBe('no');
  expect(advice.because.join(' ')).toContain(because);
});
