import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { TRUNCATED_RESPONSE } from 'dns-packet';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DnsQuestion, DnsReply, DnsServer } from '../../src/core/ports.ts';
import { msToNs } from '../../src/core/time.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { addressRecord, framed, replyTo, startFakeDns } from './fake-dns-server.ts';
import type { FakeDnsConduct, FakeDnsServer } from './fake-dns-server.ts';

const clock = newClock(process.hrtime.bigint());
const port = newDnsPort({ clock });
const question: DnsQuestion = { name: 'orders.shop.example', type: 'A' };

async function start(conduct: FakeDnsConduct, host = '127.0.0.1'): Promise<FakeDnsServer> {
  const server = await startFakeDns(conduct, { host });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function query(server: DnsServer, asked: DnsQuestion = question, withinMs = 5000): Promise<DnsReply> {
  return port.query(server, asked, { recursionDesired: true, deadlineNs: clock.nowNs() + msToNs(withinMs) });
}

function udp(server: { readonly port: number }, address = '127.0.0.1'): DnsServer {
  return { kind: 'udp', address, port: server.port };
}

const address = '10.0.0.7';

describe('over UDP', () => {
  test('an answer is told with its times on the clock that was passed in', async () => {
    const server = await start({
      udp: (asked, send) => send(replyTo(asked, { answers: [addressRecord(asked, address)] })),
    });
    const beforeNs = clock.nowNs();
    const reply = await query(udp(server));
    expect(reply).toMatchObject({ kind: 'answered', rcode: 'NOERROR', addresses: [address], ttlS: 60 });
    expect(reply.sentAtNs).toBeGreaterThanOrEqual(beforeNs);
    expect(reply.endedAtNs).toBeGreaterThan(reply.sentAtNs);
  });

  test('an IPv6 server is asked the same way', async () => {
    const server = await start(
      { udp: (asked, send) => send(replyTo(asked, { answers: [addressRecord(asked, '2001:db8::7')] })) },
      '::1',
    );
    expect(await query(udp(server, '::1'), { ...question, type: 'AAAA' })).toMatchObject({
      addresses: ['2001:db8::7'],
    });
  });

  test('RD is set only when recursion is desired', async () => {
    const server = await start({ udp: (asked, send) => send(replyTo(asked)) });
    for (const recursionDesired of [true, false]) {
      await port.query(udp(server), question, { recursionDesired, deadlineNs: clock.nowNs() + msToNs(5000) });
    }
    expect(server.overUdp.map(({ packet }) => packet.flag_rd)).toEqual([true, false]);
  });

  test.for([
    { asked: 'a resolver', recursionDesired: true, caseCount: 1 },
    { asked: 'an authoritative server', recursionDesired: false, caseCount: 20 },
  ])('twenty queries to $asked have ids and source ports of their own, and $caseCount spelling(s)', async (row) => {
    const { recursionDesired, caseCount } = row;
    const server = await start({
      udp: (asked, send) => send(replyTo(asked, { answers: [addressRecord(asked, address)] })),
    });
    const name = 'A-Name-with-many-letters.orders.shop.example';
    const options = { recursionDesired, deadlineNs: clock.nowNs() + msToNs(5000) };
    await Promise.all(Array.from({ length: 20 }, () => port.query(udp(server), { name, type: 'A' }, options)));
    const distinct = (values: readonly unknown[]): number => new Set(values).size;
    expect(server.overUdp).toHaveLength(20);
    expect(distinct(server.overUdp.map(({ clientPort }) => clientPort))).toBeGreaterThan(15);
    expect(distinct(server.overUdp.map(({ packet }) => packet.id))).toBeGreaterThan(15);
    const names = server.overUdp.map(({ packet }) => packet.questions?.[0]?.name ?? '');
    expect(distinct(names)).toBe(caseCount);
    expect(names.includes(name.toLowerCase())).toBe(recursionDesired);
    expect(distinct(names.map((asked) => asked.toLowerCase()))).toBe(1);
  });

  const forged = '10.6.6.6';
  test.for<[string, FakeDnsConduct['udp']]>([
    [
      'of another id',
      (asked, send) =>
        send(replyTo(asked, { id: (asked.packet.id ?? 0) ^ 1, answers: [addressRecord(asked, forged)] })),
    ],
    [
      'to a name in another case',
      (asked, send) => {
        const [first] = asked.packet.questions ?? [];
        const name = (first?.name ?? '').replaceAll(/[a-zA-Z]/g, (letter) =>
          letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
        );
        send(
          replyTo(asked, { questions: [{ type: 'A', name }], answers: [{ type: 'A', name, data: forged, ttl: 9 }] }),
        );
      },
    ],
    [
      'to another name',
      (asked, send) => {
        const name = 'orders.evil.example';
        send(
          replyTo(asked, { questions: [{ type: 'A', name }], answers: [{ type: 'A', name, data: forged, ttl: 9 }] }),
        );
      },
    ],
    [
      'to another type',
      (asked, send) => {
        const name = asked.packet.questions?.[0]?.name ?? '';
        send(replyTo(asked, { questions: [{ type: 'AAAA', name }], answers: [addressRecord(asked, forged)] }));
      },
    ],
    ['that is a query', (asked, send) => send(asked.bytes)],
    ['of no bytes', (_asked, send) => send(Buffer.alloc(0))],
  ])('a reply %s is passed over, and the right one after it is taken', async ([, forge]) => {
    const server = await start({
      udp: (asked, send) => {
        forge?.(asked, send);
        setTimeout(() => send(replyTo(asked, { answers: [addressRecord(asked, address)] })), 20);
      },
    });
    expect(await query(udp(server))).toMatchObject({ kind: 'answered', addresses: [address] });
    expect(server.overUdp).toHaveLength(1);
  });

  test('only wrong replies are as good as none, and the reason is told', async () => {
    const server = await start({ udp: (asked, send) => send(replyTo(asked, { id: (asked.packet.id ?? 0) ^ 1 })) });
    expect(await query(udp(server), question, 200)).toMatchObject({
      kind: 'failed',
      reason: 'timed-out',
      error: 'no answer that matched: another id',
    });
  });

  test('a silent server is asked three times, each from another port with another id, and not before the deadline given up', async () => {
    const server = await start({});
    const deadlineNs = clock.nowNs() + msToNs(331);
    const reply = await port.query(udp(server), question, { recursionDesired: true, deadlineNs });
    expect(reply).toMatchObject({ kind: 'failed', reason: 'timed-out', error: 'no answer' });
    expect(reply.endedAtNs).toBeGreaterThanOrEqual(deadlineNs);
    expect(server.overUdp).toHaveLength(3);
    expect(new Set(server.overUdp.map(({ clientPort }) => clientPort)).size).toBe(3);
    expect(new Set(server.overUdp.map(({ packet }) => packet.id)).size).toBeGreaterThan(1);
  });

  test('the second attempt is answered when the first was lost', async () => {
    let count = 0;
    const server = await start({
      udp: (asked, send) => {
        count += 1;
        if (count === 2) send(replyTo(asked, { answers: [addressRecord(asked, address)] }));
      },
    });
    expect(await query(udp(server), question, 450)).toMatchObject({ kind: 'answered', addresses: [address] });
  });

  test('the first attempt is still heard when its answer comes after the second was sent', async () => {
    let first: (() => void) | null = null;
    const server = await start({
      udp: (asked, send) => {
        if (first === null) first = () => send(replyTo(asked, { answers: [addressRecord(asked, address)] }));
        else first();
      },
    });
    expect(await query(udp(server), question, 450)).toMatchObject({ kind: 'answered', addresses: [address] });
    expect(server.overUdp).toHaveLength(2);
  });

  test('a port where nobody listens is unreachable, long before the deadline', async () => {
    const server = await startFakeDns({});
    await server[Symbol.asyncDispose]();
    const reply = await query(udp(server), question, 60_000);
    expect(reply).toMatchObject({ kind: 'failed', reason: 'unreachable', error: 'ECONNREFUSED' });
  });

  test('a malformed reply to our query is told as such at once', async () => {
    const server = await start({
      udp: (asked, send) => send(replyTo(asked, { answers: [addressRecord(asked, address)] }).subarray(0, -1)),
    });
    expect(await query(udp(server), question, 60_000)).toMatchObject({
      kind: 'failed',
      reason: 'malformed',
      error: 'the message ends too early',
    });
  });

  test('no socket stays open, whatever came of the query', async () => {
    const server = await start({
      udp: (asked, send) => {
        if (asked.packet.questions?.[0]?.type === 'A') send(replyTo(asked));
      },
    });
    await Promise.all(
      (['A', 'AAAA', 'NS'] as const).map((type) =>
        query(udp(server), { ...question, type }, type === 'A' ? 5000 : 100),
      ),
    );
    expect(server.overUdp).toHaveLength(7);
    for (const { clientPort } of server.overUdp) {
      // Taken, if the query's socket still had it.
      const socket = createSocket('udp4').bind(clientPort, '127.0.0.1');
      await once(socket, 'listening');
      socket.close();
    }
  });

  test('a name that no message can hold is not sent, and neither is one whose time is over', async () => {
    const server = await start({});
    expect(await query(udp(server), { ...question, name: `${'a'.repeat(64)}.example` })).toMatchObject({
      reason: 'malformed',
    });
    expect(await query(udp(server), question, 0)).toMatchObject({ kind: 'failed', reason: 'timed-out' });
    expect(server.overUdp).toHaveLength(0);
  });

  test('an address instead of a name is its own answer, of its own family', async () => {
    const server = await start({});
    const ttlS = 0x7fff_ffff;
    expect(await query(udp(server), { name: '10.0.0.13', type: 'A' })).toMatchObject({
      addresses: ['10.0.0.13'],
      ttlS,
    });
    expect(await query(udp(server), { name: '10.0.0.13', type: 'AAAA' })).toMatchObject({
      rcode: 'NOERROR',
      addresses: [],
    });
    expect(await query(udp(server), { name: '[2001:DB8:0::13]', type: 'AAAA' })).toMatchObject({
      addresses: ['2001:db8::13'],
    });
    expect(server.overUdp).toHaveLength(0);
  });
});

describe('over TCP, when the answer was truncated', () => {
  const truncate: FakeDnsConduct['udp'] = (asked, send) => send(replyTo(asked, { flags: TRUNCATED_RESPONSE }));
  const startTcp = (tcp: NonNullable<FakeDnsConduct['tcp']>): Promise<FakeDnsServer> => start({ udp: truncate, tcp });

  test('a long answer comes whole, in whatever pieces, and what follows it is not read', async () => {
    const addresses = Array.from({ length: 301 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const server = await startTcp((asked, socket) => {
      const reply = replyTo(asked, { answers: addresses.map((data) => addressRecord(asked, data)) });
      const bytes = Buffer.concat([framed(reply), Buffer.from('more than was asked for')]);
      socket.setNoDelay();
      const cuts = [0, 1, 2, 3, 999, bytes.length];
      for (const [i, from] of cuts.entries()) setTimeout(() => socket.write(bytes.subarray(from, cuts[i + 1])), 7 * i);
    });
    expect(await query(udp(server))).toMatchObject({ kind: 'answered', addresses });
    expect(server.overTcp).toHaveLength(1);
  });

  test('a peer that never ends is given up at the deadline', async () => {
    const server = await startTcp((_asked, socket) => {
      socket.write(Buffer.from('ffff', 'hex'));
      const dribble = setInterval(() => socket.write(Buffer.alloc(7)), 5);
      socket.on('close', () => clearInterval(dribble));
    });
    expect(await query(udp(server), question, 300)).toMatchObject({ kind: 'failed', reason: 'timed-out' });
  });

  test('a peer that sends more and more is not read beyond 64 KiB', async () => {
    const server = await startTcp((_asked, socket) => {
      const flood = (): void => {
        while (socket.writable && socket.write(Buffer.alloc(65_536, 0xff)));
        if (socket.writable) socket.once('drain', flood);
      };
      flood();
    });
    expect(await query(udp(server), question, 60_000)).toMatchObject({ kind: 'failed', reason: 'malformed' });
  });

  test.for<[string, NonNullable<FakeDnsConduct['tcp']>, { readonly reason: string; readonly error: string }]>([
    ['one that closes', (_asked, socket) => socket.end(), { reason: 'unreachable', error: 'closed before an answer' }],
    [
      'one that closes within the answer',
      (asked, socket) => socket.end(framed(replyTo(asked)).subarray(0, -3)),
      { reason: 'unreachable', error: 'closed before an answer' },
    ],
    ['one that resets', (_asked, socket) => socket.resetAndDestroy(), { reason: 'unreachable', error: 'ECONNRESET' }],
    [
      'an empty message',
      (_asked, socket) => socket.write(Buffer.alloc(2)),
      { reason: 'malformed', error: 'shorter than a header' },
    ],
    [
      'another id',
      (asked, socket) => socket.write(framed(replyTo(asked, { id: (asked.packet.id ?? 0) ^ 1 }))),
      { reason: 'malformed', error: 'another id' },
    ],
    [
      'truncated again',
      (asked, socket) => socket.write(framed(replyTo(asked, { flags: TRUNCATED_RESPONSE }))),
      { reason: 'malformed', error: 'truncated although not over UDP' },
    ],
  ])('%s is a failure', async ([, tcp, failure]) => {
    const server = await startTcp(tcp);
    const reply = await query(udp(server), question, 60_000);
    expect(reply).toMatchObject({ kind: 'failed', reason: failure.reason });
    if (reply.kind === 'failed') expect(reply.error).toBe(`${failure.error} over TCP, after a truncated answer`);
  });

  test('a server whose names point at themselves does no harm', async () => {
    const server = await startTcp((asked, socket) => {
      const reply = replyTo(asked);
      reply.writeUInt16BE(1, 6);
      const pointer = Buffer.alloc(2);
      pointer.writeUInt16BE(0xc000 + reply.length);
      socket.write(framed(Buffer.concat([reply, pointer, Buffer.alloc(20)])));
    });
    expect(await query(udp(server), question, 60_000)).toMatchObject({
      reason: 'malformed',
      error: expect.stringContaining('a name that points at itself'),
    });
  });
});

describe('getaddrinfo', () => {
  test('knows the names of this machine, in the family that was asked for', async () => {
    const reply = await query({ kind: 'getaddrinfo' }, { name: 'localhost', type: 'A' });
    expect(reply).toMatchObject({ kind: 'answered', rcode: 'NOERROR', addresses: ['127.0.0.1'], ttlS: 0 });
  });

  test('cannot be asked for anything but addresses', async () => {
    expect(await query({ kind: 'getaddrinfo' }, { name: 'localhost', type: 'NS' })).toMatchObject({
      reason: 'malformed',
    });
  });
});
