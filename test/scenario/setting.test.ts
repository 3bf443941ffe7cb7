/** What a world must know of a scenario to stand in for the real one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Setting } from '../../src/core/world.ts';
import { settingOf } from '../../src/scenario/setting.ts';
import { defaultWorld } from '../../src/scenario/world.ts';
import { rehearsalOf } from './fixtures.ts';

function setting(lines: string): Setting {
  const { scenario, world } = rehearsalOf(lines);
  return settingOf(scenario, world ?? defaultWorld(scenario));
}

/** The checks of one service at https://a.example, and what its paths answer. */
function answersOf(checks: readonly string[]): Setting['sites'][number]['answers'] {
  const { sites } = setting(`services: [{ name: a, checks: [${checks.join(', ')}] }]`);
  expect(sites).toHaveLength(1);
  return sites[0]?.answers ?? {};
}

describe('good answers', () => {
  const plain = ['content-type', 'text/plain; charset=utf-8'];

  test('a check that expects nothing gets 200 and a word', () => {
    expect(answersOf(['{ url: "https://a.example/x?y=1" }'])).toEqual({
      '/x?y=1': { status: 200, headers: [plain], body: 'ok\n' },
    });
  });

  test('the first status, the headers and the text that a check expects are given', () => {
    const expected =
      '{ statusIn: [201, 200], bodyIncludes: pong, header: { X-Version: "7", Content-Type: application/json } }';
    expect(answersOf([`{ url: "https://a.example/", expect: ${expected} }`])).toEqual({
      '/': {
        status: 201,
        headers: [
          ['content-type', 'application/json'],
          ['x-version', '7'],
        ],
        body: 'ok\npong\n',
      },
    });
  });

  test.for<[statusIn: string, status: number, body: string]>([
    ['[204], bodyIncludes: pong', 204, ''],
    ['[204, 202], bodyIncludes: pong', 202, 'ok\npong\n'],
    ['[204, 202]', 204, ''],
    ['[304]', 304, ''],
  ])('{ statusIn: %s } gets %i and a body only where there can be one', ([statusIn, status, body]) => {
    const [answer] = Object.values(answersOf([`{ url: "https://a.example/", expect: { statusIn: ${statusIn} } }`]));
    expect(answer).toMatchObject({ status, body });
  });

  test('headers that follow from how an answer is sent are not made up, nor those that tell the sides apart', () => {
    const { sites } = setting(`
services: [{ name: a, url: https://a.example/, expect: { header: { date: x, content-length: '3', x-served-by: eks, x-b: '1' } } }]
sides: { old: { marker: { X-Served-By: ecs } }, new: { marker: { X-Served-By: eks } } }`);
    expect(sites[0]?.answers['/']?.headers).toEqual([plain, ['x-b', '1']]);
  });

  test('checks of one path share an answer that is good for all of them, where there is one', () => {
    const answers = answersOf([
      '{ url: "https://a.example/x", expect: { statusIn: [200, 201], bodyIncludes: one } }',
      '{ url: "https://a.example:8443/x", expect: { statusIn: [201, 202], bodyIncludes: two } }',
      '{ url: "https://a.example/y", expect: { status: 302 } }',
    ]);
    expect(answers['/x']).toMatchObject({ status: 201, body: 'ok\none\ntwo\n' });
    expect(Object.keys(answers)).toEqual(['/x', '/y']);
  });
});

test('two services on one hostname are one site, of the first', () => {
  const { sites } = setting(`
services:
  - { name: a, url: https://shop.example/a }
  - { name: b, url: https://other.example/b }
  - { name: c, url: http://shop.example/c }`);
  expect(sites.map(({ service, hostname, answers }) => [service, hostname, Object.keys(answers)])).toEqual([
    ['a', 'shop.example', ['/a', '/c']],
    ['b', 'other.example', ['/b']],
  ]);
});

describe('sides', () => {
  test('the names of load balancers are those of the scenario, else made up', () => {
    const { loadBalancerNames } = setting(`
sides: { old: { addresses: ["dns:LB-1.example.", "dns:lb-2.example", 10.0.0.1] }, new: { addresses: [10.0.0.2] } }`);
    expect(loadBalancerNames).toEqual({ old: ['lb-1.example', 'lb-2.example'], new: ['new.load-balancer.test'] });
  });

  test('a name that is under test itself is a site, not a load balancer', () => {
    const { loadBalancerNames } = setting('services: [{ name: a, url: https://old.example/ }]');
    expect(loadBalancerNames.old).toEqual(['old.load-balancer.test']);
  });
});

describe('places', () => {
  test('everything has an address of its own, by what it is', () => {
    const { places } = setting(`
resolvers: [{ name: vpc, address: 10.0.0.2 }, { name: isp, doh: https://dns.example/dns-query }]
references: [https://one.example/a, https://two.example/, https://one.example/b]
world: { old: { addresses: 3 }, zone: { nameServers: [{ name: ns-a }, { name: ns-b }] } }`);
    expect(places).toEqual({
      sides: { old: ['127.0.1.1', '127.0.1.2', '127.0.1.3'], new: ['127.0.2.1', '127.0.2.2'] },
      nameServers: { 'ns-a': '127.0.3.1', 'ns-b': '127.0.3.2' },
      resolvers: { vpc: '127.0.4.1', isp: '127.0.4.2' },
      references: { 'one.example': '127.0.5.1', 'two.example': '127.0.5.2' },
    });
  });

  test('however many there are, no two share an address, and all are of this machine', () => {
    const count = fc.integer({ min: 1, max: 600 });
    fc.assert(
      fc.property(count, count, (resolverCount, referenceCount) => {
        const names = (count: number, text: (i: number) => string): string =>
          Array.from({ length: count }, (_, i) => text(i)).join(', ');
        const { places } = setting(`
resolvers: [${names(resolverCount, (i) => `{ name: r${i}, address: 10.0.0.2 }`)}]
references: [${names(referenceCount, (i) => `https://r${i}.example/`)}]`);
        const all = [
          ...places.sides.old,
          ...places.sides.new,
          places.nameServers,
          places.resolvers,
          places.references,
        ].flatMap((some) => (typeof some === 'string' ? [some] : Object.values(some)));
        expect(new Set(all).size).toBe(4 + 2 + resolverCount + referenceCount);
        for (const address of all) expect(address).toMatch(/^127\.\d{1,2}\.[1-5]\.([1-9]\d?|1\d\d|2[0-4]\d|25[0-4])$/);
      }),
      { numRuns: 20 },
    );
  });
});
