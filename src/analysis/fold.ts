/**
 * The fold: entries and batches of rows go in, in any order after `run-started`, an `Analysis` comes out, as often as
 * asked. What is kept is facts only; every conclusion is drawn in `result()`, since address sets, the change and marks may
 * arrive after the rows that they explain. 10 million rows take about a second and 60 to 100 MB.
 */
import type { Analysis } from '../core/analysis.ts';
import type { Entry, EntryOf } from '../core/entry.ts';
import { assert } from '../core/errors.ts';
import type { Picture } from '../core/picture.ts';
import { newColumns, rowColumns, type RowBatch, type RowColumns } from '../core/row.ts';
import type { Lane } from '../core/scenario.ts';
import { conclude, type Conclusion } from './analyse.ts';
import { AnswerLedgers } from './answer-ledger.ts';
import { AnswersUsed } from './answers-used.ts';
import type { Definitions } from './gathered.ts';
import { LaneStore } from './lane-store.ts';
import { drawPicture } from './picture.ts';

export interface Fold {
  entry(entry: Entry): void;
  /** The columns are read during the call and not kept. */
  batch(batch: RowBatch): void;
  /** What else is wrong with the log, as a sentence: then it is not whole, and nothing may pass. */
  problem(text: string): void;
  /** From all that came so far; changes nothing. */
  result(): Analysis;
  /** The same, with what it was concluded from; valid until the next row. */
  conclude(): Conclusion;
  /** The result, and what charts draw of it, in at most so many bins of time. */
  drawn(binCountMax: number): Drawn;
}

/** The picture is not drawn before somebody looks at it, and then kept. */
export interface Drawn {
  readonly analysis: Analysis;
  readonly picture: Picture;
}

export function newFold(): Fold {
  let started: EntryOf<'run-started'> | null = null;
  let rowCount = 0;
  let namelessRowCount = 0;
  const lanes: (LaneStore | undefined)[] = [];
  const nameless = new Map<number, RowColumns[]>();
  const entries: Entry[] = [];
  const definitions: Definitions = { error: [], address: [], face: [], answer: [] };
  const answers = { used: new AnswersUsed(), ledgers: new AnswerLedgers() };
  const workerAtNs = new Map<number, number>();
  const laneWorkers: number[] = [];
  const problems: string[] = [];

  function addLanes(added: readonly Lane[]): void {
    for (const lane of added) {
      if (lanes[lane.number] !== undefined) continue;
      const store = new LaneStore(lane);
      lanes[lane.number] = store;
      store.worker = laneWorkers[lane.number] ?? -1;
      for (const columns of nameless.get(lane.number) ?? []) {
        store.row(columns, 0, answers);
        namelessRowCount -= 1;
      }
      nameless.delete(lane.number);
    }
  }

  /** A lane's rows may be written before the entry that names it. */
  function keepNameless(columns: RowColumns, i: number): void {
    const row = newColumns(1);
    for (const [name] of rowColumns) row[name][0] = columns[name][i] as number;
    const lane = row.lane[0] as number;
    const rows = nameless.get(lane);
    if (rows === undefined) nameless.set(lane, [row]);
    else rows.push(row);
    namelessRowCount += 1;
  }

  return {
    entry(entry) {
      if (entry.type === 'run-started') {
        assert(started === null, 'a run started twice in one log');
        started = entry;
        addLanes(entry.lanes);
        return;
      }
      entries.push(entry);
      if (entry.type === 'lanes-added') addLanes(entry.lanes);
    },

    batch(batch) {
      const { columns, worker } = batch;
      for (const definition of batch.definitions) {
        definitions[definition.kind][definition.number] = definition.value as never;
        if (definition.kind === 'answer') answers.ledgers.define(definition.number, definition.value);
      }
      workerAtNs.set(worker, Math.max(workerAtNs.get(worker) ?? 0, batch.atNs));
      rowCount += batch.rowCount;
      for (let i = 0; i < batch.rowCount; i += 1) {
        const lane = columns.lane[i] as number;
        const store = lanes[lane];
        laneWorkers[lane] = worker;
        if (store === undefined) keepNameless(columns, i);
        else {
          store.worker = worker;
          store.row(columns, i, answers);
        }
      }
    },

    problem(text) {
      problems.push(text);
    },

    result() {
      return this.conclude().analysis;
    },

    conclude() {
      assert(started !== null, 'a result was asked for before the run had started');
      return conclude({
        started,
        lanes,
        entries,
        definitions,
        answersUsed: answers.used,
        ledgers: answers.ledgers,
        workerAtNs,
        rowCount,
        namelessRowCount,
        problems,
      });
    },

    drawn(binCountMax) {
      return drawnLater(this.conclude(), binCountMax);
    },
  };
}

/** Once the picture is drawn nothing holds on to the slots: what is written of both needs the room. */
function drawnLater(conclusion: Conclusion, binCountMax: number): Drawn {
  let toDraw: Conclusion | null = conclusion;
  let picture: Picture | null = null;
  return {
    analysis: conclusion.analysis,
    get picture() {
      if (toDraw !== null) picture = drawPicture(toDraw, binCountMax);
      toDraw = null;
      return picture as Picture;
    },
  };
}
