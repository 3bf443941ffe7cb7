/** What is picked out of a list for somebody who reads only the top of a report. */
import { countText, listText } from '../core/quantity-text.ts';
import type { Reason, VerdictValue } from '../core/verdict.ts';
import type { Report } from './shape.ts';

export const namedMax = 5;

/** The reasons that made the verdict what it is; warnings never do. */
export function decisive(report: Report, value: VerdictValue): Reason[] {
  return report.verdict.reasons.filter((reason) => reason.severity === 'fail' && reason.value === value);
}

/** `a, b, c, d, e and 3 more`. */
export function named(names: readonly string[]): string {
  const shown = names.slice(0, namedMax);
  const more = names.length - shown.length;
  return listText(more > 0 ? [...shown, `${countText(more)} more`] : shown);
}

export function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
