import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { livesAfter, toldBy, type Life, type Told } from '../../src/checks/lives.ts';

const startMs = Date.UTC(2026, 10, 24, 8, 30);
const limitS = 60;

interface Look {
  readonly atS: number;
  readonly ttlS: number;
}

function livesOf(looks: readonly Look[]): readonly Life[] {
  return looks.reduce<readonly Life[]>(
    (lives, { atS, ttlS }) =>
      livesAfter(lives, { server: 'vpc', atMs: startMs + atS * 1000, sets: [{ name: 'a.test', type: 'A', ttlS }] }),
    [],
  );
}

function told(looks: readonly Look[]): Told {
  return toldBy(livesOf(looks), { limitS, nowMs: startMs + (looks.at(-1)?.atS ?? 0) * 1000 });
}

/** What a cache shows at each second of these that fetches anew when nothing is left. */
function honest(ttlS: number, atS: readonly number[], bornS = 0): readonly Look[] {
  let endS = bornS + ttlS;
  return atS.map((one) => {
    if (one >= endS) endS = one + ttlS;
    return { atS: one, ttlS: Math.ceil(endS - one) };
  });
}

function everyS(stepS: number, toS: number): readonly number[] {
  return Array.from({ length: Math.floor(toS / stepS) }, (_, i) => i * stepS);
}

describe('a resolver is known to fetch low once it was seen to do so twice', () => {
  const lowS = (looks: readonly Look[]): number | null => {
    const { lowAtMs } = told(looks);
    return lowAtMs === null ? null : (lowAtMs - startMs) / 1000;
  };

  test('not by what is left of a life, however little', () => {
    expect(lowS(honest(3600, everyS(1, 50), -3547))).toBe(null);
    expect(lowS(honest(60, everyS(1, 50)))).toBe(null);
  });

  test('from the first fetch that was seen, with a look a second', () => {
    expect(lowS(honest(60, everyS(1, 200), -17))).toBe(43);
  });

  test('also where it fetches anew before the end', () => {
    const prefetching = everyS(1, 200).map((atS) => ({ atS, ttlS: 60 - (atS % 55) }));
    expect(lowS(prefetching)).toBe(55);
  });

  test('not where nobody looked when it was fetched', () => {
    expect(lowS(honest(60, everyS(301, 3000)))).toBe(null);
  });

  test('not by one life that may be the rest of what another cache holds', () => {
    expect(lowS([...honest(3600, everyS(1, 10), -3590), { atS: 11, ttlS: 40 }])).toBe(null);
  });

  test('where TTLs do not count down, by what they are: those that were fetched', () => {
    expect(lowS(everyS(1, 200).map((atS) => ({ atS, ttlS: 60 })))).not.toBe(null);
    expect(lowS(everyS(1, 200).map((atS) => ({ atS, ttlS: 300 })))).toBe(null);
  });

  test('and no more once it has shown a longer life', () => {
    expect(lowS([...honest(60, everyS(1, 200)), { atS: 201, ttlS: 300 }])).toBe(null);
  });

  test('of each record by itself', () => {
    const lives = livesOf(honest(60, everyS(1, 200)));
    const other = lives.slice(0, 1).map((life) => ({ ...life, type: 'AAAA' }));
    expect(toldBy([...lives, ...other], { limitS, nowMs: startMs + 200_000 }).lowAtMs).toBe(null);
  });
});

test('two caches behind one address are told apart, and what one holds from before is waited for', () => {
  const one = honest(60, everyS(2, 200));
  const other = honest(307, everyS(2, 200), -20).map(({ atS, ttlS }) => ({ atS: atS + 1, ttlS: ttlS - 1 }));
  const looks = [...one, ...other.filter(({ ttlS }) => ttlS <= limitS + 200)].toSorted((a, b) => a.atS - b.atS);
  const { heldUntilMs } = told(looks);
  expect(heldUntilMs).toBeGreaterThan(startMs + 280_000);
});

test('a TTL above the limit is known from its beginning on, to within a look and a prefetch', () => {
  const { highTtlS, highAfterMs } = told(honest(307, everyS(1, 700)));
  expect(highTtlS).toBeGreaterThanOrEqual(307);
  expect(highTtlS).toBeLessThanOrEqual(307 + 31 + 1);
  expect(highAfterMs).toBeLessThanOrEqual(startMs + 614_000);
  expect(told(honest(307, everyS(1, 200))).highTtlS).toBe(null);
});

test('an honest cache is never said to fetch low what it fetches high, whenever it is looked at', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3 * limitS, max: 4000 }),
      fc.integer({ min: 0, max: 4000 }),
      fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 400 }),
      (ttlS, bornS, stepsS) => {
        let atS = 0;
        const times = stepsS.map((stepS) => (atS += stepS));
        expect(told(honest(ttlS, times, -(bornS % ttlS))).lowAtMs).toBe(null);
      },
    ),
    { numRuns: 300 },
  );
});

test('however it behaves, what is kept of it stays bounded', () => {
  const looks = Array.from({ length: 1000 }, (_, i) => ({ atS: i, ttlS: (i * 7919) % 100_000 }));
  expect(livesOf(looks).length).toBeLessThanOrEqual(200);
});
