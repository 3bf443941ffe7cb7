/** What differs between two runs, and what is only noise. Lengths in ms unless the name says otherwise. */
import type { Interval } from './analysis.ts';
import type { RunMode } from './entry.ts';

/**
 * `worse`, `better`: b is, for certain. `within-noise`: what was measured of both, or chance, leaves room for no difference.
 * `unclear`: there may be one, too much was not seen. `differs`: neither better nor worse by itself.
 */
export type ComparisonResult = 'worse' | 'better' | 'within-noise' | 'unclear' | 'differs';

export type ComparedQuantity =
  | 'outcome'
  | 'downtimeMs'
  | 'longestOutageMs'
  | 'impairedMs'
  | 'failedRatio'
  | 'userWeightedMs'
  | 'convergenceS'
  | 'convergedMs'
  | 'conduct'
  | 'responseMsP50'
  | 'responseMsP90'
  | 'responseMsP99';

export interface Difference {
  readonly quantity: ComparedQuantity;
  /** As a calls it. */
  readonly service: string;
  /** The lane, the client or the resolver, as a calls it; '' = the whole service. */
  readonly subject: string;
  /** What is known of it; null = not a number. A `max` of null = without an upper bound. */
  readonly a: Bounds | null;
  readonly b: Bounds | null;
  readonly result: ComparisonResult;
  /** It counts for the result of the whole: judged lanes, and what users feel. */
  readonly decides: boolean;
  /** A sentence. */
  readonly text: string;
}

export interface Bounds {
  readonly min: number;
  readonly max: number | null;
}

export interface FindingDifference {
  readonly kind: string;
  /** null: concerns the run. */
  readonly service: string | null;
  /** null: this run has none. */
  readonly a: FindingSide | null;
  readonly b: FindingSide | null;
  readonly result: ComparisonResult;
  readonly decides: boolean;
}

export interface FindingSide {
  readonly severity: 'info' | 'warn' | 'fail';
  readonly count: number;
  /** Of the first of the worst. */
  readonly text: string;
}

/** Something that stands between the two, said before any number. */
export interface Caveat {
  readonly text: string;
  /** Because of it, not all could be compared: then nothing says "not worse". */
  readonly isObstacle: boolean;
}

export interface ComparedRun {
  readonly runId: string;
  readonly scenario: string;
  readonly mode: RunMode;
  readonly startedAtMs: number;
  readonly isWhole: boolean;
}

export interface Comparison {
  readonly schemaVersion: 1;
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  readonly result: 'not-worse' | 'worse' | 'unclear';
  readonly caveats: readonly Caveat[];
  /** By service, then from what users feel to what explains it. */
  readonly differences: readonly Difference[];
  readonly findings: readonly FindingDifference[];
}

export function boundsOf({ min, max }: Interval): Bounds {
  return { min, max: Number.isFinite(max) ? max : null };
}
