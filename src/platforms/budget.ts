/**
 * How often a platform is asked, all observers together: AWS throttles whole accounts, and whoever makes a change at the
 * same moment must not be throttled for our sake.
 */
import pLimit from 'p-limit';
import type { Clock, Random } from '../core/ports.ts';
import { nsPerS } from '../core/time.ts';

/**
 * Runs the call when its turn comes. Urgent calls have every second turn at the most while others wait, each kind in the
 * order of asking; at most `inFlightMax` of a kind are under way. One that is stopped no longer waits for its turn: it is
 * for the call to see that, and to do nothing.
 */
export type Budget = <T>(call: () => Promise<T>, signal: AbortSignal, urgency?: Urgency) => Promise<T>;

/** `urgent`: what changes within seconds, and is asked for again and again. */
export type Urgency = 'urgent' | 'patient';

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
  const limits = { urgent: pLimit(inFlightMax), patient: pLimit(inFlightMax) };
  const waiting: Readonly<Record<Urgency, (() => void)[]>> = { urgent: [], patient: [] };
  let nextAtNs = 0;
  let isArmed = false;
  let wasUrgent = false;

  function turn(signal: AbortSignal, urgency: Urgency): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const line = waiting[urgency];
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        line.splice(line.indexOf(go), 1);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      line.push(go);
      arm();
    });
  }

  function arm(): void {
    if (isArmed) return;
    isArmed = true;
    clock.at(Math.max(clock.nowNs(), nextAtNs), () => {
      isArmed = false;
      const isUrgent = waiting.urgent.length > 0 && !(wasUrgent && waiting.patient.length > 0);
      const go = waiting[isUrgent ? 'urgent' : 'patient'].shift();
      // Whoever waited has left.
      if (go === undefined) return;
      wasUrgent = isUrgent;
      nextAtNs = clock.nowNs() + Math.ceil((nsPerS / callsPerSecond) * (1 + jitterRatio * random()));
      go();
      if (waiting.urgent.length + waiting.patient.length > 0) arm();
    });
  }

  return (call, signal, urgency = 'patient') =>
    limits[urgency](async () => {
      await turn(signal, urgency);
      return call();
    });
}
