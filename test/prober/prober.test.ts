import { describe, expect, test } from 'vitest';
import { dueAtNs, slotsDueBefore } from '../../src/core/schedule.ts';
import type { Lane } from '../../src/core/scenario.ts';
import { presets } from '../../src/clients/presets.ts';
import { checkOf, laneOf, newBench } from './kit.ts';

/** A lane pinned to an address asks no resolver. */
function pinned(number: number, address: string, overrides: Partial<Lane> = {}): Lane {
  const { fresh } = presets;
  if (fresh === undefined) throw new Error('no preset');
  const archetype = { ...fresh, resolve: { kind: 'pinned' as const, address } };
  return laneOf(number, 'side:old', { archetype, resolver: null, address, ...overrides });
}

describe('open loop', () => {
  test.for([2, 3, 7, 11.3])(
    'at %f/s every slot is sent at its own due time, however slow the answers are',
    async (rate) => {
      const bench = newBench([
        pinned(0, '127.0.1.1', { ratePerSecond: rate, staggerNs: 13_000_001, inFlightMax: 1000 }),
      ]);
      bench.world.answer = () => ({ afterS: 3.3 });
      await bench.clock.runUntilS(20);
      const lane = bench.lanes[0] as Lane;
      const sent = bench.rows.filter((row) => row.part === 0);
      expect(sent.length).toBe(slotsDueBefore(lane, 16.7e9));
      for (const row of sent) expect(row.lateUs).toBe(0);
      expect(sent.map((row) => row.slot)).toEqual(sent.map((_, i) => i));
    },
  );

  test('a full house drops slots and says so; it never sends them late', async () => {
    const bench = newBench([pinned(0, '127.0.1.1', { ratePerSecond: 7, inFlightMax: 3 })]);
    bench.world.answer = () => ({ afterS: Infinity });
    await bench.clock.runUntilS(9.99);
    expect(bench.requests.length).toBe(3);
    const dropped = bench.rows.filter((row) => row.outcomeName === 'dropped');
    expect(dropped.length).toBe(slotsDueBefore(bench.lanes[0] as Lane, 9.99e9) - 3);
  });

  test('a lane that hangs touches no other lane', async () => {
    const bench = newBench([
      pinned(0, '127.0.1.1', { inFlightMax: 2 }),
      pinned(1, '127.0.2.1', { staggerNs: 7_000_003 }),
    ]);
    bench.world.answer = (address) => ({ afterS: address === '127.0.1.1' ? Infinity : 0.02 });
    await bench.clock.runUntilS(9.9);
    const other = bench.rows.filter((row) => row.lane === 1);
    expect(other.length).toBe(20);
    for (const row of other) {
      expect(row.outcomeName).toBe('answered');
      expect(row.lateUs).toBe(0);
    }
  });

  test('slots missed in a stall of ours are logged as dropped, not fired all at once', async () => {
    const bench = newBench([pinned(0, '127.0.1.1', { ratePerSecond: 7 })]);
    await bench.clock.runUntilS(3);
    const before = bench.requests.length;
    bench.clock.stallS(4);
    await bench.clock.runUntilS(7.2);
    // What was due within the last 100 ms still speaks for its due instant.
    expect(bench.requests.length - before).toBeLessThanOrEqual(3);
    const dropped = bench.rows.filter((row) => row.outcomeName === 'dropped');
    expect(dropped.length).toBeGreaterThanOrEqual(26);
    expect(new Set(bench.rows.map((row) => row.slot)).size).toBe(bench.rows.length);
  });

  test('a late start counts: lateness is sent − due', async () => {
    const bench = newBench([pinned(0, '127.0.1.1')]);
    await bench.clock.runUntilS(1.2);
    bench.clock.stallS(0.37);
    await bench.clock.runUntilS(1.9);
    const row = bench.rows.find((one) => one.slot === 3);
    expect(row?.lateUs).toBe(70_000);
    expect(row?.outcomeName).toBe('answered');
  });
});

