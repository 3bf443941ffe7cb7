/**
 * The rows of a `probes.arrows`, many small batches merged into few big ones. Damage costs the batch that has it and is
 * said; it never ends the reading silently, and never throws.
 */
import { outcomes } from '../core/outcome.ts';
import {
  type Definition,
  type DefinitionKind,
  definitionFirst,
  definitionOverCap,
  newColumns,
  type RowBatch,
  rowColumns,
  type RowColumns,
} from '../core/row.ts';
import { type BatchLayout, decodeBatch, newBatchLayout } from './arrow-batch.ts';
import { bytesOf, decodeSchema, headerKind, messageSlot, rowBytes } from './arrow-schema.ts';
import { definitionKinds, isDefinition, isObject } from './definition.ts';
import { Malformed } from './flatbuffer.ts';
import { type Message, MessageFile } from './message-file.ts';

/** Most rows of one merged batch. */
const mergedRowCount = 65_536;

/** A merged batch ends early where its definitions get longer than this; in UTF-16 units of JSON. */
const definitionLengthMax = 8 * 1024 * 1024;

/** What the reading of rows has found so far, beside the rows. */
export interface RowsFound {
  readonly problems: string[];
  /** Of the schema. */
  metadata: ReadonlyMap<string, string>;
  rowCount: number;
  /** Worker → every slot of its lanes due and ended before has its row, if the file has it at all. */
  readonly atNsByWorker: Map<number, number>;
}

export function newRowsFound(): RowsFound {
  return { problems: [], metadata: new Map(), rowCount: 0, atNsByWorker: new Map() };
}

/**
 * Each batch's columns are views of one buffer, valid until the next batch. Its `worker` and `atNs` are those of the last
 * message in it. Rows of lanes from `laneCount` on are left out, and said.
 */
export function* readRows(path: string, laneCount: number, found: RowsFound): Generator<RowBatch> {
  const file = new MessageFile(path);
  try {
    const merge = new Merge(laneCount, file.byteLength, found);
    const layout = newBatchLayout();
    let isOurs = false;
    for (;;) {
      const isFirst = file.at === 0;
      const message = nextMessage(file, found);
      if (message === null) break;
      try {
        if (isFirst) {
          found.metadata = decodeSchema(message.head);
          isOurs = found.metadata.has('formatVersion');
        } else {
          decode(message, layout, isOurs);
          if (!merge.hasRoomFor(layout)) yield* merge.take();
          merge.define(layout);
          for (let from = 0; from < layout.rowCount; from += merge.rowCountMax) {
            if (from > 0) yield* merge.take();
            merge.rows(file, message, layout, from);
          }
        }
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        if (isFirst) {
          found.problems.push(`probes.arrows cannot be read: ${error.message}`);
          return;
        }
        merge.damage(error.message);
      }
    }
    yield* merge.take();
    merge.sayProblems();
  } finally {
    file.close();
  }
}

/** Null at the end, in whatever way it ends. */
function nextMessage(file: MessageFile, found: RowsFound): Message | null {
  const left = (): string => `its last ${file.byteLength - file.at} bytes, from byte ${file.at} on,`;
  try {
    const message = file.next();
    if (message === 'torn') found.problems.push(`probes.arrows is torn: ${left()} are the beginning of a batch`);
    if (message === 'end' && file.at < file.byteLength)
      found.problems.push(`probes.arrows: ${left()} stand behind its end`);
    if (message === 'end' && file.byteLength === 0) found.problems.push('probes.arrows is empty');
    return typeof message === 'string' ? null : message;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    found.problems.push(`probes.arrows is damaged: ${left()} cannot be read (${error.message})`);
    return null;
  }
}

function decode(message: Message, layout: BatchLayout, isOurs: boolean): void {
  if (message.head.u8(messageSlot.headerKind) !== headerKind.recordBatch) throw new Malformed('it is no batch of rows');
  decodeBatch(message.bytes, message.head, layout);
  if (layout.checksum === 'wrong' || (isOurs && layout.checksum === 'none'))
    throw new Malformed('its checksum is wrong');
}

/** Up to here a loop is cheaper than the two objects that a copy of memory costs. */
const loopCountMax = 100;

interface Target {
  readonly type: 'u8' | 'u16' | 'u32';
  readonly bytes: number;
  readonly target: Uint8Array | Uint16Array | Uint32Array;
}

/** Collects small batches, checks what they refer to, and remembers what was wrong with them. */
class Merge {
  readonly #laneCount: number;
  readonly #found: RowsFound;
  /** As many as the file can have, up to `mergedRowCount`. */
  readonly rowCountMax: number;
  readonly #columns: RowColumns;
  readonly #targets: readonly Target[];
  #rowCount = 0;
  #definitions: Definition[] = [];
  #definitionLength = 0;
  #worker = 0;
  #atNs = 0;
  /** Per kind, by number: 1 = defined. */
  readonly #isDefined: Readonly<Record<DefinitionKind, Uint8Array>>;

  #damagedCount = 0;
  #damage = '';
  #badDefinitionCount = 0;
  #badRowCount = 0;
  readonly #missingCount: Record<DefinitionKind, number> = { error: 0, address: 0, face: 0, answer: 0 };

