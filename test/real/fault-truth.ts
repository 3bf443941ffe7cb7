/**
 * Which slots must fail, by what the test did and when. A deed takes time: nginx is killed, or has reloaded, at some
 * instant between our call and its return. So each edge of a fault is a bracket of two instants; slots due within it may
 * go either way, all others may not. Instants are wall clock ms.
 */
import type { EvidenceRow } from './cutwatch-run.ts';

export type Bracket = readonly [from: number, to: number];

export interface Fault {
  readonly begins: Bracket;
  readonly ends: Bracket;
  /** What waits when the fault ends is answered then, and good for those who still have patience. */
  readonly isAnsweredAtEnd?: boolean;
}

export interface Truth {
  /** Requests due in it surely fail. */
  readonly surely: Bracket;
  /** Requests due outside of it surely do not. */
  readonly possibly: Bracket;
}

/**
 * `Date.now` counts whole ms, in the test and at the start of the run; signals and closed sockets take effect when the
 * kernel gets round to it.
 */
export const clockMs = 4;

/** Before and after a fault, time in which nothing else happens: more good slots than part two bursts (16 at 7/s). */
export const quietMs = 3000;

export async function bracketOf(deed: () => unknown): Promise<Bracket> {
  const from = Date.now();
  await deed();
  return [from, Date.now()];
}

export function isWithin(ms: number, [from, to]: Bracket): boolean {
  return ms >= from && ms <= to;
}

/** By the test's own reading of a row. What was not sent cannot fail, and is not good. */
export function hasFailed(row: EvidenceRow, goodWithinMs: number): boolean {
  return row.what !== 'dropped' && !isGood(row, goodWithinMs);
}

export function isGood(row: EvidenceRow, goodWithinMs: number): boolean {
  return row.what === 'answered' && row.status === 200 && row.responseMs <= goodWithinMs;
}

/**
 * A request fails if it is under way when the fault begins, or begins while it lasts; where the fault ends with an answer
 * for all who wait, only if that is too late for it. How long a request takes when all is well, and how late the prober
 * was, is taken from the slots around.
 */
export function truthOf(
  { begins, ends, isAnsweredAtEnd }: Fault,
  slots: readonly EvidenceRow[],
  goodWithinMs: number,
): Truth {
  const before = slots.filter((row) => isWithin(row.endedMs, [begins[0] - quietMs / 2, begins[0]]));
  const responsesMs = before.map((row) => row.responseMs);
  const noiseMs = clockMs + Math.max(...around({ begins, ends }, slots).map((row) => row.lateUs / 1000));
  const forgivenMs = isAnsweredAtEnd === true ? goodWithinMs : 0;
  return {
    surely: [begins[1] - Math.min(...responsesMs) + noiseMs, ends[0] - forgivenMs - noiseMs],
    possibly: [begins[0] - Math.max(...responsesMs) - noiseMs, ends[1] - forgivenMs + noiseMs],
  };
}

/** The slots from half a quiet time before the fault to half a one after it. */
export function around({ begins, ends }: Fault, slots: readonly EvidenceRow[]): readonly EvidenceRow[] {
  return slots.filter((row) => isWithin(row.dueMs, [begins[0] - quietMs / 2, ends[1] + quietMs / 2]));
}
