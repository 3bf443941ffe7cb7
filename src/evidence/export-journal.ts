/** The journal as a table: when, what, and everything else of an entry as JSON. */
import type { Entry, EntryOf } from '../core/entry.ts';
import { nsPerUs } from '../core/time.ts';
import type { Column, Table } from './export-table.ts';

interface JournalRow {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly entry: Entry;
}

export const journalColumns: readonly Column<JournalRow>[] = [
  { name: 'run', kind: 'text', meaning: 'id of the run, 8 hex digits', of: ({ runId }) => runId },
  {
    name: 'at',
    kind: 'instant',
    meaning: 'UTC, to the µs, by the clock at the start of the run',
    of: ({ startedAtMs, entry }) => Math.round(startedAtMs * 1000 + entry.atNs / nsPerUs),
  },
  { name: 'type', kind: 'text', meaning: 'what happened: `dns-answered`, `marked` …', of: ({ entry }) => entry.type },
  {
    name: 'entry',
    kind: 'text',
    meaning: 'the whole entry as JSON, as journal.ndjson has it; its `atNs` is in ns since run start',
    of: ({ entry }) => JSON.stringify(entry),
  },
];

export function journalTable(entries: readonly Entry[]): Table<JournalRow> {
  const { runId, startedAtMs } = entries.find((entry) => entry.type === 'run-started') as EntryOf<'run-started'>;
  const rows = entries.map((entry) => ({ runId, startedAtMs, entry }));
  return { name: 'journal', columns: journalColumns, rows };
}
