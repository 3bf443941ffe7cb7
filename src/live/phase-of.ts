import type { PhaseName } from '../core/analysis.ts';
import type { Instant, ReportService } from '../report/shape.ts';

/** The phase that a service is in then; before any it is the baseline. */
export function phaseOf({ phases }: Pick<ReportService, 'phases'>, at: Instant): PhaseName {
  return (phases.findLast(({ fromAt }) => fromAt <= at) ?? phases[0])?.name ?? 'baseline';
}
