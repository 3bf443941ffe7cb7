/** What a fold keeps of the evidence: facts, and nothing that was concluded from them. */
import type { Entry, EntryOf } from '../core/entry.ts';
import type { Answer, Face } from '../core/row.ts';
import type { AnswerLedgers } from './answer-ledger.ts';
import type { AnswersUsed } from './answers-used.ts';
import type { LaneStore } from './lane-store.ts';

/** The evidence as far as it is here. */
export interface Gathered {
  readonly started: EntryOf<'run-started'>;
  /** By lane number; a hole where the log has not named the lane yet. */
  readonly lanes: readonly (LaneStore | undefined)[];
  readonly entries: readonly Entry[];
  readonly definitions: Definitions;
  readonly answersUsed: AnswersUsed;
  readonly ledgers: AnswerLedgers;
  /** By worker: its latest clock; every slot of its lanes due and ended before has its row. */
  readonly workerAtNs: ReadonlyMap<number, number>;
  readonly rowCount: number;
  /** Rows of lanes that no entry has named. */
  readonly namelessRowCount: number;
  readonly problems: readonly string[];
}

/** All by their number. */
export interface Definitions {
  readonly error: (string | undefined)[];
  readonly address: (string | undefined)[];
  readonly face: (Face | undefined)[];
  readonly answer: (Answer | undefined)[];
}
