/** The causes that a lane's report gives, against those that are true. */
import type { Cause, LaneAnalysis } from '../core/analysis.ts';
import type { Difference } from './comparison.ts';
import { expectedCauses } from './expected-cause.ts';
import type { History } from './history.ts';
import { failedIn, type At, type LaneTruth } from './lane-truth.ts';
import { matchCauses, sumOfRates, type CauseRates } from './match-causes.ts';

export interface CauseResult {
  readonly wrongCauses: readonly Difference[];
  readonly causeCount: number;
  readonly causeRightCount: number;
  readonly unattributedCount: number;
  readonly causeRates: CauseRates;
  /** Outages and impaired spans, and those of which most failures have a true cause. */
  readonly spanCount: number;
  readonly spanRightCount: number;
}

export function compareCauses({ fates, lane }: LaneTruth, seen: LaneAnalysis, history: History, at: At): CauseResult {
  const wrongCauses: Difference[] = [];
  let [causeCount, causeRightCount, unattributedCount, spanRightCount] = [0, 0, 0, 0];
  const rates: CauseRates[] = [];
  const spans = [
    ...seen.outages.map((one) => ({ fromNs: one.firstFailedAtNs, toNs: one.lastFailedAtNs, causes: one.causes })),
    ...seen.impaired.map((one) => ({ fromNs: one.fromAtNs, toNs: one.toAtNs, causes: one.causes })),
  ];
  for (const span of spans) {
    const failed = failedIn(fates, span.fromNs, span.toNs);
    const match = matchCauses(
      span.causes,
      failed.map((fate) => expectedCauses(fate, lane, history)),
    );
    rates.push(match.byCause);
    causeCount += match.count;
    causeRightCount += match.right;
    unattributedCount += span.causes.unattributed ?? 0;
    if (2 * match.right > match.count) spanRightCount += 1;
    if (match.right === match.count) continue;
    const faults = [...new Set(failed.map((fate) => fate.fault ?? 'nothing known'))].join(', ');
    const wrong = (Object.entries(match.wrong) as [Cause, number][]).map(([cause, n]) => `${String(n)} × ${cause}`);
    const text = `${wrong.join(', ')} of ${String(match.count)}; was ${faults}: ${match.instead.join(', ') || 'no such cause'}`;
    wrongCauses.push(at(span.fromNs, span.toNs, text));
  }
  return {
    wrongCauses,
    causeCount,
    causeRightCount,
    unattributedCount,
    spanCount: spans.length,
    spanRightCount,
    causeRates: sumOfRates(rates),
  };
}
