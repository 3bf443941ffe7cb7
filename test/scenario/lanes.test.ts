import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameOfLane } from '../../src/core/lane-name.ts';
import type { Lane } from '../../src/core/scenario.ts';
import { dueAtNs, intervalNs } from '../../src/core/schedule.ts';
import { nsPerS } from '../../src/core/time.ts';
import { lanesForSideAddress, lanesOf } from '../../src/scenario/lanes.ts';
import { presetScenarioOf, scenarioOf } from './fixtures.ts';

const none = { old: [], new: [] };
const names = (lanes: readonly Lane[]): readonly string[] => lanes.map(nameOfLane);

describe('which lanes there are', () => {
  test('fresh crosses all resolvers, other clients ask the first, each side has one lane per address', () => {
    const scenario = scenarioOf(`
services: [{ name: orders, url: https://orders.example/ready }]
sides: { old: { addresses: [127.0.1.1, "dns:old.example"] }, new: { addresses: [127.0.2.0/24] } }
resolvers: [{ name: vpc, address: 10.0.0.2 }, { name: system }]
clients: [fresh, keep-alive, jvm-forever]
references: [https://status.example/ping]`);
    const lanes = lanesOf(scenario, { old: ['127.0.1.2', '127.0.1.1'], new: ['fd00::2'] });
    expect(names(lanes)).toEqual([
      'orders fresh via vpc',
      'orders fresh via system',
      'orders fresh via system:getaddrinfo',
      'orders keep-alive via vpc',
      'orders jvm-forever via vpc',
      'orders side:old at 127.0.1.1',
      'orders side:old at 127.0.1.2',
      'orders side:new at fd00::2',
      'status.example reference via vpc',
    ]);
    expect(lanes.map(({ judged }) => judged)).toEqual([true, true, true, true, false, false, false, false, false]);
    expect(lanes.map(({ role }) => role)).toEqual([
      ...Array.from({ length: 5 }, () => 'client'),
      ...Array.from({ length: 3 }, () => 'side'),
      'reference',
    ]);
  });

  test('a side lane is pinned to its address and opens a connection for each probe', () => {
    const lane = lanesOf(scenarioOf(''), { old: [], new: ['fd00::2'] }).at(-1);
    expect(lane?.archetype).toMatchObject({
      resolve: { kind: 'pinned', address: 'fd00::2' },
      connect: { kind: 'new' },
      choose: 'first',
      families: [6],
      judged: false,
    });
    expect([lane?.client, lane?.resolver, lane?.address]).toEqual(['side:new', null, 'fd00::2']);
  });

  test('every check of every service has its lanes, and the first resolver is the first that the service names', () => {
    const scenario = scenarioOf(`
services:
  - { name: a, url: https://a.example/, resolvers: [two, one] }
  - { name: b, checks: [{ url: https://b.example/ }, { url: https://b.example/x }], resolvers: [one] }
resolvers: [{ name: one, address: 10.0.0.1 }, { name: two, address: 10.0.0.2 }]
clients: [fresh, chrome]`);
    expect(names(lanesOf(scenario, none))).toEqual([
      'a fresh via two',
      'a fresh via one',
      'a chrome via two',
      'b/1 fresh via one',
      'b/1 chrome via one',
      'b/2 fresh via one',
      'b/2 chrome via one',
    ]);
  });

  test('who holds a WebSocket is sent where a url is said to have one; where none is, everywhere', () => {
    const clients = 'clients: { fresh: {}, feed: { connect: held } }\nresolvers: [{ name: one, address: 10.0.0.1 }]';
    const checks = ['{ url: https://a.example/ }', '{ url: WSS://a.example/live }', '{ url: ws://a.example/live }'];
    const services = `services: [{ name: a, checks: [${checks.join()}] }, { name: b, url: http://b.example/ }]`;
    const said = lanesOf(scenarioOf(`${services}\n${clients}`), none);
    expect(names(said)).toEqual([
      'a/1 fresh via one',
      'a/2 fresh via one',
      'a/2 feed via one',
      'a/3 fresh via one',
      'a/3 feed via one',
      'b fresh via one',
    ]);
    expect(said.map(({ check }) => [check.url, check.scheme, check.port])).toEqual([
      ['https://a.example/', 'https', 443],
      ['https://a.example/live', 'https', 443],
      ['https://a.example/live', 'https', 443],
      ['http://a.example/live', 'http', 80],
      ['http://a.example/live', 'http', 80],
      ['http://b.example/', 'http', 80],
    ]);
    const unsaid = lanesOf(scenarioOf(`services: [{ name: b, url: http://b.example/ }]\n${clients}`), none);
    expect(names(unsaid)).toEqual(['b fresh via one', 'b feed via one']);
  });

  test('an own client that is like fresh crosses too; one that is pinned asks nobody; an address needs no crossing', () => {
    const scenario = scenarioOf(`
services: [{ name: a, url: https://a.example/ }, { name: b, url: http://127.0.1.1/ }]
resolvers: [{ name: one, address: 10.0.0.1 }, { name: two, address: 10.0.0.2 }]
clients: { cron: { connect: new }, partner: { resolve: { kind: pinned, address: 127.0.1.9 } } }`);
    expect(names(lanesOf(scenario, none))).toEqual([
      'a cron via one',
      'a cron via two',
      'a partner',
      'b cron via one',
      'b partner',
    ]);
  });

  describe('of the authoritative servers', () => {
    const lines = `
services: [{ name: a, url: https://a.example/ }, { name: b, url: https://b.example/ }]
resolvers: [{ name: one, address: 10.0.0.1 }]
clients: [authority, fresh]`;
    const found = new Map([
      [
        'a.example',
        [
          { address: '127.0.3.1', port: 53 },
          { address: 'fd00::3', port: 53 },
        ],
      ],
    ]);

    test('each has a lane for the names it was found for, and asks another resolver only beyond its zones', () => {
      const lanes = lanesOf(presetScenarioOf(lines), { ...none, authorities: found });
      expect(names(lanes)).toEqual([
        'a authority via 127.0.3.1:53',
        'a authority via [fd00::3]:53',
        'a fresh via one',
        'b fresh via one',
      ]);
      expect(lanes[1]).toMatchObject({ judged: false, resolver: { server: { address: 'fd00::3', port: 53 } } });
      expect(lanes[1]?.resolver?.authority).toEqual({ beyond: { kind: 'udp', address: '10.0.0.1', port: 53 } });
    });

    test('those that the scenario lists need not be found; where it says there are none, none are', () => {
      const given = presetScenarioOf(`${lines}\nauthorities: ["127.0.3.9:5300"]`);
      expect(names(lanesOf(given, none))).toContain('b authority via 127.0.3.9:5300');
      const without = lanesOf(presetScenarioOf(`${lines}\nauthorities: none`), { ...none, authorities: found });
      expect(names(without)).toEqual(['a fresh via one', 'b fresh via one']);
    });
  });

  test.for([
    { direction: 'old-to-new', address: '127.0.1.1' },
    { direction: 'new-to-old', address: '127.0.2.7' },
  ])('$direction: who is pinned has the first address of the side that is left', ({ direction, address }) => {
    const scenario = presetScenarioOf(`
sides: { old: { addresses: [127.0.1.1, "dns:old.example"] }, new: { addresses: ["dns:new.example"] } }
clients: [pinned-ip]
change: { direction: ${direction} }`);
    const [lane] = lanesOf(scenario, { old: ['127.0.1.2'], new: ['127.0.2.7', '127.0.2.8'] });
    expect(lane).toMatchObject({ client: 'pinned-ip', judged: false, resolver: null });
    expect(lane?.archetype.resolve).toEqual({ kind: 'pinned', address });
  });

  test('of a side without an address nobody is pinned to it', () => {
    expect(names(lanesOf(presetScenarioOf('clients: [pinned-ip, fresh]'), none)).join()).not.toContain('pinned-ip');
  });

  test.for([
    { ratePerSecond: 2, totalMs: 12_000, cap: 26 },
    { ratePerSecond: 7, totalMs: 1300, cap: 12 },
    { ratePerSecond: 0.1, totalMs: 500, cap: 3 },
  ])('at $ratePerSecond/s and $totalMs ms up to $cap probes are in flight', ({ ratePerSecond, totalMs, cap }) => {
    const scenario = scenarioOf(`defaults: { ratePerSecond: ${ratePerSecond}, timeouts: { totalMs: ${totalMs} } }`);
    expect(lanesOf(scenario, none)[0]?.inFlightMax).toBe(cap);
  });

  test('an address that turns up later gets a lane for each check, numbered on', () => {
    const scenario = scenarioOf(
      'services: [{ name: a, url: https://a.example/ }, { name: b, url: https://b.example/ }]',
    );
    const lanes = lanesForSideAddress(scenario, {
      side: 'new',
      address: '127.0.2.9',
      startAtNs: 7_300_000_000,
      firstNumber: 11,
    });
    expect(names(lanes)).toEqual(['a side:new at 127.0.2.9', 'b side:new at 127.0.2.9']);
    expect(lanes.map(({ number, startAtNs }) => [number, startAtNs])).toEqual([
      [11, 7_300_000_000],
      [12, 7_300_000_000],
    ]);
    expect(new Set(lanes.map(({ staggerNs }) => staggerNs)).size).toBe(2);
  });
});

