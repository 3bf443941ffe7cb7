/** DNS over HTTPS and over TLS against servers that do what no good one does. Only the certificate needs a program. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { decode } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DnsReply, DnsServer } from '../../src/core/ports.ts';
import { msToNs } from '../../src/core/time.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDnsPort } from '../../src/net/dns-port.ts';
import { addressRecord, framed, replyTo } from '../net/fake-dns-server.ts';
import type { Asked } from '../net/fake-dns-server.ts';
import { describeReal } from './servers/describe-real.ts';
import { makeOwnCertificate } from './servers/own-certificate.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';
import { waitUntil } from './servers/wait-until.ts';

const address = '10.0.0.7';
const clock = newClock(process.hrtime.bigint());
const port = newDnsPort({ clock });

interface HttpAsked {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly dns: Asked;
}
type Respond = (asked: HttpAsked, response: ServerResponse) => void;

describeReal('DNS over TLS and HTTPS', ['openssl'], () => {
  const stack = new AsyncDisposableStack();
  let pair = { key: '', cert: '' };

  beforeAll(async () => {
    const folder = stack.use(await makeTemporaryFolder());
    const [certificatePath, keyPath] = [join(folder.path, 'tls.pem'), join(folder.path, 'tls.key')];
    const cert = await makeOwnCertificate(certificatePath, keyPath, ['IP:127.0.0.1']);
    pair = { key: readFileSync(keyPath, 'utf8'), cert };
  });
  afterAll(() => stack.disposeAsync());

  /** Listens on loopback until the test ends; `open` are the connections that are still there. */
  async function listen(server: Server): Promise<{ readonly port: number; readonly open: ReadonlySet<Socket> }> {
    const open = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return { port: (server.address() as AddressInfo).port, open };
  }

  async function startHttps(version: 'h1' | 'h2', respond: Respond) {
    const asked: HttpAsked[] = [];
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const one = {
          method: request.method ?? '',
          path: request.url ?? '',
          type: request.headers['content-type'] ?? '',
          dns: { packet: decode(bytes), bytes, clientPort: 0 },
        };
        asked.push(one);
        respond(one, response);
      });
    };
    const server =
      version === 'h1'
        ? createHttpsServer(pair, handle)
        : createSecureServer(pair, handle as unknown as Parameters<typeof createSecureServer>[1]);
    return { ...(await listen(server as unknown as Server)), asked };
  }

  function query(server: DnsServer, withinMs = 10_000): Promise<DnsReply> {
    const deadlineNs = clock.nowNs() + msToNs(withinMs);
    return port.query(server, { name: 'orders.shop.example', type: 'A' }, { recursionDesired: true, deadlineNs });
  }

  const https = (server: { readonly port: number }): DnsServer => ({
    kind: 'https',
    url: `https://127.0.0.1:${server.port}/dns-query?tenant=7`,
    caPem: pair.cert,
  });

  const dnsMessage = { 'content-type': 'application/dns-message' };
  const good = (asked: HttpAsked): Buffer => replyTo(asked.dns, { answers: [addressRecord(asked.dns, address, 61)] });

  describe.for(['h1', 'h2'] as const)('%s', (version) => {
    test('a query is one POST, and its connection is closed after it', async () => {
      const server = await startHttps(version, (asked, response) => {
        response.writeHead(200, { ...dnsMessage, age: '17' }).end(good(asked));
      });
      const reply = await query(https(server));
      // What a cache on the way kept for 17 s is 17 s older than it says.
      expect(reply).toMatchObject({ kind: 'answered', addresses: [address], ttlS: 44, answers: [{ ttlS: 44 }] });
      expect(server.asked).toMatchObject([
        { method: 'POST', path: '/dns-query?tenant=7', type: 'application/dns-message' },
      ]);
      await waitUntil('the connection is closed', () => server.open.size === 0);
    });

    test('an age beyond the TTL leaves none, and one that is no number is none', async () => {
      const ages = ['99', 'old'];
      const server = await startHttps(version, (asked, response) => {
        response.writeHead(200, { ...dnsMessage, age: ages.shift() ?? '' }).end(good(asked));
      });
      expect(await query(https(server))).toMatchObject({ ttlS: 0 });
      expect(await query(https(server))).toMatchObject({ ttlS: 61 });
    });

    test.for<[what: string, respond: Respond, failure: object]>([
      [
        'a redirect',
        (_asked, response) => response.writeHead(307, { location: '/elsewhere' }).end(),
        { reason: 'malformed', error: 'HTTP status 307' },
      ],
      [
        'an error page',
        (_asked, response) => response.writeHead(503).end('<html>'.repeat(99)),
        { reason: 'malformed', error: 'HTTP status 503' },
      ],
      [
        'a page of a captive portal',
        (_asked, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
        { reason: 'malformed', error: 'another content type' },
      ],
      [
        'an answer to another query',
        (asked, response) =>
          response.writeHead(200, dnsMessage).end(replyTo(asked.dns, { id: (asked.dns.packet.id ?? 0) ^ 1 })),
        { reason: 'malformed', error: 'another id' },
      ],
      [
        'no body',
        (_asked, response) => response.writeHead(200, dnsMessage).end(),
        { reason: 'malformed', error: 'shorter than a header' },
      ],
      [
        'too long a body',
        (_asked, response) => response.writeHead(200, dnsMessage).end(Buffer.alloc(65_536)),
        { reason: 'malformed', error: 'longer than 64 KiB' },
      ],
    ])('%s is a failure', async ([, respond, failure]) => {
      const server = await startHttps(version, respond);
      expect(await query(https(server))).toMatchObject({ kind: 'failed', ...failure });
      expect(server.asked).toHaveLength(1);
      await waitUntil('the connection is closed', () => server.open.size === 0);
    });

    test.for<[what: string, respond: Respond]>([
      ['never answers', () => undefined],
      [
        'never ends its body',
        (asked, response) => {
          response.writeHead(200, dnsMessage).write(good(asked).subarray(0, 7));
          const dribble = setInterval(() => response.write('.'), 7);
          response.on('close', () => clearInterval(dribble));
        },
      ],
    ])('a server that %s is given up at the deadline', async ([, respond]) => {
      const server = await startHttps(version, respond);
      expect(await query(https(server), 300)).toMatchObject({
        kind: 'failed',
        reason: 'timed-out',
        error: 'no answer',
      });
      await waitUntil('the connection is closed', () => server.open.size === 0);
    });

    test('a server that resets is unreachable, and the error has no address in it', async () => {
      const server = await startHttps(version, () => {
        for (const socket of server.open) socket.resetAndDestroy();
      });
      const reply = await query(https(server));
      expect(reply).toMatchObject({ kind: 'failed', reason: 'unreachable' });
      if (reply.kind === 'failed') expect(reply.error).toMatch(/^[A-Z_0-9]+$/);
    });
  });

  const tls = (server: { readonly port: number }): DnsServer => ({
    kind: 'tls',
    address: '127.0.0.1',
    port: server.port,
    serverName: '',
    caPem: pair.cert,
  });

  test('over TLS a query is answered, and its connection is closed after it', async () => {
    const server = await listen(
      createTlsServer(pair, (socket) => {
        socket.on('error', () => undefined);
        socket.once('data', (frame: Buffer) => {
          const bytes = frame.subarray(2);
          const asked = { packet: decode(bytes), bytes, clientPort: 0 };
          socket.write(framed(replyTo(asked, { answers: [addressRecord(asked, address)] })));
        });
      }),
    );
    expect(await query(tls(server))).toMatchObject({ kind: 'answered', addresses: [address] });
    await waitUntil('the connection is closed', () => server.open.size === 0);
  });

  test('a server that never shakes hands is given up at the deadline, over TLS and over HTTPS', async () => {
    const server = await listen(createServer((socket) => void socket.resume()));
    for (const to of [tls(server), https(server)]) {
      expect(await query(to, 200)).toMatchObject({ kind: 'failed', reason: 'timed-out' });
    }
    await waitUntil('the connections are closed', () => server.open.size === 0);
  });

  test('a port where nobody listens is unreachable, long before the deadline', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port: closedPort } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    for (const to of [tls({ port: closedPort }), https({ port: closedPort })]) {
      expect(await query(to, 60_000)).toMatchObject({ kind: 'failed', reason: 'unreachable', error: 'ECONNREFUSED' });
    }
  });
});
