import { expect, test } from 'vitest';
import { newSnapshotStore } from '../../src/live/snapshot-store.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { foundingIncident } from '../report/cases.ts';
import { snapshotOf } from './kit.ts';

test('where making a snapshot is dear, pages are told of fewer, and of the last in any case', async () => {
  let nowMs = 0;
  const store = newSnapshotStore(() => nowMs);
  const running = snapshotOf(foundingIncident);
  const dear: Snapshot & { toJSON(): unknown } = { ...running, toJSON: () => (nowMs += 70) };
  expect(store.put(dear)).toBe(true);
  await store.encoded();
  nowMs = 70 + 699;
  expect(store.put(running)).toBe(false);
  expect(store.newest()).toBe(running);
  expect(store.published()).toEqual({ snapshot: dear, sequence: 1 });
  nowMs += 1;
  expect(store.put(dear)).toBe(true);
  await store.encoded();
  expect(store.put({ ...running, isRunning: false })).toBe(true);
  expect(store.published()?.sequence).toBe(3);
});
