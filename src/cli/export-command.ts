/** `export`: the evidence of a run as a table that other tools read. */
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { newFold } from '../analysis/fold.ts';
import { rowConclusions } from '../analysis/row-conclusions.ts';
import { reasonOf } from '../evidence/append-file.ts';
import { journalTable } from '../evidence/export-journal.ts';
import { writeParquet } from '../evidence/export-parquet.ts';
import { probeTable } from '../evidence/export-probes.ts';
import type { Table } from '../evidence/export-table.ts';
import { csv, ndjson } from '../evidence/export-text.ts';
import { readRun, type RunReading } from '../evidence/read-run.ts';

export const exportFormats = ['ndjson', 'csv', 'parquet'] as const;
export const exportTables = ['probes', 'journal'] as const;

export interface ExportFlags {
  readonly format: (typeof exportFormats)[number];
  readonly what: (typeof exportTables)[number];
  readonly out?: string | undefined;
}

const reasonsMax = 10;

/** Exit status 4 where the log is not whole, or the table could not be written. */
export async function exportCommand(path: string, { format, what, out }: ExportFlags): Promise<number> {
  const reading = readRun(path);
  const to = { format, out: out ?? (format === 'parquet' ? join(path, `${what}.parquet`) : null) };
  const { because, failure } =
    what === 'journal'
      ? { because: reading.problems, failure: await write(journalTable(reading.entries), to) }
      : await exportProbes(reading, to);
  if (failure !== null) process.stderr.write(`not written: ${failure}\n`);
  for (const reason of because.slice(0, reasonsMax)) process.stderr.write(`not whole: ${reason}\n`);
  const more = because.length - reasonsMax;
  if (more > 0) process.stderr.write(`not whole: ${String(more)} more reasons, which the report has\n`);
  return failure === null && because.length === 0 ? 0 : 4;
}

interface Destination {
  readonly format: ExportFlags['format'];
  /** null = standard output. */
  readonly out: string | null;
}

/** The log is read twice: what a row counts as is known when all of them have been seen. */
async function exportProbes(
  reading: RunReading,
  to: Destination,
): Promise<{ readonly because: readonly string[]; readonly failure: string | null }> {
  const { entries } = reading;
  const fold = newFold();
  for (const entry of entries) fold.entry(entry);
  for (const batch of reading.batches()) fold.batch(batch);
  for (const problem of reading.problems) fold.problem(problem);
  const conclusion = fold.conclude();
  const table = probeTable({ entries, batches: reading.batches(), conclusions: rowConclusions(conclusion) });
  return { because: conclusion.analysis.incompleteBecause, failure: await write(table, to) };
}

/** A file is there once it is whole. Returns why it is not, or null. */
async function write<Row>(whole: Table<Row>, { format, out }: Destination): Promise<string | null> {
  const table = { ...whole, rows: swept(whole.rows, rowsPerSweep[format]) };
  if (out === null) return print(format === 'csv' ? csv(table) : ndjson(table));
  const newPath = `${out}.new`;
  try {
    if (format === 'parquet') writeParquet(newPath, table);
    else writeText(newPath, format === 'csv' ? csv(table) : ndjson(table));
    renameSync(newPath, out);
    process.stderr.write(`${out}\n`);
    return null;
  } catch (error) {
    rmSync(newPath, { force: true });
    if (!isOfTheDisk(error)) throw error;
    return `${out}: ${reasonOf(error)}`;
  }
}

/** Parquet leaves more behind. */
const rowsPerSweep = { parquet: 100_000, csv: 400_000, ndjson: 400_000 } as const;

function writeText(path: string, pieces: Iterable<string>): void {
  const file = openSync(path, 'w');
  try {
    for (const piece of pieces) writeFileSync(file, piece);
  } finally {
    closeSync(file);
  }
}

/** V8's own, as `--expose-gc` has it; a `last-resort` gives memory back to the system. */
type Collect = (options?: {
  readonly type: 'major';
  readonly execution: 'sync';
  readonly flavor: 'last-resort';
}) => void;

/**
 * What the analysis left, and then what was written, is garbage that V8 lets lie while there is memory: half a gigabyte of
 * it for ten million rows. It is asked to collect now and then, which costs a few seconds of a minute.
 */
function* swept<Row>(rows: Iterable<Row>, perSweep: number): Generator<Row> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  let count = 0;
  for (const row of rows) {
    yield row;
    count += 1;
    if (count % perSweep === 0) collect();
  }
}

async function print(pieces: Iterable<string>): Promise<string | null> {
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false });
    return null;
  } catch (error) {
    if (!isOfTheDisk(error)) throw error;
    // Whoever reads it may have seen enough (`| head`).
    return (error as NodeJS.ErrnoException).code === 'EPIPE' ? null : reasonOf(error);
  }
}

function isOfTheDisk(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
