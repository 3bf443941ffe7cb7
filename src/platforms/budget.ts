/**
 * How often a platform is asked, all observers together: AWS throttles whole accounts, and whoever makes a change at the
 * same moment must not be throttled for our sake.
 */
import pLimit from 'p-limit';
import type { Clock, Random } from '../core/ports.ts';
import { nsPerS } from '../core/time.ts';

/**
 * Runs the call when its turn comes, in the order of asking; at most `inFlightMax` are under way. One that is stopped no
 * longer waits for its turn: it is for the call to see that, and to do nothing.
 */
export type Budget = <T>(call: () => Promise<T>, signal: AbortSignal) => Promise<T>;

export interface BudgetOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Two calls never begin closer to each other than this allows; left out: 1. */
  readonly callsPerSecond?: number;
}

/** A call that hangs until its deadline holds up only itself. */
const inFlightMax = 4;
/** The distance of two calls is up to so much larger, so that many of us do not ask in step. */
const jitterRatio = 0.2;

export function newBudget({ clock, random, callsPerSecond = 1 }: BudgetOptions): Budget {
  const limit = pLimit(inFlightMax);
  let nextAtNs = 0;

  function turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const atNs = Math.max(clock.nowNs(), nextAtNs);
    nextAtNs = atNs + Math.ceil((nsPerS / callsPerSecond) * (1 + jitterRatio * random()));
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        signal.removeEventListener('abort', go);
        resolve();
      };
      const cancel = clock.at(atNs, go);
      signal.addEventListener('abort', go);
    });
  }

  return (call, signal) =>
    limit(async () => {
      await turn(signal);
      return call();
    });
}
