/** How long a run goes on: for what converges late, and for users whose resolver leads them back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { nsToS } from '../../src/core/time.ts';
import { judge } from '../../src/verdict/judge.ts';
import { scenariosFolder } from './simulated.ts';
import { playWorld, type Json, type PlayedWorld } from './worlds.ts';

const clingingIsp = (minTtlS: number): Json => ({
  name: 'clinging-isp',
  defaults: { ratePerSecond: 4 },
  services: [{ name: 'orders', url: 'http://orders.shop.example/ready' }],
  sides: {
    old: { title: 'ALB/ECS', addresses: ['dns:shop-1.example'], marker: { 'x-served-by': 'ecs' } },
    new: { title: 'nginx/EKS', addresses: ['dns:shop-2.example'], marker: { 'x-served-by': 'eks' } },
  },
  resolvers: [
    { name: 'vpc', address: '10.0.0.2:53' },
    { name: 'isp', address: '192.0.2.53:53' },
  ],
  clients: ['fresh'],
  change: { via: 'dns', ttlS: 3, baselineS: 5, convergenceTimeoutS: 120, tailS: 12 },
  world: {
    zone: { ttlS: 3 },
    resolvers: { isp: { minTtlS } },
    script: [{ afterChangeS: 0, do: 'switch-dns', to: 'new' }],
  },
});

function lastStretch({ analysis }: PlayedWorld): { readonly state: string; readonly s: number } {
  const last = analysis.lanes
    .find(({ client, resolver }) => client === 'fresh' && resolver === 'isp')
    ?.stretches.at(-1);
  return { state: last?.state ?? '', s: nsToS((last?.toAtNs ?? 0) - (last?.fromAtNs ?? 0)) };
}

test('a run goes on until users of a resolver that breaks the TTL have been gone for as long as the tail', async () => {
  const played = await playWorld(clingingIsp(67), 1);
  const { state, s } = lastStretch(played);
  expect(state).toBe('new');
  expect(s).toBeGreaterThanOrEqual(12);
  expect(s).toBeLessThan(16);
  expect(judge(played.analysis).value).toBe('pass');
});

test('… and not for ever: then they are said to be there still', async () => {
  const played = await playWorld(clingingIsp(907), 1);
  expect(lastStretch(played).state).toBe('old');
  expect(nsToS(played.analysis.endedAtNs)).toBeGreaterThan(5 + 120);
  expect(nsToS(played.analysis.endedAtNs)).toBeLessThan(5 + 120 + 12 + 9);
  expect(played.analysis.endedBecause).toBe('tail-watched');
  const { reasons } = judge(played.analysis);
  expect(reasons.find(({ objective, value }) => objective === 'convergenceSMax' && value === 'fail')).toMatchObject({
    severity: 'warn',
    text: expect.stringContaining('isp kept the old answer past its TTL'),
  });
});

test('a rollout that ends just before it would have been given up has its whole tail', async () => {
  const base = parse(readFileSync(join(scenariosFolder, 'deploy-under-watch.yaml'), 'utf8')) as {
    readonly change: Json;
    readonly world: Json & { readonly new: Json };
  };
  // Three pods, one after the other, each 11 s and 0.4 s of ending after 1 s of starting.
  const replica = { startS: 1, preStopS: 11, exitS: 0.4 };
  const { analysis } = await playWorld(
    {
      ...base,
      change: { ...base.change, convergenceTimeoutS: 7, tailS: 23 },
      world: { ...base.world, new: { ...base.world.new, replica }, expect: undefined },
    },
    1,
  );
  const [service] = analysis.services;
  const tailFromS = nsToS(service?.phases.find(({ name }) => name === 'tail')?.fromAtNs ?? 0);
  expect(tailFromS - nsToS(service?.changes[0]?.usedAtNs ?? 0)).toBeGreaterThan(7);
  expect(analysis.endedBecause).toBe('tail-watched');
  expect(service?.tail.isWhole).toBe(true);
});
