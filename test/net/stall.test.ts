import { expect, test } from 'vitest';
import { newClock } from '../../src/net/clock.ts';
import { watchForStalls } from '../../src/net/stall.ts';
import { eventually } from './dialling.ts';

test('a thread that was blocked is told from when to when', async () => {
  const clock = newClock(process.hrtime.bigint());
  const stalls: [number, number][] = [];
  const stop = watchForStalls(clock, (fromNs, toNs) => stalls.push([fromNs, toNs]));
  await new Promise((resolve) => setTimeout(resolve, 30));
  const blockedFromNs = clock.nowNs();
  while (clock.nowNs() - blockedFromNs < 230e6);
  const blockedToNs = clock.nowNs();
  await eventually(() => stalls.length > 0);
  stop();
  const during = stalls.find(([fromNs, toNs]) => fromNs <= blockedFromNs && blockedToNs <= toNs);
  expect(during).toBeDefined();
});
