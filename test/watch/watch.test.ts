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

describe('both NS sets', () => {
  const resolver = { name: 'vpc', server: { kind: 'udp' as const, address: '10.0.0.2', port: 53 } };
  const records = (zone: string, names: readonly string[]) =>
    names.map((data) => ({ name: zone, type: 'NS', ttlS: 60, data }));
  /** 10.0.0.2 resolves; the servers of `test` delegate; those of the zone say what they say. */
  const answering =
    (parent: readonly string[], children: Readonly<Record<string, readonly string[] | null>>): Answering =>
    (server, name, type) => {
      if (server === '10.0.0.2') {
        if (type === 'NS' && name === 'test') return { answers: records('test', ['a.nic.test']) };
        if (type === 'NS') return { answers: name === 'shop.test' ? records(name, ['ns1.shop.test']) : [] };
        if (name === 'a.nic.test') return { addresses: type === 'A' ? ['10.8.0.1'] : [] };
        return { addresses: [`${type === 'A' ? '10.9.0.' : 'fd00::'}${name.charAt(2)}`] };
      }
      if (server === '10.8.0.1') return { authoritative: false, authority: records('shop.test', parent) };
      const own = children[server];
      return own === null || own === undefined ? null : { answers: records('shop.test', own) };
    };

  async function find(given: Answering) {
    const { clock, dns, asked } = newWorld(given);
    const finding = findAuthorities({ clock, dns }, scenarioOf({ authorities: 'auto' }), 'orders.shop.test', resolver);
    await clock.runUntilS(60);
    return { asked, found: await finding };
  }

  test('are in the journal, and every server of either is found, with both families', async () => {
    const children = { '10.9.0.1': ['ns1.shop.test', 'ns3.shop.test'], '10.9.0.2': ['ns2.shop.test'] };
    const { found, asked } = await find(answering(['ns1.shop.test', 'ns2.shop.test'], children));
    expect(found.servers.map(({ address }) => address)).toEqual([
      '10.9.0.1',
      'fd00::1',
      '10.9.0.2',
      'fd00::2',
      '10.9.0.3',
      'fd00::3',
    ]);
    expect(found.nsSets.map(({ at, server, names, error }) => [at, server, names.join(), error])).toEqual([
      ['parent', '10.8.0.1', 'ns1.shop.test,ns2.shop.test', ''],
      ['child', '10.9.0.1', 'ns1.shop.test,ns3.shop.test', ''],
      ['child', 'fd00::1', '', 'timed-out'],
      ['child', '10.9.0.2', 'ns2.shop.test', ''],
      ['child', 'fd00::2', '', 'timed-out'],
    ]);
    // The servers of the top-level domain are asked for the zone, and never for the hostname.
    expect(asked.filter(({ server }) => server === '10.8.0.1').map(({ name, type }) => `${name} ${type}`)).toEqual([
      'shop.test NS',
    ]);
    expect(asked.filter(({ server }) => server !== '10.0.0.2').every((one) => !one.recursionDesired)).toBe(true);
  });

  test('of which one is not to be had leave the other', async () => {
    const { found } = await find(answering([], { '10.9.0.1': null }));
    expect(found.servers.map(({ address }) => address)).toEqual(['10.9.0.1', 'fd00::1']);
    expect(found.nsSets.map(({ at, error }) => `${at}: ${error}`)).toEqual([
      'parent: no delegation told',
      'child: timed-out',
      'child: timed-out',
    ]);
  });

  test('of any length lead to no more than fifty servers', async () => {
    const many = Array.from({ length: 300 }, (_, i) => `ns${i}.shop.test`);
    const { clock, dns } = newWorld((_, name, type) => {
      if (type === 'NS') return { answers: name === 'shop.test' ? records(name, many) : [] };
      const i = Number(/\d+/.exec(name)?.[0]);
      return { addresses: type === 'A' ? [`10.9.${i >> 8}.${i & 255}`] : [`fd00::${i.toString(16)}`] };
    });
    const found = await findAuthorities(
      { clock, dns },
      scenarioOf({ authorities: 'auto' }),
      'orders.shop.test',
      resolver,
    );
    expect(found.servers).toHaveLength(50);
  });
});

