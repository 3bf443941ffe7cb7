/**
 * Units of time, and the only place that converts between them.
 *
 * Inside the code and in the log an instant is a whole number of nanoseconds since the start of the run, on the
 * monotonic clock (exact in a JavaScript number for 104 days). What people write and read is in milliseconds, the TTL of
 * a DNS record is in seconds. Wall-clock time appears only in reports: start of the run + monotonic offset.
 */

export const nsPerUs = 1000;
export const nsPerMs = 1_000_000;
export const nsPerS = 1_000_000_000;

export function msToNs(ms: number): number {
  return Math.round(ms * nsPerMs);
}

export function sToNs(s: number): number {
  return Math.round(s * nsPerS);
}

export function msToS(ms: number): number {
  return ms / 1000;
}

export function nsToMs(ns: number): number {
  return ns / nsPerMs;
}

export function nsToS(ns: number): number {
  return ns / nsPerS;
}

/** Whole microseconds for a u32 column, rounded up so that a step that took time is never 0; saturates after 71 minutes. */
export function nsToColumnUs(ns: number): number {
  if (ns <= 0) return 0;
  const us = Math.ceil(ns / nsPerUs);
  return us > 0xffff_ffff ? 0xffff_ffff : us;
}

/** ISO 8601 UTC with milliseconds; `null` stays `null`. `startedAtMs` is the wall clock at instant 0 of the run. */
export function toIso(startedAtMs: number, atNs: number): string {
  return new Date(startedAtMs + Math.round(atNs / nsPerMs)).toISOString();
}
