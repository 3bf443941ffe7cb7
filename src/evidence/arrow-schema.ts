/**
 * The first message of an Arrow stream: which columns follow. Ours are those of `rowColumns`, none with nulls. Slot
 * numbers and constants are those of Arrow's Message.fbs and Schema.fbs.
 */
import { rowColumns } from '../core/row.ts';
import { type FlatFields, type FlatTable, type FlatWriter, Malformed } from './flatbuffer.ts';

/** MetadataVersion V5. */
export const arrowVersion = 4;
/** MessageHeader. */
export const headerKind = { schema: 1, recordBatch: 3 } as const;
export const messageSlot = { version: 0, headerKind: 1, header: 2, bodyLength: 3, metadata: 4 } as const;

const schemaSlot = { endianness: 0, fields: 1, metadata: 2 } as const;
const fieldSlot = { name: 0, nullable: 1, typeKind: 2, type: 3, dictionary: 4, children: 5 } as const;
const intSlot = { bitWidth: 0, isSigned: 1 } as const;
const typeKindInt = 2;

export const bytesOf = { u8: 1, u16: 2, u32: 4 } as const;

/** Without padding. */
export const rowBytes: number = rowColumns.reduce((sum, [, type]) => sum + bytesOf[type], 0);

/** Every message of a stream begins with these four bytes, then the length of its head. */
export const messageStart = 0xffff_ffff;

/** The end of a stream: a message without a head. */
export const streamEnd: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

export type Metadata = readonly (readonly [key: string, value: string])[];

/** The whole message, in the writer's own buffer. */
export function encodeSchema(writer: FlatWriter, metadata: Metadata): Uint8Array {
  const fields = rowColumns.map(([name, type]): FlatFields => [
    { kind: 'string', text: name },
    { kind: 'u8', value: 0 },
    { kind: 'u8', value: typeKindInt },
    {
      kind: 'table',
      fields: [
        { kind: 'i32', value: 8 * bytesOf[type] },
        { kind: 'u8', value: 0 },
      ],
    },
    null,
    { kind: 'tables', tables: [] },
  ]);
  encodeHead(writer, [
    { kind: 'i16', value: arrowVersion },
    { kind: 'u8', value: headerKind.schema },
    {
      kind: 'table',
      fields: [{ kind: 'i16', value: 0 }, { kind: 'tables', tables: fields }, encodeMetadata(metadata)],
    },
    { kind: 'i64', value: 0 },
  ]);
  return writer.bytes.subarray(0, writer.length);
}

/** Prefix and head, padded so that what follows stands at a multiple of 8. */
export function encodeHead(writer: FlatWriter, message: FlatFields): void {
  writer.clear();
  writer.skip(8, 8);
  writer.root(message);
  writer.skip(0, 8);
  writer.length = Math.ceil(writer.length / 8) * 8;
  writer.bytes.writeUInt32LE(messageStart, 0);
  writer.bytes.writeUInt32LE(writer.length - 8, 4);
}

export function encodeMetadata(metadata: Metadata): {
  readonly kind: 'tables';
  readonly tables: readonly FlatFields[];
} {
  return {
    kind: 'tables',
    tables: metadata.map(([key, value]) => [
      { kind: 'string', text: key },
      { kind: 'string', text: value },
    ]),
  };
}

export function decodeMetadata(pairs: readonly FlatTable[]): Map<string, string> {
  return new Map(pairs.map((pair) => [pair.string(0), pair.string(1)]));
}

/** The metadata of a schema whose columns are ours; throws `Malformed` where they are not. */
export function decodeSchema(message: FlatTable): Map<string, string> {
  if (message.u8(messageSlot.headerKind) !== headerKind.schema) throw new Malformed('it does not begin with a schema');
  const schema = message.table(messageSlot.header);
  if (schema.i16(schemaSlot.endianness) !== 0) throw new Malformed('its numbers are big-endian');
  const found = schema.tables(schemaSlot.fields).map(columnOf).join(', ');
  const expected = rowColumns.map(([name, type]) => `${name} ${type}`).join(', ');
  if (found !== expected) throw new Malformed(`its columns are ${found.slice(0, 500)}`);
  return decodeMetadata(schema.tables(schemaSlot.metadata));
}

/** A column that may have nulls is no different to read: a batch that really has some is refused. */
function columnOf(field: FlatTable): string {
  const name = field.string(fieldSlot.name);
  if (field.u8(fieldSlot.typeKind) !== typeKindInt || field.hasField(fieldSlot.dictionary))
    return `${name} of a kind unknown here`;
  const type = field.table(fieldSlot.type);
  return `${name} ${type.u8(intSlot.isSigned) === 0 ? 'u' : 'i'}${type.i32(intSlot.bitWidth)}`;
}
