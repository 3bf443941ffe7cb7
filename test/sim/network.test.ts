/** What the prober sees of a simulated connection; the same claims hold for real ones (test/net). */
import { describe, expect, test } from 'vitest';
import type { DialResult } from '../../src/core/ports.ts';
import { certificateSha256Of } from '../../src/sim/certificates.ts';
import type { Arrival } from '../../src/model/world-model.ts';
import { address, connect, dial, get, http1, http2, newStage, rttNs, serveNs } from './kit.ts';

function failed(result: DialResult): Extract<DialResult, { kind: 'failed' }> {
  if (result.kind === 'connected') expect.fail('connected');
  return result;
}

describe('a dial', () => {
  test('takes a round trip, and over TLS one more', async () => {
    const stage = newStage();
    const plain = await connect(stage);
    expect(plain).toMatchObject({
      dialledAtNs: 0,
      connectedAtNs: rttNs,
      securedAtNs: 0,
      certificateSha256: '',
      alpn: '',
    });
    const secured = await connect(stage, http1);
    expect(secured).toMatchObject({
      dialledAtNs: rttNs,
      connectedAtNs: 2 * rttNs,
      securedAtNs: 3 * rttNs,
      certificateSha256: certificateSha256Of({ side: 'old', kind: 'right' }),
      alpn: 'http/1.1',
      tlsVersion: 'TLSv1.3',
      address,
    });
    expect(secured.localPort).not.toBe(plain.localPort);
  });

  test('has HTTP/2 where it is offered', async () => {
    expect((await connect(newStage(), http2)).alpn).toBe('h2');
  });

  test('that is refused ends after a round trip', async () => {
    const stage = newStage({ dial: () => ({ kind: 'refused', afterNs: 5e6, fault: 'load-balancer-removed' }) });
    expect(await dial(stage, http1)).toEqual({
      kind: 'failed',
      outcome: 'connect-refused',
      error: 'ECONNREFUSED',
      startedAtNs: 0,
      connectedAtNs: 0,
      endedAtNs: rttNs + 5e6,
      localPort: 0,
      certificateSha256: '',
    });
  });

  test.for([
    { claim: 'that nobody answers', over: { dial: () => ({ kind: 'silent', fault: 'zone-lost' }) as const } },
    { claim: 'that is answered too late', over: { rttNs: () => 5e9 + 1 } },
  ])('$claim ends at its deadline', async ({ over }) => {
    expect(failed(await dial(newStage(over)))).toMatchObject({
      outcome: 'connect-timed-out',
      error: '',
      connectedAtNs: 0,
      endedAtNs: 5e9,
      localPort: 0,
    });
  });

  /** Silent until then; SYNs go out at 0, 1, 3, 7 s …, each answered after a round trip. */
  test.for([
    { silentUntilS: 0.9, withinS: 5, connectedAtS: 1 },
    { silentUntilS: 1.1, withinS: 5, connectedAtS: 3 },
    { silentUntilS: 3.1, withinS: 5, connectedAtS: null },
    { silentUntilS: 3.1, withinS: 8, connectedAtS: 7 },
    { silentUntilS: 7.1, withinS: 16, connectedAtS: 15 },
    // The last SYN is sent in time, its answer comes too late.
    { silentUntilS: 2, withinS: 3.01, connectedAtS: null },
  ])(
    'into a silence that ends after $silentUntilS s is answered when its SYN is sent again: $connectedAtS',
    async ({ silentUntilS, withinS, connectedAtS }) => {
      const stage = newStage({
        dial: (_, nowNs) =>
          nowNs < silentUntilS * 1e9 ? { kind: 'silent', fault: 'zone-lost' } : { kind: 'accepted', afterNs: 0 },
      });
      const result = await dial(stage, null, withinS);
      if (connectedAtS === null) {
        expect(failed(result)).toMatchObject({ outcome: 'connect-timed-out', endedAtNs: withinS * 1e9 });
      } else {
        if (result.kind === 'failed') expect.fail(result.outcome);
        expect(result.connection).toMatchObject({ dialledAtNs: 0, connectedAtNs: connectedAtS * 1e9 + rttNs });
      }
    },
  );

  test('into a silence that ends in a refusal is refused when its SYN is sent again', async () => {
    const stage = newStage({
      dial: (_, nowNs) =>
        nowNs < 2e9
          ? { kind: 'silent', fault: 'zone-lost' }
          : { kind: 'refused', afterNs: 0, fault: 'load-balancer-removed' },
    });
    expect(failed(await dial(stage))).toMatchObject({ outcome: 'connect-refused', endedAtNs: 3e9 + rttNs });
  });

  test('whose handshake is too slow ends at the deadline of that', async () => {
    const stage = newStage();
    const tooSlow = { connectAtNs: rttNs, secureAtNs: 2 * rttNs - 1 };
    const result = failed(
      await stage.clock.runUntil(stage.network.dialer.dial({ address, port: 1, tls: http1 }, tooSlow)),
    );
    expect(result).toMatchObject({
      outcome: 'tls-timed-out',
      error: '',
      connectedAtNs: rttNs,
      endedAtNs: 2 * rttNs - 1,
    });
  });

  test.for([
    { kind: 'expired', error: 'expired' },
    { kind: 'other-name', error: 'wrong-name' },
    { kind: 'default', error: 'self-signed' },
  ] as const)(
    'that is shown a certificate of kind $kind is refused as $error, and knows it',
    async ({ kind, error }) => {
      const stage = newStage({ certificate: () => ({ kind, side: 'new', names: ['else.test'] }) });
      const result = failed(await dial(stage, http1));
      expect(result).toMatchObject({
        outcome: 'tls-failed',
        error,
        connectedAtNs: rttNs,
        endedAtNs: 2 * rttNs,
        certificateSha256: certificateSha256Of({ side: 'new', kind }),
      });
      expect(result.certificateSha256).toMatch(/^[0-9a-f]{64}$/);
      expect(result.localPort).toBeGreaterThan(0);
    },
  );

  test('each side and kind of certificate has a fingerprint of its own', () => {
    const all = (['old', 'new', 'reference'] as const).flatMap((side) =>
      (['right', 'default', 'other-name', 'expired'] as const).map((kind) => certificateSha256Of({ side, kind })),
    );
    expect(new Set(all).size).toBe(12);
  });
});

