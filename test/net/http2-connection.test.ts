import { once } from 'node:events';
import { createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Exchange, HttpRequest, TlsSettings } from '../../src/core/ports.ts';
import { makeCertificates } from './certificates.ts';
import { connectTo, eventually, get, inMs } from './dialling.ts';
import { startFaultServer } from './fault-server.ts';
import { errorCodes, startFrameServer, type Frames } from './frame-server.ts';

const certificates = makeCertificates();
const tls: TlsSettings = { serverName: 'shop.example', alpn: ['h2', 'http/1.1'], caPem: certificates.caPem };
const kib64 = 64 * 1024;

interface Http2Server extends AsyncDisposable {
  readonly port: number;
}

async function startHttp2Server(
  conduct: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<Http2Server> {
  const server = createSecureServer({ ...certificates.good });
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => sockets.add(socket));
  server.on('stream', conduct);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function ok(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'x-served-by': 'eks' });
  stream.end('hello');
}

function ask(path: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return get(path, { scheme: 'https', ...more });
}

function bodyOf(exchange: Exchange): string {
  return Buffer.from(exchange.bodyStart ?? []).toString();
}

const answered = { outcome: 'answered', error: '', status: 200, framingComplete: true } as const;
const { noError, internalError, refusedStream, enhanceYourCalm } = errorCodes;
const whole = (frames: Frames): Frames => frames.head(200).data('hello', { isEnd: true });
const half = (frames: Frames): Frames => frames.head(200).data('hel');
const soon = (act: () => void): unknown => setTimeout(act, 20);

interface Case {
  readonly claim: string;
  readonly conduct: (frames: Frames) => unknown;
  readonly sees: Partial<Exchange>;
  readonly method?: string;
  readonly deadlineMs?: number;
  readonly isOpenAfter: boolean;
}

