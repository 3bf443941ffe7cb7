import type { Cancel, Clock } from '../core/ports.ts';
import { nsPerMs } from '../core/time.ts';

const lookEveryMs = 20;
const stallNsMin = 100 * nsPerMs;

/**
 * Notices when this thread did not run for more than 100 ms: a blocked event loop, SIGSTOP, a processor given to
 * somebody else. Nothing that was due in between was sent, and no answer's time is known, so the span is blind. Reports
 * from the last moment the thread is known to have run to the first one after; the true stall is up to 20 ms shorter.
 */
export function watchForStalls(clock: Clock, onStall: (fromNs: number, toNs: number) => void): Cancel {
  let ranAtNs = clock.nowNs();
  const timer = setInterval(() => {
    const fromNs = ranAtNs;
    ranAtNs = clock.nowNs();
    if (ranAtNs - fromNs > stallNsMin) onStall(fromNs, ranAtNs);
  }, lookEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
