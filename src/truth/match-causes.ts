import type { Cause } from '../core/analysis.ts';

/** By what was really the cause (the best of several): failures, and those that were told right. */
export type CauseRates = Partial<Record<Cause, { readonly count: number; readonly right: number }>>;

export interface CauseMatch {
  readonly count: number;
  readonly right: number;
  readonly byCause: CauseRates;
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
  const byCause: CauseRates = {};
  let right = 0;
  for (const causes of truth.toSorted((a, b) => a.length - b.length)) {
    const [taken] = causes.filter((cause) => (left.get(cause) ?? 0) > 0);
    const [best] = causes;
    if (best !== undefined) add(byCause, best, { count: 1, right: taken === undefined ? 0 : 1 });
    if (taken === undefined) {
      if (best !== undefined && !unmatched.includes(best)) unmatched.push(best);
      continue;
    }
    left.set(taken, (left.get(taken) as number) - 1);
    right += 1;
  }
  const wrong = Object.fromEntries([...left].filter(([, rest]) => rest > 0)) as Partial<Record<Cause, number>>;
  return { count, right, byCause, wrong, instead: unmatched };
}

export function add(rates: CauseRates, cause: Cause, more: { readonly count: number; readonly right: number }): void {
  const { count, right } = rates[cause] ?? { count: 0, right: 0 };
  rates[cause] = { count: count + more.count, right: right + more.right };
}

/** The sum of each. */
export function sumOfRates(all: readonly CauseRates[]): CauseRates {
  const sum: CauseRates = {};
  for (const rates of all) {
    for (const [cause, rate] of Object.entries(rates)) add(sum, cause as Cause, rate);
  }
  return sum;
}