const cases: readonly Case[] = [
  {
    claim: 'a whole answer',
    conduct: whole,
    sees: { ...answered, bodyBytes: 5, serverClosed: false },
    isOpenAfter: true,
  },
  {
    claim: 'an answer without a body',
    conduct: (frames) => frames.head(200, { isEnd: true }),
    sees: { ...answered, bodyStart: null },
    isOpenAfter: true,
  },
  {
    claim: 'a 503 is an answer',
    conduct: (frames) => frames.head(503).data('sorry', { isEnd: true }),
    sees: { ...answered, status: 503 },
    isOpenAfter: true,
  },
  {
    claim: 'HEAD has no body, whatever its length',
    conduct: (frames) => frames.head(200, { length: 5, isEnd: true }),
    method: 'HEAD',
    sees: { ...answered, bodyBytes: 0 },
    isOpenAfter: true,
  },
  {
    claim: 'REFUSED_STREAM is seen, and takes only its stream',
    conduct: (frames) => frames.reset(refusedStream),
    sees: { outcome: 'refused-stream', status: 0 },
    isOpenAfter: true,
  },
  {
    claim: 'another reset of the stream is told by its code',
    conduct: (frames) => frames.reset(internalError),
    sees: { outcome: 'reset', error: 'RST_STREAM INTERNAL_ERROR', status: 0 },
    isOpenAfter: true,
  },
  {
    claim: 'a reset of the stream in the body is a truncated answer',
    conduct: (frames) => half(frames).reset(internalError),
    sees: {
      outcome: 'truncated',
      error: 'RST_STREAM INTERNAL_ERROR',
      status: 200,
      bodyBytes: 3,
      framingComplete: false,
    },
    isOpenAfter: true,
  },
  {
    claim: 'so is one without an error, which Node takes for the end',
    conduct: (frames) => half(frames).reset(noError),
    sees: { outcome: 'truncated', error: 'RST_STREAM NO_ERROR', status: 200, framingComplete: false },
    isOpenAfter: true,
  },
  {
    claim: 'a reset after the end changes nothing',
    conduct: (frames) => whole(frames).reset(noError),
    sees: answered,
    isOpenAfter: true,
  },
  {
    claim: 'a stream that ends before its length is a truncated answer',
    conduct: (frames) => frames.head(200, { length: 50 }).data('hello', { isEnd: true }),
    sees: { outcome: 'truncated', status: 200, framingComplete: false },
    isOpenAfter: true,
  },
  {
    claim: 'GOAWAY that does not cover this stream: not served, not sent again',
    conduct: (frames) => frames.goaway(0, noError),
    sees: { outcome: 'goaway', error: 'NO_ERROR', status: 0, serverClosed: true },
    isOpenAfter: false,
  },
  {
    claim: 'the same, and closed at once',
    conduct: (frames) => frames.goaway(0, noError).close(),
    sees: { outcome: 'goaway', error: 'NO_ERROR' },
    isOpenAfter: false,
  },
  {
    claim: 'GOAWAY that covers this stream: it is answered, and no other may be started',
    conduct: (frames) => {
      frames.goaway(1, noError);
      soon(() => whole(frames));
    },
    sees: { ...answered, serverClosed: true },
    isOpenAfter: false,
  },
  {
    claim: 'GOAWAY and close right after the answer',
    conduct: (frames) => whole(frames).goaway(1, noError).close(),
    sees: { ...answered, serverClosed: true },
    isOpenAfter: false,
  },
  {
    claim: 'GOAWAY with an error right after the answer',
    conduct: (frames) => whole(frames).goaway(1, enhanceYourCalm),
    sees: { ...answered, serverClosed: true },
    isOpenAfter: false,
  },
  {
    claim: 'GOAWAY with an error is told by its code',
    conduct: (frames) => frames.goaway(0, enhanceYourCalm),
    sees: { outcome: 'goaway', error: 'ENHANCE_YOUR_CALM' },
    isOpenAfter: false,
  },
  {
    claim: 'GOAWAY with an error in the body',
    conduct: (frames) => half(frames).goaway(1, internalError),
    sees: { outcome: 'truncated', error: 'INTERNAL_ERROR', status: 200 },
    isOpenAfter: false,
  },
  {
    claim: 'a reset in the body after a GOAWAY, which Node takes for the end',
    conduct: (frames) => {
      half(frames.goaway(1, noError));
      soon(() => frames.abort());
    },
    sees: { outcome: 'truncated', error: 'ECONNRESET', status: 200, framingComplete: false },
    isOpenAfter: false,
  },
  {
    claim: 'a connection closed before the answer',
    conduct: (frames) => frames.close(),
    sees: { outcome: 'closed-before-answer', status: 0 },
    isOpenAfter: false,
  },
  {
    claim: 'a connection closed in the body',
    conduct: (frames) => half(frames).close(),
    sees: { outcome: 'truncated', error: 'closed', status: 200, bodyBytes: 3 },
    isOpenAfter: false,
  },
  {
    claim: 'a connection reset before the answer',
    conduct: (frames) => frames.abort(),
    sees: { outcome: 'reset', error: 'ECONNRESET', status: 0 },
    isOpenAfter: false,
  },
  {
    claim: 'a connection reset in the body',
    conduct: (frames) => {
      half(frames);
      soon(() => frames.abort());
    },
    sees: { outcome: 'truncated', error: 'ECONNRESET', status: 200 },
    isOpenAfter: false,
  },
  {
    claim: 'no byte by the deadline: only the stream is given up',
    conduct: () => undefined,
    deadlineMs: 250,
    sees: { outcome: 'first-byte-timed-out' },
    isOpenAfter: true,
  },
  {
    claim: 'half a body by the deadline',
    conduct: half,
    deadlineMs: 250,
    sees: { outcome: 'body-timed-out', status: 200, bodyBytes: 3 },
    isOpenAfter: true,
  },
  {
    claim: 'an endless body is cut by us, and only its stream',
    conduct: (frames) => {
      frames.head(200);
      for (let i = 0; i < 5; i += 1) frames.data('x'.repeat(15_000));
    },
    sees: { outcome: 'answered', status: 200, bodyBytes: kib64, cutByUs: true, framingComplete: false },
    isOpenAfter: true,
  },
];

