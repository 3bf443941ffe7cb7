import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newFold, type Drawn } from '../../src/analysis/fold.ts';
import type { LaneAnalysis } from '../../src/core/analysis.ts';
import { laneName } from '../../src/core/lane-name.ts';
import type { BinRun, CloseUp, Picture, PictureLane } from '../../src/core/picture.ts';
import {
  authority,
  batchOf,
  evidenceOf,
  foldOf,
  hostname,
  keepAliveClient,
  mark,
  newAddress,
  oldAddress,
  type LaneLog,
  type Log,
} from './kit.ts';

function drawnOf(log: Log, binCountMax = 720): Drawn {
  return foldOf(evidenceOf(log)).drawn(binCountMax);
}

function pictureOf(log: Log, binCountMax?: number): Picture {
  return drawnOf(log, binCountMax).picture;
}

const anySlots = fc.string({
  unit: fc.constantFrom('.', '.', '.', 'x', '5', 'd', 's', 't', 'w', 'b', '?', '!', 'l', '4', 'h', '_'),
  minLength: 1,
  maxLength: 150,
});
const anySides = fc.string({ unit: fc.constantFrom('o', 'n', '0'), minLength: 1, maxLength: 60 });

function mixedLog(slots: string, at: string): Log {
  return {
    lanes: [
      { slots, at, ratePerSecond: 3 },
      {
        slots: slots.repeat(2),
        at,
        ratePerSecond: 7,
        staggerNs: 31_000_000,
        archetype: keepAliveClient,
        client: 'kept',
      },
      { slots, role: 'reference', resolver: null },
      { slots: `${slots}..x`, at: 'n', role: 'side', client: 'side:new', address: newAddress, service: 'billing' },
    ],
    addresses: ['192.0.2.9'],
    entries: [
      authority(0, [oldAddress], { isFirst: true }),
      authority(9, [newAddress]),
      authority(9, null, { server: '127.0.0.2:53' }),
      mark(9),
    ],
    batchRows: 13,
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** Bin by bin, each run laid out. */
function binsOf({ runs }: PictureLane): readonly (readonly number[])[] {
  return runs.flatMap(([bin, count, ...counts]) => Array.from({ length: count }, (_, i) => [bin + i, ...counts]));
}

describe('lanes in bins', () => {
  test('hide not one failed slot: by class, and all others, they add up to the analysis', () => {
    fc.assert(
      fc.property(anySlots, anySides, fc.constantFrom(1, 7, 60, 720), (slots, at, binCountMax) => {
        const { analysis, picture } = drawnOf(mixedLog(slots, at), binCountMax);
        const lanes = analysis.lanes.filter(({ series }) => series === 'raw');
        expect(picture.lanes.map(({ name }) => name)).toEqual(lanes.map(laneName));
        expect(picture.binCount).toBeLessThanOrEqual(binCountMax);
        picture.lanes.forEach((drawn, i) => {
          const { slots: counts, classes } = lanes[i] as LaneAnalysis;
          const byClass: Record<string, number> = {};
          for (const [, failure, , count] of drawn.failures) byClass[failure] = (byClass[failure] ?? 0) + count;
          expect(byClass).toEqual(classes);
          const bins = binsOf(drawn);
          const total = (column: number): number => sum(bins.map((bin) => bin[column] as number));
          expect(total(1) + total(2) + total(3)).toBe(counts.good);
          expect(total(4)).toBe(counts.failed);
          expect(total(5)).toBe(counts.dropped + counts.blind + counts.blocked + counts.pending);
          for (const [bin, , , , failedCount] of bins) {
            expect(sum(drawn.failures.filter((one) => one[0] === bin).map((one) => one[3]))).toBe(failedCount);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test('rise, lie within the picture, and put neighbours of the same counts together', () => {
    const { lanes } = pictureOf({ lanes: [{ slots: '....xx__5.....', at: 'ooooooooon' }] });
    expect(lanes[0]?.runs).toEqual<readonly BinRun[]>([
      [0, 4, 1, 0, 0, 0, 0],
      [4, 2, 0, 0, 0, 1, 0],
      [6, 2, 0, 0, 0, 0, 1],
      [8, 1, 0, 0, 0, 1, 0],
      [9, 5, 0, 1, 0, 0, 0],
    ]);
    expect(lanes[0]?.failures).toEqual([
      [4, 'connect-refused', 'old', 1],
      [5, 'connect-refused', 'old', 1],
      [8, '5xx-app', 'old', 1],
    ]);
  });

  test.for([
    { slotCount: 60, ratePerSecond: 7, binCountMax: 720, binMs: 200 },
    { slotCount: 7 * 300, ratePerSecond: 7, binCountMax: 720, binMs: 500 },
    { slotCount: 400, ratePerSecond: 2, binCountMax: 240, binMs: 1000 },
    { slotCount: 7300, ratePerSecond: 1, binCountMax: 720, binMs: 15_000 },
    { slotCount: 7300, ratePerSecond: 1, binCountMax: 3, binMs: 3_600_000 },
    { slotCount: 200, ratePerSecond: 0.001, binCountMax: 2, binMs: 172_800_000 },
  ])('$slotCount slots at $ratePerSecond/s in at most $binCountMax bins: $binMs ms each', (row) => {
    const { slotCount, ratePerSecond, binCountMax } = row;
    const { binMs, binCount, untilMs } = pictureOf(
      { lanes: [{ slots: '.'.repeat(slotCount), ratePerSecond }] },
      binCountMax,
    );
    expect(binMs).toBe(row.binMs);
    expect(binCount).toBe(Math.ceil(untilMs / binMs));
  });

  test('a run that flaps everywhere is drawn more coarsely, and still with every failure', () => {
    const slots = '.x.'.repeat(240);
    const { analysis, picture } = drawnOf({ lanes: Array.from({ length: 90 }, (): LaneLog => ({ slots })) });
    expect(picture.binMs).toBe(2000);
    expect(sum(picture.lanes.flatMap(({ failures }) => failures.map((one) => one[3])))).toBe(90 * 240);
    expect(sum(analysis.lanes.map((lane) => lane.slots.failed))).toBe(90 * 240);
  });
});

test('the same evidence gives the same picture, in whatever order rows and entries came', () => {
  fc.assert(
    fc.property(
      anySlots,
      anySides,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (slots, at, draws) => {
        const evidence = evidenceOf(mixedLog(slots, at));
        const expected = JSON.stringify(foldOf(evidence).drawn(60).picture);
        const shuffled = <T>(all: readonly T[]): T[] =>
          all
            .map((one) => ({ one, key: draws.next().value as number }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ one }) => one);
        const fold = newFold();
        fold.entry(evidence.started);
        for (const entry of shuffled(evidence.entries)) fold.entry(entry);
        for (const batch of shuffled(evidence.batches)) fold.batch(batch);
        for (const batch of evidence.batches) fold.batch(batchOf([], [], batch.worker, batch.atNs));
        expect(JSON.stringify(fold.drawn(60).picture)).toBe(expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('a picture is drawn when it is looked at, once, and changes nothing of the result', () => {
  const fold = foldOf(evidenceOf(mixedLog('..x..5..?.ss...', 'oonnoonn')));
  const before = JSON.stringify(fold.result());
  const drawn = fold.drawn(60);
  expect(drawn.picture).toBe(drawn.picture);
  expect(JSON.stringify(drawn.analysis)).toBe(before);
  expect(JSON.stringify(fold.result())).toBe(before);
});

describe('latency', () => {
  const latencyMs = (slot: number): number => 10 + ((slot * 37) % 100);

  test('is of good slots, by client and side: exact in each bin, and everything once in the distribution', () => {
    const slots = `${'.'.repeat(70)}x.s?${'.'.repeat(66)}`;
    const at = `${'o'.repeat(70)}n`;
    const lane: LaneLog = { slots, at, ratePerSecond: 7, latencyMs };
    const { latency, binMs } = pictureOf({ lanes: [lane, { ...lane, resolver: 'other' }] }, 2);
    expect(binMs).toBe(10_000);
    expect(latency.map(({ service, client, side }) => `${service} ${client} ${side}`)).toEqual([
      'orders fresh old',
      'orders fresh new',
    ]);
    const [bin, count, p50, p99, max] = latency[0]?.bins[0] ?? [];
    // Lateness is 0.3 ms; each value is there twice.
    const all = Array.from({ length: 70 }, (_, slot) => latencyMs(slot) + 0.3)
      .flatMap((ms) => [ms, ms])
      .toSorted((a, b) => a - b);
    expect([bin, count]).toEqual([0, 140]);
    expect([p50, p99, max]).toEqual([all[69], all[138], all[139]].map((ms) => Number((ms ?? 0).toPrecision(3))));
    for (const { bins, distribution } of latency) {
      expect(sum(distribution.map((one) => one[2]))).toBe(sum(bins.map((one) => one[1])));
      distribution.forEach(([fromMs, toMs], i) => {
        expect(toMs).toBeLessThanOrEqual(1.1 * fromMs);
        expect(fromMs).toBeGreaterThanOrEqual(distribution[i - 1]?.[1] ?? 0);
      });
    }
  });

  test('is none where no answer came from a side', () => {
    for (const log of [{ slots: 'xxxxxxx' }, { slots: '.......', at: '0' }]) {
      expect(pictureOf({ lanes: [log] }).latency).toEqual([]);
    }
  });

  test('of very many clients has its bins put together, and says so', () => {
    const lanes = Array.from({ length: 50 }, (_, i): LaneLog => ({ slots: '.'.repeat(701), client: `client-${i}` }));
    const { latency, binMs } = pictureOf({ lanes });
    expect(binMs).toBe(1000);
    expect(latency[0]?.binCount).toBe(2);
    expect(latency[0]?.bins.slice(0, 3).map(([bin, count]) => [bin, count])).toEqual([
      [0, 2],
      [2, 2],
      [4, 2],
    ]);
    expect(latency[0]?.bins.at(-1)?.slice(0, 2)).toEqual([700, 1]);
  });
});

describe('resolvers', () => {
  const statesOf = (picture: Picture, name: string): string[] =>
    (picture.resolvers.find((one) => one.name === name && one.hostname === hostname)?.states ?? []).map(
      ({ state, fromMs, toMs, ttlS }) => `${state} ${fromMs}–${toMs} ${ttlS === null ? '' : ttlS.join('–')}`,
    );

  test('show what their answers named, and when they gave none', () => {
    const picture = pictureOf({ lanes: [{ slots: '....ddd......', at: 'oooooooooon' }] });
    expect(statesOf(picture, 'vpc')).toEqual([
      'old 0–4005 5–5',
      'failed 4005–7000 ',
      'old 7000–10000 5–5',
      'new 10000–12000 5–5',
    ]);
  });

  test('whose caches differ are mixed, not a stripe each second', () => {
    const picture = pictureOf({ lanes: [{ slots: '.'.repeat(300), at: `${'o'.repeat(100)}${'on'.repeat(50)}n` }] }, 30);
    expect(picture.binMs).toBe(10_000);
    expect(statesOf(picture, 'vpc')).toEqual(['old 0–101000 5–5', 'mixed 101000–199000 5–5', 'new 199000–299000 5–5']);
  });

  test('are followed by authoritative servers, down or lame in between', () => {
    const picture = pictureOf({
      lanes: [{ slots: '.'.repeat(40) }],
      entries: [
        authority(1, [oldAddress], { isFirst: true, ttlS: 60 }),
        authority(11, null),
        authority(12, [oldAddress], { ttlS: 5 }),
        authority(21, [newAddress]),
      ],
    });
    expect(picture.resolvers.map(({ name }) => name)).toEqual(['vpc', '127.0.0.1:53']);
    expect(statesOf(picture, '127.0.0.1:53')).toEqual([
      'old 1010–11010 60–60',
      'failed 11010–12010 ',
      'old 12010–21010 5–5',
      'new 21010–21010 5–5',
    ]);
  });
});

describe('close-ups', () => {
  const calm = (count: number): string => '.'.repeat(count);
  const said = ({ service, fromMs, toMs, part, lanes }: CloseUp): string =>
    `${service} ${fromMs}–${toMs} ${part}: ${lanes.map(({ name, dots }) => `${name} ${dots.length}`).join(', ')}`;

  test('are of failures of a service that are at most 5 s apart, whichever lane they are in, with 3 s about them', () => {
    const { closeUps, closeUpsLeftOutCount } = pictureOf({
      lanes: [
        { slots: `${calm(20)}x${calm(40)}xx${calm(20)}` },
        { slots: `${calm(25)}x${calm(57)}`, client: 'kept' },
        { slots: calm(83), client: 'well' },
        { slots: `${calm(31)}x${calm(51)}`, service: 'billing' },
      ],
    });
    expect(closeUps.map(said).toSorted()).toEqual([
      'billing 28000–34000 whole: billing fresh via vpc 6',
      'orders 17000–28000 whole: orders fresh via vpc 11, orders kept via vpc 11',
      'orders 58000–65000 whole: orders fresh via vpc 7',
    ]);
    expect(closeUpsLeftOutCount).toBe(0);
  });

  test('of long trouble show how it began and how it ended', () => {
    const { closeUps } = pictureOf({ lanes: [{ slots: `${calm(10)}${'x'.repeat(100)}${calm(10)}` }] });
    expect(closeUps.map(said).toSorted()).toEqual([
      'orders 7000–37000 beginning: orders fresh via vpc 30',
      'orders 82000–112000 end: orders fresh via vpc 30',
    ]);
  });

  test('a lane that fails to the end swallows no burst of 5xx, and that comes first', () => {
    const { closeUps } = pictureOf({
      lanes: [
        { slots: `${calm(10)}${'x'.repeat(290)}`, client: 'jvm-forever', judged: false },
        { slots: `${calm(150)}5.5.5${calm(145)}`, at: 'n' },
        { slots: `${calm(80)}xxxx${calm(216)}`, at: 'n' },
      ],
    });
    expect(closeUps.map(({ fromMs, part }) => `${fromMs} ${part}`)).toEqual([
      '147000 whole',
      '77000 whole',
      '270000 end',
      '7000 beginning',
    ]);
  });

  test('have a dot for every slot, with what it was and why it failed, as the analysis has it', () => {
    const { analysis, picture } = drawnOf({
      lanes: [
        { slots: `${calm(12)}xx?5${calm(8)}!r..`, at: 'o' },
        { slots: calm(28), at: 'n' },
      ],
      entries: [authority(0, [oldAddress], { isFirst: true }), authority(5, [newAddress])],
    });
    const dots = picture.closeUps.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.dots));
    expect(dots.slice(0, 7)).toEqual([
      [9000, 5.3, 'good', 'old', null],
      [10_000, 5.3, 'good', 'old', null],
      [11_000, 5.3, 'good', 'old', null],
      [12_000, 5.3, 'connect-refused', 'old', 'stale-answer'],
      [13_000, 5.3, 'connect-refused', 'old', 'stale-answer'],
      [14_000, 0.3, 'dropped', 'unknown', null],
      [15_000, 5.3, '5xx-app', 'old', 'stale-answer'],
    ]);
    expect(dots.map(([, , result]) => result)).toContain('blind');
    const causes: Record<string, number> = {};
    for (const [, , , , cause] of dots) if (cause !== null) causes[cause] = (causes[cause] ?? 0) + 1;
    const listed: Record<string, number> = {};
    for (const outage of analysis.lanes[0]?.outages ?? []) {
      for (const [cause, count] of Object.entries(outage.causes)) listed[cause] = (listed[cause] ?? 0) + count;
    }
    expect(causes).toEqual(listed);
  });

  test('are of every service before any has its second, within 20,000 dots; what is left out is counted', () => {
    const services = Array.from({ length: 9 }, (_, i) => `service-${i}`);
    const slotsOf = (i: number): string => `${calm(70)}${'x'.repeat(140 - i)}${calm(210 + i)}`.repeat(7);
    const lanes = services.flatMap((service, number) =>
      Array.from({ length: 4 }, (_, i): LaneLog => ({
        slots: slotsOf(number),
        service,
        client: `client-${i}`,
        ratePerSecond: 7,
      })),
    );
    const { closeUps, closeUpsLeftOutCount } = pictureOf({ lanes });
    const dotCount = sum(closeUps.flatMap((one) => one.lanes.map(({ dots }) => dots.length)));
    expect(dotCount).toBeLessThanOrEqual(20_000);
    expect(dotCount).toBeGreaterThan(19_000);
    expect(new Set(closeUps.slice(0, 9).map(({ service }) => service)).size).toBe(9);
    expect(closeUps.length + closeUpsLeftOutCount).toBe(9 * 7);
  });
});
