import { expect, test } from 'vitest';
import { settle } from '../../src/cli/settle.ts';

/** Done after so many turns of the queue of microtasks. */
async function chain(turnCount: number): Promise<void> {
  for (let i = 0; i < turnCount; i += 1) await Promise.resolve();
}

test.for([1, 7, 1000])('%i awaits in a row are over, wherever it is called from', async (turnCount) => {
  const callers: readonly ((call: () => void) => unknown)[] = [
    (call) => queueMicrotask(call),
    (call) => process.nextTick(call),
    (call) => setImmediate(call),
    (call) => setTimeout(call, 1),
  ];
  for (const caller of callers) {
    const isOver = await new Promise<boolean>((resolve) => {
      caller(() => {
        let isDone = false;
        void chain(turnCount).then(() => (isDone = true));
        void settle().then(() => resolve(isDone));
      });
    });
    expect(isOver).toBe(true);
  }
});

test('Node’s own events are heard between', async () => {
  let isHeard = false;
  setImmediate(() => (isHeard = true));
  let count = 0;
  for (; !isHeard && count < 100_000; count += 1) await settle();
  expect(isHeard).toBe(true);
});