test.for(cases)('$claim', async ({ conduct, sees, method = 'GET', deadlineMs, isOpenAfter }) => {
  await using server = await startFrameServer(certificates.good, (frames, streamId) => {
    if (streamId === 1) conduct(frames);
    else whole(frames);
  });
  const connection = await connectTo(server.port, { tls });
  expect(connection).toMatchObject({ alpn: 'h2', certificateSha256: certificates.good.sha256 });
  const exchange = await connection.exchange(ask('/first', { method }), inMs(deadlineMs));
  expect(exchange).toMatchObject(sees);
  await eventually(() => connection.isOpen === isOpenAfter);
  if (isOpenAfter) {
    const after = await connection.exchange(ask('/after'), inMs());
    expect(after).toMatchObject(answered);
    expect(bodyOf(after)).toBe('hello');
    connection.close();
  }
  // Whatever happened, nothing was asked twice and no connection opened behind our back.
  expect(server.streamIds).toEqual(isOpenAfter ? [1, 3] : [1]);
  expect(server.connectionCount).toBe(1);
  await eventually(() => server.openSockets.size === 0);
});

test('a reset of the connection is a reset for every stream on it', async () => {
  await using server = await startFrameServer(certificates.good, (frames, streamId) => {
    if (streamId === 5) frames.abort();
  });
  const connection = await connectTo(server.port, { tls });
  const exchanges = await Promise.all(['/a', '/b', '/c'].map((path) => connection.exchange(ask(path), inMs())));
  expect(exchanges.map(({ outcome, error }) => `${outcome} ${error}`)).toEqual(Array(3).fill('reset ECONNRESET'));
  expect(connection.isOpen).toBe(false);
  expect(server.streamIds).toEqual([1, 3, 5]);
  expect(server.connectionCount).toBe(1);
});

test('a GOAWAY in the middle splits what is under way by its last stream', async () => {
  const held: Frames[] = [];
  await using server = await startFrameServer(certificates.good, (frames, streamId) => {
    held.push(frames);
    if (streamId !== 5) return;
    frames.goaway(3, noError);
    soon(() => held.slice(0, 2).forEach(whole));
  });
  const connection = await connectTo(server.port, { tls });
  const exchanges = await Promise.all(['/a', '/b', '/c'].map((path) => connection.exchange(ask(path), inMs())));
  expect(exchanges.map((exchange) => exchange.outcome)).toEqual(['answered', 'answered', 'goaway']);
  expect(await connection.exchange(ask('/d'), inMs())).toMatchObject({ outcome: 'goaway', error: 'not sent' });
  expect(server.streamIds).toEqual([1, 3, 5]);
});

test('a server that says GOAWAY and never closes is closed after a while', async () => {
  const goaway = (frames: Frames): unknown => whole(frames).goaway(1, noError);
  await using server = await startFrameServer(certificates.good, goaway, { neverCloses: true });
  const connection = await connectTo(server.port, { tls });
  expect(await connection.exchange(ask('/'), inMs())).toMatchObject({ outcome: 'answered' });
  await eventually(() => server.openSockets.size === 0);
});

describe('while it is idle', () => {
  const endings: readonly {
    readonly claim: string;
    readonly act: (frames: Frames) => unknown;
    readonly why: string;
  }[] = [
    { claim: 'a GOAWAY', act: (frames) => frames.goaway(1, noError), why: 'goaway' },
    { claim: 'a GOAWAY with an error', act: (frames) => frames.goaway(1, internalError), why: 'goaway' },
    { claim: 'a GOAWAY and a close', act: (frames) => frames.goaway(1, noError).close(), why: 'goaway' },
    { claim: 'a close', act: (frames) => frames.close(), why: 'server-closed' },
    { claim: 'a reset', act: (frames) => frames.abort(), why: 'reset' },
  ];
  test.for(endings)('$claim is noticed at once, and ends the connection', async ({ act, why }) => {
    const seen: Frames[] = [];
    await using server = await startFrameServer(certificates.good, (frames) => {
      seen.push(frames);
      whole(frames);
    });
    const connection = await connectTo(server.port, { tls });
    const reasons: string[] = [];
    connection.onClosed = (reason) => reasons.push(reason);
    await connection.exchange(ask('/'), inMs());
    expect(connection.isOpen).toBe(true);
    seen.forEach(act);
    await eventually(() => !connection.isOpen);
    await eventually(() => server.openSockets.size === 0);
    expect(reasons).toEqual([why]);
  });

  test('our own close is no event', async () => {
    await using server = await startFrameServer(certificates.good, whole);
    const connection = await connectTo(server.port, { tls });
    const reasons: string[] = [];
    connection.onClosed = (reason) => reasons.push(reason);
    await connection.exchange(ask('/'), inMs());
    connection.close();
    await eventually(() => server.openSockets.size === 0);
    expect(reasons).toEqual([]);
  });
});

