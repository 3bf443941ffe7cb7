/**
 * FlatBuffers, as much of them as Arrow's message heads need. Own code and not the library: a head has about sixty
 * numbers, the library reads each through an object of its own, and a run recorded at 100/s and then cut off has
 * 400,000 heads. The reader trusts nothing: each offset is held against the end of the head before it is followed.
 *
 * A table is a list of fields by slot number; a field left out is null. Offsets point forward, so that a table can be
 * written before what it refers to.
 */

export type FlatField =
  | { readonly kind: 'u8' | 'i16' | 'i32' | 'i64'; readonly value: number }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'table'; readonly fields: FlatFields }
  | { readonly kind: 'tables'; readonly tables: readonly FlatFields[] }
  /** A vector of structs of two 64-bit numbers each, flat. */
  | { readonly kind: 'pairs'; readonly numbers: readonly number[] };

/** Index = slot. */
export type FlatFields = readonly (FlatField | null)[];

const sizeOf = { u8: 1, i16: 2, i32: 4, i64: 8, string: 4, table: 4, tables: 4, pairs: 4 } as const;

/** Writes into one buffer that grows and is used again: `clear`, then `skip`, `root`, `pad`; then `bytes` up to `length`. */
export class FlatWriter {
  bytes: Buffer = Buffer.alloc(4096);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  /** Makes room for `size` zero bytes at the next multiple of `align`, and says where. */
  skip(size: number, align: number): number {
    const at = Math.ceil(this.length / align) * align;
    const end = at + size;
    if (end > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    this.bytes.fill(0, this.length, end);
    this.length = end;
    return at;
  }

  root(fields: FlatFields): void {
    const at = this.skip(4, 8);
    this.#refer(at, this.#table(fields));
  }

  #table(fields: FlatFields): number {
    const vtableAt = this.skip(4 + 2 * fields.length, 8);
    let tableSize = 4;
    const offsets = fields.map((field) => {
      if (field === null) return 0;
      const size = sizeOf[field.kind];
      const offset = Math.ceil(tableSize / size) * size;
      tableSize = offset + size;
      return offset;
    });
    const at = this.skip(tableSize, 8);
    this.bytes.writeUInt16LE(4 + 2 * fields.length, vtableAt);
    this.bytes.writeUInt16LE(tableSize, vtableAt + 2);
    this.bytes.writeInt32LE(at - vtableAt, at);
    fields.forEach((field, slot) => {
      const offset = offsets[slot] ?? 0;
      this.bytes.writeUInt16LE(offset, vtableAt + 4 + 2 * slot);
      if (field !== null) this.#field(field, at + offset);
    });
    return at;
  }

  #field(field: FlatField, at: number): void {
    switch (field.kind) {
      case 'u8':
        this.bytes.writeUInt8(field.value, at);
        break;
      case 'i16':
        this.bytes.writeInt16LE(field.value, at);
        break;
      case 'i32':
        this.bytes.writeInt32LE(field.value, at);
        break;
      case 'i64':
        this.#i64(field.value, at);
        break;
      case 'string':
        this.#refer(at, this.#string(field.text));
        break;
      case 'table':
        this.#refer(at, this.#table(field.fields));
        break;
      case 'tables':
        this.#refer(at, this.#tables(field.tables));
        break;
      case 'pairs':
        this.#refer(at, this.#pairs(field.numbers));
        break;
    }
  }

  #refer(at: number, target: number): void {
    this.bytes.writeUInt32LE(target - at, at);
  }

  #i64(value: number, at: number): void {
    this.bytes.writeUInt32LE(value % 0x1_0000_0000, at);
    this.bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
  }

  /** The zero byte after the text belongs to the format. */
  #string(text: string): number {
    const byteLength = Buffer.byteLength(text);
    const at = this.skip(4 + byteLength + 1, 4);
    this.bytes.writeUInt32LE(byteLength, at);
    this.bytes.write(text, at + 4);
    return at;
  }

  #tables(tables: readonly FlatFields[]): number {
    const at = this.skip(4 + 4 * tables.length, 4);
    this.bytes.writeUInt32LE(tables.length, at);
    tables.forEach((fields, i) => {
      this.#refer(at + 4 + 4 * i, this.#table(fields));
    });
    return at;
  }

  /** The numbers, not their count, stand at a multiple of 8. */
  #pairs(numbers: readonly number[]): number {
    const at = this.skip(8 + 8 * numbers.length, 8) + 4;
    this.bytes.writeUInt32LE(numbers.length / 2, at);
    numbers.forEach((value, i) => {
      this.#i64(value, at + 4 + 8 * i);
    });
    return at;
  }
}

