import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newFold } from '../../src/analysis/fold.ts';
import type { LaneAnalysis } from '../../src/core/analysis.ts';
import type { Entry } from '../../src/core/entry.ts';
import { rowColumns, type Row, type RowBatch } from '../../src/core/row.ts';
import {
  analysisOf,
  authority,
  batchOf,
  evidenceOf,
  foldOf,
  keepAliveClient,
  laneAnalysisOf,
  mark,
  newAddress,
  oldAddress,
  sideAnswered,
  type Evidence,
  type LaneLog,
  type Log,
} from './kit.ts';

const anySlots = fc.string({
  unit: fc.constantFrom('.', '.', '.', '.', 'x', '5', 'd', 's', 't', 'w', 'b', '?', '!', 'l', '4', 'h', '_'),
  minLength: 1,
  maxLength: 120,
});
const anySides = fc.string({ unit: fc.constantFrom('o', 'n'), minLength: 1, maxLength: 60 });

test('every due slot is exactly one of good, failed, dropped, blind, blocked and pending', () => {
  fc.assert(
    fc.property(anySlots, fc.constantFrom(1, 3, 7), (slots, ratePerSecond) => {
      const lane = laneAnalysisOf({ slots, ratePerSecond });
      const { due, good, failed, dropped, blind, blocked, pending } = lane.slots;
      expect(due).toBe(slots.length);
      expect(good + failed + dropped + blind + blocked + pending).toBe(due);
      const listed = [...lane.outages, ...lane.impaired].reduce((sum, one) => sum + one.failedCount, 0);
      expect(listed).toBe(failed);
      expect(Object.values(lane.classes).reduce((sum, count) => sum + count, 0)).toBe(failed);
    }),
  );
});

/** A log with something of everything that arrives by itself. */
function mixedLog(slots: string, at: string): Log {
  return {
    lanes: [
      { slots, at, ratePerSecond: 3 },
      { slots, at, ratePerSecond: 7, archetype: keepAliveClient, client: 'keep-alive', worker: 1, rows: kept },
      { slots: slots.replaceAll('x', '.'), at: 'o', role: 'side', client: 'side:old', address: oldAddress, worker: 1 },
    ],
    entries: [
      authority(0, [oldAddress], { isFirst: true }),
      authority(5, [newAddress]),
      authority(6, [newAddress], { server: '127.0.0.2:53' }),
      mark(5, 'switch orders'),
      mark(5, 'switch'),
      sideAnswered(1, 'new', ['10.0.0.1']),
      { type: 'prober-stalled', atNs: 9e9, worker: 1, fromNs: 8e9, toNs: 8.9e9 },
      { type: 'clock-stepped', atNs: 3e9, stepMs: -400 },
      { type: 'clock-stepped', atNs: 4e9, stepMs: 400 },
    ],
    batchRows: 17,
  };
}

function kept(slot: number): Partial<Row> {
  return slot % 5 === 0 ? {} : { connectionAgeMs: (slot % 5) * 140 };
}

function rowsOfBatches(batches: readonly RowBatch[]): { row: Row; worker: number }[] {
  return batches.flatMap(({ columns, rowCount, worker }) =>
    Array.from({ length: rowCount }, (_, i) => ({
      worker,
      row: Object.fromEntries(rowColumns.map(([name]) => [name, columns[name][i]])) as Row,
    })),
  );
}

