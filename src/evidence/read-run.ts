import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry, EntryOf } from '../core/entry.ts';
import { newColumns, type RowBatch } from '../core/row.ts';
import { codeOf, reasonOf } from './append-file.ts';
import { fileNames } from './file-names.ts';
import { readJournal } from './read-journal.ts';
import { newRowsFound, readRows, type RowsFound } from './read-rows.ts';

export interface RunReading {
  readonly entries: readonly Entry[];
  /**
   * The rows in batches of up to 65,536, in the order they were written. Columns are views of one buffer, valid only
   * until the next batch. A batch is merged of many workers' and bears the `worker` and `atNs` of the last; at the end
   * comes a batch without rows for each worker, so that who listens to those has heard the latest of all.
   */
  batches(): Generator<RowBatch>;
  /** What was wrong with the files, as sentences. Whole once `batches` has come to its end. */
  readonly problems: readonly string[];
  /** Rows that `batches` has given so far. */
  readonly rowCount: number;
  /**
   * Worker → the instant up to which its log is known to be complete: every slot of its lanes due and ended before has
   * its row. Whole once `batches` has come to its end; a worker that never wrote is not in it.
   */
  readonly atNsByWorker: ReadonlyMap<number, number>;
}

/**
 * A run folder, whatever befell it. Damage is a problem in `problems`, never a throw; a `UserError` only where there is
 * no run to read, or one of a newer format.
 */
export function readRun(path: string): RunReading {
  const { entries, started, problems } = readJournal(path);
  const journalProblemCount = problems.length;
  let found = newRowsFound();
  function* batches(): Generator<RowBatch> {
    problems.length = journalProblemCount;
    found = newRowsFound();
    yield* readFolderRows(path, entries, started, found);
    problems.push(...found.problems);
  }
  return {
    entries,
    batches,
    problems,
    get rowCount() {
      return found.rowCount;
    },
    get atNsByWorker() {
      return found.atNsByWorker;
    },
  };
}

function* readFolderRows(
  path: string,
  entries: readonly Entry[],
  started: EntryOf<'run-started'>,
  found: RowsFound,
): Generator<RowBatch> {
  const rowsPath = join(path, fileNames.rows);
  if (existsSync(rowsPath)) {
    try {
      yield* readRows(rowsPath, laneCountOf(entries), found);
    } catch (error) {
      if (codeOf(error) === '') throw error;
      found.problems.push(`${fileNames.rows} cannot be read: ${reasonOf(error)}`);
    }
  } else found.problems.push(`${fileNames.rows} is missing`);
  for (const [worker, atNs] of found.atNsByWorker) {
    yield { rowCount: 0, columns: newColumns(0), definitions: [], worker, atNs };
  }
  for (const key of ['runId', 'formatVersion'] as const) {
    const said = found.metadata.get(key);
    const expected = String(started[key]);
    if (said !== undefined && said !== expected) {
      found.problems.push(`${fileNames.rows} says ${key} ${said}, the journal ${expected}`);
    }
  }
  const ended = entries.findLast((entry): entry is EntryOf<'run-ended'> => entry.type === 'run-ended');
  if (ended !== undefined && ended.rowCount !== found.rowCount) {
    found.problems.push(`${fileNames.rows} has ${found.rowCount} rows, the run wrote ${ended.rowCount}`);
  }
}

/** One more than the highest lane number. */
function laneCountOf(entries: readonly Entry[]): number {
  let count = 0;
  for (const entry of entries) {
    if (entry.type !== 'run-started' && entry.type !== 'lanes-added') continue;
    for (const lane of entry.lanes) count = Math.max(count, lane.number + 1);
  }
  return count;
}