/** Bytes that are not what they should be; caught by whoever reads a message, and said as a problem. */
export class Malformed extends Error {}

/** More tables in one vector than any message of ours or of a schema like ours has. */
const tableCountMax = 1024;

/** The same bytes twice: numbers are read fastest from the one, texts from the other. */
export interface FlatBytes {
  readonly view: DataView;
  readonly buffer: Buffer;
}

/** A table somewhere in `bytes`, of which nothing past `end` is looked at. */
export class FlatTable {
  readonly #bytes: FlatBytes;
  readonly #view: DataView;
  readonly #end: number;
  readonly #at: number;
  readonly #vtableAt: number;
  readonly #vtableSize: number;

  static root(bytes: FlatBytes, from: number, end: number): FlatTable {
    if (from + 4 > end) throw new Malformed('its head is too short');
    return new FlatTable(bytes, end, from + bytes.view.getUint32(from, true));
  }

  private constructor(bytes: FlatBytes, end: number, at: number) {
    const { view } = bytes;
    this.#bytes = bytes;
    this.#view = view;
    this.#end = end;
    this.#at = at;
    this.#need(at, 4);
    this.#vtableAt = at - view.getInt32(at, true);
    this.#need(this.#vtableAt, 4);
    this.#vtableSize = view.getUint16(this.#vtableAt, true);
    this.#need(this.#vtableAt, this.#vtableSize);
  }

  u8(slot: number): number {
    const at = this.#fieldAt(slot, 1);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  i16(slot: number): number {
    const at = this.#fieldAt(slot, 2);
    return at === 0 ? 0 : this.#view.getInt16(at, true);
  }

  i32(slot: number): number {
    const at = this.#fieldAt(slot, 4);
    return at === 0 ? 0 : this.#view.getInt32(at, true);
  }

  i64(slot: number): number {
    const at = this.#fieldAt(slot, 8);
    return at === 0 ? 0 : this.#i64(at);
  }

  table(slot: number): FlatTable {
    const at = this.#targetAt(slot);
    if (at === 0) throw new Malformed('a part of its head is missing');
    return new FlatTable(this.#bytes, this.#end, at);
  }

  hasField(slot: number): boolean {
    return this.#fieldAt(slot, 1) !== 0;
  }

  tables(slot: number): FlatTable[] {
    const at = this.#targetAt(slot);
    if (at === 0) return [];
    const count = this.#vectorCount(at, 4);
    if (count > tableCountMax) throw new Malformed(`its head lists ${count} things`);
    const tables: FlatTable[] = [];
    for (let refersAt = at + 4; tables.length < count; refersAt += 4) {
      tables.push(new FlatTable(this.#bytes, this.#end, refersAt + this.#view.getUint32(refersAt, true)));
    }
    return tables;
  }

  /** Fills `into` with the numbers of a vector of pairs; there must be as many as it holds. */
  pairs(slot: number, into: number[]): void {
    const at = this.#targetAt(slot);
    const count = at === 0 ? 0 : this.#vectorCount(at, 16);
    if (count * 2 !== into.length)
      throw new Malformed(`${into.length / 2} buffers or columns expected, ${count} found`);
    for (let i = 0; i < into.length; i += 1) into[i] = this.#i64(at + 4 + 8 * i);
  }

  string(slot: number): string {
    const at = this.#targetAt(slot);
    return at === 0 ? '' : this.#bytes.buffer.toString('utf8', at + 4, at + 4 + this.#vectorCount(at, 1));
  }

  /** Where the text's bytes stand; 0 where there is none. */
  stringAt(slot: number): number {
    const at = this.#targetAt(slot);
    return at === 0 ? 0 : at + 4;
  }

  #fieldAt(slot: number, size: number): number {
    const entryAt = 4 + 2 * slot;
    if (entryAt + 2 > this.#vtableSize) return 0;
    const offset = this.#view.getUint16(this.#vtableAt + entryAt, true);
    if (offset === 0) return 0;
    this.#need(this.#at + offset, size);
    return this.#at + offset;
  }

  #targetAt(slot: number): number {
    const at = this.#fieldAt(slot, 4);
    return at === 0 ? 0 : at + this.#view.getUint32(at, true);
  }

  #vectorCount(at: number, bytesEach: number): number {
    this.#need(at, 4);
    const count = this.#view.getUint32(at, true);
    this.#need(at + 4, count * bytesEach);
    return count;
  }

  #i64(at: number): number {
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 0x1_0000_0000;
    if (value > Number.MAX_SAFE_INTEGER) throw new Malformed('a number in its head is beyond all bounds');
    return value;
  }

  #need(at: number, size: number): void {
    if (at < 0 || at + size > this.#end) throw new Malformed('its head points outside of itself');
  }
}
