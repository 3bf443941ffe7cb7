import { describe, expect, test } from 'vitest';
import type { Socket } from 'node:net';
import type { Exchange } from '../../src/core/ports.ts';
import { msToNs } from '../../src/core/time.ts';
import { connectTo, eventually, get, inMs } from './dialling.ts';
import { startFaultServer, type Conduct } from './fault-server.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const kib64 = 64 * 1024;

/** Answers every request with these bytes. */
function says(...pieces: readonly (string | Buffer)[]): Conduct {
  return (socket, requestIndex) => {
    if (requestIndex !== null) for (const piece of pieces) socket.write(piece);
  };
}

/** Does this upon a request, after the bytes so far have gone out. */
function then(first: string, act: (socket: Socket) => void): Conduct {
  return (socket, requestIndex) => {
    if (requestIndex === null) return;
    if (first === '') act(socket);
    else socket.write(first, () => setTimeout(act, 20, socket));
  };
}

/** Byte by byte, each a packet of its own. */
function drips(text: string): Conduct {
  return (socket, requestIndex) => {
    if (requestIndex === null) return;
    socket.setNoDelay(true);
    const send = (i: number): void => {
      if (i < text.length && !socket.destroyed) socket.write(text.slice(i, i + 1), () => setImmediate(send, i + 1));
    };
    send(0);
  };
}

/** Without end, as fast as it is read. */
function forever(first: string, piece: string): Conduct {
  return (socket, requestIndex) => {
    if (requestIndex === null) return;
    socket.write(first);
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
      socket.once('drain', more);
    };
    more();
  };
}

interface Case {
  readonly claim: string;
  readonly conduct: Conduct;
  readonly sees: Partial<Exchange> & { readonly body?: string };
  readonly isOpenAfter?: boolean;
  readonly method?: string;
  readonly deadlineMs?: number;
}

const answered = { outcome: 'answered', error: '', status: 200, framingComplete: true, serverClosed: false } as const;

