/**
 * An Arrow stream file, message by message, through one window that slides over it: the file is never in memory whole,
 * and no length it claims is believed before it is held against the bytes that are really there.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageSlot, messageStart } from './arrow-schema.ts';
import { type FlatBytes, FlatTable, Malformed } from './flatbuffer.ts';

/** A message that claims more is damaged: ours have at most 65,536 rows, and definitions up to the caps of an interner. */
const headBytesMax = 64 * 1024 * 1024;
const bodyBytesMax = 128 * 1024 * 1024;

/** How much is read at once, unless a message is longer. */
const windowBytes = 1024 * 1024;

export interface Message {
  readonly head: FlatTable;
  /** Prefix, head and body; a view of the window, valid until the next message. */
  readonly bytes: Uint8Array;
  /** Where the body stands in the window, in bytes; a multiple of 8. */
  readonly bodyAt: number;
}

export class MessageFile {
  /** Typed views of the same bytes; replaced when the window grows. */
  u8: Uint8Array = new Uint8Array(0);
  u16: Uint16Array = new Uint16Array(0);
  u32: Uint32Array = new Uint32Array(0);
  #bytes: FlatBytes = { view: new DataView(this.u8.buffer), buffer: Buffer.alloc(0) };
  readonly #fd: number;
  /** As it was when opened: a running run adds to it meanwhile. */
  readonly byteLength: number;
  /** Position in the file of the next message. */
  at = 0;
  /** The unread part of the file in the window. */
  #from = 0;
  #to = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    this.byteLength = fstatSync(this.#fd).size;
    this.#grow(Math.min(windowBytes, this.byteLength));
  }

  close(): void {
    closeSync(this.#fd);
  }

  /**
   * 'end': the stream ended in order, or the file did between two messages. 'torn': the file ends in the middle of one.
   * Throws `Malformed` for what is no message; after a damaged head of a known length, the next one can still be read.
   */
  next(): Message | 'end' | 'torn' {
    if (this.at === this.byteLength) return 'end';
    if (!this.#has(8)) return 'torn';
    const { view } = this.#bytes;
    const headLength = view.getUint32(this.#from + 4, true);
    if (view.getUint32(this.#from, true) !== messageStart) throw new Malformed('no message begins there');
    if (headLength === 0) {
      this.#skip(8);
      return 'end';
    }
    if (headLength % 8 !== 0 || headLength > headBytesMax) throw new Malformed('no length of a head stands there');
    if (!this.#has(8 + headLength)) return 'torn';
    const headEnd = this.#from + 8 + headLength;
    const bodyLength = FlatTable.root(this.#bytes, this.#from + 8, headEnd).i64(messageSlot.bodyLength);
    if (bodyLength % 8 !== 0 || bodyLength > bodyBytesMax) throw new Malformed('no length of a body stands there');
    const length = 8 + headLength + bodyLength;
    if (!this.#has(length)) return 'torn';
    // The window may have moved.
    const from = this.#from;
    const bodyAt = from + 8 + headLength;
    this.#skip(length);
    return {
      head: FlatTable.root(this.#bytes, from + 8, bodyAt),
      bytes: this.u8.subarray(from, from + length),
      bodyAt,
    };
  }

  #skip(length: number): void {
    this.#from += length;
    this.at += length;
  }

  /** Brings the next `length` bytes of the file into the window; false where the file has not as many. */
  #has(length: number): boolean {
    if (this.at + length > this.byteLength) return false;
    if (this.#to - this.#from >= length) return true;
    if (length > this.u8.length) this.#grow(length);
    else this.u8.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    while (this.#to < length) {
      const count = readSync(this.#fd, this.u8, this.#to, this.u8.length - this.#to, this.at + this.#to);
      if (count === 0) return false;
      this.#to += count;
    }
    return true;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.ceil(length / 65_536) * 65_536);
    grown.set(this.u8.subarray(this.#from, this.#to));
    this.u8 = grown;
    this.u16 = new Uint16Array(grown.buffer);
    this.u32 = new Uint32Array(grown.buffer);
    this.#bytes = { view: new DataView(grown.buffer), buffer: Buffer.from(grown.buffer) };
  }
}
