import { expect, test } from 'vitest';
import { settle } from '../../src/cli/settle.ts';
import { newRandom } from '../../src/core/random.ts';
import { sToNs } from '../../src/core/time.ts';
import { newBudget } from '../../src/platforms/budget.ts';
import { newSimClock } from '../../src/sim/clock.ts';

const never = new AbortController().signal;

test('calls of all observers together begin a second apart or more, in the order of asking', async () => {
  const clock = newSimClock(settle);
  const budget = newBudget({ clock, random: newRandom(3, 'budget') });
  const startedAtS: [number, number][] = [];
  const calls = Array.from({ length: 9 }, (_, i) =>
    budget(async () => void startedAtS.push([i, clock.nowNs() / 1e9]), never),
  );
  await clock.runUntil(Promise.all(calls));
  expect(startedAtS.map(([i]) => i)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const gapsS = startedAtS.slice(1).map(([, atS], i) => atS - (startedAtS[i]?.[1] ?? 0));
  for (const gapS of gapsS) {
    expect(gapS).toBeGreaterThanOrEqual(1);
    expect(gapS).toBeLessThanOrEqual(1.2 + 1e-6);
  }
  expect(new Set(gapsS).size).toBeGreaterThan(1);
});

test('a pause saves up no burst', async () => {
  const clock = newSimClock(settle);
  const budget = newBudget({ clock, random: () => 0, callsPerSecond: 3 });
  await clock.runUntil(new Promise<void>((resolve) => void clock.at(sToNs(60), resolve)));
  const startedAtNs: number[] = [];
  const call = async (): Promise<void> => void startedAtNs.push(clock.nowNs());
  await clock.runUntil(Promise.all([budget(call, never), budget(call, never), budget(call, never)]));
  const thirdNs = Math.ceil(sToNs(1) / 3);
  expect(startedAtNs).toEqual([0, thirdNs, 2 * thirdNs].map((ns) => sToNs(60) + ns));
});

test('four calls that hang hold up the fifth until one ends, and no longer', async () => {
  const clock = newSimClock(settle);
  const budget = newBudget({ clock, random: () => 0 });
  const hang = (): Promise<void> => new Promise((resolve) => void clock.at(clock.nowNs() + sToNs(12), resolve));
  const calls = [hang, hang, hang, hang].map((call) => budget(call, never));
  const fifthAtNs = await clock.runUntil(budget(async () => clock.nowNs(), never));
  expect(fifthAtNs).toBe(sToNs(12));
  await clock.runUntil(Promise.all(calls));
});

test('who is stopped waits for no turn', async () => {
  const clock = newSimClock(settle);
  const budget = newBudget({ clock, random: () => 0 });
  const stop = new AbortController();
  const at = async (): Promise<number> => clock.nowNs();
  const calls = [budget(at, stop.signal), budget(at, stop.signal), budget(at, stop.signal)];
  clock.at(sToNs(0.3), () => stop.abort());
  expect(await clock.runUntil(Promise.all(calls))).toEqual([0, sToNs(0.3), sToNs(0.3)]);
});

test('urgent calls go before others, and take every second turn at the most while others wait', async () => {
  const clock = newSimClock(settle);
  const budget = newBudget({ clock, random: () => 0 });
  const order: string[] = [];
  const call = (name: string, urgency: 'urgent' | 'patient'): Promise<void> =>
    budget(async () => void order.push(name), never, urgency);
  await clock.runUntil(
    Promise.all([
      ...['a', 'b', 'c'].map((name) => call(name, 'patient')),
      ...['U', 'V', 'W', 'X'].map((name) => call(name, 'urgent')),
    ]),
  );
  expect(order.join('')).toBe('UaVbWcX');
});
