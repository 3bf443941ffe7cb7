import { describe, expect, test } from 'vitest';
import type { Entry, EntryOf } from '../../src/core/entry.ts';
import type { DnsPort, DnsReply } from '../../src/core/ports.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { findAuthorities } from '../../src/watch/authorities.ts';
import { newWatch } from '../../src/watch/watch.ts';
import { checkOf, newTestClock } from '../prober/kit.ts';

type Answering = (
  server: string,
  name: string,
  type: string,
  atS: number,
) => Partial<Extract<DnsReply, { kind: 'answered' }>> | null;

interface Asked {
  readonly server: string;
  readonly name: string;
  readonly type: string;
  readonly recursionDesired: boolean;
  readonly atS: number;
}

function newWorld(answering: Answering) {
  const clock = newTestClock();
  const asked: Asked[] = [];
  const dns: DnsPort = {
    query(server, { name: asName, type }, { recursionDesired, deadlineNs }) {
      const sentAtNs = clock.nowNs();
      const serverName = server.kind === 'udp' ? server.address : server.kind;
      const name = asName.replace(/\.$/, '');
      asked.push({ server: serverName, name, type, recursionDesired, atS: sentAtNs / 1e9 });
      const answer = answering(serverName, name, type, sentAtNs / 1e9);
      if (answer === null) {
        return new Promise((resolve) => {
          clock.at(deadlineNs, () => {
            resolve({ kind: 'failed', reason: 'timed-out', error: '', sentAtNs, endedAtNs: clock.nowNs() });
          });
        });
      }
      const blank = {
        rcode: 'NOERROR',
        authoritative: true,
        ede: 0,
        answers: [],
        authority: [],
        chain: [],
        addresses: [],
        ttlS: 60,
      };
      return Promise.resolve({ kind: 'answered', ...blank, sentAtNs, endedAtNs: sentAtNs, ...answer });
    },
  };
  return { clock, asked, dns };
}

function scenarioOf(overrides: Partial<Scenario>): Scenario {
  const side = { title: '', addresses: [], marker: [], certificateSha256: [] };
  return {
    services: [{ name: 'orders', checks: [checkOf()] }],
    sides: { old: { ...side, side: 'old' }, new: { ...side, side: 'new' } },
    resolvers: [{ name: 'vpc', server: { kind: 'udp', address: '10.0.0.2', port: 53 } }],
    authorities: 'none',
    ...overrides,
  } as unknown as Scenario;
}

async function watchFor(s: number, scenario: Scenario, answering: Answering) {
  const { clock, asked, dns } = newWorld(answering);
  const entries: Entry[] = [];
  const sideAddresses: string[] = [];
  const watch = newWatch({
    clock,
    dns,
    scenario,
    entry: (entry) => entries.push(entry),
    sideAddress: (side, address) => sideAddresses.push(`${side} ${address}`),
    sideAddressGone: (side, address) => sideAddresses.push(`${side} ${address} gone`),
  });
  let isStarted = false;
  void watch.start().then(() => {
    isStarted = true;
  });
  await clock.runUntilS(s);
  watch.stop();
  await clock.runUntilS(s + 100);
  const answered = entries.filter((entry): entry is EntryOf<'dns-answered'> => entry.type === 'dns-answered');
  return { asked, entries, answered, sideAddresses, isStarted };
}

const given = {
  authorities: [
    { address: '127.0.0.1', port: 5301 },
    { address: '127.0.0.2', port: 5301 },
  ],
};

describe('authoritative servers', () => {
  test('each is asked once a second with RD=0, and a change is logged with the poll before it', async () => {
    const { asked, answered } = await watchFor(20.5, scenarioOf(given), (server, _, type, atS) => ({
      addresses: type === 'A' ? [server === '127.0.0.1' && atS > 7.3 ? '127.0.2.1' : '127.0.1.1'] : [],
    }));
    const first = asked.filter((one) => one.server === '127.0.0.1' && one.type === 'A');
    expect(first.length).toBe(21);
    expect(asked.every((one) => !one.recursionDesired)).toBe(true);
    const changed = answered.filter(
      (entry) =>
        entry.server === '127.0.0.1:5301' &&
        entry.reply.kind === 'answered' &&
        entry.reply.addresses[0] === '127.0.2.1',
    );
    expect(changed[0]?.reply.sentAtNs).toBeGreaterThan(7.3e9);
    expect(changed[0]?.previousSentAtNs).toBeLessThan(7.3e9);
    // The first, one repeated after 10 s without change, and the change.
    expect(answered.filter((entry) => entry.server === '127.0.0.2:5301' && entry.question === 'A').length).toBe(3);
  });

  test('a dead one is not asked more often for being dead, and holds up nobody', async () => {
    const { asked, answered, isStarted } = await watchFor(30, scenarioOf(given), (server) =>
      server === '127.0.0.1' ? null : { addresses: ['127.0.1.1'] },
    );
    expect(isStarted).toBe(true);
    const countOf = (server: string, type: string): number =>
      asked.filter((one) => one.server === server && one.type === type).length;
    // Each question takes its 4 s to fail.
    expect(countOf('127.0.0.1', 'A')).toBeLessThanOrEqual(8);
    expect(countOf('127.0.0.2', 'A')).toBeGreaterThanOrEqual(29);
    for (const type of ['AAAA', 'CNAME', 'HTTPS', 'SOA']) expect(countOf('127.0.0.1', type)).toBeLessThanOrEqual(4);
    expect(answered.some((entry) => entry.reply.kind === 'failed')).toBe(true);
  });
});

