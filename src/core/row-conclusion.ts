/** What the analysis says of one row of the log: for exports, where each probe stands by itself. */
import type { Cause, FailureClass, PhaseName } from './analysis.ts';
import type { SideSeen } from './scenario.ts';

export interface RowConclusion {
  /**
   * What its slot counts as. Null where the row is not the result of a slot (an address tried before, a fresh check), or
   * of one that was due after the instant up to which the log is known to be whole.
   */
  readonly result: 'good' | 'failed' | 'dropped' | 'blind' | 'blocked' | null;
  /** Of a failed slot; null else. */
  readonly failure: FailureClass | null;
  readonly cause: Cause | null;
  /** Of its service when the slot was due; null for references. */
  readonly phase: PhaseName | 'before' | null;
}

/** Of every row of a log, after all of it was read. */
export interface RowConclusions {
  of(lane: number, slot: number, part: number): RowConclusion;
  /** By the numbers of a row; null = no address was reached. */
  sideOf(address: number, face: number): SideSeen | null;
  isQualified(lane: number): boolean;
}