test('stopping fires nothing due at or after the instant and waits for what is in flight', async () => {
  const bench = newBench([pinned(0, '127.0.1.1', { ratePerSecond: 3 })]);
  bench.world.answer = () => ({ afterS: 2.5 });
  await bench.clock.runUntilS(4);
  let isStopped = false;
  const stopping = bench.prober.stop(4.4e9).then(() => {
    isStopped = true;
  });
  await bench.clock.runUntilS(5);
  expect(isStopped).toBe(false);
  await bench.clock.runUntilS(8);
  await stopping;
  expect(bench.rows.length).toBe(slotsDueBefore(bench.lanes[0] as Lane, 4.4e9));
  expect(bench.prober.underWayCount).toBe(0);
});

describe('DNS', () => {
  test('all lanes that resolve per connection share one query per resolver, name and second', async () => {
    const bench = newBench([0, 1, 2, 3, 4].map((n) => laneOf(n, 'fresh', { staggerNs: n * 90_000_001 })));
    await bench.clock.runUntilS(9.95);
    expect(bench.rows.length).toBe(100);
    expect(bench.queries.length).toBeLessThanOrEqual(10);
    expect(Math.max(...bench.rows.map((row) => row.answerAgeMs))).toBeLessThan(1000);
  });

  test('whoever is due when the resolver is back asks anew, and does not fail with the query that it never heard', async () => {
    const bench = newBench([laneOf(0, 'fresh', { ratePerSecond: 2.3 })]);
    // What is asked in the first 1.7 s is lost, and waited for until 5 s are over.
    bench.world.resolve = (_, __, atS) => (atS < 1.7 ? 'timed-out' : { addresses: ['127.0.1.1'], ttlS: 5 });
    await bench.clock.runUntilS(9);
    const [lost, answered] = [true, false].map((isLost) =>
      bench.rows.filter((row) => (row.outcomeName === 'dns-timed-out') === isLost).map((row) => row.slot),
    );
    expect(lost?.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(answered?.slice(0, 3)).toEqual([6, 7, 8]);
    expect(bench.queries.filter(({ atS }) => atS < 2.7).length).toBe(3);
  });

  test.for([
    { client: 'jvm-30', queries: [0, 30, 60] },
    { client: 'jvm-forever', queries: [0] },
  ])('$client asks at $queries s', async ({ client, queries }) => {
    const bench = newBench([laneOf(0, client)]);
    await bench.clock.runUntilS(70);
    expect(bench.queries.map((query) => query.atS)).toEqual(queries);
  });

  test('a kept connection needs no DNS, and its rows carry the answer it was opened with', async () => {
    const bench = newBench([laneOf(0, 'keep-alive')]);
    await bench.clock.runUntilS(30.3);
    expect(bench.queries.length).toBe(1);
    expect(bench.dials.length).toBe(1);
    const last = bench.rows.at(-1);
    expect(last?.answerAgeMs).toBe(30_000);
    expect(last?.answerTtlS).toBe(5);
    expect(last?.connectionAgeMs).toBe(30_000);
  });

  test.for([
    { reply: 'timed-out' as const, outcome: 'dns-timed-out' },
    { reply: { rcode: 'NXDOMAIN' }, outcome: 'dns-nxdomain' },
    { reply: { rcode: 'SERVFAIL' }, outcome: 'dns-servfail' },
    { reply: { addresses: [] }, outcome: 'dns-failed' },
  ])('a resolver that says $reply is $outcome, and nobody is contacted', async ({ reply, outcome }) => {
    const bench = newBench([laneOf(0, 'fresh')]);
    bench.world.resolve = () => reply;
    await bench.clock.runUntilS(8);
    expect(bench.rows.length).toBeGreaterThan(3);
    for (const row of bench.rows) expect(row.outcomeName).toBe(outcome);
    expect(bench.dials).toEqual([]);
  });

  test('a failure that the client remembers is not asked about again, and every slot meanwhile fails with it', async () => {
    const bench = newBench([laneOf(0, 'jvm-30')]);
    bench.world.resolve = (_, __, atS) => (atS < 1.3 ? { rcode: 'NXDOMAIN' } : { addresses: ['127.0.1.1'], ttlS: 5 });
    await bench.clock.runUntilS(14.2);
    const failed = bench.rows.filter((row) => row.outcomeName === 'dns-nxdomain').map((row) => row.slot);
    expect(failed).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(new Set(bench.rows.slice(0, 20).map((row) => row.answer)).size).toBe(1);
    // A and, as that said NXDOMAIN, no AAAA; then both again.
    expect(bench.queries.map(({ atS }) => atS)).toEqual([0, 10]);
  });

  test('whoever refreshes asks between its slots too, and never waits for it', async () => {
    const bench = newBench([laneOf(0, 'envoy-dns', { ratePerSecond: 0.05, inFlightMax: 3 })]);
    bench.world.resolve = (_, __, atS) => ({ addresses: [atS < 31 ? '127.0.1.1' : '127.0.2.1'], ttlS: 5 });
    bench.world.answer = () => ({ outcome: 'closed-before-answer' });
    await bench.clock.runUntilS(45);
    const own = bench.rows.filter((row) => row.part === 0);
    expect(own.map((row) => row.addressText)).toEqual(['127.0.1.1', '127.0.1.1', '127.0.2.1']);
    expect(own.map((row) => row.resolvedUs > 0)).toEqual([false, false, false]);
    const askedS = bench.queries.map(({ atS }) => atS);
    expect(askedS.length).toBeGreaterThanOrEqual(9);
    for (const [i, atS] of askedS.slice(1).entries()) expect(atS - (askedS[i] ?? 0)).toBeLessThanOrEqual(6);
  });

  test('an authoritative server is asked without recursion; where its alias leads, another one is asked', async () => {
    const server = { kind: 'udp', address: '127.0.3.1', port: 53 } as const;
    const beyond = { kind: 'udp', address: '127.0.4.1', port: 53 } as const;
    const bench = newBench([
      laneOf(0, 'authority', { resolver: { name: '127.0.3.1:53', server, authority: { beyond } } }),
    ]);
    bench.world.resolve = (name) =>
      name === 'orders.test' ? { chain: ['lb.test'], ttlS: 60 } : { addresses: ['127.0.1.1'], ttlS: 7 };
    await bench.clock.runUntilS(0.2);
    expect(bench.queries).toMatchObject([
      { name: 'orders.test', server: '127.0.3.1', recursionDesired: false },
      { name: 'lb.test', server: '127.0.4.1', recursionDesired: true },
    ]);
    expect(bench.rows).toMatchObject([{ outcomeName: 'answered', addressText: '127.0.1.1', answerTtlS: 7 }]);
  });

  test('AAAA is asked where A has no address', async () => {
    const bench = newBench([laneOf(0, 'fresh')]);
    bench.world.resolve = (_, type) => ({ addresses: type === 'AAAA' ? ['::1'] : [] });
    await bench.clock.runUntilS(0.1);
    expect(bench.rows[0]?.addressText).toBe('::1');
  });
});

describe('connections', () => {
  test('after a failure on a kept connection a fresh one is tried at once, as a row of its own', async () => {
    const bench = newBench([laneOf(0, 'keep-alive')]);
    bench.world.answer = (_, atS) => ({ outcome: atS > 3.2 && atS < 3.7 ? 'reset' : 'answered' });
    await bench.clock.runUntilS(3.3);
    bench.world.answer = (_, atS) => ({ outcome: atS > 3.4 && atS < 3.505 ? 'reset' : 'answered' });
    await bench.clock.runUntilS(6);
    const failed = bench.rows.filter((row) => row.outcomeName === 'reset');
    expect(failed.map((row) => [row.slot, row.part])).toEqual([[7, 0]]);
    expect(failed[0]?.connectionAgeMs).toBeGreaterThan(0);
    const check = bench.rows.find((row) => row.part === 2);
    expect(check).toMatchObject({ slot: 7, outcomeName: 'answered', connectionAgeMs: 0 });
    expect(bench.rows.filter((row) => row.part === 0).length).toBe(12);
  });

  describe('whoever asks again only when a connection breaks', () => {
    /** The name moves at 20.2 s; the old side goes on answering, and ends all connections at that instant, once. */
    async function grpc(breakAtS: number): Promise<ReturnType<typeof newBench>> {
      const bench = newBench([laneOf(0, 'grpc')]);
      bench.world.resolve = (_, __, atS) => ({ addresses: [atS < 20.2 ? '127.0.1.1' : '127.0.2.1'], ttlS: 5 });
      bench.world.answer = (_, atS) => ({
        alpn: 'h2',
        outcome: atS > breakAtS && atS < breakAtS + 0.5 ? 'goaway' : 'answered',
      });
      await bench.clock.runUntilS(70);
      return bench;
    }
    const lastOldSlot = (bench: ReturnType<typeof newBench>): number | undefined =>
      bench.rows.findLast((row) => row.part === 0 && row.addressText === '127.0.1.1')?.slot;

    test('stays while none breaks', async () => {
      const bench = await grpc(1000);
      expect(lastOldSlot(bench)).toBe(139);
      expect(bench.queries.length).toBe(1);
    });

    test('asks at once where its last question is long ago', async () => {
      const bench = await grpc(40.3);
      // 40.5 s is when it broke; that slot's own failure was still there.
      expect(lastOldSlot(bench)).toBe(81);
    });

    test('sooner than its least time it opens the old address anew, asks when the time is over, and then leaves', async () => {
      const bench = await grpc(25.3);
      expect(lastOldSlot(bench)).toBe(60);
      const own = bench.queries.map(({ atS }) => atS);
      expect(own.filter((atS) => atS !== 25.51)).toEqual([0, 30]);
    });
  });

  test('a browser retries once on a new connection; the raw failure stays', async () => {
    const bench = newBench([
      laneOf(0, 'chrome', { archetype: { ...(presets['chrome'] as Lane['archetype']), families: [4] } }),
    ]);
    bench.world.answer = (_, atS) => ({ outcome: atS > 2.4 && atS < 2.505 ? 'closed-before-answer' : 'answered' });
    await bench.clock.runUntilS(4);
    const slot5 = bench.rows.filter((row) => row.slot === 5);
    expect(slot5.map((row) => [row.part, row.outcomeName])).toEqual([
      [0, 'closed-before-answer'],
      [3, 'answered'],
    ]);
  });

  test('an address that fails before the next one answers is a row of the same slot', async () => {
    const archetype = { ...(presets['fresh'] as Lane['archetype']), choose: 'next-on-failure' as const };
    const bench = newBench([laneOf(0, 'fresh', { archetype })]);
    bench.world.resolve = () => ({ addresses: ['127.0.1.9', '127.0.1.1'], ttlS: 5 });
    bench.world.answer = (address) => (address === '127.0.1.9' ? { dial: 'connect-refused' } : {});
    await bench.clock.runUntilS(0.2);
    expect(bench.rows.map((row) => [row.slot, row.part, row.outcomeName, row.addressText])).toEqual([
      [0, 1, 'connect-refused', '127.0.1.9'],
      [0, 0, 'answered', '127.0.1.1'],
    ]);
  });

  test('happy eyeballs starts the other family after 250 ms of silence, and the first to connect wins', async () => {
    const bench = newBench([laneOf(0, 'chrome', { ratePerSecond: 0.5 })]);
    bench.world.resolve = (_, type) => ({ addresses: type === 'AAAA' ? ['::1'] : ['127.0.1.1'], ttlS: 5 });
    bench.world.answer = (address) => (address === '::1' ? { dial: 'connect-timed-out' } : {});
    await bench.clock.runUntilS(1.9);
    expect(bench.dials).toEqual(['::1', '127.0.1.1']);
    expect(bench.rows[0]).toMatchObject({ addressText: '127.0.1.1', outcomeName: 'answered', connectedUs: 250_000 });
  });

  test('HTTP/2 carries slots together on one connection', async () => {
    const bench = newBench([
      laneOf(0, 'chrome', {
        ratePerSecond: 7,
        archetype: { ...(presets['chrome'] as Lane['archetype']), families: [4] },
      }),
    ]);
    bench.world.answer = () => ({ alpn: 'h2', afterS: 0.5 });
    await bench.clock.runUntilS(5);
    expect(bench.dials.length).toBe(1);
    expect(bench.requests.length).toBe(36);
  });

  test('an HTTP/2 connection that takes no more requests is left to those under way on it', async () => {
    const bench = newBench([
      laneOf(0, 'chrome', {
        ratePerSecond: 7,
        archetype: { ...(presets['chrome'] as Lane['archetype']), families: [4], retriesOnce: false },
      }),
    ]);
    // A GOAWAY that turns away the request of slot 8, while those of 5 to 7 are being answered.
    bench.world.answer = (_, atS) =>
      atS > 1.14 && atS < 1.15 ? { alpn: 'h2', afterS: 0.01, outcome: 'goaway' } : { alpn: 'h2', afterS: 0.5 };
    await bench.clock.runUntilS(5);
    expect(
      bench.rows.filter((row) => row.outcomeName !== 'answered').map((row) => [row.slot, row.outcomeName]),
    ).toEqual([[8, 'goaway']]);
    // The second; the third is the fresh check.
    expect(bench.dials.length).toBe(3);
  });

  test('where HTTP/1.1 was chosen, requests that overlap have connections of their own', async () => {
    const bench = newBench([
      laneOf(0, 'chrome', {
        ratePerSecond: 7,
        archetype: { ...(presets['chrome'] as Lane['archetype']), families: [4] },
      }),
    ]);
    bench.world.answer = () => ({ alpn: 'http/1.1', afterS: 0.5 });
    await bench.clock.runUntilS(5);
    expect(bench.dials.length).toBe(4);
  });
});

test('ten refusals in a row slow the lane to one probe in 10 s, said so; the first answer brings it back', async () => {
  const bench = newBench([pinned(0, '127.0.1.1')]);
  bench.world.answer = (_, atS) => ({ status: atS < 27 ? 429 : 200 });
  await bench.clock.runUntilS(39.9);
  const sentAt = bench.rows.filter((row) => row.outcomeName === 'answered').map((row) => row.slot);
  expect(sentAt.slice(0, 13)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 40, 60]);
  expect(sentAt[13]).toBe(61);
  expect(bench.rows.length).toBe(80);
  expect(bench.rows.filter((row) => row.outcomeName === 'withheld').length).toBe(10 + 19 + 19);
  expect(bench.entries.map((entry) => entry.type)).toEqual(['lane-slowed', 'lane-resumed']);
});

