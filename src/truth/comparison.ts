/** What came out when the truth was held against a report. */
import type { CauseRates } from './match-causes.ts';

/** One thing on which they differ, as a sentence. */
export interface Difference {
  /** A lane's name, or a service's. */
  readonly lane: string;
  readonly fromAtNs: number;
  readonly toAtNs: number;
  readonly text: string;
}

export interface LaneComparison {
  readonly lane: string;
  readonly slotCount: number;
  readonly trueFailedCount: number;
  readonly trueOutageCount: number;
  /** Reported as outages, and as part of an impairment. */
  readonly outageCount: number;
  readonly impairedCount: number;
  readonly differenceCount: number;
}

export interface Counts {
  readonly trueOutages: number;
  readonly reported: number;
  readonly lengths: number;
  readonly lengthsInside: number;
  /** Outages and impaired spans that the report names. */
  readonly named: number;
  /** Failed slots that the report gives a cause, and those whose cause is a true one. */
  readonly causes: number;
  readonly causesRight: number;
  readonly byCause: CauseRates;
  /** Outages and impaired spans of which most failures have a true cause. */
  readonly namedRight: number;
  /** Failed slots that the report calls unattributed. */
  readonly unattributed: number;
}

export interface Comparison {
  readonly lanes: readonly LaneComparison[];
  /** True, and not reported. */
  readonly missedOutages: readonly Difference[];
  /** Reported, and nothing was wrong. */
  readonly falseOutages: readonly Difference[];
  /** Reported with bounds that the true one is not inside of. */
  readonly lengthsOutside: readonly Difference[];
  readonly wrongCauses: readonly Difference[];
  /** A verdict that the truth rules out. */
  readonly contradictions: readonly Difference[];
  /** Rows that the world rules out: then the prober, the simulator or the model is wrong, not the report. */
  readonly oddRows: readonly Difference[];
  readonly counts: Counts;
}

/** The lists, in the order in which they matter. */
export function differencesOf(
  comparison: Comparison,
): readonly (readonly [title: string, list: readonly Difference[]])[] {
  return [
    ['rows that the world rules out', comparison.oddRows],
    ['outages missed', comparison.missedOutages],
    ['outages that were none', comparison.falseOutages],
    ['lengths outside their bounds', comparison.lengthsOutside],
    ['wrong causes', comparison.wrongCauses],
    ['contradicted verdicts', comparison.contradictions],
  ];
}