test("a side's own name is looked up again, and each address is told once", async () => {
  const base = scenarioOf({});
  const scenario = scenarioOf({
    sides: { ...base.sides, old: { ...base.sides.old, addresses: [{ kind: 'name', name: 'shop-1.elb.test' }] } },
  });
  const { sideAddresses, answered } = await watchFor(31, scenario, (_, _name, type, atS) => ({
    addresses: type === 'A' ? (atS > 12 ? ['10.1.0.2', '10.1.0.3'] : ['10.1.0.1', '10.1.0.2']) : [],
  }));
  expect(sideAddresses).toEqual(['old 10.1.0.1', 'old 10.1.0.2', 'old 10.1.0.3']);
  expect(answered.every((entry) => entry.watch === 'side' && entry.side === 'old')).toBe(true);
});

test('an address that a name has not had for five minutes is the side’s no longer; back, it is told again', async () => {
  const base = scenarioOf({});
  const scenario = scenarioOf({
    sides: { ...base.sides, old: { ...base.sides.old, addresses: [{ kind: 'name', name: 'shop-1.elb.test' }] } },
  });
  const { sideAddresses } = await watchFor(500, scenario, (_, _name, type, atS) => ({
    addresses: type === 'A' ? (atS < 20 || atS > 400 ? ['10.1.0.1', '10.1.0.2'] : ['10.1.0.1']) : [],
  }));
  expect(sideAddresses).toEqual(['old 10.1.0.1', 'old 10.1.0.2', 'old 10.1.0.2 gone', 'old 10.1.0.2']);
});

describe('finding authorities', () => {
  const resolver = { name: 'vpc', server: { kind: 'udp' as const, address: '10.0.0.2', port: 53 } };
  const ns = (...names: string[]) => ({
    answers: names.map((data) => ({ name: 'shop.test', type: 'NS', ttlS: 60, data })),
  });

  test.for([
    {
      name: 'the zone above the hostname',
      hostname: 'orders.eu.shop.test',
      zone: 'shop.test',
      servers: ['10.9.0.1', '10.9.0.2'],
    },
    { name: 'the hostname is the zone', hostname: 'shop.test', zone: 'shop.test', servers: ['10.9.0.1', '10.9.0.2'] },
    { name: 'nobody has a zone for it', hostname: 'orders.nowhere.test', zone: '', servers: [] },
    { name: 'an address', hostname: '127.0.1.1', zone: '', servers: [] },
  ])('$name', async ({ hostname, zone, servers }) => {
    const { clock, dns } = newWorld((_, name, type) => {
      if (type === 'NS') return name === 'shop.test' ? ns('ns1.shop.test', 'ns2.shop.test') : {};
      if (type === 'A') return { addresses: [name === 'ns1.shop.test' ? '10.9.0.1' : '10.9.0.2'] };
      return {};
    });
    const found = await findAuthorities({ clock, dns }, scenarioOf({ authorities: 'auto' }), hostname, resolver);
    expect(found.zone).toBe(zone);
    expect(found.servers.map((server) => server.address)).toEqual(servers);
    expect(found.servers.length > 0 || found.error !== '').toBe(true);
  });

  test('NS records of an alias’s target are not the servers of the name', async () => {
    const { clock, dns } = newWorld((_, name, type) => {
      if (type !== 'NS') return { addresses: ['10.9.0.1'] };
      const owner = name === 'orders.shop.test' ? 'd1.cdn.test' : name;
      return { answers: [{ name: owner, type: 'NS', ttlS: 60, data: `ns1.${owner}` }] };
    });
    const found = await findAuthorities(
      { clock, dns },
      scenarioOf({ authorities: 'auto' }),
      'orders.shop.test',
      resolver,
    );
    expect(found.zone).toBe('shop.test');
  });

  test('the servers of the top-level domain are never asked for the hostname', async () => {
    const { clock, dns, asked } = newWorld(() => ({}));
    await findAuthorities({ clock, dns }, scenarioOf({ authorities: 'auto' }), 'orders.shop.test', resolver);
    expect(asked.filter((one) => one.type === 'NS').map((one) => one.name)).toEqual(['orders.shop.test', 'shop.test']);
  });
});
