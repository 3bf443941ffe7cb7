/**
 * Five bind9 and unbound before them: a zone whose delegation names a server that does not know it, whose two servers take
 * a change seven seconds apart; and a name whose alias leads into another zone, where the record is deleted and created.
 * What is wrong is found as what it is, by look-up alone; what is not wrong is not found.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import type { Entry } from '../../src/core/entry.ts';
import type { Scenario } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { newWatch } from '../../src/watch/watch.ts';
import { analysisOf, evidenceOf } from '../analysis/kit.ts';
import { describeReal } from './servers/describe-real.ts';
import { addLoopbackAddress } from './servers/loopback-address.ts';
import { startNamedZones, type NamedZones } from './servers/named-zones.ts';
import { freePorts } from './servers/ports.ts';
import { startUnbound } from './servers/unbound.ts';

const at = { parent: '127.0.77.1', a: '127.0.77.2', b: '127.0.77.3', lame: '127.0.77.4', other: '127.0.77.5' };
const shop = 'shop.example';
const cdn = 'cdn.example';

/** Each server has its own copy, as servers without transfers between them do. */
const shopZone = [
  '@ NS ns-a',
  '@ NS ns-b',
  `ns-a A ${at.a}`,
  `ns-b A ${at.b}`,
  `ns-c A ${at.lame}`,
  'orders 11 CNAME shop.cdn.example.',
  'billing 13 A 127.0.1.1',
  'billing 13 HTTPS 1 . alpn=h2 ipv4hint=127.0.1.1',
  'steady 17 A 127.0.1.3',
];
const cdnZone = ['@ NS ns', `ns A ${at.other}`, 'shop 5 A 127.0.1.2'];
const parentZone = [
  '@ NS ns',
  `ns A ${at.parent}`,
  ...['a', 'b', 'c'].map((one) => `shop NS ns-${one}.shop`),
  `ns-a.shop A ${at.a}`,
  `ns-b.shop A ${at.b}`,
  `ns-c.shop A ${at.lame}`,
  'cdn NS ns.cdn',
  `ns.cdn A ${at.other}`,
];

