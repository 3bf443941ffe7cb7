import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { msToNs } from '../../src/core/time.ts';
import { newClock } from '../../src/net/clock.ts';

function wait(clock: ReturnType<typeof newClock>, ms: number): Promise<number> {
  const dueNs = clock.nowNs() + msToNs(ms);
  return new Promise((resolve) => clock.at(dueNs, () => resolve(clock.nowNs() - dueNs)));
}

test('counts whole ns from the start of the run', () => {
  const startedAtHrNs = process.hrtime.bigint() - 7_000_000_123n;
  const clock = newClock(startedAtHrNs);
  const beforeNs = Number(process.hrtime.bigint() - startedAtHrNs);
  const nowNs = clock.nowNs();
  const afterNs = Number(process.hrtime.bigint() - startedAtHrNs);
  expect(Number.isInteger(nowNs)).toBe(true);
  // To within the width of the reading that measured the offset.
  expect(nowNs).toBeGreaterThan(beforeNs - 100_000);
  expect(nowNs).toBeLessThan(afterNs + 100_000);
});

test('never goes back', () => {
  const clock = newClock(process.hrtime.bigint());
  let lastNs = clock.nowNs();
  for (let i = 0; i < 100_000; i += 1) {
    const nowNs = clock.nowNs();
    if (nowNs < lastNs) expect.fail(`${nowNs} after ${lastNs}`);
    lastNs = nowNs;
  }
});

test('is the same clock in every thread', async () => {
  const startedAtHrNs = process.hrtime.bigint();
  const here = newClock(startedAtHrNs);
  const program = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { newClock } = await import(workerData.module);
    const clock = newClock(workerData.startedAtHrNs);
    parentPort.on('message', (message) => message === 'now' ? parentPort.postMessage(clock.nowNs()) : process.exit());
    parentPort.postMessage('ready');`;
  const module = new URL('../../src/net/clock.ts', import.meta.url).href;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const worker = new Worker(url, { workerData: { module, startedAtHrNs } });
  await once(worker, 'message');
  for (let i = 0; i < 5; i += 1) {
    const beforeNs = here.nowNs();
    worker.postMessage('now');
    const [thereNs] = (await once(worker, 'message')) as [number];
    const afterNs = here.nowNs();
    expect(thereNs).toBeGreaterThan(beforeNs - 100_000);
    expect(thereNs).toBeLessThan(afterNs + 100_000);
  }
  await worker.terminate();
});

describe('a wait', () => {
  test.for([0, 0.137, 0.999, 1, 1.731, 7.3, 23.019])('of %d ms is never early', async (ms) => {
    const clock = newClock(process.hrtime.bigint());
    const latenessNs = await Promise.all(Array.from({ length: 20 }, (_, i) => wait(clock, ms + i * 0.613)));
    expect(Math.min(...latenessNs)).toBeGreaterThanOrEqual(0);
  });

  test('for an instant that is over comes soon, but not at once', async () => {
    const clock = newClock(process.hrtime.bigint());
    let isOver = false;
    const over = new Promise<void>((resolve) => {
      clock.at(clock.nowNs() - 1e9, () => {
        isOver = true;
        resolve();
      });
    });
    expect(isOver).toBe(false);
    await over;
  });

  test('that was cancelled never comes, wherever it is in the queue', async () => {
    const clock = newClock(process.hrtime.bigint());
    const startNs = clock.nowNs();
    const ran: number[] = [];
    // 97 and 31 have no common factor, so every place in the queue is taken, in no order.
    const places = Array.from({ length: 97 }, (_, i) => (i * 31) % 97);
    const cancels = new Map(
      places.map((place) => [place, clock.at(startNs + msToNs(20 + place * 0.1), () => ran.push(place))]),
    );
    for (const [place, cancel] of cancels) if (place % 3 !== 1) cancel();
    await wait(clock, 40);
    expect(ran).toEqual(places.filter((place) => place % 3 === 1).toSorted((a, b) => a - b));
    for (const cancel of cancels.values()) cancel();
  });

  test('may be cancelled by one that comes first, in the same turn', async () => {
    const clock = newClock(process.hrtime.bigint());
    const dueNs = clock.nowNs() + msToNs(3.3);
    const ran: string[] = [];
    clock.at(dueNs, () => {
      ran.push('first');
      cancelSecond();
    });
    const cancelSecond = clock.at(dueNs + 1, () => ran.push('second'));
    await wait(clock, 15);
    expect(ran).toEqual(['first']);
  });

  test('may start another, sooner than all others', async () => {
    const clock = newClock(process.hrtime.bigint());
    const startNs = clock.nowNs();
    const ran: string[] = [];
    clock.at(startNs + msToNs(60), () => ran.push('late'));
    clock.at(startNs + msToNs(5), () => clock.at(startNs + msToNs(9), () => ran.push('sooner')));
    await wait(clock, 70);
    expect(ran).toEqual(['sooner', 'late']);
  });

  test('that throws takes no other with it', async () => {
    const clock = newClock(process.hrtime.bigint());
    const failed = once(process, 'uncaughtExceptionMonitor');
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', () => undefined);
    clock.at(clock.nowNs() + msToNs(2), () => {
      throw new Error('of ours');
    });
    const other = wait(clock, 2.1);
    await failed;
    await other;
    for (const listener of listeners) process.on('uncaughtException', listener);
  });

  test('keeps the process alive until it comes, and no longer once it is cancelled', async () => {
    const module = new URL('../../src/net/clock.ts', import.meta.url).href;
    const program = `
      import { newClock } from ${JSON.stringify(module)};
      const clock = newClock(process.hrtime.bigint());
      clock.at(clock.nowNs() + 20e6, () => console.log('done'));
      setTimeout(() => clock.at(clock.nowNs() + 3600e9, () => console.log('an hour'))(), 40);`;
    const run = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    expect(run.stdout).toBe('done\n');
  });
});
