/**
 * Virtual time: it stands still while anything happens, and jumps to the next instant at which something is due. What is
 * due at one instant runs in the order in which it was asked for, so that a run is the same every time.
 */
import { Agenda } from '../core/agenda.ts';
import { assert } from '../core/errors.ts';
import type { Cancel, Clock } from '../core/ports.ts';

export interface SimClock extends Clock {
  /**
   * Runs what is due, in order, until the work is done, and gives its result. Between two instants everything that waits
   * for a promise has run.
   */
  runUntil<T>(work: Promise<T>): Promise<T>;
}

/**
 * @param settle resolves once every promise that can be settled is, and all that waits for one has run. How that is
 * known depends on where the program runs.
 */
export function newSimClock(settle: () => Promise<void>): SimClock {
  const agenda = new Agenda();
  let nowNs = 0;

  return {
    nowNs: () => nowNs,

    at(atNs: number, run: () => void): Cancel {
      assert(!Number.isNaN(atNs), 'a wait is for an instant');
      const planned = agenda.add(Math.max(nowNs, Math.ceil(atNs)), run);
      return () => agenda.remove(planned);
    },

    async runUntil(work) {
      let isDone = false;
      const done = (): void => {
        isDone = true;
      };
      work.then(done, done);
      await settle();
      while (!isDone) {
        const next = agenda.first;
        assert(
          next !== undefined && next.atNs < Infinity,
          'something waits for ever: nothing is due, and the work is not done',
        );
        agenda.remove(next);
        nowNs = next.atNs;
        next.run();
        await settle();
      }
      return work;
    },
  };
}
