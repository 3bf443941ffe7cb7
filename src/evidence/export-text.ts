/** A table as NDJSON or CSV, in pieces of about 256 KiB, so that a run of any length takes no more memory than that. */
import type { Column, Table, Value } from './export-table.ts';

const pieceLength = 256 * 1024;

/** Every row has every key: who guesses a schema from the first rows must find those that come late. */
export function* ndjson<Row>({ columns, rows }: Table<Row>): Generator<string> {
  const keys = columns.map(({ name }, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  let piece = '';
  for (const row of rows) {
    for (let i = 0; i < columns.length; i += 1) {
      const { kind, of } = columns[i] as Column<Row>;
      const value = of(row);
      piece += keys[i] as string;
      if (typeof value === 'string') piece += jsonText(value);
      else piece += kind === 'instant' && typeof value === 'number' ? `"${instantText(value)}"` : String(value);
    }
    piece += '}\n';
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** What JSON lets stand and a terminal may take for an order. */
const upperControl = /[\u007f-\u009f]/;

function jsonText(text: string): string {
  const json = JSON.stringify(text);
  if (!upperControl.test(json)) return json;
  const escaped = (one: string): string => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replaceAll(new RegExp(upperControl, 'g'), escaped);
}

/** With a line of names; nothing between two commas is null. One row is one line. */
export function* csv<Row>({ columns, rows }: Table<Row>): Generator<string> {
  let piece = `${columns.map(({ name }) => name).join(',')}\n`;
  for (const row of rows) {
    for (let i = 0; i < columns.length; i += 1) {
      const { kind, of } = columns[i] as Column<Row>;
      if (i > 0) piece += ',';
      piece += csvField(of(row), kind === 'instant');
    }
    piece += '\n';
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function csvField(value: Value, isInstant: boolean): string {
  if (value === null) return '';
  if (typeof value === 'string') return csvText(value);
  return isInstant && typeof value === 'number' ? instantText(value) : String(value);
}

const needsCare = /[\p{Cc}",]|^[=+\-@]/u;
const controls = /\p{Cc}/gu;

/**
 * Texts of an export came from other people's servers, and a spreadsheet runs what begins with = + - @ as a formula: a `'`
 * before it makes it a text (OWASP, "CSV Injection"). Controls are �: a line break would make two lines of one row.
 */
function csvText(text: string): string {
  if (!needsCare.test(text)) return text;
  const safe = (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll(controls, '\ufffd');
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

let knownS = Number.NaN;
let knownText = '';

/** ISO 8601 UTC with µs; most rows are of the same second as the one before. */
function instantText(us: number): string {
  const s = Math.floor(us / 1e6);
  if (s !== knownS) {
    knownS = s;
    knownText = new Date(s * 1000).toISOString().slice(0, -4);
  }
  return `${knownText}${String(us - s * 1e6).padStart(6, '0')}Z`;
}
