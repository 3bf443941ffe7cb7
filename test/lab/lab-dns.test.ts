import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { DnsQuestion } from '../../src/core/ports.ts';
import { sToNs } from '../../src/core/time.ts';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import type { DnsContent, WorldModel } from '../../src/model/world-model.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { places, quietWorld, setting } from './quiet-world.ts';

const clock = newClock(process.hrtime.bigint());
const dns = newDnsPort({ clock });
const [resolver = '', nameServer = ''] = [places.resolvers['vpc'], places.nameServers['ns2']];

const nothing: DnsContent = { rcode: 'NOERROR', authoritative: false, ede: 0, answers: [], authority: [] };

function start(content: Partial<DnsContent> | null, seen: unknown[] = []): Promise<Lab> {
  const ask: WorldModel['ask'] = (server, question) => {
    seen.push({ server, ...question });
    return content === null ? null : { content: { ...nothing, ...content }, afterNs: sToNs(0.003) };
  };
  return startLab({ world: quietWorld({ ask }), setting, isTls: false, clock, runId: null });
}

function query(lab: Lab, address: string, question: DnsQuestion) {
  const server = { kind: 'udp', address, port: lab.ports.dns } as const;
  return dns.query(server, question, { recursionDesired: true, deadlineNs: clock.nowNs() + sToNs(20) });
}

const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: 'shop.test', type: 'A', ttlS: 17 + i, data: `127.0.2.${i}` }));

describe('each server of the world answers at its address', () => {
  test.for([
    { what: 'a resolver', address: resolver, authoritative: false },
    { what: 'a name server', address: nameServer, authoritative: true },
  ])('$what', async ({ address, authoritative }) => {
    const seen: unknown[] = [];
    await using lab = await start({ authoritative, ede: 4, answers: addresses(3) }, seen);
    expect(await query(lab, address, { name: 'shop.test', type: 'A' })).toMatchObject({
      kind: 'answered',
      rcode: 'NOERROR',
      authoritative,
      ede: 4,
      answers: addresses(3),
      ttlS: 17,
    });
    expect(seen).toEqual([{ server: address, name: 'shop.test', type: 'A' }]);
  });

  test('what is too long for UDP comes over TCP, at the same port', async () => {
    await using lab = await start({ answers: addresses(97) });
    expect(await query(lab, resolver, { name: 'shop.test', type: 'A' })).toMatchObject({
      kind: 'answered',
      answers: addresses(97),
    });
  });

  test('a server of which the world says nothing is silent', async () => {
    await using lab = await start(null);
    const server = { kind: 'udp', address: resolver, port: lab.ports.dns } as const;
    const options = { recursionDesired: true, deadlineNs: clock.nowNs() + sToNs(0.07) };
    expect(await dns.query(server, { name: 'shop.test', type: 'A' }, options)).toMatchObject({ reason: 'timed-out' });
  });
});

describe('what is no query does no harm', () => {
  test('over UDP it is dropped, and the next query is answered', async () => {
    await using lab = await start({ answers: addresses(1) });
    const socket = createSocket('udp4');
    for (const bytes of ['', 'x', 'GET / HTTP/1.1\r\n\r\n', '\0'.repeat(400)]) {
      await new Promise((resolve) => socket.send(bytes, lab.ports.dns, resolver, resolve));
    }
    socket.close();
    expect(await query(lab, resolver, { name: 'shop.test', type: 'A' })).toMatchObject({ kind: 'answered' });
  });

  test('over TCP too, and a client that goes away in the middle is forgotten', async () => {
    await using lab = await start({ answers: addresses(97) });
    const socket = connect(lab.ports.dns, resolver);
    socket.write('\x00\x05hello\x00\x40half');
    await new Promise<void>((resolve) => socket.end(resolve));
    socket.on('error', () => {});
    socket.destroy();
    expect(await query(lab, resolver, { name: 'shop.test', type: 'A' })).toMatchObject({ kind: 'answered' });
  });
});
