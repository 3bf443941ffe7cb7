import { describe, expect, test } from 'vitest';
import { presets } from '../../src/clients/presets.ts';
import type { Side } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';
import type { TruthEntry } from '../../src/core/truth.ts';
import { newWorld } from '../../src/model/world.ts';
import type { Arrival, Served, WorldModel } from '../../src/model/world-model.ts';
import { parseRehearsal } from '../../src/scenario/parse.ts';
import { settingOf } from '../../src/scenario/setting.ts';

const [orders, old1, new1] = ['orders.shop.example', '127.0.1.1', '127.0.2.1'];

interface Started {
  readonly model: WorldModel;
  readonly truth: readonly TruthEntry[];
  /** Addresses that a server gives for the hostname, in order of their text; what else it says, as a word. */
  readonly ask: (server: 'ns-1' | 'ns-2' | 'vpc', atS: number) => string;
  readonly serve: (address: string, atS: number) => Served;
  readonly conditions: (address: string) => string[];
}

const twoServers = '  zone: { ttlS: 20, nameServers: [{ name: ns-1 }, { name: ns-2, lagS: 7 }] }';

function start(script: string, more = '', zone = twoServers): Started {
  const text = `
name: world
services: [{ name: orders, url: "http://${orders}/ready" }]
sides: { old: { addresses: [192.0.2.1] }, new: { addresses: [192.0.2.2] } }
resolvers: [{ name: vpc, address: 10.0.0.2 }]
references: [http://status.example/ping]
change: { ttlS: 20 }
world:
${zone}
${more}
  script:
${script}
`;
  const { scenario, world } = parseRehearsal(text, { file: 'world.yaml', env: {}, presets, readFile: () => '' });
  if (world === null) throw new Error('the scenario has a world');
  const setting = settingOf(scenario, world);
  const truth: TruthEntry[] = [];
  const model = newWorld({ world, setting, record: (entry) => truth.push(entry) });
  const servers = { ...setting.places.nameServers, ...setting.places.resolvers };
  return {
    model,
    truth,
    ask(server, atS) {
      const said = model.ask(servers[server] ?? '', { name: orders, type: 'A' }, sToNs(atS));
      if (said === null) return 'silent';
      const addresses = said.content.answers.map((record) => record.data).toSorted();
      return addresses.length === 0 ? said.content.rcode : addresses.join(' ');
    },
    serve: (address, atS) =>
      model.serve({
        atNs: sToNs(atS),
        held: { address, openedAtNs: sToNs(atS), requestCount: 0 },
        hostname: orders,
        method: 'GET',
        path: '/ready',
        userAgent: 'test',
        trace: { lane: 3, slot: 17, part: 0 },
      }),
    conditions: (address) =>
      truth.flatMap((entry) =>
        entry.type === 'condition-changed' && entry.address === address
          ? [`${entry.atNs / 1e9} ${entry.condition.fault} ${entry.condition.failedRatio}`]
          : [],
      ),
  };
}

const switched = '    - { afterChangeS: 0, do: switch-dns }';

describe('the script', () => {
  test('what is timed from the change does not happen before it is made, however late that is', () => {
    const { model, ask } = start(switched);
    expect(ask('ns-1', 5000)).toContain('127.0.1');
    model.change(sToNs(5001));
    expect(ask('ns-1', 5001)).toContain('127.0.2');
    expect(ask('ns-2', 5007.9)).toContain('127.0.1');
    expect(ask('ns-2', 5008)).toContain('127.0.2');
  });

  test('each step and its end are in the truth, at their own instants whenever somebody looks', () => {
    const { model, truth } = start(`${switched}\n    - { atS: 3, do: lose-own-network, forS: 2.5 }`);
    model.change(sToNs(2));
    model.advance(sToNs(60));
    const steps = truth.flatMap((entry) => (entry.type === 'step-done' ? [[entry.atNs / 1e9, entry.isEnd]] : []));
    expect(steps).toEqual([
      [2, false],
      [3, false],
      [5.5, true],
    ]);
  });

  test('whoever asks when to look next is told every instant at which something happens', () => {
    const { model } = start(`${switched}\n    - { atS: 3, do: lose-own-network, forS: 2.5 }`);
    model.advance(sToNs(1));
    expect(model.nextEventNs()).toBeLessThanOrEqual(sToNs(3));
    model.advance(sToNs(3));
    expect(model.nextEventNs()).toBeLessThanOrEqual(sToNs(5.5));
  });
});

