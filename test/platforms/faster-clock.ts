import type { Clock } from '../../src/core/ports.ts';

/** Seconds that pass so many times faster, for waits that no test can wait for; sockets stay as slow as they are. */
export function newFasterClock(clock: Clock, times: number): Clock {
  return {
    nowNs: () => Math.round(clock.nowNs() * times),
    at: (atNs, run) => clock.at(atNs / times, run),
  };
}