test('the order in which rows, batches and entries arrive does not show in the result', () => {
  fc.assert(
    fc.property(
      anySlots,
      anySides,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (slots, at, draws) => {
        const evidence = evidenceOf(mixedLog(slots, at));
        const expected = JSON.stringify(foldOf(evidence).result());
        const definitions = evidence.batches.flatMap((batch) => batch.definitions);
        const parts = [
          ...evidence.entries.map((entry) => ({ entry })),
          ...rowsOfBatches(evidence.batches).map((row) => ({ row })),
          { definitions },
        ];
        const shuffled = parts
          .map((part) => ({ part, key: draws.next().value as number }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ part }) => part);
        const fold = newFold();
        fold.entry(evidence.started);
        for (const part of shuffled) {
          if ('entry' in part) fold.entry(part.entry as Entry);
          else if ('row' in part) fold.batch(batchOf([part.row.row], [], part.row.worker, 0));
          else fold.batch(batchOf([], part.definitions, 0, 0));
        }
        for (const batch of evidence.batches) fold.batch(batchOf([], [], batch.worker, batch.atNs));
        expect(JSON.stringify(fold.result())).toBe(expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('lanes that are named after their rows read the same', () => {
  const evidence = evidenceOf(mixedLog('...x..5..?.....', 'oooooonn'));
  const { started } = evidence;
  const fold = newFold();
  fold.entry({ ...started, lanes: started.lanes.slice(0, 1) });
  for (const batch of evidence.batches) fold.batch(batch);
  for (const entry of evidence.entries) fold.entry(entry);
  expect(fold.result().isWhole).toBe(false);
  fold.entry({ type: 'lanes-added', atNs: 0, lanes: started.lanes.slice(1) });
  const { lanes, isWhole } = fold.result();
  expect(isWhole).toBe(true);
  expect(lanes).toEqual(foldOf(evidence).result().lanes);
});

test('a result changes nothing: the next one says the same', () => {
  const fold = foldOf(evidenceOf(mixedLog('..x..5..?.ss...', 'ooonoonn')));
  const first = JSON.stringify(fold.result());
  expect(JSON.stringify(fold.result())).toBe(first);
});

/** Outages that later slots can no longer change: enough good ones follow. */
function closed(lane: LaneAnalysis): LaneAnalysis['outages'] {
  return lane.outages.filter((outage) => outage.firstGoodAtNs !== null);
}

test('what comes later does not change an outage that is over', () => {
  fc.assert(
    fc.property(anySlots, anySlots, (before, after) => {
      const calm = '.'.repeat(16);
      const prefix = closed(laneAnalysisOf({ slots: before + calm }));
      const whole = laneAnalysisOf({ slots: before + calm + after });
      expect(whole.outages.slice(0, prefix.length)).toEqual(prefix);
    }),
  );
});

test('rows that come later only turn pending slots into something', () => {
  fc.assert(
    fc.property(anySlots, fc.nat(), (slots, cut) => {
      const evidence = evidenceOf({ lanes: [{ slots, ratePerSecond: 7 }], probedUntilNs: null, batchRows: 10 });
      const some: Evidence = {
        ...evidence,
        batches: evidence.batches.slice(0, 1 + (cut % Math.max(1, evidence.batches.length))),
      };
      const [part, whole] = [some, evidence].map((one) => foldOf(one).result().lanes[0]?.slots);
      for (const name of ['good', 'failed', 'dropped', 'blind', 'blocked'] as const) {
        expect(whole?.[name]).toBeGreaterThanOrEqual(part?.[name] ?? 0);
      }
    }),
  );
});

// ── truth ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The world: requests arrive when they are sent and fail at once inside a fault, else are answered after some latency.
 * What is true of users is the set of due instants whose request would fail: the faults themselves.
 */
const faults = fc
  .array(fc.record({ calmMs: fc.integer({ min: 4000, max: 12_000 }), downMs: fc.integer({ min: 400, max: 6000 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((lengths) => {
    let atMs = 0;
    return lengths.map(({ calmMs, downMs }) => {
      const fromMs = atMs + calmMs;
      atMs = fromMs + downMs;
      return { fromMs, toMs: atMs };
    });
  });

test('the true length of every fault longer than one interval lies within the bounds of its outage', () => {
  fc.assert(
    fc.property(
      faults,
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 1000 }),
      fc.nat(),
      (spans, latencyMs, phase, seed) => {
        const ratePerSecond = 7;
        const endMs = (spans.at(-1)?.toMs ?? 0) + 4000;
        const staggerNs = Math.round((phase / 1000 / ratePerSecond) * 1e9);
        const slotCount = Math.floor(((endMs - staggerNs / 1e6) / 1000) * ratePerSecond);
        const dueMs = (slot: number): number => staggerNs / 1e6 + (slot * 1000) / ratePerSecond;
        const isDown = (atMs: number): boolean => spans.some((span) => span.fromMs <= atMs && atMs < span.toMs);
        const isDropped = (slot: number): boolean => (slot * 7919 + seed) % 11 === 0;
        const slots = Array.from({ length: slotCount }, (_, slot) =>
          isDropped(slot) ? '?' : isDown(dueMs(slot)) ? 'x' : '.',
        ).join('');
        const lane = laneAnalysisOf({
          slots,
          ratePerSecond,
          staggerNs,
          latencyMs: (slot) => (isDown(dueMs(slot)) ? 1 : latencyMs),
        });
        // With a slot in eleven dropped, two intervals are enough to be seen.
        const seen = spans.filter((span) => span.toMs - span.fromMs > 2000 / ratePerSecond);
        for (const span of seen) {
          const outage = lane.outages.find(
            ({ firstFailedAtNs }) => firstFailedAtNs >= span.fromMs * 1e6 && firstFailedAtNs < span.toMs * 1e6,
          );
          const trueMs = span.toMs - span.fromMs;
          expect(outage?.downMsMin).toBeLessThanOrEqual(trueMs);
          expect(outage?.downMsMax).toBeGreaterThanOrEqual(trueMs);
          // The fault itself: requests see it when they arrive, at once.
          expect(outage?.faultMsMin).toBeLessThanOrEqual(trueMs);
          expect(outage?.faultMsMax).toBeGreaterThanOrEqual(trueMs);
          // No wider than the formulas make them: two intervals, and one for each dropped slot at an edge.
          expect((outage?.downMsMax ?? 0) - (outage?.downMsMin ?? 0)).toBeLessThanOrEqual(
            (4.001 * 1000) / ratePerSecond,
          );
        }
        const totalMs = spans.reduce((sum, span) => sum + span.toMs - span.fromMs, 0);
        expect(lane.downtimeMs.max).toBeGreaterThanOrEqual(totalMs);
        expect(lane.downtimeMs.min).toBeLessThanOrEqual(totalMs);
      },
    ),
  );
});

test('a slot of the log more or less never makes certain downtime of unseen slots', () => {
  fc.assert(
    fc.property(anySlots, (slots) => {
      const seen = laneAnalysisOf({ slots });
      const hidden = laneAnalysisOf({ slots: slots.replaceAll(/[x5dstwb]/g, '?') });
      expect(hidden.downtimeMs.min).toBe(0);
      expect(hidden.downtimeMs.max + hidden.impairedMs.max).toBeGreaterThanOrEqual(seen.downtimeMs.max);
    }),
  );
});

test('a lane alone reads as it does among others', () => {
  const lanes: LaneLog[] = [{ slots: '..x..' }, { slots: '.5.?.', ratePerSecond: 7 }];
  const together = analysisOf({ lanes }).lanes.map((lane) => lane.outages.length);
  expect(together).toEqual([1, 1]);
});
