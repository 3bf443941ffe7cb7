/** The rows of a run as a table: one a row of the log, its numbers looked up, and what was concluded of it beside it. */
import type { Entry, EntryOf } from '../core/entry.ts';
import { nameOfLane } from '../core/lane-name.ts';
import { outcomeNumber } from '../core/outcome.ts';
import { newColumns, type Definition, type RowBatch, type RowColumns } from '../core/row.ts';
import type { RowConclusion, RowConclusions } from '../core/row-conclusion.ts';
import type { Lane } from '../core/scenario.ts';
import { dueAtNs } from '../core/schedule.ts';
import { nsPerUs } from '../core/time.ts';
import { probeColumns } from './export-probe-columns.ts';
import type { Table } from './export-table.ts';

/** The row that is being read, and what its columns refer to. */
export interface ProbeRow {
  readonly runId: string;
  readonly conclusions: RowConclusions;
  /** By number; 0 = none. */
  readonly texts: { readonly error: readonly string[]; readonly address: readonly string[] };
  readonly faces: readonly (FaceText | undefined)[];
  readonly answers: readonly (AnswerText | undefined)[];
  columns: RowColumns;
  i: number;
  /** Undefined: no entry has named it. */
  lane: NamedLane | undefined;
  conclusion: RowConclusion;
  /** µs since 1970. */
  dueUs: number;
  /** Something went out, or failed before it could. */
  wasSent: boolean;
}

export interface NamedLane {
  readonly lane: Lane;
  readonly name: string;
  readonly isQualified: boolean;
}

export interface FaceText {
  readonly certificateSha256: string;
  readonly tlsVersion: string;
  readonly alpn: string;
  readonly headers: string;
}

export interface AnswerText {
  readonly server: string;
  readonly name: string;
  readonly rcode: string;
  readonly chain: string;
  readonly addresses: string;
}

export interface ProbeSource {
  readonly entries: readonly Entry[];
  readonly batches: Iterable<RowBatch>;
  readonly conclusions: RowConclusions;
}

export function probeTable(source: ProbeSource): Table<ProbeRow> {
  return { name: 'probes', columns: probeColumns, rows: rowsOf(source) };
}

function* rowsOf({ entries, batches, conclusions }: ProbeSource): Generator<ProbeRow> {
  const started = entries.find((entry) => entry.type === 'run-started') as EntryOf<'run-started'>;
  const lanes = lanesOf(entries, conclusions);
  const texts: { error: string[]; address: string[] } = { error: [], address: [] };
  const faces: FaceText[] = [];
  const answers: AnswerText[] = [];
  const row: ProbeRow = {
    runId: started.runId,
    conclusions,
    texts,
    faces,
    answers,
    columns: newColumns(0),
    i: 0,
    lane: undefined,
    conclusion: conclusions.of(0, 0, 0),
    dueUs: 0,
    wasSent: false,
  };
  for (const batch of batches) {
    for (const one of batch.definitions) define(one, { texts, faces, answers });
    row.columns = batch.columns;
    for (let i = 0; i < batch.rowCount; i += 1) {
      const { lane, slot, part, outcome } = batch.columns;
      const named = lanes[lane[i] as number];
      row.i = i;
      row.lane = named;
      row.conclusion = conclusions.of(lane[i] as number, slot[i] as number, part[i] as number);
      const dueNs = named === undefined ? 0 : dueAtNs(named.lane, slot[i] as number);
      row.dueUs = Math.round(started.startedAtMs * 1000 + dueNs / nsPerUs);
      row.wasSent = outcome[i] !== outcomeNumber.dropped && outcome[i] !== outcomeNumber.withheld;
      yield row;
    }
  }
}

function lanesOf(entries: readonly Entry[], conclusions: RowConclusions): (NamedLane | undefined)[] {
  const lanes: (NamedLane | undefined)[] = [];
  for (const entry of entries) {
    if (entry.type !== 'run-started' && entry.type !== 'lanes-added') continue;
    for (const lane of entry.lanes) {
      lanes[lane.number] ??= { lane, name: nameOfLane(lane), isQualified: conclusions.isQualified(lane.number) };
    }
  }
  return lanes;
}

function define(
  { kind, number, value }: Definition,
  known: {
    readonly texts: { readonly error: string[]; readonly address: string[] };
    readonly faces: FaceText[];
    readonly answers: AnswerText[];
  },
): void {
  switch (kind) {
    case 'error':
    case 'address':
      known.texts[kind][number] = value;
      return;
    case 'face':
      // Bodies stay in the log: they may hold whatever somebody's server says when it fails.
      known.faces[number] = {
        certificateSha256: value.certificateSha256,
        tlsVersion: value.tlsVersion,
        alpn: value.alpn,
        headers: value.headers.map(([name, text]) => `${name}: ${text}`).join('; '),
      };
      return;
    case 'answer':
      known.answers[number] = {
        server: value.server,
        name: value.name,
        rcode: value.rcode,
        chain: value.chain.join(' '),
        addresses: value.addresses.join(' '),
      };
  }
}