describe('servers that were not found at the start', () => {
  const scenario = scenarioOf({
    authorities: 'auto',
    services: [{ name: 'orders', checks: [{ ...checkOf(), hostname: 'orders.shop.test' }] }] as never,
  });
  /** The resolver says nothing of name servers until then. */
  const foundFrom =
    (fromS: number): Answering =>
    (server, name, type, atS) => {
      if (server !== '10.0.0.2') return { addresses: type === 'A' ? ['127.0.1.1'] : [] };
      if (atS < fromS) return { rcode: 'SERVFAIL', authoritative: false };
      if (type === 'NS')
        return name === 'shop.test' ? { answers: [{ name, type: 'NS', ttlS: 60, data: 'ns.shop.test' }] } : {};
      return { addresses: type === 'A' ? ['10.9.0.1'] : [] };
    };
  const foundIn = (entries: readonly Entry[]) => entries.filter((entry) => entry.type === 'authorities-found');

  test('are looked up again while the run goes on, told when they are found, and polled from then on', async () => {
    const { entries, asked, isStarted } = await watchFor(60, scenario, foundFrom(10));
    expect(isStarted).toBe(true);
    expect(foundIn(entries)).toMatchObject([
      { atNs: 0, name: 'orders.shop.test', found: 'none', servers: [] },
      // Asked again after 2, 4 and 8 s: at 2, 6 and 14 s.
      { atNs: 14e9, name: 'orders.shop.test', found: 'ns-lookup', zone: 'shop.test', servers: ['10.9.0.1:53'] },
    ]);
    const polled = asked.filter(({ server, type }) => server === '10.9.0.1' && type === 'A').map(({ atS }) => atS);
    expect(polled[0]).toBe(14);
    expect(polled.length).toBeGreaterThanOrEqual(45);
  });

  test('are asked for less and less often, down to once a minute, and no more when the run is over', async () => {
    const { entries, asked } = await watchFor(400, scenario, foundFrom(Infinity));
    const times = [...new Set(asked.map(({ atS }) => atS))];
    expect(times).toEqual([0, 2, 6, 14, 30, 62, 122, 182, 242, 302, 362]);
    expect(foundIn(entries)).toHaveLength(1);
  });

  test.for([
    { why: 'it is an address', hostname: '127.0.1.1', resolvers: scenario.resolvers },
    { why: 'nobody can be asked', hostname: 'orders.shop.test', resolvers: [] },
    {
      why: 'getaddrinfo knows no NS records',
      hostname: 'orders.shop.test',
      resolvers: [{ name: 'system', server: { kind: 'getaddrinfo' as const } }],
    },
  ])('are not looked up again where $why', async ({ hostname, resolvers }) => {
    const services = [{ name: 'orders', checks: [{ ...checkOf(), hostname }] }] as never;
    const { entries, asked } = await watchFor(100, { ...scenario, services, resolvers }, foundFrom(0));
    expect(asked).toEqual([]);
    expect(foundIn(entries)).toHaveLength(1);
  });
});

