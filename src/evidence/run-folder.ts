/** Writing a run folder: `journal.ndjson`, `probes.arrows`, and the reports. See README.md for what each holds. */
import {
  existsSync,
  fsyncSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Entry, formatVersion } from '../core/entry.ts';
import { assert, userError } from '../core/errors.ts';
import type { Definition, RowBatch } from '../core/row.ts';
import { nsPerS } from '../core/time.ts';
import { AppendFile, codeOf, reasonOf } from './append-file.ts';
import { encodeBatch } from './arrow-batch.ts';
import { encodeSchema, type Metadata, streamEnd } from './arrow-schema.ts';
import { fileNames } from './file-names.ts';
import { FlatWriter } from './flatbuffer.ts';
import { type Mark, parseMark } from './mark.ts';
import { readLines } from './read-lines.ts';
import { rewriteRows } from './rewrite-rows.ts';

/**
 * No method throws for what the disk does: `failure` says the first thing that could not be written, and the run goes
 * on. An entry that could not be written waits until the journal can be written again; rows that could not are lost.
 */
export interface RunWriter {
  readonly path: string;
  /** Appended at once. The first must be `run-started`: the rows' file begins with it. */
  entry(entry: Entry): void;
  /** The definitions' numbers must be those of the whole run (`newRenumberer`). */
  batch(batch: RowBatch): void;
  /** What `cutwatch mark` appended since the last call. */
  readNewMarks(): Mark[];
  /** Also after `close`. Why it could not be written, or null. */
  report(name: string, text: string): string | null;
  /** Rows handed over, written or not: `run-ended` has it, and a reader that finds fewer says so. */
  readonly rowCount: number;
  readonly failure: string | null;
  /** Why `probes.arrows` stayed in the small batches it was written in; all rows are there. Null before `close`. */
  readonly rewriteFailure: string | null;
  /** Rewrites the rows in big batches: takes about a second for each three million. */
  close(): void;
}

/** Makes the folder and its parents, and tries to write there, so that what is wrong is known before the first probe. */
export function createRunFolder(path: string): RunWriter {
  const isNew = !existsSync(path);
  try {
    makeFolder(path);
    if (readdirSync(path).length > 0)
      throw userError(path, 'is already there and not empty: choose another folder with --out');
    tryWriting(path);
    return new FolderWriter(path);
  } catch (error) {
    if (codeOf(error) === '') throw error;
    if (isNew) removeQuietly(path);
    throw userError(path, `cannot be written: ${reasonOf(error)}; choose another folder with --out`);
  }
}

/** Not `recursive`: Node then says ENOENT where the truth is that the disk is read-only. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** As much as a run's first seconds write. */
const trialBytes = 256 * 1024;

function tryWriting(path: string): void {
  const trialPath = join(path, 'trial');
  try {
    writeFileSync(trialPath, Buffer.alloc(trialBytes), { flush: true });
  } finally {
    removeQuietly(trialPath);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // What could not be written can rarely be removed.
  }
}

/** Entries after which the journal goes to the disk itself: what the verdict hangs on. */
const syncedTypes: ReadonlySet<Entry['type']> = new Set([
  'run-started',
  'marked',
  'command-started',
  'command-ended',
  'write-failed',
  'run-ended',
]);

/** Journal lines kept for a disk that may have room again. */
const waitingLineCountMax = 10_000;

/** A batch without rows says only that there are none; more than one in this time says nothing new. */
const emptyBatchEveryNs = nsPerS;

class FolderWriter implements RunWriter {
  readonly path: string;
  rowCount = 0;
  failure: string | null = null;
  rewriteFailure: string | null = null;

  readonly #journal: AppendFile;
  #waitingLines: Buffer[] = [];
  #rows: AppendFile | null = null;
  #metadata: Metadata = [];
  readonly #flat = new FlatWriter();
  /** Of batches that could not be written: rows to come refer to them. */
  #waitingDefinitions: readonly Definition[] = [];
  readonly #atNsByWorker = new Map<number, number>();
  #marksReadTo = 0;
  #isClosed = false;

  constructor(path: string) {
    this.path = path;
    this.#journal = new AppendFile(join(path, fileNames.journal));
  }

