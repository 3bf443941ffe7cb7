import { nsPerMs, nsPerS } from './time.ts';

/** What decides when a lane's slots are due. */
export interface Pace {
  readonly ratePerSecond: number;
  /** The offset that keeps lanes from firing together, in ns. */
  readonly staggerNs: number;
  /** When the lane joined the run, in ns since its start; 0 for lanes that were there from the beginning. */
  readonly startAtNs: number;
}

/** When a slot is due, in ns since run start: computed from its number, never from the slot before, so rounding cannot add up. */
export function dueAtNs(pace: Pace, slot: number): number {
  return pace.startAtNs + pace.staggerNs + Math.round((slot * nsPerS) / pace.ratePerSecond);
}

/** How many slots of the lane are due strictly before `atNs`. */
export function slotsDueBefore(pace: Pace, atNs: number): number {
  const elapsedNs = atNs - pace.startAtNs - pace.staggerNs;
  if (elapsedNs <= 0) return 0;
  let count = Math.max(0, Math.floor((elapsedNs * pace.ratePerSecond) / nsPerS) - 1);
  while (dueAtNs(pace, count) < atNs) count += 1;
  return count;
}

/** The distance of two slots, in ns. */
export function intervalNs(pace: Pace): number {
  return nsPerS / pace.ratePerSecond;
}

/**
 * How late a slot may be sent and still speak for its due instant. Later, it is not sent at all but logged as dropped: it
 * would say nothing, and a machine that wakes up after a stall must not fire everything it missed at once.
 * Half an interval (reference: coordinated omission), at least 100 ms, at most half of what a user waits.
 */
export function blindLateNs(pace: Pace, goodWithinMs: number): number {
  return Math.min(Math.max(intervalNs(pace) / 2, 100 * nsPerMs), (goodWithinMs * nsPerMs) / 2);
}
