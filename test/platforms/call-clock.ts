/** Virtual time around real sockets: it stands still while a call is under way, and jumps when none is but those that hang. */
import { newRandom } from '../../src/core/random.ts';
import { sToNs } from '../../src/core/time.ts';
import { newBudget, type Budget } from '../../src/platforms/budget.ts';
import { newSimClock, type SimClock } from '../../src/sim/clock.ts';

export interface CallClock {
  readonly clock: SimClock;
  /** That of a run, whose calls the clock waits for. */
  readonly budget: Budget;
  /** Lets time pass until it is so; fails with `what` after `withinS`. */
  until(what: string, isSo: () => boolean, withinS?: number): Promise<void>;
}

export function newCallClock(hungCount: () => number, callsPerSecond: number = 1): CallClock {
  let callCount = 0;
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const clock = newSimClock(async () => {
    do await turn();
    while (callCount > hungCount());
    await turn();
  });
  const budget = newBudget({ clock, random: newRandom(5, 'budget'), callsPerSecond });
  return {
    clock,
    budget: (call, signal, urgency) =>
      budget(
        async () => {
          callCount += 1;
          try {
            return await call();
          } finally {
            callCount -= 1;
          }
        },
        signal,
        urgency,
      ),
    async until(what, isSo, withinS = 300) {
      const endNs = clock.nowNs() + sToNs(withinS);
      const watched = async (): Promise<void> => {
        while (!isSo()) {
          if (clock.nowNs() >= endNs) throw new Error(`waited ${withinS} s in vain for ${what}`);
          await new Promise<void>((resolve) => void clock.at(clock.nowNs() + sToNs(0.25), resolve));
        }
      };
      await clock.runUntil(watched());
    },
  };
}