  constructor(laneCount: number, fileByteLength: number, found: RowsFound) {
    this.#laneCount = laneCount;
    this.#found = found;
    this.rowCountMax = Math.min(mergedRowCount, Math.ceil(fileByteLength / rowBytes));
    this.#columns = newColumns(this.rowCountMax);
    this.#targets = rowColumns.map(([name, type]) => {
      return { type, bytes: bytesOf[type], target: this.#columns[name] };
    });
    const none = (): Uint8Array => new Uint8Array(0x1_0000).fill(1, 0, definitionFirst);
    this.#isDefined = { error: none(), address: none(), face: none(), answer: none() };
  }

  hasRoomFor(layout: BatchLayout): boolean {
    if (this.#rowCount === 0 && this.#definitions.length === 0) return true;
    return (
      this.#rowCount + layout.rowCount <= this.rowCountMax &&
      this.#definitionLength + layout.definitions.length <= definitionLengthMax
    );
  }

  define(layout: BatchLayout): void {
    if (layout.definitions !== '') {
      const definitions = parse(layout.definitions);
      this.#definitionLength += layout.definitions.length;
      if (Array.isArray(definitions)) definitions.forEach((definition) => this.#defineOne(definition));
      else this.#badDefinitionCount += 1;
    }
    const atNsByWorker = layout.atNsByWorker === '' ? null : parse(layout.atNsByWorker);
    if (!isObject(atNsByWorker)) return;
    for (const [key, atNs] of Object.entries(atNsByWorker)) {
      const worker = Number(key);
      if (!Number.isInteger(worker) || worker < 0 || worker > 0xffff) continue;
      if (typeof atNs !== 'number' || !Number.isSafeInteger(atNs)) continue;
      this.#worker = worker;
      this.#atNs = atNs;
      this.#found.atNsByWorker.set(worker, Math.max(atNs, this.#found.atNsByWorker.get(worker) ?? 0));
    }
  }

  /** Up to `rowCountMax` rows of the message, from row `from` on. */
  rows(file: MessageFile, message: Message, layout: BatchLayout, from: number): void {
    const count = Math.min(layout.rowCount - from, this.rowCountMax);
    for (let i = 0; i < rowColumns.length; i += 1) {
      const { type, bytes, target } = this.#targets[i] as Target;
      const first = (message.bodyAt + (layout.columnAt[i] as number)) / bytes + from;
      const source = type === 'u32' ? file.u32 : type === 'u16' ? file.u16 : file.u8;
      if (count > loopCountMax) target.set(source.subarray(first, first + count), this.#rowCount);
      else for (let k = 0; k < count; k += 1) target[this.#rowCount + k] = source[first + k] as number;
    }
    this.#rowCount += count;
  }

  damage(why: string): void {
    this.#damagedCount += 1;
    if (this.#damagedCount === 1) this.#damage = why;
  }

  *take(): Generator<RowBatch> {
    this.#leaveOutBadRows();
    for (const kind of definitionKinds) this.#checkReferences(kind);
    const definitions = this.#definitions;
    const rowCount = this.#rowCount;
    this.#definitions = [];
    this.#definitionLength = 0;
    this.#rowCount = 0;
    this.#found.rowCount += rowCount;
    if (rowCount === 0 && definitions.length === 0) return;
    const columns = Object.fromEntries(
      rowColumns.map(([name]) => [name, this.#columns[name].subarray(0, rowCount)]),
    ) as unknown as RowColumns;
    yield { rowCount, columns, definitions, worker: this.#worker, atNs: this.#atNs };
  }

  sayProblems(): void {
    const { problems } = this.#found;
    if (this.#damagedCount > 0) {
      problems.push(`probes.arrows: ${this.#damagedCount} damaged batches are left out (the first: ${this.#damage})`);
    }
    if (this.#badDefinitionCount > 0)
      problems.push(`probes.arrows: ${this.#badDefinitionCount} definitions are unreadable`);
    if (this.#badRowCount > 0) {
      problems.push(`probes.arrows: ${this.#badRowCount} rows with an unknown lane or outcome are left out`);
    }
    for (const kind of definitionKinds) {
      const count = this.#missingCount[kind];
      if (count > 0)
        problems.push(`probes.arrows: the ${kind} of ${count} rows is defined nowhere and reads as unknown`);
    }
  }

  #defineOne(definition: unknown): void {
    if (!isDefinition(definition) || this.#isDefined[definition.kind][definition.number] === 1) {
      this.#badDefinitionCount += 1;
      return;
    }
    this.#isDefined[definition.kind][definition.number] = 1;
    this.#definitions.push(definition);
  }

  #leaveOutBadRows(): void {
    const { lane, outcome } = this.#columns;
    let keptCount = 0;
    for (let i = 0; i < this.#rowCount; i += 1) {
      if (outcome[i] === 0 || (outcome[i] ?? 0) >= outcomes.length || (lane[i] ?? 0) >= this.#laneCount) continue;
      if (keptCount < i) for (const [name] of rowColumns) this.#columns[name][keptCount] = this.#columns[name][i] ?? 0;
      keptCount += 1;
    }
    this.#badRowCount += this.#rowCount - keptCount;
    this.#rowCount = keptCount;
  }

  /** A number without a definition reads as unknown, so that nobody after us meets it. */
  #checkReferences(kind: DefinitionKind): void {
    const column = this.#columns[kind];
    const isDefined = this.#isDefined[kind];
    for (let i = 0; i < this.#rowCount; i += 1) {
      if (isDefined[column[i] ?? 0] === 1) continue;
      column[i] = definitionOverCap;
      this.#missingCount[kind] += 1;
    }
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