const cases: readonly Case[] = [
  { claim: 'a whole answer', conduct: says(ok), sees: { ...answered, body: 'hello', bodyBytes: 5 }, isOpenAfter: true },
  {
    claim: 'an answer byte by byte is the same answer',
    conduct: drips(ok),
    sees: { ...answered, body: 'hello' },
    isOpenAfter: true,
  },
  {
    claim: 'an answer in chunks, with an extension and a trailer',
    conduct: says(`${chunkedHead}3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n`),
    sees: { ...answered, body: 'hello' },
    isOpenAfter: true,
  },
  {
    claim: 'chunks byte by byte',
    conduct: drips(`${chunkedHead}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`),
    sees: { ...answered, body: 'hello' },
    isOpenAfter: true,
  },
  {
    claim: 'an empty body',
    conduct: says('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    sees: { ...answered, bodyStart: null },
    isOpenAfter: true,
  },
  {
    claim: 'an unsolicited 100 is not a failure',
    conduct: says('HTTP/1.1 100 Continue\r\n\r\n', ok),
    sees: { ...answered, body: 'hello', informationalSeen: true },
    isOpenAfter: true,
  },
  {
    claim: 'a 103 comes before the answer, and its headers are not the answer’s',
    conduct: says('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n', ok),
    sees: { ...answered, body: 'hello', informationalSeen: true, headers: ['Content-Length', '5'] },
    isOpenAfter: true,
  },
  {
    claim: 'HEAD has no body, whatever its length',
    conduct: says('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'),
    method: 'HEAD',
    sees: { ...answered, bodyBytes: 0, bodyStart: null },
    isOpenAfter: true,
  },
  {
    claim: '204 has no body',
    conduct: says('HTTP/1.1 204 No Content\r\n\r\n'),
    sees: { ...answered, status: 204 },
    isOpenAfter: true,
  },
  {
    claim: '304 has no body',
    conduct: says('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'),
    sees: { ...answered, status: 304 },
    isOpenAfter: true,
  },
  {
    claim: 'a 503 is an answer',
    conduct: says(
      'HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: awselb/2.0\r\nContent-Length: 5\r\n\r\nsorry',
    ),
    sees: { ...answered, status: 503, body: 'sorry', headers: ['Server', 'awselb/2.0', 'Content-Length', '5'] },
    isOpenAfter: true,
  },
  {
    claim: 'Connection: close ends the connection with the answer',
    conduct: then('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello', (socket) => socket.end()),
    sees: { ...answered, body: 'hello', serverClosed: true },
    isOpenAfter: false,
  },
  {
    claim: 'HTTP/1.0 closes unless it says otherwise',
    conduct: then('HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', (socket) => socket.end()),
    sees: { ...answered, serverClosed: true },
    isOpenAfter: false,
  },
  {
    claim: 'a body that ends with the connection is an answer, but nothing said it was whole',
    conduct: then('HTTP/1.1 200 OK\r\n\r\nhello', (socket) => socket.end()),
    sees: { ...answered, body: 'hello', framingComplete: false, serverClosed: true },
    isOpenAfter: false,
  },
  {
    claim: 'a reset in a body that ends with the connection is no end',
    conduct: then('HTTP/1.1 200 OK\r\n\r\nhel', (socket) => socket.resetAndDestroy()),
    sees: { outcome: 'truncated', error: 'ECONNRESET', status: 200, framingComplete: false },
  },
  {
    claim: 'a closed connection in a body of known length is a truncated answer',
    conduct: then('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', (socket) => socket.end()),
    sees: {
      outcome: 'truncated',
      error: 'closed',
      status: 200,
      body: 'hello',
      framingComplete: false,
      serverClosed: true,
    },
  },
  {
    claim: 'a closed connection between chunks is a truncated answer',
    conduct: then(`${chunkedHead}5\r\nhello\r\n`, (socket) => socket.end()),
    sees: { outcome: 'truncated', error: 'closed', body: 'hello' },
  },
  {
    claim: 'a reset in the body is a truncated answer',
    conduct: then('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', (socket) => socket.resetAndDestroy()),
    sees: { outcome: 'truncated', error: 'ECONNRESET', status: 200 },
  },
  {
    claim: 'a close before any byte',
    conduct: then('', (socket) => socket.end()),
    sees: { outcome: 'closed-before-answer', status: 0, firstByteAtNs: 0 },
  },
  {
    claim: 'a close after nothing but a 103 is a close before the answer',
    conduct: then('HTTP/1.1 103 Early Hints\r\n\r\n', (socket) => socket.end()),
    sees: { outcome: 'closed-before-answer', status: 0, informationalSeen: true },
  },
  {
    claim: 'a reset before any byte',
    conduct: then('', (socket) => socket.resetAndDestroy()),
    sees: { outcome: 'reset', error: 'ECONNRESET', status: 0 },
  },
  {
    claim: 'a reset in the head is a reset',
    conduct: then('HTTP/1.1 200 OK\r\nContent-', (socket) => socket.resetAndDestroy()),
    sees: { outcome: 'reset', error: 'ECONNRESET', status: 0 },
  },
  {
    claim: 'a close in the head is neither an answer nor a close before it',
    conduct: then('HTTP/1.1 200 OK\r\nContent-', (socket) => socket.end()),
    sees: { outcome: 'truncated', error: 'closed in the head', status: 0 },
  },
  {
    claim: 'no byte by the deadline',
    conduct: () => undefined,
    deadlineMs: 250,
    sees: { outcome: 'first-byte-timed-out', firstByteAtNs: 0 },
  },
  {
    claim: 'half a head by the deadline',
    conduct: says('HTTP/1.1 200 OK\r\nX: '),
    deadlineMs: 250,
    sees: { outcome: 'first-byte-timed-out', status: 0 },
  },
  {
    claim: 'half a body by the deadline',
    conduct: says('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'),
    deadlineMs: 250,
    sees: { outcome: 'body-timed-out', status: 200, body: 'hello', framingComplete: false },
  },
  {
    claim: 'an endless body is cut by us, and is an answer',
    conduct: forever(chunkedHead, `400\r\n${'x'.repeat(1024)}\r\n`),
    sees: { outcome: 'answered', status: 200, bodyBytes: kib64, cutByUs: true, framingComplete: false },
    isOpenAfter: false,
  },
  {
    claim: 'a body of a known length that is too long is cut by us',
    conduct: says(`HTTP/1.1 200 OK\r\nContent-Length: ${kib64 + 1}\r\n\r\n`, 'x'.repeat(kib64 + 1)),
    sees: { outcome: 'answered', bodyBytes: kib64, cutByUs: true, framingComplete: false },
    isOpenAfter: false,
  },
  {
    claim: 'a body of just 64 KiB is whole',
    conduct: says(`HTTP/1.1 200 OK\r\nContent-Length: ${kib64}\r\n\r\n`, 'x'.repeat(kib64)),
    sees: { ...answered, bodyBytes: kib64, cutByUs: false },
    isOpenAfter: true,
  },
  {
    claim: 'endless headers end at 64 KiB',
    conduct: forever('HTTP/1.1 200 OK\r\n', `X-Filler: ${'x'.repeat(500)}\r\n`),
    sees: { outcome: 'malformed-answer', error: 'head too long', status: 0 },
  },
  {
    claim: 'endless informational answers end as well',
    conduct: forever('', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    sees: { outcome: 'malformed-answer', error: 'head too long', informationalSeen: true },
  },
  {
    claim: 'a line without end is bounded',
    conduct: forever('HTTP/1.1 200 OK\r\nX:', 'x'.repeat(1000)),
    sees: { outcome: 'malformed-answer', error: 'head too long' },
  },
  {
    claim: 'bytes that are not HTTP',
    conduct: says('SSH-2.0-OpenSSH_9.2\r\n'),
    sees: { outcome: 'malformed-answer', error: 'not HTTP/1.x', status: 0 },
  },
  {
    claim: 'binary rubbish without a line end',
    conduct: says(Buffer.from([21, 3, 1, 0, 2, 2, 70])),
    sees: { outcome: 'malformed-answer', error: 'not HTTP/1.x' },
  },
  {
    claim: 'a header without a colon',
    conduct: says('HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'),
    sees: { outcome: 'malformed-answer', error: 'header line' },
  },
  {
    claim: 'two different lengths',
    conduct: says('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'),
    sees: { outcome: 'malformed-answer', error: 'content-length' },
  },
  {
    claim: 'a chunk size that is no number',
    conduct: says(`${chunkedHead}xyz\r\n`),
    sees: { outcome: 'malformed-answer', error: 'chunk size', status: 200 },
  },
  {
    claim: 'a switch of protocols that nobody asked for is an answer, and the end',
    conduct: says('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello'),
    sees: { outcome: 'answered', status: 101, bodyBytes: 0 },
    isOpenAfter: false,
  },
  {
    claim: 'bytes after the answer make the connection useless, not the answer',
    conduct: says(`${ok}HTTP/1.1 500 Oops\r\n\r\n`),
    sees: { ...answered, body: 'hello' },
    isOpenAfter: false,
  },
  {
    claim: 'both framings at once: chunks count, and the connection is not used again',
    conduct: then(
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      (socket) => socket.end(),
    ),
    sees: { outcome: 'answered', body: 'hello', framingComplete: true },
    isOpenAfter: false,
  },
  {
    claim: 'line ends without CR are forgiven',
    conduct: says('HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'),
    sees: { ...answered, body: 'hello' },
    isOpenAfter: true,
  },
];

test.for(cases)('$claim', async ({ conduct, sees, isOpenAfter = false, method = 'GET', deadlineMs }) => {
  await using server = await startFaultServer(conduct);
  const connection = await connectTo(server.port);
  const exchange = await connection.exchange(get('/ready', { method }), inMs(deadlineMs));
  const { body, ...fields } = sees;
  expect(exchange).toMatchObject(fields);
  if (body !== undefined) expect(Buffer.from(exchange.bodyStart ?? []).toString()).toBe(body);
  expect(connection.isOpen).toBe(isOpenAfter);
  expect(exchange.sentAtNs).toBeGreaterThan(connection.connectedAtNs);
  expect(exchange.endedAtNs).toBeGreaterThan(exchange.sentAtNs);
  if (exchange.status !== 0) expect(exchange.firstByteAtNs).toBeGreaterThan(exchange.sentAtNs);
  connection.close();
  await eventually(() => server.openSockets.size === 0);
  expect(server.connectionCount).toBe(1);
});

describe('a kept connection', () => {
  test('that the server closes while it is idle is noticed at once', async () => {
    await using server = await startFaultServer(then(ok, (socket) => socket.end()));
    const connection = await connectTo(server.port);
    const why: string[] = [];
    connection.onClosed = (reason) => why.push(reason);
    expect(await connection.exchange(get(), inMs())).toMatchObject({ ...answered });
    expect(connection.isOpen).toBe(true);
    await eventually(() => !connection.isOpen);
    expect(why).toEqual(['server-closed']);
    expect(await connection.exchange(get(), inMs())).toMatchObject({
      outcome: 'closed-before-answer',
      error: 'not sent',
    });
    expect(server.requests).toHaveLength(1);
  });

  test('that the server resets while it is idle is noticed at once', async () => {
    await using server = await startFaultServer(then(ok, (socket) => socket.resetAndDestroy()));
    const connection = await connectTo(server.port);
    const why: string[] = [];
    connection.onClosed = (reason) => why.push(reason);
    await connection.exchange(get(), inMs());
    await eventually(() => !connection.isOpen);
    expect(why).toEqual(['reset']);
  });

  test('that dies before it is used is noticed too', async () => {
    await using server = await startFaultServer((socket, requestIndex) => {
      if (requestIndex === null) socket.end();
    });
    const connection = await connectTo(server.port);
    await eventually(() => !connection.isOpen);
  });

  test('that was reset is never silently replaced', async () => {
    await using server = await startFaultServer((socket, requestIndex) => {
      if (requestIndex === 2) socket.resetAndDestroy();
      else if (requestIndex !== null) socket.write(ok);
    });
    const connection = await connectTo(server.port);
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i += 1) outcomes.push((await connection.exchange(get(`/${i}`), inMs())).outcome);
    expect(outcomes).toEqual(['answered', 'answered', 'reset', 'closed-before-answer', 'closed-before-answer']);
    expect(server.connectionCount).toBe(1);
    expect(server.requests).toHaveLength(3);
  });

  test('is closed when the server says 408 to nobody', async () => {
    await using server = await startFaultServer(
      then(ok, (socket) => socket.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n')),
    );
    const connection = await connectTo(server.port);
    const why: string[] = [];
    connection.onClosed = (reason) => why.push(reason);
    await connection.exchange(get(), inMs());
    await eventually(() => !connection.isOpen);
    expect(why).toEqual(['server-closed']);
  });

  test('carries 10,000 exchanges without a listener more', { timeout: 60_000 }, async () => {
    await using server = await startFaultServer(says(ok));
    const connection = await connectTo(server.port);
    const warnings: Error[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', onWarning);
    for (let i = 0; i < 10_000; i += 1) {
      const exchange = await connection.exchange(get(`/${i}`), inMs());
      if (exchange.outcome !== 'answered') expect.fail(`exchange ${i}: ${exchange.outcome} ${exchange.error}`);
    }
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(server.connectionCount).toBe(1);
    connection.close();
  });
});

test('we ask that the connection end, and let the server close it', async () => {
  const closers: string[] = [];
  await using server = await startFaultServer((socket, requestIndex) => {
    socket.on('end', () => closers.push('client'));
    const close = (): void => {
      closers.push('server');
      socket.end();
    };
    if (requestIndex !== null) socket.write(ok, () => setTimeout(close, 30));
  });
  const connection = await connectTo(server.port);
  const exchange = await connection.exchange(get('/', { headers: ['Connection', 'close'] }), inMs());
  expect(exchange).toMatchObject({ outcome: 'answered', serverClosed: false });
  expect(connection.isOpen).toBe(false);
  connection.close();
  await eventually(() => server.openSockets.size === 0);
  expect(closers[0]).toBe('server');
});

test('a server that does not close what it should is closed after a while', async () => {
  await using server = await startFaultServer(
    says('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  );
  const connection = await connectTo(server.port);
  await connection.exchange(get(), inMs());
  await eventually(() => server.openSockets.size === 0);
});

test('the first byte has a deadline of its own, and the body another', async () => {
  await using silent = await startFaultServer(() => undefined);
  const first = await connectTo(silent.port);
  const startedNs = inMs(0);
  const late = await first.exchange(get(), inMs(), inMs(40));
  expect(late.outcome).toBe('first-byte-timed-out');
  expect(late.endedAtNs - startedNs).toBeLessThan(10e9);

  await using slow = await startFaultServer(
    then('HTTP/1.1 200 OK\r\n', (socket) => setTimeout(() => socket.write('Content-Length: 0\r\n\r\n'), 900)),
  );
  const second = await connectTo(slow.port);
  expect((await second.exchange(get(), inMs(), inMs(700))).outcome).toBe('answered');
});

test('deadlines are never early, and in their order', async () => {
  await using server = await startFaultServer(() => undefined);
  const order: number[] = [];
  const startNs = inMs(0);
  const deadlines = [411, 207, 305].map(async (ms) => {
    const connection = await connectTo(server.port);
    const deadlineNs = startNs + msToNs(ms);
    const exchange = await connection.exchange(get(), deadlineNs);
    order.push(ms);
    expect(exchange.outcome).toBe('first-byte-timed-out');
    expect(exchange.endedAtNs).toBeGreaterThanOrEqual(deadlineNs);
  });
  await Promise.all(deadlines);
  expect(order).toEqual([207, 305, 411]);
});

test('an answer that was here in time counts, even if we were late to look', async () => {
  let deadlineNs = 0;
  await using server = await startFaultServer((socket, requestIndex) => {
    if (requestIndex === null) return;
    socket.write(ok, () => {
      while (inMs(0) < deadlineNs + msToNs(20));
    });
  });
  const connection = await connectTo(server.port);
  deadlineNs = inMs(400);
  const exchange = await connection.exchange(get(), deadlineNs);
  expect(exchange.endedAtNs).toBeGreaterThan(deadlineNs);
  expect(exchange).toMatchObject({ outcome: 'answered', status: 200 });
});

describe('a request', () => {
  test('goes out as it was given, with Host first', async () => {
    await using server = await startFaultServer(says(ok));
    const connection = await connectTo(server.port);
    await connection.exchange(get('/a?b=c', { headers: ['User-Agent', 'cutwatch', 'X-Empty', ''] }), inMs());
    expect(server.requests).toEqual(['GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: cutwatch\r\nX-Empty: ']);
    connection.close();
  });

  test('counts the bytes of its body, not its characters', async () => {
    await using server = await startFaultServer(says(ok));
    const connection = await connectTo(server.port);
    await connection.exchange(get('/', { method: 'POST', body: 'grün' }), inMs());
    expect(server.requests[0]).toBe('POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5');
    connection.close();
  });

  test.for([
    { headers: ['X-Token', 'secret\r\nX-Evil: 1'] },
    { headers: ['X-Token\n', 'a'] },
    { path: '/ HTTP/1.1\r\n' },
  ])('with a line break in it is not sent: %j', async (more) => {
    await using server = await startFaultServer(says(ok));
    const connection = await connectTo(server.port);
    const exchange = await connection.exchange(get('/', more), inMs());
    expect(exchange.outcome).toBe('own-trouble');
    expect(server.requests).toEqual([]);
    expect(connection.isOpen).toBe(true);
    connection.close();
  });
});
