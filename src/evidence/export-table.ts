/** What an export has: a table whose columns say what they mean, whatever the format. */

/** `count`: whole, 0 to 2³² − 1. `instant`: whole µs since 1970. `flag`: true or false. */
export type ColumnKind = 'text' | 'count' | 'instant' | 'flag';

/** `null` = none, did not happen, or not known. */
export type Value = string | number | boolean | null;

export interface Column<Row> {
  readonly name: string;
  readonly kind: ColumnKind;
  /** For people, with its unit. */
  readonly meaning: string;
  readonly of: (row: Row) => Value;
}

/** The same object may stand for every row in turn: it is read before the next one is asked for. */
export interface Table<Row> {
  readonly name: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: Iterable<Row>;
}
