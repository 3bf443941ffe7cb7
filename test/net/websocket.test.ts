import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { newRandom } from '../../src/core/random.ts';
import type { Connection, Exchange } from '../../src/core/ports.ts';
import { newWebSocket } from '../../src/net/websocket.ts';
import { controlFrame } from '../../src/wire/websocket-frame.ts';
import { makeCertificates } from './certificates.ts';
import { clock, connectTo, eventually, get, inMs } from './dialling.ts';
import { startFaultServer } from './fault-server.ts';
import { answerFrame, startWebSocketServer, type WebSocketConduct } from './websocket-server.ts';

const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793';

async function upgrade(connection: Connection): Promise<Exchange> {
  const exchange = await connection.upgrade?.(get('/socket?room=7', { method: 'POST', body: 'x' }), inMs());
  return exchange ?? expect.fail('no upgrade');
}

function ping(connection: Connection, ms?: number, headers: readonly string[] = []): Promise<Exchange> {
  return connection.exchange(get('/socket', { headers }), inMs(ms));
}

/** Upgraded, and what it says of its end. */
async function session(port: number): Promise<{ connection: Connection; opened: Exchange; closed: string[] }> {
  const connection = await connectTo(port);
  const closed: string[] = [];
  connection.onClosed = (why) => closed.push(why);
  const opened = await upgrade(connection);
  return { connection, opened, closed };
}

const pong = (text: string): Uint8Array => controlFrame('pong', Buffer.from(text, 'latin1'), null);
const close = (code: number): Uint8Array => controlFrame('close', Buffer.from([code >> 8, code & 255]), null);