describe('stagger', () => {
  const scenarios = fc.record({
    serviceCount: fc.integer({ min: 1, max: 5 }),
    checkCount: fc.integer({ min: 1, max: 3 }),
    ratePerSecond: fc.constantFrom(0.3, 1, 2, 3, 7, 11.7, 130),
    addressCount: fc.integer({ min: 0, max: 4 }),
  });
  const lanesFor = (of: {
    serviceCount: number;
    checkCount: number;
    ratePerSecond: number;
    addressCount: number;
  }): readonly Lane[] => {
    const checks = Array.from({ length: of.checkCount }, (_, i) => `{ url: https://shop.example/${i} }`).join(', ');
    const services = Array.from({ length: of.serviceCount }, (_, i) => `{ name: s${i}, checks: [${checks}] }`).join(
      ', ',
    );
    const old = Array.from({ length: of.addressCount }, (_, i) => `127.0.1.${i + 1}`);
    return lanesOf(scenarioOf(`services: [${services}]\ndefaults: { ratePerSecond: ${of.ratePerSecond} }`), {
      old,
      new: [],
    });
  };

  test('numbers are indexes, every stagger is within the interval, and no two lanes of a rate are due at once', () => {
    fc.assert(
      fc.property(scenarios, (of) => {
        const lanes = lanesFor(of);
        const due = new Set<number>();
        for (const [i, lane] of lanes.entries()) {
          expect(lane.number).toBe(i);
          expect(lane.startAtNs).toBe(0);
          expect(lane.staggerNs).toBeGreaterThanOrEqual(0);
          expect(lane.staggerNs).toBeLessThan(intervalNs(lane));
          for (let slot = 0; slot < 13; slot += 1) due.add(dueAtNs(lane, slot));
        }
        expect(due.size).toBe(lanes.length * 13);
      }),
      { numRuns: 40 },
    );
  });

  test('all lanes share the interval evenly, and those of one service are spread over the whole of it', () => {
    const lanes = lanesFor({ serviceCount: 4, checkCount: 1, ratePerSecond: 3, addressCount: 2 });
    const step = nsPerS / 3 / lanes.length;
    const sorted = lanes.map(({ staggerNs }) => staggerNs).toSorted((a, b) => a - b);
    for (const [place, staggerNs] of sorted.entries())
      expect(Math.abs(staggerNs - place * step)).toBeLessThanOrEqual(1);

    const own = lanes
      .filter(({ service }) => service === 's2')
      .map(({ staggerNs }) => staggerNs)
      .toSorted((a, b) => a - b);
    const gaps = own.slice(1).map((staggerNs, i) => staggerNs - (own[i] ?? 0));
    // Evenly would be 4 steps, one for each service.
    for (const gap of gaps) expect(Math.abs(gap - 4 * step)).toBeLessThanOrEqual(step);
  });
});
