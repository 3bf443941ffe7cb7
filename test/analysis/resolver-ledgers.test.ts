/** Ledgers by hand: one answer a second as `TTL`, and what they say of a resolver. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResolverAnalysis } from '../../src/core/analysis.ts';
import type { Entry } from '../../src/core/entry.ts';
import type { Answer, Definition } from '../../src/core/row.ts';
import {
  analysisOf,
  authority,
  evidenceOf,
  foldOf,
  freshClient,
  hostname,
  newAddress,
  oldAddress,
  type LaneLog,
  type Log,
} from './kit.ts';

/** By a letter behind a TTL: `s` old and stale by its own word, `n` new, `x` NXDOMAIN; old without one. */
const answers: Readonly<Record<string, { readonly number: number; readonly value: Partial<Answer> }>> = {
  '': { number: 2, value: { addresses: [oldAddress] } },
  n: { number: 3, value: { addresses: [newAddress] } },
  s: { number: 4, value: { addresses: [oldAddress], ede: 4 } },
  x: { number: 5, value: { addresses: [], rcode: 'NXDOMAIN' } },
};
const definitions = Object.values(answers).map(({ number, value }): Definition => ({
  kind: 'answer',
  number,
  value: {
    server: 'vpc',
    name: hostname,
    rcode: 'NOERROR',
    ede: 0,
    authoritative: false,
    chain: [],
    addresses: [],
    ...value,
  },
}));

/** `20 19 18n _ …`, a second each; `_` = not asked. `20..17` counts down, `7x5` is five times the same. */
function laneOf(ledger: string): LaneLog {
  const words = ledger
    .trim()
    .split(/\s+/)
    .flatMap((word) => {
      const [, from, to, end = ''] = /^(\d+)\.\.(\d+)(\D*)$/.exec(word) ?? [];
      if (from !== undefined && to !== undefined)
        return Array.from({ length: Number(from) - Number(to) + 1 }, (_, i) => `${Number(from) - i}${end}`);
      const [, one, count] = /^(\S+)\*(\d+)$/.exec(word) ?? [];
      return one === undefined ? [word] : Array.from({ length: Number(count) }, () => one);
    });
  return {
    slots: words.map((word) => (word === '_' ? '_' : '.')).join(''),
    archetype: freshClient,
    rows: (slot) => {
      const [, ttl = '0', kind = ''] = /^(\d*)(\D?)$/.exec(words[slot] ?? '') ?? [];
      const isDenied = kind === 'x';
      return {
        answer: answers[kind]?.number ?? 0,
        answerTtlS: Number(ttl),
        resolvedUs: 1000,
        address: isDenied ? 0 : kind === 'n' ? 3 : 2,
      };
    },
  };
}

function logOf(ledger: string, entries: readonly Entry[] = servedAll(20)): Log {
  return { lanes: [laneOf(ledger)], entries, definitions };
}

function resolverOf(ledger: string, entries?: readonly Entry[]): ResolverAnalysis {
  return analysisOf(logOf(ledger, entries)).resolvers[0] as ResolverAnalysis;
}

/** The authority is heard all the time, always with this TTL. */
function servedAll(ttlS: number): Entry[] {
  return Array.from({ length: 20 }, (_, i) => authority(i * 10, [oldAddress], { ttlS, isFirst: i === 0 }));
}

/** From `atS` on it has the new side. */
function switchedAt(atS: number, ttlS: number): Entry[] {
  return Array.from({ length: 20 }, (_, i) => i * 10).flatMap((s) => [
    authority(s, [s < atS ? oldAddress : newAddress], { ttlS, isFirst: s === 0 }),
    ...(s < atS && s + 10 > atS ? [authority(atS, [newAddress], { ttlS })] : []),
  ]);
}

function kindOf(ledger: string, entries?: readonly Entry[]): string {
  return resolverOf(ledger, entries).conduct.kind;
}

