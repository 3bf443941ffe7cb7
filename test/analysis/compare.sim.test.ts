/** Two runs beside each other: of one world they differ only by noise, and a world made worse is found. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { comparable, compare, type Comparable } from '../../src/analysis/compare.ts';
import { newFold } from '../../src/analysis/fold.ts';
import type { Comparison } from '../../src/core/comparison.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { play, scenariosFolder } from '../scenarios/simulated.ts';
import { playWorld, withMore, type Json } from '../scenarios/worlds.ts';

function read(path: string): Comparable {
  const reading = readRun(path);
  const fold = newFold();
  for (const entry of reading.entries) fold.entry(entry);
  for (const batch of reading.batches()) fold.batch(batch);
  for (const problem of reading.problems) fold.problem(problem);
  return comparable(fold.conclude());
}

async function played(name: string, seed: number): Promise<Comparable> {
  const found: Comparable[] = [];
  await play(name, seed, (path) => found.push(read(path)));
  return found[0] as Comparable;
}

async function playedWorld(world: Json, seed: number): Promise<Comparable> {
  const found: Comparable[] = [];
  await playWorld(world, seed, (path) => found.push(read(path)));
  return found[0] as Comparable;
}

function scenario(name: string): Json {
  return parse(readFileSync(join(scenariosFolder, `${name}.yaml`), 'utf8')) as Json;
}

const sames = new Map<string, string>();

function decided(comparison: Comparison): string[] {
  return comparison.differences
    .filter(({ decides, result }) => decides && result !== 'within-noise')
    .map(({ quantity, result }) => `${quantity} ${result}`);
}

test('a run beside itself: all is within noise', async () => {
  for (const name of ['founding-migration', 'one-zone-dead', 'rollback', 'weighted-shift', 'deploy-under-watch']) {
    const one = await played(name, 4);
    const { result, differences, findings, caveats } = compare(one, one, sames);
    expect({ name, result, findings, caveats }).toEqual({ name, result: 'not-worse', findings: [], caveats: [] });
    expect(differences.length).toBeGreaterThan(5);
    expect(new Set(differences.map((one) => one.result))).toEqual(new Set(['within-noise']));
  }
});

test(
  'of 100 pairs of runs of one world with two seeds, at least 95 are within noise',
  { timeout: 180_000 },
  async () => {
    const worlds = ['founding-migration', 'old-side-removed-too-early', 'one-zone-dead', 'throttled-new-side'];
    const found: string[] = [];
    let pairCount = 0;
    for (const name of [...worlds, 'stale-targets-after-deploy']) {
      const runs = await Promise.all([1, 2, 3, 4, 5].map((seed) => played(name, seed)));
      for (const a of runs) {
        for (const b of runs) {
          if (a === b) continue;
          pairCount += 1;
          const comparison = compare(a, b, sames);
          if (comparison.result !== 'not-worse' || decided(comparison).length > 0) {
            found.push(`${name}: ${decided(comparison).join(', ')}`);
          }
        }
      }
    }
    expect(pairCount).toBe(100);
    expect(found.length, found.join('\n')).toBeLessThanOrEqual(5);
  },
);

test('when what was cached began is luck: the same switch a few seconds later is within noise', async () => {
  const removed = scenario('old-side-removed-too-early');
  const later = (baselineS: number): Json => ({ ...removed, change: { ...(removed['change'] as Json), baselineS } });
  const [a, b] = [await playedWorld(later(5), 1), await playedWorld(later(9), 2)];
  const { result, differences } = compare(a, b, sames);
  const down = differences.find(({ quantity, subject }) => quantity === 'downtimeMs' && subject.includes(' fresh '));
  expect(down?.a?.max).not.toBeCloseTo(down?.b?.max ?? 0, -3);
  expect(down?.text).toMatch(/luck explains up to 1\d(\.\d)? s$/);
  expect([result, down?.result]).toEqual(['not-worse', 'within-noise']);
});

const base: Json = {
  ...scenario('clean-cutover'),
  change: { via: 'dns', ttlS: 4, baselineS: 11, convergenceTimeoutS: 60, tailS: 23 },
};

describe('a world made worse is found, whatever the seeds', () => {
  test.for([
    {
      what: 'the side left is removed while clients are there',
      steps: [{ afterChangeS: 1, do: 'remove-load-balancer', side: 'old', how: 'refused' }],
      quantity: 'downtimeMs',
    },
    {
      what: 'the application of the new side fails a while',
      steps: [{ afterChangeS: 9, do: 'fail-app', side: 'new', status: 500, ratio: 1, forS: 4 }],
      quantity: 'downtimeMs',
    },
    {
      what: 'one answer in five of the new side is a 500',
      steps: [{ afterChangeS: 1, do: 'fail-app', side: 'new', status: 500, ratio: 0.2, forS: 40 }],
      quantity: 'impairedMs',
    },
    {
      what: 'two answers in five of the new side are 500s',
      steps: [{ afterChangeS: 1, do: 'fail-app', side: 'new', status: 500, ratio: 0.4, forS: 40 }],
      quantity: 'failedRatio',
    },
    {
      what: 'the new side waits for CPU time',
      steps: [{ atS: 0, do: 'throttle-cpu', side: 'new', quotaMs: 40, demandMs: 90, forS: 90 }],
      quantity: 'responseMsP50',
    },
  ])('$what', { timeout: 60_000 }, async ({ steps, quantity }) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [good, bad] = [await playedWorld(base, seed), await playedWorld(withMore(base, { steps }), seed + 50)];
      const forth = compare(good, bad, sames);
      expect(forth.result).toBe('worse');
      expect(decided(forth)).toContain(`${quantity} worse`);
      const back = compare(bad, good, sames);
      expect(decided(back)).toContain(`${quantity} better`);
      expect(decided(back).filter((text) => text.endsWith('worse'))).toEqual([]);
    }
  });
});

describe('what stands between two runs is said first', () => {
  const services = (one: Json): Json => ({ ...base, services: [one], clients: ['fresh', 'keep-alive'] });
  const orders = { name: 'orders', url: 'http://orders.shop.example/ready' };

  test('a service of another name is not compared, and its name is hinted at; told, it is', async () => {
    const a = await playedWorld(services(orders), 1);
    const b = await playedWorld(services({ ...orders, name: 'orders-prod' }), 2);
    const untold = compare(a, b, sames);
    expect(untold.result).toBe('unclear');
    expect(untold.caveats[0]).toEqual({
      text: 'only a has the service orders, only b has the service orders-prod: not compared; if they are the same, say --rename orders=orders-prod',
      isObstacle: true,
    });
    const told = compare(a, b, new Map([['orders-prod', 'orders']]));
    expect([told.result, told.caveats]).toEqual(['not-worse', []]);
    expect(told.differences.some(({ subject }) => subject === 'orders fresh via vpc')).toBe(true);
  });

  test('what is good within another time is not held against each other', async () => {
    const a = await playedWorld(services(orders), 1);
    const b = await playedWorld(services({ ...orders, goodWithinMs: 700 }), 1);
    const { result, caveats, differences } = compare(a, b, sames);
    expect(result).toBe('unclear');
    expect(caveats[0]?.text).toBe(
      'orders: an answer is good within 2 s in a, 700 ms in b, so what failed cannot be compared',
    );
    expect(differences.some(({ quantity }) => quantity === 'downtimeMs')).toBe(false);
  });

  test('a client or a resolver of one run alone is said; of one resolver each, they stand for each other', async () => {
    const a = await playedWorld(services(orders), 1);
    const other = { ...services(orders), clients: ['fresh'], resolvers: [{ name: 'isp', address: '10.0.0.7:53' }] };
    const { result, caveats } = compare(a, await playedWorld(other, 1), sames);
    expect(result).toBe('unclear');
    expect(caveats.map(({ text }) => text)).toEqual([
      'only a has the judged lanes orders keep-alive via vpc: not compared',
      'only a has the client keep-alive: not compared',
      'resolvers: vpc of a is held against isp of b',
    ]);
  });

  test('other rates and TTLs are said, and hinder nothing', async () => {
    const a = await playedWorld(services(orders), 1);
    const b = { ...services(orders), defaults: { ratePerSecond: 7 }, change: { ...(base['change'] as Json), ttlS: 3 } };
    const found = compare(
      a,
      await playedWorld(
        { ...b, world: { zone: { ttlS: 3 }, script: [{ afterChangeS: 0, do: 'switch-dns', to: 'new' }] } },
        1,
      ),
      sames,
    );
    expect(found.result).toBe('not-worse');
    expect(found.caveats.map(({ text }) => text)).toEqual([
      '4 probes/s of a lane in a, 7 in b: what they could see differs, and is in the bounds',
      'the TTL of orders was 4 s in a, 3 s in b',
    ]);
  });

  test('of a log that is not whole nothing is known to be as good', async () => {
    const one = await played('clean-cutover', 1);
    const torn: Comparable = {
      ...one,
      analysis: { ...one.analysis, isWhole: false, incompleteBecause: ['the log has no end'] },
    };
    const { result, caveats, differences } = compare(one, torn, sames);
    expect(result).toBe('unclear');
    expect(caveats[0]).toEqual({
      text: 'b is not whole (the log has no end): what it did not see may be anything',
      isObstacle: true,
    });
    expect(differences.find(({ quantity }) => quantity === 'downtimeMs')).toMatchObject({
      result: 'unclear',
      b: { min: 0, max: null },
    });
  });
});

describe('a run that did not see its end says of nothing that it is as good', () => {
  /** Stopped so many seconds after its start. */
  async function stoppedAt(name: string, s: number): Promise<Comparable> {
    const found: Comparable[] = [];
    await play(name, 4, (path) => found.push(read(path)), s);
    return found[0] as Comparable;
  }

  test('stopped in the tail, it is no measure for one that was watched to its end', async () => {
    const [whole, stopped] = [await played('clean-cutover', 4), await stoppedAt('clean-cutover', 9.7)];
    expect(stopped.analysis.isWhole).toBe(true);
    expect(stopped.analysis.lanes.every(({ slots }) => slots.failed === 0)).toBe(true);
    for (const [a, b] of [
      [whole, stopped],
      [stopped, whole],
      [stopped, stopped],
    ] as const) {
      const { result, caveats } = compare(a, b, sames);
      expect(result).toBe('unclear');
      expect(caveats[0]?.text).toMatch(/^orders: [ab] watched its tail for .* of 5 s: what came later is not known$/);
    }
  });

  test('stopped before any change, two baselines say nothing of a change', async () => {
    const one = await stoppedAt('clean-cutover', 2.3);
    const { result, caveats } = compare(one, one, sames);
    expect(result).toBe('unclear');
    expect(caveats.map(({ text }) => text)).toContain(
      'orders: neither saw a change, so nothing after it can be compared',
    );
  });

  test('stopped, or torn, before everybody had followed, it has not moved in part for certain', async () => {
    const whole = await played('founding-migration', 4);
    const stopped = await stoppedAt('founding-migration', 9.7);
    const torn = { ...whole, analysis: { ...whole.analysis, isWhole: false, services: stopped.analysis.services } };
    for (const b of [stopped, torn]) {
      expect(b.analysis.services.map(({ outcome }) => outcome)).toContain('partial');
      const { differences } = compare(whole, b, sames);
      const results = differences.filter(({ quantity }) => quantity === 'outcome').map(({ result }) => result);
      expect(new Set(results)).toEqual(new Set(['unclear']));
    }
  });

  test('stopped between two name servers that lag, it is not worse than itself', async () => {
    const one = await stoppedAt('lagging-name-server', 8.7);
    expect(one.analysis.services[0]?.changes[0]).toMatchObject({ authorityLastAtNs: null });
    const { differences } = compare(one, one, sames);
    expect(differences.filter(({ result }) => result === 'worse' || result === 'better')).toEqual([]);
  });
});

test('a rollback is held against a switchover side left by side left', { timeout: 60_000 }, async () => {
  const there = { ...base, clients: ['fresh'] };
  const back: Json = {
    ...there,
    change: { ...(base['change'] as Json), direction: 'new-to-old' },
    world: {
      zone: { ttlS: 4 },
      script: [
        { atS: 0, do: 'switch-dns', to: 'new' },
        { afterChangeS: 0, do: 'switch-dns', to: 'old' },
      ],
    },
  };
  const slow = [{ atS: 0, do: 'throttle-cpu', side: 'new', quotaMs: 40, demandMs: 90, forS: 90 }];
  const [a, b] = [await playedWorld(there, 1), await playedWorld(withMore(back, { steps: slow }), 2)];
  const { caveats, differences } = compare(a, b, sames);
  expect(caveats.map(({ text }) => text)).toContain(
    'orders: a leaves ALB/ECS, b leaves nginx/EKS; the side left is held against the side left',
  );
  const slower = differences.filter(({ quantity, result }) => quantity === 'responseMsP50' && result === 'worse');
  expect(new Set(slower.map(({ subject }) => subject.replace(/^.*, /, '')))).toEqual(new Set(['side left']));
});
