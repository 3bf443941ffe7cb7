import type { Cause } from '../core/analysis.ts';

export interface CauseMatch {
  readonly count: number;
  readonly right: number;
  /** What is reported, and not true of any failure left over. */
  readonly wrong: Readonly<Partial<Record<Cause, number>>>;
  /** What is true of the failures left over. */
  readonly instead: readonly Cause[];
}

/**
 * A report counts causes and does not say which failure had which. So each failure takes one of its true causes from what
 * was counted, those with the least choice first; what is left was reported wrongly.
 */
export function matchCauses(
  reported: Readonly<Partial<Record<Cause, number>>>,
  truth: readonly (readonly Cause[])[],
): CauseMatch {
  const left = new Map(Object.entries(reported) as [Cause, number][]);
  const count = [...left.values()].reduce((sum, one) => sum + one, 0);
  const unmatched: Cause[] = [];
  let right = 0;
  for (const causes of truth.toSorted((a, b) => a.length - b.length)) {
    const [taken] = causes.filter((cause) => (left.get(cause) ?? 0) > 0);
    if (taken === undefined) {
      const [best] = causes;
      if (best !== undefined && !unmatched.includes(best)) unmatched.push(best);
      continue;
    }
    left.set(taken, (left.get(taken) as number) - 1);
    right += 1;
  }
  const wrong = Object.fromEntries([...left].filter(([, rest]) => rest > 0)) as Partial<Record<Cause, number>>;
  return { count, right, wrong, instead: unmatched };
}
