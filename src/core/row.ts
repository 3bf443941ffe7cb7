/**
 * The row table: what one probe leaves behind. `probes.arrows` has exactly these columns in this order; the prober fills
 * them, the evidence room stores them, the analysis reads them, and nobody in between copies them field by field.
 * No nulls: 0 = none. A column marked # holds a number that a `Definition` explains.
 */

export const rowColumns = [
  ['lane', 'u16'],
  ['slot', 'u32'],
  /** See `parts`. */
  ['part', 'u8'],
  /** sent − due, in µs. For dropped and withheld slots: decided − due. */
  ['lateUs', 'u32'],
  /** The steps, in µs since sent; 0 = did not happen (a kept connection needs no connect). */
  ['resolvedUs', 'u32'],
  ['connectedUs', 'u32'],
  ['securedUs', 'u32'],
  ['firstByteUs', 'u32'],
  ['endedUs', 'u32'],
  /** Index into `outcomes`. */
  ['outcome', 'u8'],
  /** HTTP status, 0 = no answer. */
  ['status', 'u16'],
  /** # error text. */
  ['error', 'u16'],
  /** `checkBits`. */
  ['checks', 'u8'],
  ['bodyBytes', 'u32'],
  /** # peer address, as text without port. */
  ['address', 'u16'],
  ['localPort', 'u16'],
  /** # `Face`. */
  ['face', 'u16'],
  /** 0 = opened for this row. */
  ['connectionAgeMs', 'u32'],
  /** # `Answer` that this row's connection was resolved with. */
  ['answer', 'u16'],
  /** The lowest TTL along the answer's chain, as received. */
  ['answerTtlS', 'u32'],
  /** How long this lane had held the answer when the probe was sent. */
  ['answerAgeMs', 'u32'],
] as const;

export type RowColumn = (typeof rowColumns)[number][0];

type ArrayOf<T extends 'u8' | 'u16' | 'u32'> = T extends 'u8'
  ? Uint8Array
  : T extends 'u16'
    ? Uint16Array
    : Uint32Array;

export type RowColumns = {
  readonly [C in (typeof rowColumns)[number] as C[0]]: ArrayOf<C[1]>;
};

/** One row, as a mutable record that the prober fills again and again (the probing path allocates little). */
export type Row = { [C in RowColumn]: number };

export const parts = {
  /** The slot's one result. */
  slot: 0,
  /** An address that was tried before, within the same slot. */
  triedBefore: 1,
  /** Sent at once on a fresh connection after a failure on a kept one. */
  freshCheck: 2,
  /** The retried series: once, on a new connection, as a browser does. */
  retried: 3,
} as const;

/** What of an answer tells one server from another. Page shape and side are concluded from it, not stored. */
export interface Face {
  /** SHA-256 of the leaf certificate, lower-case hex; '' without TLS. */
  readonly certificateSha256: string;
  readonly alpn: string;
  readonly tlsVersion: string;
  /** Allow-listed headers in order of arrival, names in lower case, values cut to 128 characters; cookies by name only. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** First 512 bytes of a body that was not as expected, as latin1; '' else. */
  readonly unexpectedBody: string;
}

/** A DNS answer without its TTL, so that an answer that only ages stays one definition. */
export interface Answer {
  /** The resolver's name in the scenario; `address:port` for an authoritative server. */
  readonly server: string;
  /** The name asked. */
  readonly name: string;
  readonly rcode: string;
  /** Extended DNS Error code + 1 (RFC 8914), 0 = none. */
  readonly ede: number;
  readonly authoritative: boolean;
  /** CNAME targets in order. */
  readonly chain: readonly string[];
  /** In the order of the answer. */
  readonly addresses: readonly string[];
}

export type Definition =
  | { readonly kind: 'error'; readonly number: number; readonly value: string }
  | { readonly kind: 'address'; readonly number: number; readonly value: string }
  | { readonly kind: 'face'; readonly number: number; readonly value: Face }
  | { readonly kind: 'answer'; readonly number: number; readonly value: Answer };

export type DefinitionKind = Definition['kind'];

/** Each kind of definition is numbered from 2. 0 = none; 1 = over the cap: unknown, and counted. */
export const definitionFirst = 2;
export const definitionOverCap = 1;

/** How many definitions of one kind a run may have; a hostile server must not fill our memory. */
export const definitionCountMax: Readonly<Record<DefinitionKind, number>> = {
  error: 1000,
  address: 10_000,
  face: 10_000,
  answer: 20_000,
};

/** Rows handed over together, and the definitions that they are the first to use. */
export interface RowBatch {
  readonly rowCount: number;
  /** Each exactly `rowCount` long. */
  readonly columns: RowColumns;
  readonly definitions: readonly Definition[];
  /** Which probing thread; several write one log. */
  readonly worker: number;
  /** The thread's clock when it handed over: every slot of its lanes due and ended before has its row. */
  readonly atNs: number;
}

const arrayOf = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array } as const;

export function newColumns(rowCount: number): RowColumns {
  return Object.fromEntries(
    rowColumns.map(([name, type]) => [name, new arrayOf[type](rowCount)]),
  ) as unknown as RowColumns;
}

export function newRow(): Row {
  return Object.fromEntries(rowColumns.map(([name]) => [name, 0])) as Row;
}
