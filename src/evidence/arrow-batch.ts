/**
 * A record batch message: rows as columns, and in its custom metadata the definitions that they are the first to use,
 * up to when each worker's rows are all here, and a checksum. One message, written by one call: rows and definitions
 * survive a crash together or not at all. The checksum finds what no structure shows: a page of zeros, which a power cut
 * may leave in the middle of a file, reads as plausible numbers.
 */
import { crc32 } from 'node:zlib';
import { assert } from '../core/errors.ts';
import { type Definition, type RowColumns, rowColumns } from '../core/row.ts';
import { arrowVersion, bytesOf, encodeHead, encodeMetadata, headerKind, messageSlot } from './arrow-schema.ts';
import { type FlatTable, type FlatWriter, Malformed } from './flatbuffer.ts';

const recordBatchSlot = { rowCount: 0, nodes: 1, buffers: 2, compression: 3 } as const;
const metadataKey = { definitions: 'definitions', atNsByWorker: 'atNsByWorker', crc32: 'crc32' } as const;

/** In the place of the checksum while it is computed. */
const crcBlank = '00000000';

export interface BatchToWrite {
  readonly rowCount: number;
  readonly columns: RowColumns;
  readonly definitions: readonly Definition[];
  /** Worker → every slot of its lanes due and ended before has its row in this message or in one before. */
  readonly atNsByWorker: ReadonlyMap<number, number>;
}

/** The whole message, in the writer's own buffer: valid until the next one. */
export function encodeBatch(writer: FlatWriter, batch: BatchToWrite): Uint8Array {
  const nodes: number[] = [];
  const buffers: number[] = [];
  let bodyLength = 0;
  for (const [name, type] of rowColumns) {
    assert(batch.columns[name].length === batch.rowCount, `column ${name} has as many rows as its batch`);
    const byteLength = batch.rowCount * bytesOf[type];
    nodes.push(batch.rowCount, 0);
    // The first of the two would say which rows are null.
    buffers.push(bodyLength, 0, bodyLength, byteLength);
    bodyLength += Math.ceil(byteLength / 8) * 8;
  }
  encodeHead(writer, [
    { kind: 'i16', value: arrowVersion },
    { kind: 'u8', value: headerKind.recordBatch },
    {
      kind: 'table',
      fields: [
        { kind: 'i64', value: batch.rowCount },
        { kind: 'pairs', numbers: nodes },
        { kind: 'pairs', numbers: buffers },
      ],
    },
    { kind: 'i64', value: bodyLength },
    encodeMetadata([
      ...(batch.definitions.length === 0
        ? []
        : [[metadataKey.definitions, JSON.stringify(batch.definitions)] as const]),
      [metadataKey.atNsByWorker, JSON.stringify(Object.fromEntries(batch.atNsByWorker))],
      // Last, so that its place is known: at the end of the head.
      [metadataKey.crc32, crcBlank],
    ]),
  ]);
  const crcAt = writer.bytes.lastIndexOf(crcBlank, writer.length - crcBlank.length - 1);
  const bodyAt = writer.skip(bodyLength, 8);
  rowColumns.forEach(([name], i) => {
    const column = batch.columns[name];
    writer.bytes.set(
      new Uint8Array(column.buffer, column.byteOffset, column.byteLength),
      bodyAt + (buffers[4 * i + 2] ?? 0),
    );
  });
  const message = writer.bytes.subarray(0, writer.length);
  writer.bytes.write(crc32(message).toString(16).padStart(crcBlank.length, '0'), crcAt);
  return message;
}

/** Where the parts of a message stand; filled anew for each, because there may be 400,000 of them. */
export interface BatchLayout {
  rowCount: number;
  /** Of each column, in bytes from the start of the body. */
  readonly columnAt: number[];
  /** JSON, '' = none. */
  definitions: string;
  atNsByWorker: string;
  /** Other writers' batches have none. */
  checksum: 'right' | 'wrong' | 'none';
  readonly nodes: number[];
  readonly buffers: number[];
}

export function newBatchLayout(): BatchLayout {
  return {
    rowCount: 0,
    columnAt: rowColumns.map(() => 0),
    definitions: '',
    atNsByWorker: '',
    checksum: 'none',
    nodes: rowColumns.flatMap(() => [0, 0]),
    buffers: rowColumns.flatMap(() => [0, 0, 0, 0]),
  };
}

/** `message` is prefix, head and body; `head` reads a view of the same bytes. */
export function decodeBatch(message: Uint8Array, head: FlatTable, layout: BatchLayout): void {
  const batch = head.table(messageSlot.header);
  const bodyLength = head.i64(messageSlot.bodyLength);
  decodeBatchMetadata(message, head, layout);
  if (batch.hasField(recordBatchSlot.compression)) throw new Malformed('its columns are compressed');
  layout.rowCount = batch.i64(recordBatchSlot.rowCount);
  batch.pairs(recordBatchSlot.nodes, layout.nodes);
  batch.pairs(recordBatchSlot.buffers, layout.buffers);
  for (let i = 0; i < rowColumns.length; i += 1) {
    const width = bytesOf[(rowColumns[i] ?? ['', 'u8'])[1]];
    if (layout.nodes[2 * i] !== layout.rowCount || layout.nodes[2 * i + 1] !== 0)
      throw new Malformed('a column has gaps');
    const at = layout.buffers[4 * i + 2] ?? 0;
    const byteLength = layout.buffers[4 * i + 3] ?? 0;
    if (at % width !== 0 || byteLength < layout.rowCount * width || at + byteLength > bodyLength) {
      throw new Malformed('a column does not fit in its body');
    }
    layout.columnAt[i] = at;
  }
}

function decodeBatchMetadata(message: Uint8Array, head: FlatTable, layout: BatchLayout): void {
  layout.definitions = '';
  layout.atNsByWorker = '';
  layout.checksum = 'none';
  for (const pair of head.tables(messageSlot.metadata)) {
    const key = pair.string(0);
    if (key === metadataKey.definitions) layout.definitions = pair.string(1);
    else if (key === metadataKey.atNsByWorker) layout.atNsByWorker = pair.string(1);
    else if (key === metadataKey.crc32) {
      // The place is one in the window, which `message` is a part of.
      const at = pair.stringAt(1) - message.byteOffset;
      layout.checksum = hasChecksum(message, pair.string(1), at) ? 'right' : 'wrong';
    }
  }
}

function hasChecksum(message: Uint8Array, given: string, at: number): boolean {
  if (given.length !== crcBlank.length) return false;
  message.fill(crcBlank.charCodeAt(0), at, at + crcBlank.length);
  return crc32(message) === Number.parseInt(given, 16);
}
