/** Lines of a stream of bytes that nobody vouches for: UTF-8 or not, cut anywhere, and as long as somebody likes. */

/** An object of Kubernetes has 1.5 MiB at most (etcd's limit for a request), and its JSON may be longer. */
export const lineBytesMax: number = 8 * 1024 * 1024;

const newline = 0x0a;

/** Whole lines, as text, without the empty ones. What is after the last line break is `rest`. Throws where one is too long. */
export function newLineCutter(): { cut(chunk: Uint8Array): readonly string[]; readonly isWithin: boolean } {
  let pieces: Uint8Array[] = [];
  let byteCount = 0;
  return {
    cut(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let to = chunk.indexOf(newline); to !== -1; to = chunk.indexOf(newline, from)) {
        pieces.push(chunk.subarray(from, to));
        const line = Buffer.concat(pieces).toString('utf8').trim();
        if (line !== '') lines.push(line);
        pieces = [];
        byteCount = 0;
        from = to + 1;
      }
      if (from < chunk.length) {
        pieces.push(chunk.subarray(from));
        byteCount += chunk.length - from;
      }
      if (byteCount > lineBytesMax) throw new RangeError('a line is longer than any object');
      return lines;
    },
    /** The stream so far ends within a line. */
    get isWithin() {
      return byteCount > 0;
    },
  };
}