describe('what a ledger says', () => {
  test.for([
    ['one honest cache', '20..1 20..1 20..1', 'honest', 1],
    ['one that shows 0 in its last second', '20..0 20..0 20..0', 'honest', 1],
    ['an entry from before, with the TTL that the record had then', '97..60', 'unknown', 1],
    ['an entry from before, and then as it should be', '40..1 20..1', 'honest', 1],
    ['answers that were lost', '20..11 _ _ _ _ 6..1 _ _ _ 20..1', 'honest', 1],
    ['two caches, asked in turn', '20 15 18 13 16 11 14 9 12 7 10 5', 'honest', 2],
    ['three', '20 15 9 17 12 6 14 9 3 11 6', 'honest', 3],
    ['a cache that was emptied', '20..9 20..1', 'honest', 1],
    ['three caches with entries from before, each asked for a while', '40..30 60..50 90..80', 'unknown', 1],
    ['TTLs that are raised', '60..1 60..1 60..1', 'raises-ttl', 1],
    ['once may be an entry from before that another cache has', '9..1 60..45', 'honest', 1],
    ['TTLs that are lowered', '5..1 5..1 5..1 5..1', 'lowers-ttl', 1],
    ['one full TTL: then nothing is lowered', '5..1 5..1 5..1 20..1 5..1', 'honest', 1],
    ['a TTL that does not count down', '20*40', 'constant-ttl', null],
    ['not for longer than itself', '20*15', 'unknown', null],
    ['refreshed with a tenth left', '20..4 20..4 20..4', 'prefetches', 1],
    ['stale by its own word', '20..1 30s 20..1', 'serves-stale', 1],
    ['stale by a small TTL that does not count down', '20..1 9*12 20..1', 'serves-stale', 1],
    ['stale by TTL 0', '20..1 0*12 20..1', 'serves-stale', 1],
    ['a stale answer at each end of an entry', '20..1 27 19..1 27 19..1 27 19..1', 'serves-stale', 1],
    ['nothing kept, TTL 20', '20 20 20', 'unknown', null],
  ] as [string, string, string, number | null][])('%s: %s', ([, ledger, kind, cacheCount]) => {
    const { conduct, cacheCount: count } = resolverOf(ledger);
    expect({ kind: conduct.kind, count }).toEqual({ kind, count: cacheCount });
  });

  test('TTL 1 every second is what an honest cache shows of a record with TTL 1, and 0 of one with 0', () => {
    expect(kindOf('1*40', servedAll(1))).toBe('honest');
    expect(kindOf('0*40', servedAll(0))).toBe('honest');
    expect(kindOf('1 0 1 0 1 0 1 0', servedAll(1))).toBe('honest');
  });

  test('an entry that ends when a stale answer of half a minute ago would have is another one, not of a cache of its own', () => {
    const { conduct, cacheCount } = resolverOf(`5..1 ${'30 4..1 '.repeat(9)}`, servedAll(5));
    expect([conduct.kind, cacheCount]).toEqual(['serves-stale', 1]);
  });

  test('an entry that is fetched anew when it was asked for with 2 s left is not lowered, though no look meets it whole', () => {
    const seldom = `${'10 _ 8 _ 6 _ 4 _ 2 _ '.repeat(5)}`;
    expect(kindOf(seldom, servedAll(12))).toBe('honest');
    // What is kept for 10 s of 20 cannot have been.
    expect(resolverOf(seldom, servedAll(20)).conduct).toEqual({ kind: 'lowers-ttl', clampS: 10 });
  });

  test('a TTL that the authority lowers or raises in the run is held against nobody', () => {
    const changed = (from: number, to: number): Entry[] =>
      servedAll(from).map((entry, i) => (i < 3 ? entry : authority(i * 10, [oldAddress], { ttlS: to })));
    expect(kindOf('20..1 20..1 60..1 60..1', changed(20, 60))).toBe('honest');
    expect(kindOf('60..1 20..1 20..1', changed(60, 20))).toBe('honest');
    expect(resolverOf('60..1 60..1 60..1', changed(60, 20)).conduct).toEqual({ kind: 'raises-ttl', clampS: 60 });
  });

  test('without authorities a TTL cannot be too large, and a stale answer is known by the resolver’s word only', () => {
    expect(kindOf('60..1 60..1 60..1', [])).toBe('honest');
    expect(kindOf('20..1 9*12 20..1', [])).toBe('honest');
    expect(kindOf('20..1 30s 20..1', [])).toBe('serves-stale');
  });

  test('every finding carries what proves it', () => {
    for (const ledger of [
      '60..1 60..1 60..1',
      '20 15 18 13 16 11 14 9',
      '20*40',
      '20..1 30s 20..1',
      '5..1 5..1 5..1 5..1',
    ]) {
      const { findings } = resolverOf(ledger);
      expect([ledger, findings.length]).toEqual([ledger, 1]);
      for (const { evidence } of findings) expect(evidence[0]).toMatch(/2026-.*127\.0\.1\.1, TTL \d+ s/);
    }
  });
});

