import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer } from 'dns-packet';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DnsQuestion, DnsReply } from '../../src/core/ports.ts';
import { msToNs } from '../../src/core/time.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { addressRecord, framed, replyTo, startFakeDns } from './fake-dns-server.ts';
import type { Asked, FakeDnsServer } from './fake-dns-server.ts';

const clock = newClock(process.hrtime.bigint());

/** `name type` → rcode and addresses; what is not in it does not exist. */
type Zone = Readonly<Record<string, { readonly rcode?: number; readonly addresses?: readonly string[] } | 'silent'>>;

const nxdomain = 3;

function answerFrom(zone: Zone, asked: Asked): Buffer | null {
  const [question] = asked.packet.questions ?? [];
  const found = zone[`${question?.name.toLowerCase()} ${question?.type}`] ?? { rcode: nxdomain };
  if (found === 'silent') return null;
  const answers: Answer[] = (found.addresses ?? []).map((address) => addressRecord(asked, address));
  return replyTo(asked, { rcode: found.rcode ?? 0, answers });
}

function namesAsked(server: FakeDnsServer): readonly string[] {
  return server.overUdp.map(({ packet }) => packet.questions?.[0]?.name.toLowerCase() ?? '');
}

async function startZone(zone: Zone, at?: { readonly host: string; readonly port: number }): Promise<FakeDnsServer> {
  const server = await startFakeDns(
    {
      udp: (asked, send) => {
        const reply = answerFrom(zone, asked);
        if (reply !== null) send(reply);
      },
      tcp: (asked, socket) => {
        const reply = answerFrom(zone, asked);
        if (reply !== null) socket.write(framed(reply));
      },
    },
    at,
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function newSystem(texts: { readonly resolvConf: string; readonly hosts?: string; readonly port: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'cutwatch-system-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { hosts: join(folder, 'hosts'), resolvConf: join(folder, 'resolv.conf'), nameserverPort: texts.port };
  writeFileSync(files.hosts, texts.hosts ?? '');
  writeFileSync(files.resolvConf, texts.resolvConf);
  const port = newDnsPort({ clock, files });
  return (name: string, type: DnsQuestion['type'] = 'A', withinMs = 20_000): Promise<DnsReply> =>
    port.query(
      { kind: 'system' },
      { name, type },
      { recursionDesired: true, deadlineNs: clock.nowNs() + msToNs(withinMs) },
    );
}

const base = 'nameserver 127.0.0.1\n';

describe('the hosts file', () => {
  test('comes before any server, and settles a name for both families', async () => {
    const server = await startZone({});
    const query = newSystem({
      resolvConf: base,
      hosts: '10.0.0.7 Orders\n10.0.0.9 orders\n::1 six\n',
      port: server.port,
    });
    expect(await query('orders')).toMatchObject({ rcode: 'NOERROR', addresses: ['10.0.0.7', '10.0.0.9'], ttlS: 0 });
    expect(await query('ORDERS', 'AAAA')).toMatchObject({ rcode: 'NOERROR', addresses: [] });
    expect(await query('six', 'AAAA')).toMatchObject({ rcode: 'NOERROR', addresses: ['::1'] });
    expect(server.overUdp).toHaveLength(0);
  });

  test('has nothing to say on other types', async () => {
    const server = await startZone({});
    const query = newSystem({ resolvConf: base, hosts: '10.0.0.7 orders.example\n', port: server.port });
    expect(await query('orders.example', 'NS')).toMatchObject({ rcode: 'NXDOMAIN' });
    expect(namesAsked(server)).toEqual(['orders.example']);
  });
});

describe('the search list', () => {
  const kubernetes = `${base}search shop.svc svc\noptions ndots:2\n`;
  const found = { addresses: ['10.0.0.7'] };

  test.for<[what: string, zone: Zone, name: string, asked: string[], reply: object]>([
    ['stops at the first that is found', { 'orders.svc A': found }, 'orders', ['orders.shop.svc', 'orders.svc'], found],
    [
      'ends with the name itself',
      { 'orders.example A': found },
      'orders.example',
      ['orders.example.shop.svc', 'orders.example.svc', 'orders.example'],
      found,
    ],
    [
      'is not for names with enough dots',
      { 'orders.shop.example A': found },
      'orders.shop.example',
      ['orders.shop.example'],
      found,
    ],
    ['is not for a name that ends in a dot', {}, 'orders.', ['orders'], { rcode: 'NXDOMAIN' }],
    [
      'comes after a name with enough dots that is not there',
      {},
      'a.b.c',
      ['a.b.c', 'a.b.c.shop.svc', 'a.b.c.svc'],
      { rcode: 'NXDOMAIN' },
    ],
    [
      'has "no data" outweigh "no such name"',
      { 'orders.svc A': {} },
      'orders',
      ['orders.shop.svc', 'orders.svc', 'orders.svc', 'orders'],
      { rcode: 'NOERROR', addresses: [] },
    ],
    [
      'ends at a name that has addresses of the other family only',
      { 'orders.shop.svc A': {}, 'orders.shop.svc AAAA': { addresses: ['::1'] }, 'orders.svc A': found },
      'orders',
      ['orders.shop.svc', 'orders.shop.svc'],
      { rcode: 'NOERROR', addresses: [] },
    ],
  ])('%s', async ([, zone, name, asked, reply]) => {
    const server = await startZone(zone);
    const query = newSystem({ resolvConf: kubernetes, port: server.port });
    expect(await query(name)).toMatchObject({ kind: 'answered', ...reply });
    expect(namesAsked(server)).toEqual(asked);
  });

  test('goes on after an element whose servers are broken', async () => {
    const server = await startZone({ 'orders.shop.svc A': { rcode: 2 }, 'orders.svc A': found });
    const query = newSystem({ resolvConf: `${kubernetes}options attempts:1\n`, port: server.port });
    expect(await query('orders')).toMatchObject(found);
    expect(namesAsked(server)).toEqual(['orders.shop.svc', 'orders.svc']);
  });

  test('is over when an element gets no answer; the name itself is still tried', async () => {
    const server = await startZone({ 'orders.shop.svc A': 'silent', 'orders A': found });
    const query = newSystem({ resolvConf: `${kubernetes}options attempts:1 timeout:1\n`, port: server.port });
    expect(await query('orders')).toMatchObject(found);
    expect(namesAsked(server)).toEqual(['orders.shop.svc', 'orders']);
  });
});

test('a name with enough dots is looked for in the search list even when nobody answered for the name itself', async () => {
  const server = await startZone({ 'orders.shop A': 'silent', 'orders.shop.svc A': { addresses: ['10.0.0.7'] } });
  const query = newSystem({ resolvConf: `${base}search svc\noptions attempts:1 timeout:1\n`, port: server.port });
  expect(await query('orders.shop')).toMatchObject({ addresses: ['10.0.0.7'] });
});

describe('several servers', () => {
  const both = 'nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:1\n';

  async function startBoth(first: Zone, second: Zone): Promise<readonly [FakeDnsServer, FakeDnsServer]> {
    const server = await startZone(first);
    return [server, await startZone(second, { host: '127.0.0.2', port: server.port })];
  }

  const found: Zone = { 'orders.example A': { addresses: ['10.0.0.7'] } };

  test.for<[what: string, first: Zone]>([
    ['silent', { 'orders.example A': 'silent' }],
    ['failing', { 'orders.example A': { rcode: 2 } }],
    ['refusing', { 'orders.example A': { rcode: 5 } }],
  ])('the second is asked when the first is %s', async ([, zone]) => {
    const [first, second] = await startBoth(zone, found);
    const query = newSystem({ resolvConf: both, port: first.port });
    expect(await query('orders.example')).toMatchObject({ rcode: 'NOERROR', addresses: ['10.0.0.7'] });
    expect([first.overUdp.length, second.overUdp.length]).toEqual([1, 1]);
  });

  test('"no such name" is an answer: nobody else is asked', async () => {
    const [first, second] = await startBoth({}, found);
    const query = newSystem({ resolvConf: both, port: first.port });
    expect(await query('orders.example')).toMatchObject({ rcode: 'NXDOMAIN' });
    expect(second.overUdp).toHaveLength(0);
  });

  test('all are asked as often as `attempts` says, and the failure of one that answered is told', async () => {
    const [first, second] = await startBoth({ 'orders.example A': { rcode: 2 } }, { 'orders.example A': 'silent' });
    const query = newSystem({ resolvConf: both, port: first.port });
    expect(await query('orders.example')).toMatchObject({ kind: 'answered', rcode: 'SERVFAIL' });
    expect([first.overUdp.length, second.overUdp.length]).toEqual([2, 2]);
  });

  test('one where nobody listens costs no time', async () => {
    const server = await startZone(found, { host: '127.0.0.2', port: 0 });
    const query = newSystem({ resolvConf: `${both}options timeout:30\n`, port: server.port });
    expect(await query('orders.example')).toMatchObject({ addresses: ['10.0.0.7'] });
  });

  test('when nobody listens anywhere, it is unreachable', async () => {
    const server = await startFakeDns({});
    await server[Symbol.asyncDispose]();
    const query = newSystem({ resolvConf: `${both}search a.example b.example\n`, port: server.port });
    expect(await query('orders')).toMatchObject({ kind: 'failed', reason: 'unreachable', error: 'ECONNREFUSED' });
  });

  test('with `rotate` they take turns', async () => {
    const [first, second] = await startBoth(found, found);
    const query = newSystem({ resolvConf: `${both}options rotate\n`, port: first.port });
    for (let i = 0; i < 6; i += 1) await query('orders.example');
    expect([first.overUdp.length, second.overUdp.length]).toEqual([3, 3]);
  });

  test('with `use-vc` they are asked over TCP only', async () => {
    const server = await startZone(found);
    const query = newSystem({ resolvConf: `${base}options use-vc\n`, port: server.port });
    expect(await query('orders.example')).toMatchObject({ addresses: ['10.0.0.7'] });
    expect([server.overUdp.length, server.overTcp.length]).toEqual([0, 1]);
  });

  test('the deadline of the query ends the patience of the C library', async () => {
    const server = await startZone({ 'orders.example A': 'silent' });
    const query = newSystem({ resolvConf: `${base}options timeout:30\n`, port: server.port });
    expect(await query('orders.example', 'A', 137)).toMatchObject({ kind: 'failed', reason: 'timed-out' });
    expect(server.overUdp).toHaveLength(1);
  });
});
