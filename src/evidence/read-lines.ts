import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** A line that is longer is cut off and will not parse; the longest of ours, `run-started`, is far below. */
const lineBytesMax = 64 * 1024 * 1024;

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** False: the file ended before the line did. */
  readonly isWhole: boolean;
  /** Without its end. */
  readonly byteLength: number;
  /** Where the line after it begins, in bytes. */
  readonly endAt: number;
}

/** The lines of a file from byte `fromAt` on, read piece by piece; as much as the file has when it is opened. */
export function* readLines(path: string, fromAt: number = 0): Generator<Line> {
  const fd = openSync(path, 'r');
  try {
    const byteLength = fstatSync(fd).size;
    const piece = Buffer.allocUnsafe(64 * 1024);
    let parts: Buffer[] = [];
    let lineLength = 0;
    let number = 1;
    let at = fromAt;
    const line = (isWhole: boolean, endAt: number): Line => {
      return { text: Buffer.concat(parts).toString('utf8'), number, isWhole, byteLength: lineLength, endAt };
    };
    while (at < byteLength) {
      const count = readSync(fd, piece, 0, Math.min(piece.length, byteLength - at), at);
      if (count === 0) break;
      let from = 0;
      while (from < count) {
        const end = piece.subarray(0, count).indexOf(0x0a, from);
        const part = piece.subarray(from, end === -1 ? count : end);
        if (lineLength < lineBytesMax) parts.push(Buffer.from(part));
        lineLength += part.length;
        from += part.length;
        if (end === -1) break;
        from += 1;
        yield line(true, at + from);
        parts = [];
        lineLength = 0;
        number += 1;
      }
      at += count;
    }
    if (lineLength > 0) yield line(false, at);
  } finally {
    closeSync(fd);
  }
}