describeReal('authoritative servers', ['named', 'nsupdate', 'unbound'], () => {
  const stack = new AsyncDisposableStack();
  const clock = newClock(process.hrtime.bigint());
  const entries: Entry[] = [];
  /** On the clock of the watch, when nsupdate had returned. */
  const changedNs = { a: 0, b: 0, deleted: 0, created: 0 };
  let analysis: Analysis;

  beforeAll(async () => {
    for (const address of Object.values(at)) stack.use(await addLoopbackAddress(address));
    const [port = 0] = await freePorts(1);
    const start = async (
      name: keyof typeof at,
      zones: Readonly<Record<string, readonly string[]>>,
    ): Promise<NamedZones> => stack.use(await startNamedZones({ address: at[name], port, name: `${name}.fra`, zones }));
    await start('parent', { example: parentZone });
    await start('lame', {});
    const a = await start('a', { [shop]: shopZone });
    const b = await start('b', { [shop]: shopZone });
    const other = await start('other', { [cdn]: cdnZone });
    // By stubs, as all of them listen on another port than 53.
    const stubs = [
      [shop, at.a],
      [cdn, at.other],
    ].flatMap(([zone, address]) => ['stub-zone:', `name: "${zone}"`, `stub-addr: ${address}@${port}`, 'server:']);
    const unbound = stack.use(
      await startUnbound({ zone: 'example', authorities: [{ address: at.parent, port }], more: stubs }),
    );
    const resolvers: Scenario['resolvers'] = [
      { name: 'vpc', server: { kind: 'udp', address: unbound.address, port: unbound.port } },
    ];
    const inThisWorld = (scenario: Scenario): Scenario => ({ ...scenario, resolvers });
    const lanes = ['orders', 'billing', 'steady'].map((service) => ({ service, slots: '.'.repeat(40) }));
    const { started } = evidenceOf({ lanes, scenario: inThisWorld });
    const watch = newWatch({
      clock,
      dns: newDnsPort({ clock }),
      scenario: started.scenario,
      entry: (entry) => entries.push(entry),
      sideAddress: () => {},
      sideAddressGone: () => {},
      nameServerPort: port,
    });
    await watch.start();
    const wait = (s: number): Promise<void> => new Promise((resolve) => clock.at(clock.nowNs() + sToNs(s), resolve));
    await wait(4);
    await a.update(shop, 'update delete billing.shop.example. A', 'update add billing.shop.example. 13 A 127.0.2.1');
    changedNs.a = clock.nowNs();
    await other.update(cdn, 'update delete shop.cdn.example. A');
    changedNs.deleted = clock.nowNs();
    await wait(3.3);
    await other.update(cdn, 'update add shop.cdn.example. 5 A 127.0.2.2');
    changedNs.created = clock.nowNs();
    await wait(3.7);
    await b.update(shop, 'update delete billing.shop.example. A', 'update add billing.shop.example. 13 A 127.0.2.1');
    changedNs.b = clock.nowNs();
    await wait(17);
    watch.stop();
    analysis = analysisOf({ lanes, scenario: inThisWorld, entries });
  }, 90_000);

  afterAll(() => stack.disposeAsync());

  const textOf = (kind: string): string =>
    analysis.findings
      .filter((finding) => finding.kind === kind)
      .map(({ service, severity, text, evidence }) => [severity, service, text, ...evidence].join(' | '))
      .join('\n');

  test('are found at parent and child, and along the alias into the other zone', () => {
    const found = entries.filter((entry) => entry.type === 'authorities-found');
    const serversOf = (name: string): readonly string[] =>
      (found.find((one) => one.name === name)?.servers ?? []).map((server) => server.split(':')[0] ?? '').toSorted();
    expect(serversOf('orders.shop.example')).toEqual([at.a, at.b, at.lame]);
    expect(serversOf('shop.cdn.example')).toEqual([at.other]);
    expect(found.find(({ name }) => name === 'shop.cdn.example')?.linkOf).toBe('orders.shop.example');
    expect(textOf('ns-sets-differ')).toContain(`ns-a.${shop}, ns-b.${shop}, ns-c.${shop}`);
  });

  test('are told by name, serial and NSID', () => {
    const ofBilling = analysis.authorities.filter(({ hostname }) => hostname === 'billing.shop.example');
    expect(ofBilling.map(({ nameServer, nsid, lameCount }) => [nameServer, nsid, lameCount > 0])).toEqual([
      ['ns-a.shop.example', 'a.fra', false],
      ['ns-b.shop.example', 'b.fra', false],
      ['ns-c.shop.example', 'lame.fra', true],
    ]);
    // Each update counts it up at the server that got it.
    expect(ofBilling.map(({ soaSerial }) => soaSerial)).toEqual([4712, 4712, null]);
  });

  test('a server that takes a change late is late by as much as it was', () => {
    expect(textOf('authority-lags')).toMatch(
      new RegExp(`^(info|warn) \\| billing \\| .*${at.b}:.* billing.shop.example A`),
    );
    const change = analysis.services.find(({ name }) => name === 'billing')?.changes[0];
    for (const [seenNs, madeNs] of [
      [change?.authorityFirstAtNs, changedNs.a],
      [change?.authorityLastAtNs, changedNs.b],
    ] as const) {
      // Before nsupdate returned it may have been in force already, and a poll is due every second.
      expect((seenNs ?? 0) - madeNs).toBeGreaterThan(sToNs(-1));
      expect((seenNs ?? 0) - madeNs).toBeLessThan(sToNs(2));
    }
  });

  test('the link that changed decides, though the hostname’s own servers said the same all the time', () => {
    const change = analysis.services.find(({ name }) => name === 'orders')?.changes[0];
    expect(change?.authorityFirstAtNs).toBe(change?.authorityLastAtNs);
    expect((change?.authorityLastAtNs ?? 0) - changedNs.created).toBeGreaterThan(sToNs(-1));
    expect((change?.authorityLastAtNs ?? 0) - changedNs.created).toBeLessThan(sToNs(2));
  });

  test('a record that was deleted and created is called so', () => {
    expect(textOf('record-gap')).toMatch(/^warn \| orders \| shop.cdn.example A was gone .* up to 19 s more/);
  });

  test('a server without the zone is lame, and hints of an HTTPS record that stayed are told', () => {
    expect(textOf('authority-lame')).toMatch(new RegExp(`${at.lame}:\\d+ .*REFUSED`));
    expect(textOf('https-hint-old-side')).toMatch(/^warn \| billing \| .*ipv4hint=127.0.1.1/);
  });

  test('nothing else is found', () => {
    const ofDns = analysis.findings.filter(({ kind }) => /^authorit|^ns-|^answers-|^record-|^https-/.test(kind));
    const kinds = ofDns.map(({ kind, service }) => `${service} ${kind}`);
    expect([...new Set(kinds)].toSorted()).toEqual([
      'billing authority-lags',
      'billing https-hint-old-side',
      'null authority-lame',
      'null ns-sets-differ',
      'orders record-gap',
    ]);
  });
});