describe('an upgrade', () => {
  test('asks as RFC 6455 says, and is never a POST', async () => {
    await using server = await startWebSocketServer({});
    const { connection, opened } = await session(server.port);
    const [head = ''] = server.requests;
    expect(head.split('\r\n')[0]).toBe('GET /socket?room=7 HTTP/1.1');
    expect(head).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n/);
    expect(head).toMatch(/\r\nSec-WebSocket-Key: [A-Za-z0-9+/]{22}==(\r\n|$)/);
    expect(head).not.toMatch(/content-length/i);
    expect(opened).toMatchObject({ outcome: 'answered', status: 101, serverClosed: false, framingComplete: true });
    expect(connection.isOpen).toBe(true);
    connection.close();
  });

  test('over TLS is the same', async () => {
    const { caPem, good } = makeCertificates();
    await using server = await startWebSocketServer({}, { ...good });
    const connection = await connectTo(server.port, { tls: { serverName: 'shop.example', alpn: ['http/1.1'], caPem } });
    expect(await upgrade(connection)).toMatchObject({ outcome: 'answered', status: 101 });
    expect(await ping(connection)).toMatchObject({ outcome: 'answered', status: 101 });
    connection.close();
  });

  test.for<{ claim: string; head: NonNullable<WebSocketConduct['head']>; error: string }>([
    { claim: 'to something else', head: (right) => ({ ...right, Upgrade: 'h2c' }), error: 'upgrade' },
    { claim: 'as HTTP', head: (right) => ({ ...right, Connection: 'keep-alive' }), error: 'connection' },
    {
      claim: 'for another key',
      head: (right) => ({ ...right, 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }),
      error: 'sec-websocket-accept',
    },
    {
      claim: 'with an extension that nobody offered',
      head: (right) => ({ ...right, 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
      error: 'sec-websocket-extensions',
    },
  ])('that is granted $claim is malformed', async ({ head, error }) => {
    await using server = await startWebSocketServer({ head });
    const { connection, opened } = await session(server.port);
    expect(opened).toMatchObject({ outcome: 'malformed-answer', error });
    expect(connection.isOpen).toBe(false);
    await eventually(() => server.openSockets.size === 0);
  });

  test('in other letters is granted all the same', async () => {
    const head: WebSocketConduct['head'] = (right) => ({
      'sec-websocket-accept': right['Sec-WebSocket-Accept'] ?? '',
      connection: 'keep-alive, UPGRADE',
      upgrade: 'WebSocket',
    });
    await using server = await startWebSocketServer({ head });
    const { connection, opened } = await session(server.port);
    expect(opened.outcome).toBe('answered');
    connection.close();
  });

  test.for([200, 404, 426, 503])(
    'that is answered %i is an answer, and the connection speaks HTTP on',
    async (status) => {
      await using server = await startFaultServer((socket, requestIndex) => {
        if (requestIndex !== null) socket.write(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
      });
      const connection = await connectTo(server.port);
      expect(await upgrade(connection)).toMatchObject({ outcome: 'answered', status, bodyBytes: 2 });
      expect(await connection.exchange(get(), inMs())).toMatchObject({ outcome: 'answered', status });
      connection.close();
    },
  );

  test('a plain request that is granted one is not held', async () => {
    await using server = await startWebSocketServer({});
    const connection = await connectTo(server.port);
    await connection.exchange(get(), inMs());
    expect(connection.isOpen).toBe(false);
  });
});

describe('a session', () => {
  test('is pinged with the trace of the probe, masked anew each time, and answers with the face of its 101', async () => {
    await using server = await startWebSocketServer({ head: (right) => ({ 'X-Served-By': 'ecs', ...right }) });
    const { connection, opened } = await session(server.port);
    const exchange = await ping(connection, undefined, ['X-Amzn-Trace-Id', trace]);
    expect(server.frames).toEqual([{ kind: 'ping', text: trace }]);
    expect(exchange).toMatchObject({
      outcome: 'answered',
      status: 101,
      headers: opened.headers,
      bodyBytes: 0,
      bodyStart: null,
      framingComplete: true,
      serverClosed: false,
    });
    expect(exchange.headers.slice(0, 2)).toEqual(['X-Served-By', 'ecs']);
    expect(exchange.firstByteAtNs).toBeGreaterThanOrEqual(exchange.sentAtNs);
    connection.close();
  });

  test('carries several pings at once; a pong to the last is for all before it', async () => {
    const seen: string[] = [];
    await using server = await startWebSocketServer({
      onFrame({ kind, text }, socket) {
        if (kind === 'ping') seen.push(text);
        if (seen.length === 3) socket.write(pong(seen[1] ?? ''));
      },
    });
    const { connection } = await session(server.port);
    const [first, second, third] = [ping(connection), ping(connection), ping(connection, 300)];
    expect((await first).outcome).toBe('answered');
    expect((await second).outcome).toBe('answered');
    expect((await third).outcome).toBe('first-byte-timed-out');
    expect(connection.isOpen).toBe(false);
    connection.close();
  });

  test('a pong that nobody asked for is none of ours', async () => {
    await using server = await startWebSocketServer({
      first: pong(trace),
      onFrame: ({ kind, text }, socket) => void (kind === 'ping' && socket.write(pong(`${text}!`))),
    });
    const { connection } = await session(server.port);
    expect(await ping(connection, 150, ['X-Amzn-Trace-Id', trace])).toMatchObject({
      outcome: 'first-byte-timed-out',
      status: 0,
      headers: [],
    });
    connection.close();
  });

  test('pings that nobody answers have their own deadlines; the first ends the session for those to come', async () => {
    let answer: (() => void) | null = null;
    await using server = await startWebSocketServer({
      onFrame: ({ text }, socket) => {
        answer = () => void socket.write(pong(text));
      },
    });
    const { connection } = await session(server.port);
    const [soon, later] = [ping(connection, 100), ping(connection)];
    expect((await soon).outcome).toBe('first-byte-timed-out');
    expect(connection.isOpen).toBe(false);
    expect(await ping(connection)).toMatchObject({ outcome: 'closed-before-answer', error: 'not sent' });
    await eventually(() => server.frames.length === 2);
    (answer as (() => void) | null)?.();
    expect((await later).outcome).toBe('answered');
    connection.close();
    await eventually(() => server.openSockets.size === 0);
  });

  test('what the server pushes is read away, and its pings are answered', async () => {
    const pushed = Buffer.concat([
      Buffer.from([0x82, 126, 0xea, 0x60]),
      Buffer.alloc(60_000, 'p'),
      controlFrame('ping', Buffer.from('are you there'), null),
      Buffer.from([0x81, 2, 0x6f, 0x6b]),
    ]);
    await using server = await startWebSocketServer({
      first: pushed,
      onFrame(frame, socket) {
        if (frame.kind === 'ping') socket.write(pushed);
        answerFrame(frame, socket);
      },
    });
    const { connection } = await session(server.port);
    for (let i = 0; i < 3; i += 1) expect((await ping(connection)).outcome).toBe('answered');
    await eventually(() => server.frames.filter(({ kind }) => kind === 'pong').length === 4);
    expect(server.frames.find(({ kind }) => kind === 'pong')?.text).toBe('are you there');
    connection.close();
  });

  test('whoever pings us for ever and reads no pong fills no memory', () => {
    const socket = new Duplex({ read: () => {}, write: () => {} });
    const webSocket = newWebSocket({ socket: socket as Socket, clock, headers: [], onClosed: () => {} });
    const pings = Buffer.concat(Array.from({ length: 100 }, () => controlFrame('ping', Buffer.alloc(125), null)));
    for (let i = 0; i < 100; i += 1) webSocket.take(pings);
    expect(socket.writableLength).toBeGreaterThan(60_000);
    expect(socket.writableLength).toBeLessThan(70_000);
    socket.destroy();
  });

  test('that we close is closed by a frame, and by the server first', async () => {
    const closers: string[] = [];
    await using server = await startWebSocketServer({
      onFrame(frame, socket) {
        socket.once('end', () => closers.push('client'));
        if (frame.kind === 'close') closers.push('server');
        answerFrame(frame, socket);
      },
    });
    const { connection, closed } = await session(server.port);
    connection.close();
    await eventually(() => server.openSockets.size === 0);
    expect(server.frames).toEqual([{ kind: 'close', text: '\x03\xe8' }]);
    expect(closers[0]).toBe('server');
    expect(closed).toEqual([]);
  });
});

describe('the end of a session', () => {
  const ends: readonly {
    readonly claim: string;
    readonly act: (socket: Socket) => void;
    readonly sees: Partial<Exchange>;
    readonly says: string;
  }[] = [
    {
      claim: 'a close frame',
      act: (socket) => socket.write(close(1001)),
      sees: { outcome: 'closed-before-answer', error: 'close frame: going away', serverClosed: true },
      says: 'server-closed',
    },
    {
      claim: 'a close frame with a code that nobody knows',
      act: (socket) => socket.write(close(4711)),
      sees: { outcome: 'closed-before-answer', error: 'close frame: another code' },
      says: 'server-closed',
    },
    {
      claim: 'FIN',
      act: (socket) => socket.end(),
      sees: { outcome: 'closed-before-answer', error: '', serverClosed: true },
      says: 'server-closed',
    },
    {
      claim: 'a reset',
      act: (socket) => socket.resetAndDestroy(),
      sees: { outcome: 'reset', error: 'ECONNRESET', serverClosed: false },
      says: 'reset',
    },
    {
      claim: 'bytes that are no frame',
      act: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      sees: { outcome: 'malformed-answer', error: 'reserved bits' },
      says: 'server-closed',
    },
  ];

  test.for(ends)('by $claim fails the pings under way', async ({ act, sees }) => {
    let count = 0;
    await using server = await startWebSocketServer({
      onFrame({ kind }, socket) {
        count += kind === 'ping' ? 1 : 0;
        if (count === 2) act(socket);
      },
    });
    const { connection, closed } = await session(server.port);
    for (const exchange of await Promise.all([ping(connection), ping(connection)])) {
      expect(exchange).toMatchObject({ ...sees, status: 0 });
    }
    expect(connection.isOpen).toBe(false);
    expect(closed).toEqual([]);
    await eventually(() => server.openSockets.size === 0);
  });

  test.for(ends)('by $claim is an event while no ping is under way', async ({ act, says }) => {
    await using server = await startWebSocketServer({});
    const { connection, closed } = await session(server.port);
    await ping(connection);
    for (const socket of server.openSockets) act(socket);
    await eventually(() => closed.length > 0);
    expect(closed).toEqual([says]);
    expect(connection.isOpen).toBe(false);
    connection.close();
    await eventually(() => server.openSockets.size === 0);
  });

  test('by a close frame in the packet of the 101 is one', async () => {
    await using server = await startWebSocketServer({ first: close(1013) });
    const { connection, opened, closed } = await session(server.port);
    expect(opened).toMatchObject({ outcome: 'answered', status: 101 });
    expect(connection.isOpen).toBe(false);
    expect(closed).toEqual(['server-closed']);
  });
});

test('bytes of chance after a 101 end it or are read away; nothing throws, nothing hangs', async () => {
  const random = newRandom(11, 'bytes after a 101');
  const byte = (): number => Math.floor(random() * 256);
  const outcomes = new Set<string>();
  for (let i = 0; i < 60; i += 1) {
    const first = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 300) }, byte));
    // Every other one begins as a frame does.
    if (i % 2 === 0) first[0] = [0x81, 0x82, 0x89, 0x8a, 0x88, 0x01][i % 6] ?? 0;
    await using server = await startWebSocketServer({ first });
    const { connection } = await session(server.port);
    outcomes.add((await ping(connection, 50)).outcome);
    connection.close();
  }
  for (const outcome of outcomes)
    expect(['answered', 'closed-before-answer', 'malformed-answer', 'first-byte-timed-out']).toContain(outcome);
});
