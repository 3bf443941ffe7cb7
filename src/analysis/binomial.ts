/** Whether so many failures of so many probes are what a share leads one to expect. */
import type { Interval } from '../core/analysis.ts';

/** Of a standard normal variable: what chance does less often than once in a thousand, it did not do. */
const onceInAThousand = 3.29;

/** Wilson's interval for the share behind `count` of `total`; `deviations` of a standard normal variable. */
export function wilson(count: number, total: number, deviations: number = onceInAThousand): Interval {
  if (total === 0) return { min: 0, max: 1 };
  const ratio = count / total;
  const squared = deviations ** 2 / total;
  const middle = ratio + squared / 2;
  const half = deviations * Math.sqrt((ratio * (1 - ratio) + squared / 4) / total);
  return {
    min: count === 0 ? 0 : Math.max(0, (middle - half) / (1 + squared)),
    max: count === total ? 1 : Math.min(1, (middle + half) / (1 + squared)),
  };
}

export function overlaps(a: Interval, b: Interval): boolean {
  return a.min <= b.max && b.min <= a.max;
}
