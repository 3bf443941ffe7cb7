/**
 * The real clock. Every thread of a run counts from the same instant: `process.hrtime` is one clock for all of them,
 * `performance.now()` is the cheaper reading of the same clock but starts at another instant in each thread, so the
 * distance is measured once.
 *
 * All waiting goes through one heap and one Node timer. Most waits are deadlines that are cancelled long before they are
 * due: with the heap that costs an array push and pop, where a Node timer each would cost a linked list each.
 */
import { performance } from 'node:perf_hooks';
import { Agenda } from '../core/agenda.ts';
import { assert } from '../core/errors.ts';
import type { Cancel, Clock } from '../core/ports.ts';
import { nsPerMs } from '../core/time.ts';

/**
 * Node's timers count whole milliseconds, so a wake-up is either up to 1 ms late or early. We wake early and let the
 * event loop turn until the instant is here, as long as that stays under this share of the processor; then we wake late.
 */
const turningShareMax = 0.02;

/**
 * So much later than the instant is as good. A wait of a whole number of milliseconds, as between slots of most rates, is
 * found to be a few microseconds shorter when the slot before was fired, and would turn for nearly all of its last one.
 */
const lateAcceptedMs = 0.2;

/** How much unused share may be saved up. */
const turningSavedMaxNs = 5 * nsPerMs;

/** Node cannot wait longer than 2^31 ms at once. */
const waitMsMax = 3_600_000;

export function newClock(startedAtHrNs: bigint): Clock {
  const offsetNs = offsetOfPerformance(startedAtHrNs);
  const nowNs = (): number => Math.round(performance.now() * nsPerMs + offsetNs);

  const agenda = new Agenda();
  let timer: NodeJS.Timeout | null = null;
  /** What the timer waits for; -Infinity while turning or waking, which look at the heap themselves. */
  let armedForNs = Infinity;
  let turningSavedNs = turningSavedMaxNs;
  let turnedAtNs = nowNs();

  function arm(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const { first } = agenda;
    armedForNs = first === undefined ? Infinity : first.atNs;
    if (first === undefined) return;
    const atNs = nowNs();
    const waitMs = Math.max(0, (first.atNs - atNs) / nsPerMs);
    const wholeMs = Math.floor(waitMs + lateAcceptedMs);
    turningSavedNs = Math.min(turningSavedMaxNs, turningSavedNs + (atNs - turnedAtNs) * turningShareMax);
    turnedAtNs = atNs;
    const mayTurn = (waitMs - wholeMs) * nsPerMs <= turningSavedNs;
    if (wholeMs === 0 && mayTurn) {
      armedForNs = -Infinity;
      setImmediate(turn);
    } else {
      timer = setTimeout(wake, Math.min(waitMsMax, mayTurn ? wholeMs : wholeMs + 1));
    }
  }

  function turn(): void {
    const atNs = nowNs();
    turningSavedNs -= atNs - turnedAtNs;
    turnedAtNs = atNs;
    const { first } = agenda;
    if (first !== undefined && first.atNs > atNs && first.atNs - atNs <= turningSavedNs) {
      setImmediate(turn);
      return;
    }
    wake();
  }

  function wake(): void {
    armedForNs = -Infinity;
    try {
      const atNs = nowNs();
      for (let first = agenda.first; first !== undefined && first.atNs <= atNs; first = agenda.first) {
        agenda.remove(first);
        first.run();
      }
    } finally {
      arm();
    }
  }

  return {
    nowNs,
    at(atNs: number, run: () => void): Cancel {
      assert(!Number.isNaN(atNs), 'a wait is for an instant');
      const planned = agenda.add(atNs, run);
      if (atNs < armedForNs) arm();
      else timer?.ref();
      return () => {
        agenda.remove(planned);
        // A timer with nothing to wait for must not keep the process alive, and is there for the next wait.
        if (agenda.isEmpty) timer?.unref();
      };
    },
  };
}

/** The closest of several readings, in case the thread is taken off the processor between the two clocks. */
function offsetOfPerformance(startedAtHrNs: bigint): number {
  let offsetNs = 0;
  let widthNs = Infinity;
  for (let i = 0; i < 16; i += 1) {
    const beforeNs = performance.now() * nsPerMs;
    const hrNs = process.hrtime.bigint();
    const afterNs = performance.now() * nsPerMs;
    if (afterNs - beforeNs >= widthNs) continue;
    widthNs = afterNs - beforeNs;
    offsetNs = Number(hrNs - startedAtHrNs) - (beforeNs + afterNs) / 2;
  }
  return offsetNs;
}
