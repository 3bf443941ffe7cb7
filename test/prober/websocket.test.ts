import { describe, expect, test } from 'vitest';
import { isRight } from '../../src/core/outcome.ts';
import type { Archetype, Lane } from '../../src/core/scenario.ts';
import { presets } from '../../src/clients/presets.ts';
import { checkOf, laneOf, newBench, type Bench } from './kit.ts';

const archetype: Archetype = { ...(presets['websocket'] as Archetype), families: [4] };

function websocket(overrides: Partial<Lane> = {}): Lane {
  return laneOf(0, 'websocket', { archetype, ...overrides });
}

function ofSlots(bench: Bench): Bench['rows'] {
  return bench.rows.filter((row) => row.part === 0).toSorted((a, b) => a.slot - b.slot);
}

const isUpgrade = ({ request }: Bench['requests'][number]): boolean => request.headers.includes('websocket');

test('one upgrade opens the session that all other slots ping; it is resolved once', async () => {
  const bench = newBench([websocket()]);
  bench.world.resolve = (_, __, atS) => ({ addresses: [atS < 3.3 ? '127.0.1.1' : '127.0.2.1'], ttlS: 1 });
  await bench.clock.runUntilS(20.2);
  expect(bench.dials).toEqual(['127.0.1.1']);
  expect(bench.requests.map(isUpgrade)).toEqual(bench.requests.map((_, i) => i === 0));
  const rows = ofSlots(bench);
  expect(rows.length).toBe(41);
  expect(rows.map((row) => row.connectionAgeMs)).toEqual(rows.map((_, i) => i * 500));
  for (const row of rows) expect(row).toMatchObject({ status: 101, outcomeName: 'answered', addressText: '127.0.1.1' });
});