describe('a chain of aliases', () => {
  const chainOf = (name: string, ...chain: string[]) => ({
    chain,
    answers: chain.map((data, i) => ({ name: chain[i - 1] ?? name, type: 'CNAME', ttlS: 60, data })),
  });
  /** Zones shop.test on 10.9.0.1, cdn.test on 10.9.0.2; each server knows only its own. */
  const answering =
    (links: Readonly<Record<string, string>>): Answering =>
    (server, name, type) => {
      const zone = name.split('.').slice(-2).join('.');
      if (server === '10.0.0.2') {
        const ns = { answers: [{ name, type: 'NS', ttlS: 60, data: `ns.${name}` }] };
        if (type === 'NS') return name === 'shop.test' || name === 'cdn.test' ? ns : {};
        return { addresses: type === 'A' ? [zone === 'shop.test' ? '10.9.0.1' : '10.9.0.2'] : [] };
      }
      if ((zone === 'shop.test') !== (server === '10.9.0.1')) return { rcode: 'REFUSED', authoritative: false };
      const link = links[name];
      if (link !== undefined) return chainOf(name, link);
      return { addresses: type === 'A' ? ['127.0.1.1'] : [] };
    };
  const scenario = scenarioOf({
    authorities: 'auto',
    services: [{ name: 'orders', checks: [{ ...checkOf(), hostname: 'orders.shop.test' }] }] as never,
  });

  function linksOf(entries: readonly Entry[]) {
    return entries.filter((entry) => entry.type === 'authorities-found').filter(({ linkOf }) => linkOf !== undefined);
  }

  test('into another zone is followed to the servers of that zone, and those are asked once a second', async () => {
    const { asked, entries } = await watchFor(21, scenario, answering({ 'orders.shop.test': 'shop.cdn.test' }));
    expect(linksOf(entries)).toMatchObject([
      { name: 'shop.cdn.test', linkOf: 'orders.shop.test', zone: 'cdn.test', servers: ['10.9.0.2:53'] },
    ]);
    const ofLink = asked.filter(
      ({ server, name, type }) => server === '10.9.0.2' && name === 'shop.cdn.test' && type === 'A',
    );
    expect(ofLink.length).toBeGreaterThanOrEqual(20);
    expect(ofLink.length).toBeLessThanOrEqual(22);
    // Nobody is asked for names of zones that it does not have.
    expect(asked.some(({ server, name }) => server === '10.9.0.1' && name.endsWith('cdn.test'))).toBe(false);
    expect(asked.some(({ server, name }) => server === '10.9.0.2' && name.endsWith('shop.test'))).toBe(false);
  });

  test('that leads elsewhere later is followed there, too', async () => {
    const { entries, answered } = await watchFor(30, scenario, (server, name, type, atS) =>
      answering({ 'orders.shop.test': atS < 12 ? 'old.cdn.test' : 'new.cdn.test' })(server, name, type, atS),
    );
    expect(linksOf(entries).map(({ name }) => name)).toEqual(['old.cdn.test', 'new.cdn.test']);
    expect(answered.some(({ name, reply }) => name === 'new.cdn.test' && reply.kind === 'answered')).toBe(true);
  });

  test('of names without end is given up after sixteen, and that is said', async () => {
    const { entries, asked } = await watchFor(60, scenario, (server, name, type, atS) => {
      if (name.startsWith('ns.') || server === '10.0.0.2') return answering({})(server, name, type, atS);
      return chainOf(name, `n${Math.floor(atS * 10)}-${type.toLowerCase()}.cdn.test`);
    });
    expect(new Set(linksOf(entries).map(({ name }) => name)).size).toBe(16);
    expect(entries.filter(({ type }) => type === 'noted')).toHaveLength(1);
    expect(new Set(asked.map(({ name }) => name)).size).toBeLessThan(60);
  });

  test('within the zone is in the answers already, and is not asked for by itself', async () => {
    const { entries, asked } = await watchFor(15, scenario, (server, name, type, atS) => {
      if (server !== '10.9.0.1') return answering({})(server, name, type, atS);
      const { chain, answers } = chainOf(name, 'lb.shop.test');
      const address = { name: 'lb.shop.test', type: 'A', ttlS: 60, data: '127.0.1.1' };
      return {
        chain,
        answers: type === 'A' ? [...answers, address] : answers,
        addresses: type === 'A' ? ['127.0.1.1'] : [],
        authority: [{ name: 'shop.test', type: 'SOA', ttlS: 60, data: 'a b 1 2 3 4 5' }],
      };
    });
    expect(linksOf(entries)).toMatchObject([{ name: 'lb.shop.test', isAnsweredBefore: true }]);
    expect(asked.some(({ server, name }) => server === '10.9.0.1' && name === 'lb.shop.test')).toBe(false);
  });
});

test('where A changes, what stands beside it is asked at once, and no more often than in every turn', async () => {
  const { asked } = await watchFor(40, scenarioOf(given), (_, _name, type, atS) => ({
    addresses: type === 'A' ? [Math.floor(atS) % 2 === 0 ? '127.0.2.1' : '127.0.1.1'] : [],
  }));
  for (const type of ['AAAA', 'CNAME', 'HTTPS', 'SOA']) {
    const times = asked.filter((one) => one.server === '127.0.0.1' && one.type === type).map(({ atS }) => atS);
    expect(times.some((atS) => atS >= 1 && atS < 2.1)).toBe(true);
    expect(times.length).toBeLessThanOrEqual(10);
  }
});

test('what stands beside A is told after a change though it is the same, and for two turns more; else one in six', async () => {
  const { answered } = await watchFor(130, scenarioOf(given), (_, _name, type, atS) => ({
    addresses: type === 'A' ? [atS > 30.3 ? '127.0.2.1' : '127.0.1.1'] : [],
  }));
  const told = answered.filter((entry) => entry.server === '127.0.0.1:5301' && entry.question === 'HTTPS');
  const times = told.map(({ reply }) => reply.endedAtNs / 1e9);
  expect(times.filter((atS) => atS > 30.3 && atS < 31.5)).toHaveLength(1);
  expect(times.filter((atS) => atS > 31.5 && atS < 52)).toHaveLength(2);
  expect(times.length).toBeLessThanOrEqual(6);
});
