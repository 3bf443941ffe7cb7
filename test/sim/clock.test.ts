import { describe, expect, test } from 'vitest';
import { settle } from '../../src/cli/settle.ts';
import { newSimClock } from '../../src/sim/clock.ts';

test('what is due runs in order of time, and of asking within one instant, whatever was asked first', async () => {
  const clock = newSimClock(settle);
  const seen: string[] = [];
  const note = (what: string) => (): void => void seen.push(`${what}@${clock.nowNs()}`);
  for (const [what, atNs] of [
    ['c', 30],
    ['a', 10],
    ['d', 30],
    ['b', 20],
    ['e', 30],
    ['past', -5],
  ] as const) {
    clock.at(atNs, note(what));
  }
  await clock.runUntil(new Promise<void>((resolve) => clock.at(31, resolve)));
  expect(seen).toEqual(['past@0', 'a@10', 'b@20', 'c@30', 'd@30', 'e@30']);
});

test('a thousand waits, every third cancelled, run as a sorted list would', async () => {
  const clock = newSimClock(settle);
  const seen: number[] = [];
  const all = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 997);
  const cancels = all.map((atNs, i) => clock.at(atNs, () => seen.push(i)));
  cancels.forEach((cancel, i) => i % 3 === 0 && cancel());
  await clock.runUntil(new Promise<void>((resolve) => clock.at(2000, resolve)));
  const expected = all
    .map((atNs, i) => ({ atNs, i }))
    .filter(({ i }) => i % 3 !== 0)
    .toSorted((a, b) => a.atNs - b.atNs || a.i - b.i);
  expect(seen).toEqual(expected.map(({ i }) => i));
});

test('however long a chain of promises is, it has run before time goes on', async () => {
  const clock = newSimClock(settle);
  const deep = async (depth: number): Promise<void> => {
    if (depth > 0) await deep(depth - 1);
  };
  const doneAtNs: number[] = [];
  for (let i = 0; i < 10_000; i += 1) clock.at(i, () => void deep(i % 100).then(() => doneAtNs.push(clock.nowNs())));
  await clock.runUntil(new Promise<void>((resolve) => clock.at(10_000, resolve)));
  expect(doneAtNs).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
});

test('time never goes back: what is due in the past runs now', async () => {
  const clock = newSimClock(settle);
  const seen: number[] = [];
  clock.at(50, () => clock.at(20, () => seen.push(clock.nowNs())));
  await clock.runUntil(new Promise<void>((resolve) => clock.at(60, resolve)));
  expect(seen).toEqual([50]);
});

describe('the work', () => {
  test('gives its result, and time stands still afterwards', async () => {
    const clock = newSimClock(settle);
    clock.at(100, () => {});
    expect(await clock.runUntil(new Promise((resolve) => clock.at(7, () => resolve('done'))))).toBe('done');
    expect(clock.nowNs()).toBe(7);
  });

  test('that fails is told as it failed', async () => {
    const clock = newSimClock(settle);
    const work = new Promise((_, reject) => clock.at(7, () => reject(new Error('no'))));
    await expect(clock.runUntil(work)).rejects.toThrow('no');
  });

  test('that nothing can end any more is our mistake, and no endless wait', async () => {
    const clock = newSimClock(settle);
    clock.at(3, () => {});
    clock.at(Infinity, () => {});
    await expect(clock.runUntil(new Promise(() => {}))).rejects.toThrow('waits for ever');
  });
});
