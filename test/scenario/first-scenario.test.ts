/** What `cutwatch init` writes is a scenario, whatever was said and found; what DNS said stays a comment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { presets } from '../../src/clients/presets.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { firstScenarioText, nameFor, type FirstScenario, type NameFound } from '../../src/scenario/first-scenario.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { plan } from '../../src/scenario/plan.ts';

const first: FirstScenario = {
  name: 'shop',
  urls: ['https://orders.shop.example/ready'],
  old: ['dns:shop-1.us-west-1.elb.amazonaws.com'],
  new: ['10.0.2.0/24', 'fd00::7'],
  resolver: '',
  found: new Map(),
};

const found: NameFound = {
  leadsTo: ['shop-1.us-west-1.elb.amazonaws.com', '10.0.1.7'],
  ttlS: 300,
  zone: 'shop.example',
  authorityCount: 4,
  error: '',
};

const textOf = (more: Partial<FirstScenario>): string => firstScenarioText({ ...first, ...more }, 'shop.yaml');
const read = (text: string): Scenario =>
  parseScenario(text, { file: 'shop.yaml', env: {}, presets, readFile: () => '' });
const withFound = (ttlS: number | null): Scenario =>
  read(textOf({ found: new Map([['orders.shop.example', { ...found, ttlS }]]) }));

test('it is a scenario whose plan has no problem', () => {
  const scenario = read(textOf({}));
  expect(plan(scenario).problems).toEqual([]);
  expect(scenario.name).toBe('shop');
  expect(scenario.sides.new.addresses).toHaveLength(2);
});

test('each hostname is a service, with all its URLs', () => {
  const urls = [
    'https://orders.shop.example/ready',
    'https://orders.shop.example/api?a=1&b=2',
    'https://orders.shop.test/ready',
    'http://[fd00::1]:8080/',
    'http://10.0.0.1/',
  ];
  const { services } = read(textOf({ urls }));
  expect(services.map(({ name, checks }) => [name, checks.length])).toEqual([
    ['orders-shop-example', 2],
    ['orders-shop-test', 1],
    ['fd00-1', 1],
    ['10-0-0-1', 1],
  ]);
});

describe('the TTL of today', () => {
  test('becomes the one before where it has to be lowered first', () => {
    expect(withFound(300).change).toMatchObject({ ttlBeforeS: 300, ttlS: 60 });
  });

  test('stays where it is low enough', () => {
    expect(withFound(47).change).toMatchObject({ ttlBeforeS: null, ttlS: 47 });
  });

  test('is left to be said where nobody knows it', () => {
    expect(withFound(null).change).toMatchObject({ ttlBeforeS: null, ttlS: null });
    expect(textOf({})).toContain('was not found');
  });

  test('of several names is the highest, which caches forget last', () => {
    const both = new Map([
      ['orders.shop.example', { ...found, ttlS: 90 }],
      ['billing.shop.example', { ...found, ttlS: 7200 }],
    ]);
    const urls = ['https://orders.shop.example/', 'https://billing.shop.example/'];
    expect(read(textOf({ urls, found: both })).change.ttlBeforeS).toBe(7200);
  });
});

test('what DNS says of a name stands beside it', () => {
  const text = textOf({ found: new Map([['orders.shop.example', found]]) });
  expect(text).toContain(
    '# orders.shop.example: leads to shop-1.us-west-1.elb.amazonaws.com, 10.0.1.7 today; TTL 300 s at the 4 name servers of shop.example',
  );
});

test('a resolver that was given is watched', () => {
  expect(read(textOf({ resolver: '10.0.0.2:5353' })).resolvers.map(({ server }) => server)).toEqual([
    { kind: 'udp', address: '10.0.0.2', port: 5353 },
  ]);
});

test('whatever a name server says, it stays a comment', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 3 }), anything, anything, (leadsTo, zone, error) => {
      const hostile = { ...found, leadsTo: [...leadsTo, 'x\nobjectives: { outageMsMax: 1 }'], zone, error };
      const text = textOf({ found: new Map([['orders.shop.example', hostile]]) });
      expect(read(text)).toEqual(withFound(300));
    }),
  );
});

test('a name is made of any hostname', () => {
  expect(['orders.shop.example', 'xn--bcher-kva.example', '_x.y', '[::1]', '-.-', ''].map(nameFor)).toEqual([
    'orders-shop-example',
    'xn--bcher-kva-example',
    'x-y',
    '1-',
    'cutover',
    'cutover',
  ]);
});