describe('faults', () => {
  test('without the own network nothing answers: no side, no reference, no server of names', () => {
    const { model, ask, serve, conditions } = start(`${switched}\n    - { atS: 10, do: lose-own-network, forS: 5 }`);
    expect(ask('vpc', 12)).toBe('silent');
    expect(ask('ns-1', 12)).toBe('silent');
    expect(model.dial(new1, sToNs(12)).kind).toBe('silent');
    expect(model.dial('127.0.5.1', sToNs(12)).kind).toBe('silent');
    expect(serve(old1, 12)).toEqual({ kind: 'silent', fault: 'own-network-lost' });
    expect(serve(old1, 15).kind).toBe('answered');
    expect(conditions(old1)).toEqual(['0 null 0', '10 own-network-lost 1', '15 null 0']);
  });

  test('a load balancer that was removed is a condition of its addresses and of no others', () => {
    const { model, conditions } = start(
      '    - { atS: 4, do: remove-load-balancer, side: old, how: refused }\n' + switched,
    );
    expect(model.dial(old1, sToNs(4))).toMatchObject({ kind: 'refused', fault: 'load-balancer-removed' });
    expect(model.dial(new1, sToNs(4)).kind).toBe('accepted');
    expect(conditions(old1)).toEqual(['0 null 0', '4 load-balancer-removed 1']);
    expect(conditions(new1)).toEqual(['0 null 0']);
  });

  test('a request that a fault hit is in the truth with its trace; one that was served well is not', () => {
    const { truth, serve } = start(`${switched}\n    - { atS: 10, do: fail-app, side: old, status: 500, forS: 5 }`);
    serve(old1, 9);
    serve(old1, 11);
    const hits = truth.filter((entry) => entry.type === 'request-hit');
    expect(hits).toMatchObject([
      { atNs: sToNs(11), trace: { lane: 3, slot: 17, part: 0 }, fault: 'app-failing', status: 500 },
    ]);
  });

  test('of a degraded network the lost and reset shares are those of the truth, and what arrives is late by what it adds', () => {
    const { serve, conditions } = start(
      `${switched}\n    - { atS: 1, do: degrade-network, side: new, lossRatio: 0.13, resetRatio: 0.07, addedMs: 40 }`,
    );
    const served = Array.from({ length: 5000 }, (_, i) => serve(new1, 2 + i / 100));
    const share = (kind: Served['kind']): number => served.filter((one) => one.kind === kind).length / served.length;
    expect(Math.abs(share('silent') - 0.13)).toBeLessThan(0.025);
    expect(Math.abs(share('reset') - 0.07)).toBeLessThan(0.02);
    for (const one of served) if (one.kind === 'answered') expect(one.afterNs).toBeGreaterThanOrEqual(40e6);
    expect(conditions(new1)).toHaveLength(2);
    expect(conditions(new1)[1]).toMatch(/^1 network-degraded 0\.19|^1 network-degraded 0\.2/);
  });

  test('a resolver that is cut off answers from its cache while that lasts, then SERVFAIL; the authorities are well', () => {
    const { ask } = start(`${switched}\n    - { atS: 10, do: cut-off-resolver, resolver: vpc, forS: 60 }`);
    expect(ask('vpc', 5)).toContain('127.0.1');
    expect(ask('vpc', 24)).toContain('127.0.1');
    expect(ask('vpc', 26)).toBe('SERVFAIL');
    expect(ask('ns-1', 26)).toContain('127.0.1');
  });

  test('with one name server down, resolvers ask the other', () => {
    const { ask } = start(`${switched}\n    - { atS: 0, do: fail-name-server, nameServer: ns-1 }`);
    expect(ask('ns-1', 1)).toBe('silent');
    for (let atS = 1; atS < 400; atS += 30) expect(ask('vpc', atS)).toContain('127.0.1');
  });
});

describe('a rolling deployment with the defaults', () => {
  test.for([
    { kind: 'alb', preStopS: 2, fault: 'stale-target' },
    { kind: 'alb', preStopS: 9.3, fault: 'stale-target' },
    { kind: 'alb', preStopS: 11.3, fault: null },
    { kind: 'ingress-nginx', preStopS: 2, fault: 'stale-endpoints' },
    { kind: 'ingress-nginx', preStopS: 3.7, fault: 'stale-endpoints' },
    { kind: 'ingress-nginx', preStopS: 5.3, fault: null },
  ])('of $kind behind a preStop hook of $preStopS s meets $fault', ({ kind, preStopS, fault }) => {
    const platform = `  new: { kind: ${kind}, replicas: 1, replica: { preStopS: ${preStopS}, whenGone: refused } }`;
    const { model, truth } = start(`${switched}\n    - { atS: 1.7, do: deploy, side: new }`, platform);
    model.advance(sToNs(200));
    const faults = truth.flatMap((entry) =>
      entry.type === 'condition-changed' && entry.condition.fault !== null ? [entry.condition.fault] : [],
    );
    expect([...new Set(faults)]).toEqual(fault === null ? [] : [fault]);
  });
});

