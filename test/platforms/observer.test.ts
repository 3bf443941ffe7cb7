import { expect, test } from 'vitest';
import { settle } from '../../src/cli/settle.ts';
import type { Entry } from '../../src/core/entry.ts';
import { newRandom } from '../../src/core/random.ts';
import { sToNs } from '../../src/core/time.ts';
import { startObserver, type LookOptions } from '../../src/platforms/observer.ts';
import { notTold, told, type Told } from '../../src/platforms/told.ts';
import { newSimClock } from '../../src/sim/clock.ts';

/** Watches for `forS` of virtual time; `look` is given the number of the look. */
async function watched(
  forS: number,
  look: (count: number, options: LookOptions, waitS: (s: number) => Promise<void>) => Promise<Told<unknown>>,
): Promise<{ readonly entries: readonly Entry[]; readonly lookedAtS: readonly number[] }> {
  const clock = newSimClock(settle);
  const waitS = (s: number): Promise<void> =>
    new Promise((resolve) => void clock.at(clock.nowNs() + sToNs(s), resolve));
  const entries: Entry[] = [];
  const lookedAtS: number[] = [];
  const observer = startObserver({
    clock,
    random: newRandom(7, 'looks'),
    entry: (entry) => entries.push(entry),
    observer: 'weather',
    side: null,
    what: 'the sky',
    everyNs: sToNs(7),
    look(options) {
      lookedAtS.push(clock.nowNs() / 1e9);
      return look(lookedAtS.length, options, waitS);
    },
  });
  await clock.runUntil(waitS(forS));
  observer.stop();
  await clock.runUntil(waitS(100));
  return { entries, lookedAtS };
}

const noted = (text: string, atNs = 0): Entry => ({ type: 'noted', atNs, text });

test('a look that fails is a blind interval from when it last saw, said at once and once', async () => {
  const { entries, lookedAtS } = await watched(90, async (count) =>
    count === 3 || count === 4 ? notTold('throttled', 'clouds') : told(null),
  );
  const [, second = 0, third = 0, , fifth = 0] = lookedAtS;
  expect(entries).toEqual([
    { type: 'observer-started', atNs: 0, observer: 'weather', side: null, what: 'the sky' },
    { type: 'observer-blinded', atNs: third * 1e9, observer: 'weather', sinceNs: second * 1e9, why: 'clouds' },
    { type: 'observer-recovered', atNs: fifth * 1e9, observer: 'weather' },
  ]);
});

test('one that never saw is blind from its start', async () => {
  const { entries } = await watched(40, async () => notTold('denied', 'a roof'));
  expect(entries.slice(1)).toEqual([
    { type: 'observer-blinded', atNs: 0, observer: 'weather', sinceNs: 0, why: 'a roof', isLasting: true },
  ]);
});

test('what it sees is as of when it asked, not of when the answer came', async () => {
  const { entries, lookedAtS } = await watched(40, async (count, _, waitS) => {
    await waitS(3);
    return count === 2 ? notTold('other', 'clouds') : told(null);
  });
  expect(entries[1]).toMatchObject({ sinceNs: 0, atNs: ((lookedAtS[1] ?? 0) + 3) * 1e9 });
});

test('looks begin at their distance, with a little jitter; a slow one is waited for, and none overlap', async () => {
  const { lookedAtS } = await watched(60, async (count, _, waitS) => {
    if (count === 2) await waitS(19);
    return told(null);
  });
  const gapsS = lookedAtS.slice(1).map((atS, i) => atS - (lookedAtS[i] ?? 0));
  expect(gapsS[1]).toBe(19);
  const others = gapsS.filter((gapS) => gapS !== 19);
  for (const gapS of others) {
    expect(gapS).toBeGreaterThanOrEqual(7);
    expect(gapS).toBeLessThanOrEqual(7.7);
  }
  expect(new Set(others).size).toBeGreaterThan(1);
});

test('a look that throws ends nothing: it is blind, and what was thrown is not quoted', async () => {
  const { entries, lookedAtS } = await watched(20, async () => {
    throw new TypeError('token=hunter2');
  });
  expect(lookedAtS.length).toBeGreaterThan(1);
  expect(JSON.stringify(entries)).not.toContain('hunter2');
  expect(entries[1]).toMatchObject({ why: 'what was answered could not be read (TypeError)' });
});

test('after it is stopped it tells nothing, and what is under way hears of that', async () => {
  let wasStopped = false;
  const { entries, lookedAtS } = await watched(20, async (_, { tell, signal }, waitS) => {
    tell(noted('begins'));
    await waitS(50);
    wasStopped = signal.aborted;
    tell(noted('ends'));
    return notTold('other', 'stopped');
  });
  expect(lookedAtS).toEqual([0]);
  expect(wasStopped).toBe(true);
  expect(entries.slice(1)).toEqual([noted('begins')]);
});