describe('an exchange', () => {
  test('tells the model who asks for what, and takes a round trip and the server’s time', async () => {
    const stage = newStage();
    const connection = await connect(stage, http1);
    const sentAtNs = stage.clock.nowNs();
    const exchange = await stage.clock.runUntil(connection.exchange(get(), sentAtNs + 12e9));
    expect(stage.arrivals).toEqual([
      {
        atNs: sentAtNs,
        held: { address, openedAtNs: rttNs, requestCount: 0, alpn: 'http/1.1' },
        hostname: 'shop.test',
        isSecure: true,
        isUpgrade: false,
        method: 'GET',
        path: '/ready?deep=1',
        userAgent: 'me',
        trace: { runId: 'c0ffee42', lane: 7, slot: 3000, part: 2 },
      },
    ]);
    const endedAtNs = sentAtNs + rttNs + serveNs;
    expect(exchange).toEqual({
      outcome: 'answered',
      error: '',
      status: 200,
      headers: ['X-Served-By', 'ecs', 'Content-Length', '6'],
      bodyBytes: 6,
      bodyStart: new TextEncoder().encode('häppy'),
      sentAtNs,
      firstByteAtNs: endedAtNs,
      endedAtNs,
      informationalSeen: false,
      framingComplete: true,
      serverClosed: false,
      cutByUs: false,
    });
    expect(connection.isOpen).toBe(true);
    await stage.clock.runUntil(connection.exchange(get(), Infinity));
    expect(stage.arrivals[1]?.held.requestCount).toBe(1);
  });

  test('of HTTP/2 has its header names in lower case', async () => {
    const stage = newStage();
    const connection = await connect(stage, http2);
    const { headers } = await stage.clock.runUntil(connection.exchange(get(), 1e12));
    expect(headers).toEqual(['x-served-by', 'ecs', 'content-length', '6']);
  });

  test.for([
    { method: 'HEAD', status: 200, length: '6' },
    { method: 'GET', status: 204, length: undefined },
    { method: 'GET', status: 304, length: undefined },
  ])('$method with $status has no body', async ({ method, status, length }) => {
    const stage = newStage();
    const { serve } = stage.world;
    stage.world.serve = (arrival) => ({ ...serve(arrival), status }) as ReturnType<typeof serve>;
    const connection = await connect(stage);
    const exchange = await stage.clock.runUntil(connection.exchange(get({ method }), 1e12));
    expect(exchange).toMatchObject({
      outcome: 'answered',
      status,
      bodyBytes: 0,
      bodyStart: null,
      framingComplete: true,
    });
    expect(exchange.headers[exchange.headers.indexOf('Content-Length') + 1]).toBe(length ?? 'X-Served-By');
  });

  test('of more than 64 KiB is cut by us, and ends an HTTP/1.1 connection', async () => {
    const stage = newStage();
    const { serve } = stage.world;
    stage.world.serve = (arrival) => ({ ...serve(arrival), body: 'x'.repeat(65_537) }) as ReturnType<typeof serve>;
    for (const tls of [http1, http2]) {
      const connection = await connect(stage, tls);
      const exchange = await stage.clock.runUntil(connection.exchange(get(), 1e12));
      expect(exchange).toMatchObject({ outcome: 'answered', bodyBytes: 65_536, cutByUs: true, framingComplete: false });
      expect(connection.isOpen).toBe(tls === http2);
    }
  });

  test('ends at the first of its deadlines; then HTTP/1.1 is closed, and HTTP/2 goes on', async () => {
    const stage = newStage({ rttNs: () => 3e9 });
    for (const [tls, deadlineNs, firstByteNs, endNs] of [
      [http1, 2e9, 12e9, 2e9],
      [http2, 12e9, 2.5e9, 2.5e9],
    ] as const) {
      const connection = await connect(stage, tls);
      const sentAtNs = stage.clock.nowNs();
      const exchange = await stage.clock.runUntil(
        connection.exchange(get(), sentAtNs + deadlineNs, sentAtNs + firstByteNs),
      );
      expect(exchange).toMatchObject({
        outcome: 'first-byte-timed-out',
        error: '',
        status: 0,
        firstByteAtNs: 0,
        endedAtNs: sentAtNs + endNs,
        bodyStart: null,
      });
      expect(connection.isOpen).toBe(tls === http2);
    }
  });

  test('that comes at its deadline has come in time', async () => {
    const stage = newStage();
    const connection = await connect(stage);
    const exchange = connection.exchange(get(), stage.clock.nowNs() + rttNs + serveNs);
    expect((await stage.clock.runUntil(exchange)).outcome).toBe('answered');
  });

  test.for([
    { kind: 'reset', sees: { outcome: 'reset', error: 'ECONNRESET', status: 0, serverClosed: false } },
    { kind: 'closed', sees: { outcome: 'closed-before-answer', error: '', status: 0, serverClosed: true } },
  ] as const)('that is $kind ends so, without an event', async ({ kind, sees }) => {
    const stage = newStage({ serve: () => ({ kind, afterNs: 2e6, fault: 'network-degraded' }) });
    const connection = await connect(stage);
    connection.onClosed = (why) => expect.fail(why);
    const sentAtNs = stage.clock.nowNs();
    const exchange = await stage.clock.runUntil(connection.exchange(get(), sentAtNs + 12e9));
    expect(exchange).toMatchObject({ ...sees, endedAtNs: sentAtNs + rttNs + 2e6 });
    expect(connection.isOpen).toBe(false);
  });

  test('that nobody answers waits for the deadline', async () => {
    const stage = newStage({ serve: () => ({ kind: 'silent', fault: 'own-network-lost' }) });
    const connection = await connect(stage);
    const exchange = await stage.clock.runUntil(connection.exchange(get(), 12e9));
    expect(exchange).toMatchObject({ outcome: 'first-byte-timed-out', endedAtNs: 12e9 });
  });

  test('on a closed connection was never sent', async () => {
    const stage = newStage();
    const connection = await connect(stage);
    connection.close();
    const exchange = await stage.clock.runUntil(connection.exchange(get(), 12e9));
    expect(exchange).toMatchObject({
      outcome: 'closed-before-answer',
      error: 'not sent',
      endedAtNs: stage.clock.nowNs(),
    });
    expect(stage.arrivals).toEqual([]);
  });

  test('after which the server closes says so, and no event follows', async () => {
    const stage = newStage();
    const { serve } = stage.world;
    stage.world.serve = (arrival) => ({ ...serve(arrival), closes: true }) as ReturnType<typeof serve>;
    for (const tls of [http1, http2]) {
      const connection = await connect(stage, tls);
      connection.onClosed = (why) => expect.fail(why);
      const exchange = await stage.clock.runUntil(connection.exchange(get(), 1e12));
      expect(exchange).toMatchObject({ outcome: 'answered', serverClosed: true });
      expect(exchange.headers.includes('Connection')).toBe(tls === http1);
      expect(connection.isOpen).toBe(false);
      const next = await stage.clock.runUntil(connection.exchange(get(), 1e12));
      expect(next.outcome).toBe(tls === http2 ? 'goaway' : 'closed-before-answer');
    }
  });

  test('that asks to close is closed by the server', async () => {
    const stage = newStage();
    const connection = await connect(stage);
    const request = get({ headers: ['Connection', 'close'] });
    expect(await stage.clock.runUntil(connection.exchange(request, 1e12))).toMatchObject({ serverClosed: true });
    expect(connection.isOpen).toBe(false);
  });

  test('that goes away on HTTP/2 lets the others end', async () => {
    const stage = newStage();
    const { serve } = stage.world;
    let count = 0;
    stage.world.serve = (arrival) => {
      count += 1;
      return { ...serve(arrival), afterNs: count * 1e6, closes: count === 1 } as ReturnType<typeof serve>;
    };
    const connection = await connect(stage, http2);
    const all = await stage.clock.runUntil(
      Promise.all([connection.exchange(get(), 1e12), connection.exchange(get(), 1e12)]),
    );
    expect(all).toMatchObject([{ outcome: 'answered' }, { outcome: 'answered', serverClosed: true }]);
  });

  test('two at once on HTTP/1.1 are our mistake', async () => {
    const stage = newStage();
    const connection = await connect(stage);
    void connection.exchange(get(), 1e12);
    expect(() => connection.exchange(get(), 1e12)).toThrow('one exchange at a time');
  });
});

