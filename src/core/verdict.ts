import type { Interval } from './analysis.ts';

export type VerdictValue = 'pass' | 'fail' | 'inconclusive';

/** Why the verdict is what it is. A verdict always has reasons, a pass too. */
export interface Reason {
  /** An objective's key in the scenario, or the rule of "when it may not say pass": `evidence-of-change` … */
  readonly objective: string;
  /** null: concerns the run. */
  readonly service: string | null;
  readonly severity: 'fail' | 'warn';
  /** What this reason alone would say. */
  readonly value: VerdictValue;
  /** The lane's name as `laneName` gives it; left out where the reason is about a whole service. */
  readonly lane?: string;
  /** null where the rule has no number. */
  readonly limit: number | null;
  readonly observed: Interval | null;
  /** A sentence: limit, observed interval, and what would narrow it. */
  readonly text: string;
}

export interface Verdict {
  readonly value: VerdictValue;
  readonly reasons: readonly Reason[];
  readonly services: readonly { readonly name: string; readonly value: VerdictValue }[];
}
