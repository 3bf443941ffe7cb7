/**
 * A report counts the causes of an outage and does not say which failure had which. So failures are paired with counted
 * causes that are true of them, as many as can be; what is left was reported wrongly.
 */
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

/** Failures of which the same causes are true. */
interface Group {
  readonly causes: readonly Cause[];
  readonly size: number;
  readonly paired: Map<Cause, number>;
}

/** @param truth of each failure the causes that are true of it, the best first */
export function matchCauses(
  reported: Readonly<Partial<Record<Cause, number>>>,
  truth: readonly (readonly Cause[])[],
): CauseMatch {
  const left = new Map(Object.entries(reported) as [Cause, number][]);
  const count = [...left.values()].reduce((sum, one) => sum + one, 0);
  const groups = [...Map.groupBy(truth, (causes) => causes.join())].map(([, alike]): Group => ({
    causes: alike[0] ?? [],
    size: alike.length,
    paired: new Map(),
  }));
  const byCause: CauseRates = {};
  const instead = new Set<Cause>();
  // Those with the least choice first, so that few pairs have to be undone.
  for (const group of groups.toSorted((a, b) => a.causes.length - b.causes.length)) {
    let right = 0;
    while (right < group.size && takeOne(group, groups, left, new Set())) right += 1;
    const [best] = group.causes;
    if (best === undefined) continue;
    addRate(byCause, best, { count: group.size, right });
    if (right < group.size) instead.add(best);
  }
  const wrong = Object.fromEntries([...left].filter(([, rest]) => rest > 0)) as Partial<Record<Cause, number>>;
  const right = count - [...left.values()].reduce((sum, rest) => sum + rest, 0);
  return { count, right, byCause, wrong, instead: [...instead] };
}

/** Pairs one failure of the group; where what is true of it is taken, by one that can do with another cause. */
function takeOne(group: Group, groups: readonly Group[], left: Map<Cause, number>, asked: Set<Cause>): boolean {
  for (const cause of group.causes) {
    if (asked.has(cause)) continue;
    asked.add(cause);
    const rest = left.get(cause) ?? 0;
    if (rest > 0) left.set(cause, rest - 1);
    else {
      const giving = groups.find((one) => (one.paired.get(cause) ?? 0) > 0 && takeOne(one, groups, left, asked));
      if (giving === undefined) continue;
      giving.paired.set(cause, (giving.paired.get(cause) as number) - 1);
    }
    group.paired.set(cause, (group.paired.get(cause) ?? 0) + 1);
    return true;
  }
  return false;
}

function addRate(rates: CauseRates, cause: Cause, more: { readonly count: number; readonly right: number }): void {
  const { count, right } = rates[cause] ?? { count: 0, right: 0 };
  rates[cause] = { count: count + more.count, right: right + more.right };
}

/** The sum of each. */
export function sumOfRates(all: readonly CauseRates[]): CauseRates {
  const sum: CauseRates = {};
  for (const rates of all) {
    for (const [cause, rate] of Object.entries(rates)) addRate(sum, cause as Cause, rate);
  }
  return sum;
}