describe('an idle connection', () => {
  const idleNs = 60e9;

  test.for([
    { tls: http1, why: 'server-closed' },
    { tls: http2, why: 'goaway' },
  ] as const)(
    'is closed by the server when its time is over, counted from its last use: $why',
    async ({ tls, why }) => {
      const stage = newStage({ idleEndNs: (_, lastUsedAtNs) => lastUsedAtNs + idleNs });
      const connection = await connect(stage, tls);
      const closed: string[] = [];
      connection.onClosed = (reason) => closed.push(`${reason}@${stage.clock.nowNs()}`);
      let lastNs = 0;
      for (let i = 0; i < 3; i += 1) {
        await stage.waitS(41);
        expect(connection.isOpen).toBe(true);
        lastNs = (await stage.clock.runUntil(connection.exchange(get(), Infinity))).endedAtNs;
      }
      await stage.waitS(100);
      expect(closed).toEqual([`${why}@${lastNs + idleNs}`]);
      expect(connection.isOpen).toBe(false);
    },
  );

  test('that is in use is not closed', async () => {
    const stage = newStage({ idleEndNs: (_, lastUsedAtNs) => lastUsedAtNs + 1e9 });
    const { serve } = stage.world;
    stage.world.serve = (arrival) => ({ ...serve(arrival), afterNs: 3e9 }) as ReturnType<typeof serve>;
    const connection = await connect(stage);
    expect((await stage.clock.runUntil(connection.exchange(get(), 1e12))).outcome).toBe('answered');
    expect(connection.isOpen).toBe(true);
  });

  test('that we closed is no event', async () => {
    const stage = newStage({ idleEndNs: (_, lastUsedAtNs) => lastUsedAtNs + 1e9 });
    const connection = await connect(stage);
    connection.onClosed = (why) => expect.fail(why);
    connection.close();
    await stage.waitS(5);
  });
});

