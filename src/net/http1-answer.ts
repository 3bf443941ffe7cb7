/**
 * Reads one HTTP/1.1 answer from the bytes of a connection (RFC 9112). Our own, since what we need of it is evidence that
 * parsers for clients do not give: informational answers are noted and skipped (undici takes an unsolicited 100 for a
 * failure), and how the body is framed is kept, so that a reset in a body that ends with the connection is no answer.
 *
 * As forgiving as browsers are where it does no harm (a bare LF ends a line, a folded header goes on), since a user
 * would have seen that page.
 */
import { headerPairsMax } from './exchange.ts';

/** The head with all informational heads before it may be so long, and so may the trailers. */
const headBytesMax = 64 * 1024;
/** A chunk's size with its extensions, and the end of the chunk before. */
const chunkLineBytesMax = 256;

const statusLine = /^HTTP\/1\.(\d) ([1-9]\d\d)(?: |$)/;
const isToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export class AnswerReader {
  /** 0 until the whole head of the final answer is here. */
  status = 0;
  /** Flat: name, value, … as received. */
  headers: string[] = [];
  informationalSeen = false;
  /** The connection ends with this answer: it says so, or it has no other end. */
  closes = false;
  /** The bytes themselves said that this was all. */
  isDone = false;
  /** What is wrong with the bytes; '' as long as nothing is. */
  problem = '';

  #step: 'status' | 'headers' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close' = 'status';
  /** The beginning of a line whose end has not come. */
  #partial = '';
  /** How many bytes that are not body may still come. */
  #lineBytesLeft = headBytesMax;
  /** Of the body, or of the chunk. */
  #bytesLeft = 0;
  /** Of the head under way, which may be an informational one. */
  #headStatus = 0;
  #isHttp10 = false;
  readonly #hasBody: boolean;
  readonly #onBody: (bytes: Buffer) => boolean;

  /** `onBody` returns false when it wants no more: then the answer is left as it is. */
  constructor(method: string, onBody: (bytes: Buffer) => boolean) {
    this.#hasBody = method !== 'HEAD';
    this.#onBody = onBody;
  }

  /** How many of the bytes belong to this answer; look at `isDone` and `problem` afterwards. */
  take(bytes: Buffer): number {
    let at = 0;
    let text = '';
    while (at < bytes.length && !this.isDone && this.problem === '') {
      if (this.#step === 'until-close' || this.#step === 'length' || this.#step === 'chunk') {
        const upTo = this.#step === 'until-close' ? bytes.length : Math.min(bytes.length, at + this.#bytesLeft);
        this.#bytesLeft -= upTo - at;
        const isWanted = this.#onBody(at === 0 && upTo === bytes.length ? bytes : bytes.subarray(at, upTo));
        at = upTo;
        if (!isWanted) return at;
        if (this.#bytesLeft === 0) this.#bodyPieceEnded();
        continue;
      }
      if (text === '') text = bytes.toString('latin1');
      const newline = text.indexOf('\n', at);
      const end = newline === -1 ? bytes.length : newline + 1;
      this.#lineBytesLeft -= end - at;
      if (this.#lineBytesLeft < 0) this.problem = this.status === 0 ? 'head too long' : 'chunk size';
      else if (newline === -1) this.#keepPartial(text.slice(at));
      else this.#takeLine(lineOf(text, at, newline));
      at = end;
    }
    return at;
  }

  /** Whether a close in order is the end of the answer. */
  get endsHere(): boolean {
    return this.#step === 'until-close';
  }

  /** Whether a part of a final head has come, but not all of it. */
  get isInHead(): boolean {
    return this.status === 0 && (this.#step === 'headers' || this.#partial !== '');
  }

  #keepPartial(text: string): void {
    this.#partial += text;
    if (this.#step === 'status' && !'HTTP/1.'.startsWith(this.#partial.trimStart().slice(0, 7))) {
      this.problem = 'not HTTP/1.x';
    }
  }

  #takeLine(ending: string): void {
    const line = this.#partial === '' ? ending : withoutCr(this.#partial + ending);
    this.#partial = '';
    switch (this.#step) {
      case 'status':
        // Empty lines before an answer are a known slip of old servers (RFC 9112, 2.2).
        if (line !== '') this.#takeStatusLine(line);
        return;
      case 'headers':
        if (line === '') this.#headEnded();
        else this.#takeHeader(line);
        return;
      case 'chunk-size':
        this.#takeChunkSize(line);
        return;
      case 'chunk-end':
        if (line !== '') this.problem = 'chunk longer than its size';
        this.#step = 'chunk-size';
        return;
      case 'trailers':
        if (line === '') this.isDone = true;
        return;
      case 'length':
      case 'chunk':
      case 'until-close':
        return;
    }
  }

  #takeStatusLine(line: string): void {
    const found = statusLine.exec(line);
    if (found === null) {
      this.problem = line.startsWith('HTTP/1.') ? 'status line' : 'not HTTP/1.x';
      return;
    }
    this.#isHttp10 = found[1] === '0';
    this.#headStatus = Number(found[2]);
    this.headers = [];
    this.#step = 'headers';
  }

  #takeHeader(line: string): void {
    const { headers } = this;
    if (line.charCodeAt(0) === 32 || line.charCodeAt(0) === 9) {
      const folded = headers.length - 1;
      if (folded < 0) this.problem = 'header line';
      else headers[folded] = `${headers[folded]} ${line.trim()}`;
      return;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (!isToken.test(name)) this.problem = 'header line';
    else headers.push(name, line.slice(colon + 1).trim());
  }

  #headEnded(): void {
    const status = this.#headStatus;
    if (status < 200 && status !== 101) {
      this.informationalSeen = true;
      this.#step = 'status';
      return;
    }
    this.status = status;
    const { length, isChunked, hasCoding, closes } = this.#framing();
    this.headers.length = Math.min(this.headers.length, 2 * headerPairsMax);
    this.closes = closes;
    if (status === 101) {
      // We asked for no other protocol, and cannot go on in one.
      this.closes = true;
      this.isDone = true;
    } else if (!this.#hasBody || status === 204 || status === 304) {
      this.isDone = true;
    } else if (isChunked) {
      // Both framings at once is how requests are smuggled: the connection must not be used again (RFC 9112, 6.3).
      this.closes ||= length !== -1;
      this.#step = 'chunk-size';
    } else if (length >= 0 && !hasCoding) {
      this.#bytesLeft = length;
      this.#step = 'length';
      this.isDone = length === 0;
    } else {
      this.closes = true;
      this.#bytesLeft = Infinity;
      this.#step = 'until-close';
    }
  }

  /** What the headers say about the end of body and connection. `length` is -1 where there is no Content-Length. */
  #framing(): { length: number; isChunked: boolean; hasCoding: boolean; closes: boolean } {
    let [length, isChunked, hasCoding, connection] = [-1, false, false, ''];
    const { headers } = this;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] ?? '';
      const value = headers[i + 1] ?? '';
      if (name.length === 10 && name.toLowerCase() === 'connection') {
        connection += `,${value.toLowerCase()}`;
      } else if (name.length === 14 && name.toLowerCase() === 'content-length') {
        // Said twice, or as a list, it must be the same each time.
        for (const one of value.split(',')) {
          const text = one.trim();
          if (!/^\d{1,15}$/.test(text) || (length !== -1 && length !== Number(text))) this.problem = 'content-length';
          length = Number(text);
        }
      } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
        hasCoding = true;
        isChunked = /(?:^|,)\s*chunked$/i.test(value);
      }
    }
    const closes = hasToken(connection, 'close') || (this.#isHttp10 && !hasToken(connection, 'keep-alive'));
    return { length, isChunked, hasCoding, closes };
  }

  #takeChunkSize(line: string): void {
    const semicolon = line.indexOf(';');
    const size = (semicolon === -1 ? line : line.slice(0, semicolon)).trim();
    if (!/^[0-9a-f]{1,12}$/i.test(size)) this.problem = 'chunk size';
    this.#bytesLeft = parseInt(size, 16);
    this.#step = this.#bytesLeft === 0 ? 'trailers' : 'chunk';
    this.#lineBytesLeft = this.#bytesLeft === 0 ? headBytesMax : chunkLineBytesMax;
  }

  #bodyPieceEnded(): void {
    if (this.#step === 'chunk') this.#step = 'chunk-end';
    else this.isDone = true;
  }
}

function hasToken(list: string, token: string): boolean {
  return list !== '' && list.split(',').some((one) => one.trim() === token);
}

function lineOf(text: string, from: number, newline: number): string {
  return text.slice(from, newline > from && text.charCodeAt(newline - 1) === 13 ? newline - 1 : newline);
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