test('what a check expects of status and body is of its other clients; a header must be in the 101', async () => {
  const expectation = { statusIn: [426], bodyIncludes: 'ready', bodyMatches: null, headers: [['x-a', '1']] as const };
  const bench = newBench([websocket({ check: checkOf({ expect: expectation }) })]);
  bench.world.answer = (_, atS) => ({ headers: ['X-A', atS < 2 ? '1' : '2'], body: '' });
  await bench.clock.runUntilS(3.8);
  expect(ofSlots(bench).map((row) => isRight(row.checks))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test.for([200, 404, 426, 503])(
  'a server that answers %i opens no session: each slot asks anew, and fails',
  async (status) => {
    const bench = newBench([websocket()]);
    bench.world.answer = () => ({ status });
    await bench.clock.runUntilS(3.8);
    expect(bench.dials.length).toBe(8);
    expect(bench.requests.every(isUpgrade)).toBe(true);
    for (const row of ofSlots(bench))
      expect(row).toMatchObject({ status, checks: expect.any(Number), connectionAgeMs: 0 });
    expect(ofSlots(bench).some((row) => isRight(row.checks))).toBe(false);
    // A failure on a connection of its own is checked on no other.
    expect(bench.rows.every((row) => row.part === 0)).toBe(true);
  },
);

describe('a session that breaks', () => {
  /** The name moves at 3.3 s. */
  function moved(overrides: Partial<Lane> = {}): Bench {
    const bench = newBench([websocket(overrides)]);
    bench.world.resolve = (_, __, atS) => ({ addresses: [atS < 3.3 ? '127.0.1.1' : '127.0.2.1'], ttlS: 1 });
    return bench;
  }

  test('fails its ping, is checked by another upgrade, and the next slot opens one where the name leads then', async () => {
    const bench = moved();
    bench.world.answer = (address, atS) => ({ outcome: address === '127.0.1.1' && atS > 6.9 ? 'reset' : 'answered' });
    await bench.clock.runUntilS(9.2);
    expect(ofSlots(bench).map((row) => row.addressText.at(-3))).toEqual([...'1'.repeat(15), ...'2'.repeat(4)]);
    expect(bench.rows.filter((row) => row.outcomeName !== 'answered').map((row) => row.slot)).toEqual([14]);
    const check = bench.rows.find((row) => row.part === 2);
    expect(check).toMatchObject({ slot: 14, status: 101, connectionAgeMs: 0, addressText: '127.0.2.1' });
    // The session, the fresh check, and the next session, not that of the check.
    expect(bench.dials.length).toBe(3);
    expect(bench.requests.filter(isUpgrade).length).toBe(3);
  });

  test('by silence: pings under way have their own time each, and the slot after the first opens the next', async () => {
    const bench = moved();
    // From 5 s on nothing comes on the old session.
    bench.world.answer = (address, atS) => ({ afterS: address === '127.0.1.1' && atS > 4.9 ? Infinity : 0.01 });
    await bench.clock.runUntilS(40.2);
    const hung = ofSlots(bench).filter((row) => row.outcomeName === 'first-byte-timed-out');
    expect(hung.map((row) => row.slot)).toEqual(Array.from({ length: 24 }, (_, i) => 10 + i));
    for (const row of hung) expect(row.endedUs).toBe(12_000_000);
    const after = ofSlots(bench).slice(34);
    expect(after[0]).toMatchObject({ addressText: '127.0.2.1', connectionAgeMs: 0 });
    expect(after.every((row) => row.outcomeName === 'answered')).toBe(true);
    // One check for each, in their own rhythm.
    expect(bench.rows.filter((row) => row.part === 2).length).toBe(24);
  });

  test('one of a client that ends it by age resolves anew without a failure', async () => {
    const bench = moved({ archetype: { ...archetype, connect: { kind: 'held', maxAgeS: 5.7 } } });
    await bench.clock.runUntilS(9.2);
    const rows = ofSlots(bench);
    expect(rows.every((row) => row.outcomeName === 'answered')).toBe(true);
    expect(rows.findIndex((row) => row.addressText === '127.0.2.1')).toBe(12);
    expect(bench.dials).toEqual(['127.0.1.1', '127.0.2.1']);
  });
});

describe('a session that takes long to open', () => {
  test('is waited for by all slots, and only one opens it', async () => {
    const bench = newBench([websocket()]);
    bench.world.answer = (_, __, request) => ({ afterS: request.headers?.includes('websocket') ? 1.7 : 0.01 });
    await bench.clock.runUntilS(5.2);
    expect(bench.dials.length).toBe(1);
    expect(ofSlots(bench).map((row) => row.endedUs)).toEqual([
      1_700_000,
      1_210_000,
      710_000,
      210_000,
      ...Array.from({ length: 7 }, () => 10_000),
    ]);
  });

  test('and is refused is refused to all who waited; the next slot asks anew', async () => {
    const bench = newBench([websocket()]);
    bench.world.answer = (_, atS, request) =>
      request.headers?.includes('websocket') ? { afterS: 1.7, status: atS < 2 ? 503 : 101 } : {};
    await bench.clock.runUntilS(8.2);
    // Sent at 0, 2 and 4 s: the slots of 2.5 to 3.5 s wait for the second, which has 101.
    expect(bench.requests.filter(isUpgrade).length).toBe(2);
    const rows = ofSlots(bench);
    expect(rows.map((row) => row.status)).toEqual([...'5555'].map(() => 503).concat(rows.slice(4).map(() => 101)));
    expect(rows.slice(0, 5).map((row) => row.endedUs)).toEqual([1_700_000, 1_200_000, 700_000, 200_000, 1_700_000]);
    expect(rows.slice(0, 4).every((row) => row.connectionAgeMs === 0 && !isRight(row.checks))).toBe(true);
  });

  test('while nothing connects, each attempt is one for all who wait, and the next one asks DNS anew', async () => {
    const bench = newBench([websocket()]);
    bench.world.resolve = (_, __, atS) => ({ addresses: [atS < 14 ? '127.0.1.1' : '127.0.2.1'], ttlS: 5 });
    bench.world.answer = (address) => (address === '127.0.1.1' ? { dial: 'connect-timed-out' } : {});
    await bench.clock.runUntilS(20.2);
    // At 0, 5 and 10 s, and at 15 s to the other side.
    expect(bench.dials).toEqual(['127.0.1.1', '127.0.1.1', '127.0.1.1', '127.0.2.1']);
    const rows = ofSlots(bench);
    expect(rows.map((row) => row.outcomeName)).toEqual(rows.map((_, i) => (i < 30 ? 'connect-timed-out' : 'answered')));
    expect(rows.slice(0, 10).map((row) => row.endedUs)).toEqual(
      rows.slice(0, 10).map((_, i) => 5_000_000 - i * 500_000),
    );
    expect(rows.slice(0, 30).every((row) => row.addressText === '127.0.1.1' && row.answerTtlS === 5)).toBe(true);
  });

  test('while its name is not found, all who wait have that answer', async () => {
    const bench = newBench([websocket()]);
    bench.world.resolve = (_, __, atS) => (atS < 3 ? 'timed-out' : { addresses: ['127.0.1.1'], ttlS: 5 });
    await bench.clock.runUntilS(9.2);
    const failed = ofSlots(bench).filter((row) => row.outcomeName !== 'answered');
    expect(new Set(failed.map((row) => row.outcomeName))).toEqual(new Set(['dns-timed-out']));
    expect(failed.slice(0, 10).map((row) => row.endedUs)).toEqual(
      failed.slice(0, 10).map((_, i) => 5_000_000 - i * 500_000),
    );
    expect(ofSlots(bench).at(-1)).toMatchObject({ outcomeName: 'answered', status: 101 });
  });
});