test('each request names run, lane, slot and part in its trace id, and keeps to one connection or says close', async () => {
  const bench = newBench([pinned(0, '127.0.1.1'), laneOf(1, 'keep-alive')]);
  await bench.clock.runUntilS(1.2);
  const headersOf = (address: string, i: number): string[] =>
    bench.requests.filter((one) => one.address === address)[i]?.request.headers as string[];
  const fresh = bench.requests[0]?.request.headers ?? [];
  const epoch = Math.floor(Date.UTC(2026, 10, 24, 8, 30) / 1000).toString(16);
  expect(fresh).toContain(`Root=1-${epoch}-c0ffee420000000000000000`);
  expect(fresh.slice(-2)).toEqual(['Connection', 'close']);
  const traces = bench.requests.map(({ request }) => request.headers.find((value) => value.startsWith('Root=')));
  expect(new Set(traces).size).toBe(bench.requests.length);
  expect(headersOf('127.0.1.1', 1)).toContain('X-Cutwatch-Run');
  expect(fresh.join(' ')).not.toMatch(/Chrome\/|MSIE/);
  expect(bench.requests[0]?.request).toMatchObject({ authority: 'orders.test', path: '/ready?deep=1' });
});

test.for([
  { expect: { bodyIncludes: 'pong' }, body: 'ping pong', checks: 1 + 2 + 4 + 8 + 32 },
  { expect: { bodyIncludes: 'pong' }, body: 'ping', checks: 1 + 2 + 8 + 32 },
  { expect: { bodyMatches: '^v\\d+$' }, body: 'v12', checks: 1 + 2 + 4 + 8 + 32 },
  { expect: { headers: [['x-served-by', 'eks']] as const }, body: '', checks: 1 + 32 },
  { expect: { statusIn: [204] }, body: '', checks: 2 + 32 },
])('an answer is held against $expect', async ({ expect: expected, body, checks }) => {
  const base = checkOf();
  const bench = newBench([pinned(0, '127.0.1.1', { check: { ...base, expect: { ...base.expect, ...expected } } })]);
  bench.world.answer = () => ({ body, headers: ['X-Served-By', 'ecs'] });
  await bench.clock.runUntilS(0.1);
  expect(bench.rows[0]?.checks).toBe(checks);
});

