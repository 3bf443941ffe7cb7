import { expect, test, vi } from 'vitest';
import { forecastOf, onlyService } from './forecast-kit.ts';

// Thousands of users take half a second, and several times that where all tests run at once.
vi.setConfig({ testTimeout: 30_000 });

const given = { populationCount: 20 };

test('the same seed gives the same bytes, another seed another population', () => {
  const bytes = (seed: number): string =>
    JSON.stringify(forecastOf({ clients: '[fresh, jvm-30, keep-alive]', given: { ...given, seed } }));
  expect(bytes(7)).toBe(bytes(7));
  expect(bytes(8)).not.toBe(bytes(7));
});

test('the whole is the sum of its clients by their weights', () => {
  const service = onlyService(forecastOf({ clients: '{ fresh: 70, jvm-forever: 30 }', given }));
  expect(service.clients.map(({ weightRatio }) => weightRatio)).toEqual([0.7, 0.3]);
  expect(service.all.stayRatio).toBeCloseTo(0.3, 9);
  expect(service.all.t99S).toBeNull();
  expect(service.leaversT99S).toBeCloseTo(67, -1);
});

test('services that are switched alike share a forecast, each since its own switch; others say what differs', () => {
  const services = `
  - { name: orders, url: https://orders.shop.example/ready }
  - { name: billing, url: https://billing.shop.example/ready }
  - { name: search, url: https://search.shop.example/ready }
  - { name: chat, url: https://chat.shop.example/ready }
  - { name: mail, url: https://mail.shop.example/ready }`;
  const world = `{ script: [
    { afterChangeS: 0, do: switch-dns, services: [orders, billing] }, { afterChangeS: 90, do: switch-dns, services: [search] },
    { afterChangeS: 7, do: switch-dns, services: [chat] }, { afterChangeS: 11, do: switch-dns, services: [chat], to: new }] }`;
  const { services: found, unmoved } = forecastOf({ clients: '[fresh]', services, world, given });
  expect(found.map(({ names }) => names)).toEqual([['orders', 'billing', 'search'], ['chat']]);
  expect(found.map(({ differsBy }) => differsBy)).toEqual([
    'without the steps of the others',
    '4 s after its switch DNS of chat is switched to the new side',
  ]);
  expect(unmoved).toEqual(['mail']);
  for (const { all } of found) expect(all.t50S).toBeCloseTo(33.5, -1);
});

test('what one resolver suffers makes its users another case, what the application suffers does not', () => {
  const services = `
  - { name: orders, url: https://orders.shop.example/ready, resolvers: [vpc] }
  - { name: billing, url: https://billing.shop.example/ready, resolvers: [other] }`;
  const namesOf = (step: string): readonly (readonly string[])[] =>
    forecastOf({
      clients: '[fresh]',
      services,
      resolvers: "[{ name: vpc, address: '10.0.0.2:53' }, { name: other, address: '10.0.0.3:53' }]",
      world: `{ script: [{ afterChangeS: 0, do: switch-dns }, ${step}] }`,
      given: { populationCount: 1 },
    }).services.map(({ names }) => names);
  expect(namesOf('{ afterChangeS: 3, do: cut-off-resolver, resolver: vpc, forS: 50 }')).toEqual([
    ['orders'],
    ['billing'],
  ]);
  expect(namesOf('{ afterChangeS: 3, do: fail-app, side: old, services: [orders], ratio: 0.5, status: 500 }')).toEqual([
    ['orders', 'billing'],
  ]);
});

test('a way back is forecast as well: the side that is left is the new one', () => {
  const found = forecastOf({ clients: '[fresh]', change: '{ via: dns, direction: new-to-old, ttlS: 67 }', given });
  expect(found.leaving).toEqual({ side: 'new', title: 'nginx/EKS' });
  expect(onlyService(found).all.t50S).toBeCloseTo(33.5, -1);
});

test('names that are switched back never let go', () => {
  const script =
    'script: [{ afterChangeS: 0, do: switch-dns, to: new }, { afterChangeS: 40, do: switch-dns, to: old }]';
  const { all, curve } = onlyService(forecastOf({ clients: '[fresh]', world: `{ ${script} }`, given }));
  expect(all.stayRatio).toBe(1);
  expect(Math.min(...curve.map(({ ratio }) => ratio))).toBeLessThan(0.7);
});

test('the removal that the script has planned is among those that are reckoned', () => {
  const script =
    'script: [{ afterChangeS: 0, do: switch-dns }, { afterChangeS: 33, do: remove-load-balancer, side: old }]';
  const { removals } = onlyService(forecastOf({ clients: '[fresh]', world: `{ ${script} }`, given }));
  expect(removals.filter(({ isPlanned }) => isPlanned).map(({ afterS }) => afterS)).toEqual([33]);
});

test('a resolver cut off from its authorities serves the old answer for as long as it may', () => {
  const world = `{
    resolvers: { vpc: { serveStale: { when: unreachable, staleSMax: 3000 } } },
    script: [{ afterChangeS: 0, do: switch-dns }, { afterChangeS: 0, do: cut-off-resolver, resolver: vpc, forS: 500 }] }`;
  const { curve } = onlyService(forecastOf({ clients: '[fresh]', world, given: { populationCount: 4 } }));
  expect(curve.findLast(({ atS }) => atS < 490)?.ratio).toBe(1);
  expect(curve.at(-1)?.ratio).toBe(0);
});

test('a resolver that always serves what has expired is asked again at once by others', () => {
  const world = '{ resolvers: { vpc: dnsmasq-stale } }';
  const { all } = onlyService(forecastOf({ clients: '[fresh]', world, given }));
  expect(all.lastS).toBeLessThan(70);
});

test('clients behind resolvers that differ are shared out equally among them', () => {
  const { all } = onlyService(
    forecastOf({
      clients: '[fresh]',
      resolvers: "[{ name: quick, address: '10.0.0.2:53' }, { name: slow, address: '10.0.0.3:53' }]",
      world: '{ resolvers: { slow: { minTtlS: 600 } } }',
      given,
    }),
  );
  // Half of them have left after 67 s, but for a ninth of the others: 1/2 = (1 − t/67)/2 + (1 − t/600)/2 at 60.3 s.
  expect(all.t50S).toBeCloseTo(60.3, -1);
});