describe('after a change', () => {
  test('an entry of just before it is within its TTL; a second more is rounding; then it is a violation, proved', () => {
    // Heard at 35.01 s, TTL 20: no correct cache holds the old side after 55.01 s.
    const until = (s: number): string =>
      `20..1 ${'9 8 7 6 5 4 3 2 1 '
        .repeat(9)
        .split(' ')
        .slice(0, s - 20)
        .join(' ')} 20..5n`;
    const kinds = (s: number): string[] => resolverOf(until(s), switchedAt(35, 20)).findings.map(({ kind }) => kind);
    expect(kinds(55)).not.toContain('resolver-violates-ttl');
    expect(kinds(57)).not.toContain('resolver-violates-ttl');
    expect(kinds(60)).toContain('resolver-violates-ttl');
  });

  test('a name server that last said the same and is silent since is not excluded: no proof', () => {
    const silent = { server: '127.0.0.2:53' };
    const entries = [
      ...switchedAt(35, 20),
      authority(0, [oldAddress], { ...silent, ttlS: 20, isFirst: true }),
      authority(31, null, silent),
    ];
    const analysis = analysisOf(logOf('20..1 20..1 20..1 20..1', entries));
    const [resolver] = analysis.resolvers;
    expect(resolver?.findings.map(({ kind, severity }) => [kind, severity])).toEqual([['resolver-lags', 'warn']]);
    expect(resolver?.findings[0]?.text).toContain('127.0.0.2:53 last said the same');
    expect(analysis.lanes[0]?.oldAfterChange).toMatchObject({ 'within-ttl': 23 });
    expect(analysis.lanes[0]?.oldAfterChange['resolver-lags']).toBeGreaterThan(10);
    expect(analysis.lanes[0]?.oldAfterChange['resolver-violates-ttl']).toBe(undefined);
  });

  test('an answer called stale is late, and no violation', () => {
    const { lanes, resolvers } = analysisOf(logOf('20..1 20..1 30s*30', switchedAt(35, 20)));
    expect(resolvers[0]?.findings.map(({ kind, severity }) => [kind, severity])).toEqual([
      ['resolver-serves-stale', 'warn'],
    ]);
    expect(lanes[0]?.oldAfterChange['resolver-lags']).toBeGreaterThan(10);
    expect(lanes[0]?.oldAfterChange['resolver-violates-ttl']).toBe(undefined);
  });

  test('each cache has a first new and a last old answer of its own, and going back is counted', () => {
    const { caches, cacheCount, flipBackCount, convergedMsMax } = resolverOf(
      '20 15 18 13 16 11 14 9 12 7 10 5 8 20n 6 18n 4 16n 2 14n 20n',
      switchedAt(12, 20),
    );
    expect(cacheCount).toBe(2);
    expect(flipBackCount).toBe(3);
    const seconds = (ns: number | null): number => Math.floor((ns ?? -1) / 1e9);
    expect(caches.map(({ firstNewAtNs, lastOldAtNs }) => [seconds(lastOldAtNs), seconds(firstNewAtNs)])).toEqual([
      [18, 20],
      [11, 13],
    ]);
    // At the most from the poll at 11 s to 20 s, though the other cache gave the new side sooner.
    expect(Math.floor((convergedMsMax ?? 0) / 1000)).toBe(9);
  });
});

test('an absence is remembered for as long as the zone allows, and who remembers it longer is told so', () => {
  const entries = [
    authority(0, [oldAddress], { ttlS: 5, isFirst: true }),
    authority(10, [], { ttlS: 30 }),
    authority(14, [newAddress], { ttlS: 5 }),
  ];
  const ledger = (s: number): string => `5..1 5..1 0x*${s} 5..1n 5..1n`;
  const text = (s: number): string =>
    resolverOf(ledger(s), entries)
      .findings.map((finding) => finding.text)
      .join();
  expect(text(3)).toBe('');
  expect(text(20)).toMatch(/for 15\.0? ?s|for 15 s.*may be remembered for 30 s/);
  expect(text(40)).toMatch(/longer than the 30 s/);
});

// ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A cache that keeps what it got for its TTL, and shows what is left rounded as servers do. */
interface HonestCache {
  readonly phaseS: number;
  readonly round: 'floor' | 'ceil' | 'round' | 'whole seconds';
}

function shownS({ round }: HonestCache, fetchedS: number, nowS: number, ttlS: number): number {
  const leftS = fetchedS + ttlS - nowS;
  if (round === 'whole seconds') return Math.max(0, Math.floor(fetchedS) + ttlS - Math.floor(nowS));
  return Math.max(0, Math[round](leftS));
}

test('an honest cache, or several, is accused of nothing, whatever its phase, TTL and rounding', () => {
  const cache = fc.record({
    phaseS: fc.double({ min: 0, max: 1, noNaN: true }),
    round: fc.constantFrom<HonestCache['round']>('floor', 'ceil', 'round', 'whole seconds'),
  });
  fc.assert(
    fc.property(
      fc.record({
        caches: fc.array(cache, { minLength: 1, maxLength: 4 }),
        ttlS: fc.constantFrom(0, 1, 2, 3, 5, 7, 13, 29),
        draws: fc.array(fc.nat({ max: 3 }), { minLength: 90, maxLength: 90 }),
        jitterUs: fc.array(fc.nat({ max: 120_000 }), { minLength: 90, maxLength: 90 }),
        changeS: fc.integer({ min: 20, max: 60 }),
      }),
      ({ caches, ttlS, draws, jitterUs, changeS }) => {
        const held = caches.map(() => ({ fetchedS: -Infinity, isNew: false }));
        const rows = draws.map((draw, slot) => {
          const at = draw % caches.length;
          const [one, entry] = [caches[at] as HonestCache, held[at] as (typeof held)[number]];
          const nowS = slot + (jitterUs[slot] ?? 0) / 1e6;
          const phasedS = nowS + one.phaseS;
          if (phasedS >= entry.fetchedS + ttlS) Object.assign(entry, { fetchedS: phasedS, isNew: nowS >= changeS });
          return {
            lateUs: jitterUs[slot] ?? 0,
            resolvedUs: 900,
            answer: entry.isNew ? 3 : 2,
            address: entry.isNew ? 3 : 2,
            answerTtlS: shownS(one, entry.fetchedS, phasedS, ttlS),
          };
        });
        const lane: LaneLog = { slots: '.'.repeat(90), rows: (slot) => rows[slot] ?? {} };
        // The change is heard at the next poll.
        const entries = switchedAt(changeS + 0.3, ttlS);
        const { resolvers, lanes } = analysisOf({ lanes: [lane], entries });
        const warned = resolvers.flatMap(({ findings }) => findings.filter(({ severity }) => severity !== 'info'));
        expect(warned).toEqual([]);
        expect(resolvers[0]?.cacheCount ?? 1).toBeLessThanOrEqual(caches.length);
        expect(['honest', 'unknown', 'prefetches']).toContain(resolvers[0]?.conduct.kind);
        expect(Object.keys(lanes[0]?.oldAfterChange ?? {}).filter((reason) => reason.startsWith('resolver'))).toEqual(
          [],
        );
      },
    ),
  );
});

test('a ledger is the same in whatever order batches and definitions arrive', () => {
  const log: Log = { ...logOf('20 15 18 13 16 11 14 9 12 7 10 5 8 20n 6 18n 4 16n', switchedAt(12, 20)), batchRows: 3 };
  const evidence = evidenceOf(log);
  const expected = foldOf(evidence).result().resolvers;
  expect(expected[0]?.cacheCount).toBe(2);
  fc.assert(
    fc.property(fc.shuffledSubarray([...evidence.batches.keys()], { minLength: evidence.batches.length }), (order) => {
      const batches = order.map((i) => evidence.batches[i] as (typeof evidence.batches)[number]);
      const fold = foldOf({ ...evidence, batches: batches.slice(0, 2) });
      fold.result();
      for (const batch of batches.slice(2)) fold.batch(batch);
      expect(fold.result().resolvers).toEqual(expected);
    }),
  );
});