describe('when the world changes by itself', () => {
  test('idle connections that lead to nothing are reset at that instant', async () => {
    let isOver = false;
    const stage = newStage({
      nextEventNs: () => (isOver ? null : 5e9),
      advance: (nowNs) => {
        isOver ||= nowNs >= 5e9;
      },
      cut: () => (isOver ? 'reset' : null),
    });
    const connection = await connect(stage);
    const closed: string[] = [];
    connection.onClosed = (why) => closed.push(`${why}@${stage.clock.nowNs()}`);
    await stage.waitS(10);
    expect(closed).toEqual(['reset@5000000000']);
    expect(connection.isOpen).toBe(false);
  });

  test('what comes sooner because of the change is not waited for as long as what was to come', async () => {
    let nextNs: number | null = 7e9;
    const advances: number[] = [];
    const stage = newStage({
      nextEventNs: () => nextNs,
      change: () => (nextNs = 2e9),
      advance: (nowNs) => {
        advances.push(nowNs);
        nextNs = nowNs < 7e9 ? 7e9 : null;
      },
    });
    await stage.waitS(1);
    stage.network.change();
    await stage.waitS(9);
    expect(advances).toEqual([2e9, 7e9]);
  });

  test('what is under way is reset with its connection, all of HTTP/2', async () => {
    const stage = newStage({ cut: () => 'reset', rttNs: () => 1e9 });
    const connection = await connect(stage, http2);
    connection.onClosed = (why) => expect.fail(why);
    const told: (readonly [trace: Arrival['trace'], alpn: string | undefined, nowNs: number])[] = [];
    stage.world.recordCut = ({ trace, held }, nowNs) => told.push([trace, held.alpn, nowNs]);
    const both = Promise.all([connection.exchange(get(), 1e12), connection.exchange(get(), 1e12)]);
    stage.clock.at(stage.clock.nowNs() + 3e6, () => stage.network.change());
    const sentAtNs = stage.clock.nowNs();
    for (const exchange of await stage.clock.runUntil(both)) {
      expect(exchange).toMatchObject({ outcome: 'reset', error: 'ECONNRESET', endedAtNs: sentAtNs + 3e6 });
    }
    const trace = { lane: 7, slot: 3000, part: 2 };
    expect(told).toMatchObject(Array(2).fill([trace, 'h2', sentAtNs + 3e6]));
  });

  test('silence is for ever: nothing on that connection is answered any more, and nothing says so', async () => {
    const stage = newStage({ cut: () => 'silent', idleEndNs: (_, lastUsedAtNs) => lastUsedAtNs + 1e9 });
    const connection = await connect(stage, http2);
    connection.onClosed = (why) => expect.fail(why);
    let toldCount = 0;
    stage.world.recordCut = () => (toldCount += 1);
    const sentAtNs = stage.clock.nowNs();
    stage.clock.at(sentAtNs + 1e6, () => stage.network.change());
    stage.clock.at(sentAtNs + 2e6, () => stage.network.change());
    const first = await stage.clock.runUntil(connection.exchange(get(), sentAtNs + 12e9));
    expect(first).toMatchObject({ outcome: 'first-byte-timed-out', endedAtNs: sentAtNs + 12e9 });
    expect(connection.isOpen).toBe(true);
    expect(toldCount).toBe(1);
    stage.world.cut = () => null;
    const second = await stage.clock.runUntil(connection.exchange(get(), sentAtNs + 20e9));
    expect(second).toMatchObject({ outcome: 'first-byte-timed-out', endedAtNs: sentAtNs + 20e9 });
    expect(stage.arrivals).toHaveLength(1);
  });

  test('connections that were closed are forgotten', async () => {
    const stage = newStage();
    const asked: string[] = [];
    stage.world.cut = (held) => {
      asked.push(held.address);
      return null;
    };
    const connections = [await connect(stage), await connect(stage)];
    await stage.clock.runUntil(
      (connections[0] as (typeof connections)[0]).exchange(get({ headers: ['Connection', 'close'] }), 1e12),
    );
    stage.network.change();
    expect(asked).toHaveLength(1);
  });
});