test('a lane that joins later begins with its first slot', async () => {
  const bench = newBench([pinned(0, '127.0.1.1')]);
  await bench.clock.runUntilS(3);
  const late = pinned(1, '127.0.1.2', { startAtNs: 3.1e9 });
  bench.lanes.push(late);
  bench.prober.add([late]);
  await bench.clock.runUntilS(4.7);
  const rows = bench.rows.filter((row) => row.lane === 1);
  expect(rows.map((row) => row.slot)).toEqual([0, 1, 2, 3]);
  expect(rows.map((row) => row.sentNs)).toEqual([0, 1, 2, 3].map((slot) => dueAtNs(late, slot)));
});

test('a hanging target makes no drops: a retry does not hold the place of a slot', async () => {
  const archetype = { ...(presets['chrome'] as Lane['archetype']), families: [4] as const };
  const bench = newBench([laneOf(0, 'chrome', { archetype })]);
  bench.world.answer = (_, atS) => ({ afterS: atS > 5 && atS < 25 ? Infinity : 0.01 });
  await bench.clock.runUntilS(60);
  expect(bench.rows.filter((row) => row.outcomeName === 'dropped')).toEqual([]);
  expect(bench.rows.filter((row) => row.part === 3).length).toBeGreaterThan(30);
});

test('a token with a dollar in it is sent as it is, also by a lane that joins later', async () => {
  const base = checkOf();
  const check = checkOf({ request: { ...base.request, headers: [['authorization', 'Bearer ${TOKEN}']] } });
  const bench = newBench([pinned(0, '127.0.1.1', { check })]);
  bench.prober.token('orders', 'ab$$cd$&ef');
  const late = pinned(1, '127.0.1.2', { check, startAtNs: 1.1e9 });
  bench.lanes.push(late);
  bench.prober.add([late]);
  await bench.clock.runUntilS(2);
  const sent = bench.requests.map(({ request }) => request.headers[request.headers.indexOf('authorization') + 1]);
  expect(new Set(sent)).toEqual(new Set(['Bearer ab$$cd$&ef']));
});

test('a withdrawn lane sends nothing more, and says so slot by slot', async () => {
  const bench = newBench([pinned(0, '127.0.1.1'), pinned(1, '127.0.1.2')]);
  await bench.clock.runUntilS(3.2);
  bench.prober.withdraw([1]);
  await bench.clock.runUntilS(6.2);
  expect(bench.requests.filter(({ address }) => address === '127.0.1.2').length).toBe(7);
  expect(bench.rows.filter((row) => row.outcomeName === 'withheld').map((row) => row.slot)).toEqual([
    7, 8, 9, 10, 11, 12,
  ]);
});