  entry(entry: Entry): void {
    assert(!this.#isClosed, `an entry ${entry.type} came after the run folder was closed`);
    assert((this.#rows === null) === (entry.type === 'run-started'), 'a log begins with run-started, once');
    if (entry.type === 'run-started') this.#startRows(entry.runId);
    this.#line(entry);
    if (syncedTypes.has(entry.type) && !this.#journal.sync()) this.#fail(fileNames.journal, this.#journal.failure);
  }

  batch(batch: RowBatch): void {
    const rows = this.#rows;
    assert(!this.#isClosed && rows !== null, 'rows come between run-started and close');
    const { rowCount, columns, worker, atNs } = batch;
    const saidAtNs = this.#atNsByWorker.get(worker) ?? -emptyBatchEveryNs;
    if (rowCount === 0 && batch.definitions.length === 0 && atNs < saidAtNs + emptyBatchEveryNs) return;
    this.rowCount += rowCount;
    const definitions =
      this.#waitingDefinitions.length === 0 ? batch.definitions : [...this.#waitingDefinitions, ...batch.definitions];
    const atNsByWorker = new Map([[worker, atNs]]);
    const hasSchema = rows.byteLength > 0 || rows.append(encodeSchema(this.#flat, this.#metadata));
    if (hasSchema && rows.append(encodeBatch(this.#flat, { rowCount, columns, definitions, atNsByWorker }))) {
      this.#waitingDefinitions = [];
      this.#atNsByWorker.set(worker, atNs);
      if (this.#waitingLines.length > 0) this.#writeLines();
    } else {
      this.#waitingDefinitions = definitions;
      this.#fail(fileNames.rows, rows.failure);
    }
  }

  readNewMarks(): Mark[] {
    const path = join(this.path, fileNames.marks);
    const marks: Mark[] = [];
    try {
      const byteLength = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (byteLength <= this.#marksReadTo) return marks;
      for (const line of readLines(path, this.#marksReadTo)) {
        if (!line.isWhole) break;
        this.#marksReadTo = line.endAt;
        const mark = parseMark(line.text);
        if (mark !== null) marks.push(mark);
      }
    } catch (error) {
      this.#fail(fileNames.marks, reasonOf(error));
    }
    return marks;
  }

  report(name: string, text: string): string | null {
    const path = join(this.path, name);
    const newPath = `${path}.new`;
    try {
      writeFileSync(newPath, text, { flush: true });
      renameSync(newPath, path);
      return null;
    } catch (error) {
      removeQuietly(newPath);
      const reason = reasonOf(error);
      this.#fail(name, reason);
      return reason;
    }
  }

  close(): void {
    assert(!this.#isClosed, 'a run folder is closed once');
    this.#writeLines();
    this.#isClosed = true;
    if (!this.#journal.sync()) this.#fail(fileNames.journal, this.#journal.failure);
    this.#journal.close();
    if (this.#rows === null) return;
    if (!this.#rows.sync()) this.#fail(fileNames.rows, this.#rows.failure);
    this.rewriteFailure = rewriteRows(join(this.path, fileNames.rows), this.#metadata);
    if (this.rewriteFailure !== null) this.#rows.append(streamEnd);
    this.#rows.close();
    syncFolder(this.path);
  }

  #startRows(runId: string): void {
    this.#metadata = [
      ['formatVersion', String(formatVersion)],
      ['runId', runId],
    ];
    this.#rows = new AppendFile(join(this.path, fileNames.rows));
    if (!this.#rows.append(encodeSchema(this.#flat, this.#metadata))) this.#fail(fileNames.rows, this.#rows.failure);
    syncFolder(this.path);
  }

  #line(entry: Entry): void {
    if (this.#waitingLines.length < waitingLineCountMax)
      this.#waitingLines.push(Buffer.from(`${JSON.stringify(entry)}\n`));
    this.#writeLines();
  }

  #writeLines(): void {
    let written = 0;
    for (const line of this.#waitingLines) {
      if (!this.#journal.append(line)) break;
      written += 1;
    }
    if (written > 0) this.#waitingLines = this.#waitingLines.slice(written);
    if (this.#waitingLines.length > 0) this.#fail(fileNames.journal, this.#journal.failure);
  }

  #fail(what: string, error: string): void {
    this.failure ??= `${what} could not be written: ${error}`;
  }
}

/** So that the names in it survive the machine's end, too; a file system that cannot do it has no say. */
function syncFolder(path: string): void {
  try {
    const fd = openSync(path, 'r');
    fsyncSync(fd);
    closeSync(fd);
  } catch {
    // Windows and some network file systems.
  }
}