describe('failover records', () => {
  const zoneOf = (record: string): string => `  zone: { ttlS: 20, record: ${record}, nameServers: [{ name: ns-1 }] }`;
  const removed = (forS: number): string =>
    `${switched}\n    - { atS: 40.3, do: remove-load-balancer, side: old, how: refused, forS: ${forS} }`;
  const servedOf = ({ truth }: Started): (readonly [number, Side | null])[] =>
    truth.flatMap((entry) => (entry.type === 'record-served' ? [[entry.atNs / 1e9, entry.side] as const] : []));

  test('follow health after three checks of it, there and back, and the truth has the instants', () => {
    const started = start(removed(400), '', zoneOf('failover'));
    started.model.advance(sToNs(1000));
    const [first, over, back, ...others] = servedOf(started);
    expect(others).toEqual([]);
    expect(first).toEqual([0, 'old']);
    expect(over?.[1]).toBe('new');
    expect(over?.[0]).toBeGreaterThan(100.3);
    expect(over?.[0]).toBeLessThanOrEqual(130.3);
    expect(back?.[1]).toBe('old');
    expect(back?.[0]).toBeGreaterThan(500.3);
    expect(back?.[0]).toBeLessThanOrEqual(530.3);
    expect(started.ask('ns-1', 1000)).toContain('127.0.1');
  });

  test('whoever asks a name server late meets what the checks had found by then', () => {
    const { ask } = start(removed(400), '', zoneOf('failover'));
    expect(ask('ns-1', 100)).toContain('127.0.1');
    expect(ask('ns-1', 131)).toContain('127.0.2');
    expect(ask('ns-1', 441)).toContain('127.0.2');
    expect(ask('ns-1', 531)).toContain('127.0.1');
  });

  test('do not move for an outage of less than two intervals', () => {
    const started = start(removed(59.3), '', zoneOf('failover'));
    started.model.advance(sToNs(1000));
    expect(servedOf(started)).toEqual([[0, 'old']]);
  });

  test('are the only ones whose sides are checked', () => {
    const { model } = start(`${switched}\n    - { atS: 1, do: lose-own-network, forS: 1 }`, '', zoneOf('address'));
    model.advance(sToNs(3));
    // Schedules fire each minute; nothing else is planned.
    expect(model.nextEventNs()).toBe(sToNs(60));
  });
});

test('a request that was under way as its connection was cut is in the truth, by what cut it', () => {
  const { model, truth } = start(
    `${switched}
    - { atS: 10, do: remove-load-balancer, side: old, how: refused }
    - { atS: 10, do: lose-zone, side: new, zone: 1, how: silent, forS: 5 }`,
  );
  const arrivalAt = (address: string): Arrival => ({
    atNs: sToNs(9.7),
    held: { address, openedAtNs: sToNs(8), requestCount: 2 },
    hostname: orders,
    method: 'GET',
    path: '/ready',
    userAgent: 'test',
    trace: { lane: 3, slot: 17, part: 1 },
  });
  for (const address of [old1, new1, '127.0.5.1']) {
    model.serve(arrivalAt(address));
    model.recordCut(arrivalAt(address), sToNs(address === new1 ? 10 : 10.2));
  }
  const trace = { lane: 3, slot: 17, part: 1 };
  expect(truth.filter((entry) => entry.type === 'request-hit')).toMatchObject([
    { atNs: sToNs(9.7), trace, address: old1, fault: 'load-balancer-removed', status: 0, afterMs: 500 },
    { atNs: sToNs(9.7), trace, address: new1, fault: 'zone-lost', status: 0, afterMs: null },
  ]);
});

test('the same seed gives the same world, draw by draw', () => {
  const script = `${switched}\n    - { atS: 1, do: degrade-network, side: old, lossRatio: 0.3, resetRatio: 0.2, addedMs: 1 }`;
  const draws = (): string[] => {
    const { serve } = start(script);
    return Array.from({ length: 100 }, (_, i) => serve(old1, 2 + i).kind);
  };
  expect(draws()).toEqual(draws());
});
