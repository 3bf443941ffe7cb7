import type { Interval } from '../core/analysis.ts';
import { assert } from '../core/errors.ts';
import type { VerdictValue } from '../core/verdict.ts';

/** Only what is certain may fail and only what is impossible may pass; everything between is inconclusive. */
export function judgeInterval(observed: Interval, limit: number): VerdictValue {
  assert(observed.min <= observed.max, `bounds out of order: ${String(observed.min)}, ${String(observed.max)}`);
  if (observed.min > limit) return 'fail';
  return observed.max <= limit ? 'pass' : 'inconclusive';
}

const badness: Readonly<Record<VerdictValue, number>> = { pass: 0, inconclusive: 1, fail: 2 };

export function worseOf(a: VerdictValue, b: VerdictValue): VerdictValue {
  return badness[a] >= badness[b] ? a : b;
}

/** Worst first: by value, then by what is certain, then by what is possible. */
export function compareWorst(
  a: { readonly value: VerdictValue; readonly observed: Interval },
  b: { readonly value: VerdictValue; readonly observed: Interval },
): number {
  return badness[b.value] - badness[a.value] || b.observed.min - a.observed.min || b.observed.max - a.observed.max;
}
