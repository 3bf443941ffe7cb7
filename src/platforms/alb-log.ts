/**
 * Access logs of an ALB, given as files: which target each of our probes was sent to, in the load balancer's own words. A
 * busy one's log is gigabytes: it is read piece by piece, and only lines of this run are kept by anybody.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { parseAlbLogLine, type AlbLogLine } from './alb-log-line.ts';

export interface AlbLogOptions {
  readonly runId: string;
  /** In the order of the file, which is not that of time. */
  readonly heard: (line: AlbLogLine) => void;
}

export interface AlbLogRead {
  readonly lineCount: number;
  readonly ourCount: number;
  /** Lines of this run that could not be read, and lines that were too long to be looked at. */
  readonly unreadableCount: number;
  /** Why it could not be read, or not to its end; '' else. What was read is true all the same. */
  readonly error: string;
}

/** A request line is 16 KiB at most, and a user agent with it: 64 KiB is no line of such a log. */
const lineBytesMax = 64 * 1024;
const newline = 0x0a;

/** As S3 has them (gzip), or unpacked. Never rejects for what is wrong with the file. */
export async function readAlbLog(path: string, { runId, heard }: AlbLogOptions): Promise<AlbLogRead> {
  let lineCount = 0;
  let ourCount = 0;
  let unreadableCount = 0;
  const take = (bytes: Buffer): void => {
    const text = bytes.toString('utf8').trimEnd();
    if (text === '') return;
    lineCount += 1;
    const line = parseAlbLogLine(text, runId);
    if (line === 'unreadable') {
      unreadableCount += 1;
    } else if (line !== null) {
      ourCount += 1;
      heard(line);
    }
  };

  let rest: Buffer = Buffer.alloc(0);
  let isTooLong = false;
  let error = '';
  try {
    for await (const piece of await piecesOf(path)) {
      let from = 0;
      for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
        if (!isTooLong) take(Buffer.concat([rest, piece.subarray(from, end)]));
        isTooLong = false;
        rest = Buffer.alloc(0);
        from = end + 1;
      }
      if (isTooLong) continue;
      rest = Buffer.concat([rest, piece.subarray(from)]);
      if (rest.length <= lineBytesMax) continue;
      isTooLong = true;
      lineCount += 1;
      unreadableCount += 1;
      rest = Buffer.alloc(0);
    }
  } catch (caught) {
    error = reasonOf(caught);
  }
  // A last line without its end may be whole.
  take(rest);
  return { lineCount, ourCount, unreadableCount, error };
}

/** gzip by its first two bytes, whatever the file is called. */
async function piecesOf(path: string): Promise<AsyncIterable<Buffer>> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    const source = createReadStream(path);
    if (bytesRead < 2 || buffer.readUInt16BE(0) !== 0x1f8b) return source;
    const plain = createGunzip();
    source.on('error', (error) => plain.destroy(error));
    return source.pipe(plain);
  } finally {
    await file.close();
  }
}

function reasonOf(caught: unknown): string {
  const code = caught instanceof Error && 'code' in caught ? String(caught.code) : '';
  if (code === 'Z_BUF_ERROR') return 'it ends in the middle (gzip)';
  if (code.startsWith('Z_')) return `it is broken (gzip, ${code})`;
  return code === '' ? 'it could not be read' : `it could not be read (${code})`;
}
