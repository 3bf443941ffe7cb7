import { connect as connectHttp2 } from 'node:http2';
import { connect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { Connection, DialResult } from '../../src/core/ports.ts';
import { sToNs } from '../../src/core/time.ts';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import type { ShownCertificate, WorldModel } from '../../src/model/world-model.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDialer } from '../../src/net/dialer.ts';
import { answered, quietWorld, setting } from './quiet-world.ts';

const [old] = setting.places.sides.old as [string, string];
const clock = newClock(process.hrtime.bigint());
const dialer = newDialer({ clock });

function start(world: Partial<WorldModel>): Promise<Lab> {
  return startLab({ world: quietWorld(world), setting, isTls: true, clock, runId: null });
}

function dial(lab: Lab, alpn: 'h2' | 'http/1.1', serverName = 'pay.test'): Promise<DialResult> {
  const target = {
    address: old,
    port: lab.ports.https ?? 0,
    tls: { serverName, alpn: [alpn], caPem: lab.caPem ?? '' },
  };
  const deadlineNs = clock.nowNs() + sToNs(20);
  return dialer.dial(target, { connectAtNs: deadlineNs, secureAtNs: deadlineNs });
}

async function connected(lab: Lab, alpn: 'h2' | 'http/1.1'): Promise<Connection> {
  const result = await dial(lab, alpn);
  if (result.kind === 'failed') throw new Error(`${result.outcome} ${result.error}`);
  return result.connection;
}

function exchange(connection: Connection) {
  const request = {
    method: 'GET',
    path: '/ready?a=1',
    authority: 'pay.test',
    scheme: 'https',
    headers: ['user-agent', 'probe', 'x-amzn-trace-id', 'Root=1-67000000-0badcafe00030000000b0001'],
    body: null,
  } as const;
  return connection.exchange(request, clock.nowNs() + sToNs(20));
}

test.for(['h2', 'http/1.1'] as const)('%s: the right certificate, and the answer', async (alpn) => {
  const arrivals: unknown[] = [];
  const headers = ['X-Served-By', 'ecs', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'];
  await using lab = await start({
    serve: (arrival) => {
      arrivals.push(arrival);
      return answered({ headers });
    },
  });
  const connection = await connected(lab, alpn);
  expect(connection.alpn).toBe(alpn);
  expect(connection.certificateSha256).toBe(lab.certificateSha256.old);
  const { outcome, status, headers: got, bodyBytes } = await exchange(connection);
  expect({ outcome, status, bodyBytes }).toEqual({ outcome: 'answered', status: 200, bodyBytes: 6 });
  const names = got.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  const own = alpn === 'h2' ? [] : ['connection'];
  expect(names.toSorted()).toEqual([
    ...own,
    'content-length',
    'date',
    'set-cookie',
    'set-cookie',
    'x-rehearsal-side',
    'x-served-by',
  ]);
  expect(await exchange(connection)).toMatchObject({ outcome: 'answered' });
  expect(arrivals).toMatchObject([
    {
      hostname: 'pay.test',
      method: 'GET',
      path: '/ready?a=1',
      userAgent: 'probe',
      trace: { lane: 3, slot: 11, part: 1 },
      held: { address: old, requestCount: 0 },
    },
    { held: { requestCount: 1 } },
  ]);
  connection.close();
});

test.for([
  { kind: 'default', error: 'self-signed' },
  { kind: 'other-name', error: 'wrong name' },
  { kind: 'expired', error: 'expired' },
] as const)('the certificate that the world shows is the one that clients see: $kind', async ({ kind, error }) => {
  let shown: ShownCertificate = { kind, side: 'old', names: ['other.test'] };
  await using lab = await start({ certificate: () => shown });
  const result = await dial(lab, 'http/1.1');
  expect(result).toMatchObject({ kind: 'failed', outcome: 'tls-failed' });
  if (result.kind === 'failed') expect(result.error).toContain(error.split(' ').at(-1));
  shown = { kind: 'right', side: 'old', names: [] };
  expect((await dial(lab, 'http/1.1')).kind).toBe('connected');
});

test('the world hears which name a handshake asks for, in lower case', async () => {
  await using lab = await start({
    certificate: (_, serverName) => ({ kind: serverName === 'pay.test' ? 'right' : 'default', side: 'old', names: [] }),
  });
  expect((await dial(lab, 'http/1.1', 'PAY.test')).kind).toBe('connected');
  expect((await dial(lab, 'http/1.1', 'shop.test')).kind).toBe('failed');
});

test('without a server name the world says what is shown', async () => {
  const asked: string[] = [];
  await using lab = await start({
    certificate: (_, serverName) => {
      asked.push(serverName);
      return { kind: serverName === '' ? 'default' : 'right', side: 'old', names: [] };
    },
  });
  const subject = await new Promise((resolve) => {
    const socket: TLSSocket = connect({ host: old, port: lab.ports.https ?? 0, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.subject);
      socket.destroy();
    });
  });
  expect(subject).toBe('CN=Kubernetes Ingress Controller Fake Certificate');
  expect(asked).toEqual(['']);
});

test.for([
  { alpn: 'http/1.1', kind: 'reset', outcome: 'reset' },
  { alpn: 'http/1.1', kind: 'closed', outcome: 'closed-before-answer' },
  { alpn: 'h2', kind: 'reset', outcome: 'reset' },
  { alpn: 'h2', kind: 'closed', outcome: 'closed-before-answer' },
] as const)('over TLS, $alpn, $kind is $outcome', async ({ alpn, kind, outcome }) => {
  await using lab = await start({ serve: () => ({ kind, afterNs: 0, fault: 'connection-ended' }) });
  const connection = await connected(lab, alpn);
  expect((await exchange(connection)).outcome).toBe(outcome);
});

test.for(['h2', 'http/1.1'] as const)('%s: an idle connection ends in order when the world says', async (alpn) => {
  await using lab = await start({ idleEndNs: (_, lastUsedAtNs) => lastUsedAtNs + sToNs(0.083) });
  const connection = await connected(lab, alpn);
  const closed = new Promise((resolve) => (connection.onClosed = resolve));
  expect(await exchange(connection)).toMatchObject({ outcome: 'answered' });
  expect(await closed).toBe(alpn === 'h2' ? 'goaway' : 'server-closed');
});

test('over HTTP/2 an answer that closes is the last one: GOAWAY', async () => {
  await using lab = await start({ serve: () => answered({ closes: true }) });
  const connection = await connected(lab, 'h2');
  expect(await exchange(connection)).toMatchObject({ outcome: 'answered', serverClosed: true });
  expect(connection.isOpen).toBe(false);
});

test('HTTP/2 serves many requests at once', async () => {
  await using lab = await start({ serve: () => answered({ afterNs: sToNs(0.02) }) });
  const session = connectHttp2(`https://${old}:${lab.ports.https}`, { servername: 'pay.test', ca: lab.caPem ?? '' });
  const bodies = await Promise.all(
    Array.from({ length: 37 }, async () => {
      const stream = session.request({ ':path': '/ready', ':authority': 'pay.test' });
      let body = '';
      for await (const some of stream.setEncoding('utf8')) body += some;
      return body;
    }),
  );
  expect(bodies).toEqual(Array.from({ length: 37 }, () => 'ready\n'));
  session.close();
});
