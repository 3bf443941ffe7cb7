import type { Cancel, Clock } from '../core/ports.ts';

/**
 * Calls `run` once the deadline has passed and everything that had arrived until then has been read. After a stall the
 * event loop runs timers before it reads sockets: without the extra turn, answers that came in time would be failures.
 */
export function atDeadline(clock: Clock, deadlineNs: number, run: () => void): Cancel {
  let isCancelled = false;
  const cancel = clock.at(deadlineNs, () => {
    setImmediate(() => {
      if (!isCancelled) run();
    });
  });
  return () => {
    isCancelled = true;
    cancel();
  };
}