test('headers are in lower case, without those of a connection, and the authority is the host', async () => {
  const seen: IncomingHttpHeaders[] = [];
  await using server = await startHttp2Server((stream, headers) => {
    seen.push(headers);
    ok(stream);
  });
  const connection = await connectTo(server.port, { tls });
  const headers = ['User-Agent', 'cutwatch', 'Connection', 'close', 'X-Amzn-Trace-Id', 'Root=1-2-3'];
  const request = ask('/a?b=c', { authority: 'shop.example:8443', headers });
  const exchange = await connection.exchange(request, inMs());
  expect(exchange.headers.slice(0, 2)).toEqual(['x-served-by', 'eks']);
  expect(Object.entries(seen[0] ?? {})).toEqual([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'shop.example:8443'],
    [':path', '/a?b=c'],
    ['user-agent', 'cutwatch'],
    ['x-amzn-trace-id', 'Root=1-2-3'],
  ]);
  connection.close();
});

test('a 103 comes before the answer, and its headers are not the answer’s', async () => {
  await using server = await startHttp2Server((stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
    ok(stream);
  });
  const connection = await connectTo(server.port, { tls });
  const exchange = await connection.exchange(ask('/'), inMs());
  expect(exchange).toMatchObject({ ...answered, informationalSeen: true });
  expect(exchange.headers).not.toContain('link');
  connection.close();
});

test('a body goes with its request', async () => {
  const bodies: string[] = [];
  await using server = await startHttp2Server((stream) => {
    let body = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => (body += text));
    stream.on('end', () => {
      bodies.push(body);
      ok(stream);
    });
  });
  const connection = await connectTo(server.port, { tls });
  expect(await connection.exchange(ask('/', { method: 'POST', body: 'grün' }), inMs())).toMatchObject(answered);
  expect(bodies).toEqual(['grün']);
  connection.close();
});

test('a header that HTTP/2 cannot carry is our own trouble, and harms nobody else', async () => {
  await using server = await startHttp2Server(ok);
  const connection = await connectTo(server.port, { tls });
  const exchange = await connection.exchange(ask('/', { headers: ['X Y', 'a'] }), inMs());
  expect(exchange.outcome).toBe('own-trouble');
  expect(await connection.exchange(ask('/'), inMs())).toMatchObject(answered);
  connection.close();
});

test('100 exchanges at once, 50 times, on one connection, without a listener more', { timeout: 60_000 }, async () => {
  await using server = await startHttp2Server(ok);
  const connection = await connectTo(server.port, { tls });
  const warnings: Error[] = [];
  const onWarning = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', onWarning);
  for (let round = 0; round < 50; round += 1) {
    const asked = Array.from({ length: 100 }, (_, i) => connection.exchange(ask(`/${i}`), inMs()));
    for (const exchange of await Promise.all(asked)) {
      if (exchange.outcome !== 'answered') expect.fail(`${exchange.outcome} ${exchange.error}`);
    }
  }
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
  connection.close();
});

test('where the server has no HTTP/2 it is HTTP/1.1', async () => {
  await using server = await startFaultServer(
    (socket, requestIndex) => {
      if (requestIndex !== null) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    },
    { ...certificates.good, ALPNProtocols: ['http/1.1'] },
  );
  const connection = await connectTo(server.port, { tls });
  expect(connection.alpn).toBe('http/1.1');
  expect(await connection.exchange(ask('/'), inMs())).toMatchObject(answered);
  connection.close();
});

test('bytes that are not HTTP/2 are a malformed answer', async () => {
  await using server = await startFaultServer(
    (socket, requestIndex) => {
      if (requestIndex !== null) socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'.repeat(10));
    },
    { ...certificates.good, ALPNProtocols: ['h2'] },
  );
  const connection = await connectTo(server.port, { tls });
  const exchange = await connection.exchange(ask('/'), inMs());
  expect(exchange).toMatchObject({ outcome: 'malformed-answer', status: 0 });
  expect(connection.isOpen).toBe(false);
});
