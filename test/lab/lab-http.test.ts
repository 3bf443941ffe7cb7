import { describe, expect, test } from 'vitest';
import { sToNs } from '../../src/core/time.ts';
import { startLab, type Lab, type LabOptions } from '../../src/lab/lab.ts';
import type { Arrival, Served, WorldModel } from '../../src/model/world-model.ts';
import { newClock } from '../../src/net/clock.ts';
import { answered, quietWorld, setting } from './quiet-world.ts';
import { rawClient, type RawClient } from './raw-client.ts';

const [old] = setting.places.sides.old as [string, string];

function start(world: Partial<WorldModel>, options: Partial<LabOptions> = {}): Promise<Lab> {
  const clock = newClock(process.hrtime.bigint());
  return startLab({ world: quietWorld(world), setting, isTls: false, clock, runId: null, ...options });
}

const get = 'GET /ready?a=1 HTTP/1.1\r\nHost: Shop.test:8080\r\n\r\n';

test('an answer has the headers of the world in their order and case, then the side, Date, Content-Length and Connection', async () => {
  const headers = ['Server', 'awselb/2.0', 'X-sErVed-bY', 'ecs', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2'];
  await using lab = await start({ serve: () => answered({ status: 503, reason: 'Service Temporarily', headers }) });
  using client = rawClient(old, lab.ports.http);
  client.send(get);
  const text = await client.until('ready\n');
  expect(text.replace(/Date: [^\r]*/, 'Date: now').split('\r\n')).toEqual([
    'HTTP/1.1 503 Service Temporarily',
    'Server: awselb/2.0',
    'X-sErVed-bY: ecs',
    'Set-Cookie: a=1',
    'set-cookie: b=2',
    'X-Rehearsal-Side: old',
    'Content-Length: 6',
    'Date: now',
    'Connection: keep-alive',
    '',
    'ready\n',
  ]);
});

test('the world hears of each request what it needs to know', async () => {
  const arrivals: Arrival[] = [];
  const serve = (arrival: Arrival): Served => {
    arrivals.push(arrival);
    return answered();
  };
  await using lab = await start({ serve }, { runId: '0badcafe' });
  using client = rawClient(old, lab.ports.http);
  client.send(
    `GET /ready?a=1 HTTP/1.1\r\nHost: Shop.test:8080\r\nUser-Agent: probe\r\n` +
      `X-Amzn-Trace-Id: Root=1-67000000-0badcafe00030000000b0001\r\n\r\n`,
  );
  await client.until('ready\n');
  client.send(
    `POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n` +
      `X-Amzn-Trace-Id: Root=1-67000000-0badcaff00030000000b0001\r\n\r\nhi`,
  );
  await client.until('ready\nHTTP');
  expect(arrivals).toMatchObject([
    {
      hostname: 'shop.test',
      method: 'GET',
      path: '/ready?a=1',
      userAgent: 'probe',
      trace: { lane: 3, slot: 11, part: 1 },
      held: { address: old, requestCount: 0 },
    },
    { hostname: 'shop.test', method: 'POST', path: '/', trace: null, held: { requestCount: 1 } },
  ]);
  expect(arrivals[1]?.atNs).toBeGreaterThan(arrivals[0]?.atNs ?? Infinity);
});

test.for([
  { what: 'a HEAD has no body but its length', request: 'HEAD / HTTP/1.1', served: {}, end: 'Content-Length: 6' },
  { what: 'a 204 says no length', request: 'GET / HTTP/1.1', served: { status: 204, body: '' }, end: 'keep-alive' },
])('$what', async ({ request, served, end }) => {
  await using lab = await start({ serve: () => answered({ headers: [], ...served }) });
  using client = rawClient(old, lab.ports.http);
  client.send(`${request}\r\nHost: shop.test\r\nConnection: close\r\n\r\n`);
  const { text, how } = await client.ended;
  expect(how).toBe('fin');
  expect(text.endsWith('\r\n\r\n')).toBe(true);
  expect(text.includes('Content-Length')).toBe(end.startsWith('Content-Length'));
});

describe('how a connection ends is the word of the world', () => {
  test('an answer that closes says so, and then the connection ends', async () => {
    await using lab = await start({ serve: () => answered({ closes: true }) });
    using client = rawClient(old, lab.ports.http);
    client.send(get);
    const { how, text } = await client.ended;
    expect(how).toBe('fin');
    expect(text).toContain('\r\nConnection: close\r\n');
    expect(text).toContain('ready\n');
  });

  test.for([
    { kind: 'reset', how: 'reset' },
    { kind: 'closed', how: 'fin' },
  ] as const)('$kind, without a byte of an answer', async ({ kind, how }) => {
    await using lab = await start({ serve: () => ({ kind, afterNs: 0, fault: 'connection-ended' }) });
    using client = rawClient(old, lab.ports.http);
    client.send(get);
    expect(await client.ended).toEqual({ how, text: '' });
  });

  test('an idle connection ends when the world says', async () => {
    await using lab = await start({ idleEndNs: (_, lastUsedAtNs) => lastUsedAtNs + sToNs(0.083) });
    using client = rawClient(old, lab.ports.http);
    client.send(get);
    const { how, text } = await client.ended;
    expect(how).toBe('fin');
    expect(text).toContain('ready\n');
  });

  test('when something happens in the world, open connections are cut, and others stand', async () => {
    let cuts: readonly string[] = [];
    await using lab = await start({
      change: () => (cuts = [old]),
      cut: ({ address }) => (cuts.includes(address) ? 'reset' : null),
    });
    using cut = rawClient(old, lab.ports.http);
    using other = rawClient('127.0.2.1', lab.ports.http);
    cut.send(get);
    other.send(get);
    await Promise.all([cut.until('ready\n'), other.until('ready\n')]);
    expect(lab.change()).toBe(true);
    expect((await cut.ended).how).toBe('reset');
    other.send(get);
    await other.until('ready\nHTTP/1.1 200 OK');
  });

  test('what falls silent sends nothing more, not even what was under way', async () => {
    let isSilent = false;
    const told: string[] = [];
    await using lab = await start({
      change: () => (isSilent = true),
      cut: () => (isSilent ? 'silent' : null),
      recordCut: ({ path, held }) => told.push(`${path} on ${held.address}`),
      serve: ({ path }) => answered({ afterNs: path === '/slow' ? sToNs(0.053) : 0 }),
    });
    using client = rawClient(old, lab.ports.http);
    client.send(get);
    await client.until('ready\n');
    client.send('GET /slow HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    lab.change();
    using witness = rawClient('127.0.2.1', lab.ports.http);
    isSilent = false;
    witness.send('GET /slow HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await witness.until('ready\n');
    expect(client.text.match(/ready\n/g)).toHaveLength(1);
    // Only what had no answer yet, and once.
    expect(told.filter((text) => text !== `/slow on ${old}`)).toEqual([]);
    expect(told.length).toBeLessThanOrEqual(1);
  });

  test('the world is told which requests were under way as their connection was cut, and of no other', async () => {
    let isCut = false;
    const told: string[] = [];
    const arrived: string[] = [];
    await using lab = await start({
      change: () => (isCut = true),
      cut: ({ address }) => (isCut && address === old ? 'reset' : null),
      recordCut: ({ path, held }) => told.push(`${path} on ${held.address}`),
      serve: ({ path, held }) => {
        arrived.push(`${path} on ${held.address}`);
        return path === '/never' ? { kind: 'silent', fault: 'network-degraded' } : answered();
      },
    });
    const never = 'GET /never HTTP/1.1\r\nHost: shop.test\r\n\r\n';
    using idle = rawClient(old, lab.ports.http);
    using waiting = rawClient(old, lab.ports.http);
    using elsewhere = rawClient('127.0.2.1', lab.ports.http);
    idle.send(get);
    await idle.until('ready\n');
    waiting.send(never);
    elsewhere.send(never);
    await expect.poll(() => arrived.length, { timeout: 10_000 }).toBe(3);
    lab.change();
    expect((await waiting.ended).how).toBe('reset');
    expect(told).toEqual([`/never on ${old}`]);
  });
});

describe('whether a connection is made is the word of the world', () => {
  test('refused by the kernel while the world refuses, and let in again afterwards', async () => {
    let isRefused = false;
    let next: number | null = null;
    const clock = newClock(process.hrtime.bigint());
    await using lab = await start(
      {
        change: (nowNs) => {
          isRefused = true;
          next = nowNs + sToNs(0.117);
        },
        nextEventNs: () => next,
        advance: (nowNs) => {
          if (next === null || nowNs < next) return;
          isRefused = false;
          next = null;
        },
        dial: (address) =>
          isRefused && address === old
            ? { kind: 'refused', afterNs: 0, fault: 'load-balancer-removed' }
            : { kind: 'accepted', afterNs: 0 },
      },
      { clock },
    );
    using kept = rawClient(old, lab.ports.http);
    kept.send(get);
    await kept.until('ready\n');
    lab.change();
    using refused = rawClient(old, lab.ports.http);
    expect((await refused.ended).how).toBe('refused');
    kept.send(get);
    await kept.until('ready\nHTTP');
    for (;;) {
      using client = rawClient(old, lab.ports.http);
      client.send(get);
      const came = await Promise.race([client.until('ready\n'), client.ended.then(() => null)]);
      if (came !== null) break;
    }
  });

  test.skipIf(process.platform !== 'linux')(
    'where the world is silent, no SYN is answered, until it speaks again',
    { timeout: 30_000 },
    async () => {
      let isSilent = true;
      await using lab = await start({
        change: () => (isSilent = false),
        dial: (address) =>
          isSilent && address === old ? { kind: 'silent', fault: 'zone-lost' } : { kind: 'accepted', afterNs: 0 },
      });
      using witness = rawClient('127.0.2.1', lab.ports.http);
      witness.send(get);
      await witness.until('ready\n');
      // Until the door is mute, connections are made and nothing ever comes on them.
      const made: RawClient[] = [];
      let isMade = true;
      while (isMade) {
        const client = rawClient(old, lab.ports.http);
        made.push(client);
        client.send(get);
        isMade = await Promise.race([client.connected.then(() => true), secondsLater(0.7).then(() => false)]);
        await secondsLater(0.02);
      }
      expect(made.map(({ text }) => text).join('')).toBe('');
      lab.change();
      for (;;) {
        using client = rawClient(old, lab.ports.http);
        client.send(get);
        if ((await Promise.race([client.until('ready\n'), client.ended])) !== null) break;
      }
      for (const client of made) client[Symbol.dispose]();
    },
  );
});

function secondsLater(s: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, s * 1000));
}

test('the round trip and the time that the world takes pass before the answer', async () => {
  const clock = newClock(process.hrtime.bigint());
  await using lab = await start(
    { serve: () => answered({ afterNs: sToNs(0.041) }), rttNs: () => sToNs(0.037) },
    { clock },
  );
  using client = rawClient(old, lab.ports.http);
  const sentAtNs = clock.nowNs();
  client.send(get);
  await client.until('ready\n');
  expect(clock.nowNs() - sentAtNs).toBeGreaterThanOrEqual(sToNs(0.078));
});

test('the change is made once, by whoever knows the way', async () => {
  let count = 0;
  await using lab = await start({ change: () => void (count += 1) });
  const post = async (url: string, method = 'POST'): Promise<number> => (await fetch(url, { method })).status;
  expect(await post(new URL('/change', lab.changeUrl).href)).toBe(404);
  expect(await post(lab.changeUrl, 'GET')).toBe(405);
  expect(count).toBe(0);
  expect(await post(lab.changeUrl)).toBe(204);
  expect(await post(lab.changeUrl)).toBe(409);
  expect(lab.change()).toBe(false);
  expect(count).toBe(1);
});

test('when it ends, every connection and every port is free, and the world has its last word', async () => {
  let endedAtNs = 0;
  const lab = await start({ end: (nowNs) => (endedAtNs = nowNs) });
  using kept = rawClient(old, lab.ports.http);
  kept.send(get);
  await kept.until('ready\n');
  await lab[Symbol.asyncDispose]();
  expect(endedAtNs).toBeGreaterThan(0);
  await kept.ended;
  using late = rawClient(old, lab.ports.http);
  expect((await late.ended).how).toBe('refused');
});
