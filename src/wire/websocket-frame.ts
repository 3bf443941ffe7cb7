/**
 * WebSocket frames (RFC 6455, 5.2): read from the bytes of a connection, and the control frames that we send. Of data
 * frames nothing is kept: they are counted off and thrown away, so that no server can fill our memory.
 */

export const controlOpcodes = { close: 8, ping: 9, pong: 10 } as const;
export type ControlKind = keyof typeof controlOpcodes;

/** Hashed with the client's key to what the server must answer (RFC 6455, 1.3). */
export const acceptSalt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Of a control frame (5.5). */
const controlBytesMax = 125;
/** No client takes a longer frame by default (`ws`: 100 MiB; Go and browsers by message), so a longer one is a lie. */
const dataBytesMax = 128 * 1024 * 1024;

const [continuation, text, binary] = [0, 1, 2];

export interface FrameReaderOptions {
  /** Clients mask, servers do not (5.1); a peer that does otherwise is refused. */
  readonly isMasked: boolean;
  readonly onControl: (kind: ControlKind, payload: Uint8Array) => void;
}

export class FrameReader {
  /** What is wrong with the bytes; '' as long as nothing is. Then nothing more is read. */
  problem = '';

  /** Two bytes, the rest of the length and the mask: 14 at most. */
  readonly #head = new Uint8Array(14);
  #headFilled = 0;
  #headLength = 2;
  /** Of the payload under way. */
  #bytesLeft = 0;
  #isInPayload = false;
  /** Null: data. */
  #control: { readonly kind: ControlKind; readonly payload: Uint8Array } | null = null;
  #isFragmented = false;
  /** Nothing follows on a close (5.5.1). */
  #isClosed = false;
  readonly #isMasked: boolean;
  readonly #onControl: FrameReaderOptions['onControl'];

  constructor({ isMasked, onControl }: FrameReaderOptions) {
    this.#isMasked = isMasked;
    this.#onControl = onControl;
  }

  take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.problem === '' && !this.#isClosed) {
      if (this.#isInPayload) at += this.#takePayload(bytes, at);
      else {
        this.#head[this.#headFilled] = bytes[at] as number;
        this.#headFilled += 1;
        at += 1;
        if (this.#headFilled === 2) this.#firstBytes();
        if (this.#headFilled === this.#headLength && this.problem === '') this.#headEnded();
      }
    }
  }

  #firstBytes(): void {
    const [first, second] = this.#head as unknown as readonly [number, number];
    const opcode = first & 0x0f;
    const isLast = (first & 0x80) !== 0;
    const length = second & 0x7f;
    if ((first & 0x70) !== 0) this.problem = 'reserved bits';
    else if (((second & 0x80) !== 0) !== this.#isMasked) this.problem = this.#isMasked ? 'not masked' : 'masked';
    else if (opcode >= 8) {
      if (kindOf(opcode) === null) this.problem = 'opcode';
      else if (!isLast) this.problem = 'control frame in pieces';
      else if (length > controlBytesMax) this.problem = 'control frame too long';
    } else if (opcode === text || opcode === binary) {
      if (this.#isFragmented) this.problem = 'message within a message';
    } else if (opcode !== continuation) this.problem = 'opcode';
    else if (!this.#isFragmented) this.problem = 'continuation of nothing';
    if (opcode < 8) this.#isFragmented = !isLast;
    this.#headLength = 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (this.#isMasked ? 4 : 0);
  }

  #headEnded(): void {
    const [first, second] = this.#head as unknown as readonly [number, number];
    const short = second & 0x7f;
    const length = short < 126 ? short : this.#longLength(short === 126 ? 2 : 8);
    // The shortest form must be used (5.2).
    if (short >= 126 && length < (short === 126 ? 126 : 0x1_0000)) this.problem = 'length';
    else if (length > dataBytesMax) this.problem = 'frame too long';
    const kind = kindOf(first & 0x0f);
    if (kind === 'close' && length === 1) this.problem = 'close code';
    if (this.problem !== '') return;
    this.#bytesLeft = length;
    this.#control = kind === null ? null : { kind, payload: new Uint8Array(length) };
    this.#isInPayload = true;
    if (length === 0) this.#frameEnded();
  }

  #longLength(byteCount: number): number {
    let length = 0;
    for (let i = 2; i < 2 + byteCount; i += 1) length = length * 256 + (this.#head[i] as number);
    return length;
  }

  /** How many of the bytes belong to it. */
  #takePayload(bytes: Uint8Array, at: number): number {
    const count = Math.min(bytes.length - at, this.#bytesLeft);
    if (this.#control !== null) {
      const { payload } = this.#control;
      const filled = payload.length - this.#bytesLeft;
      for (let i = 0; i < count; i += 1) payload[filled + i] = (bytes[at + i] as number) ^ this.#maskAt(filled + i);
    }
    this.#bytesLeft -= count;
    if (this.#bytesLeft === 0) this.#frameEnded();
    return count;
  }

  #maskAt(i: number): number {
    return this.#isMasked ? (this.#head[this.#headLength - 4 + (i % 4)] as number) : 0;
  }

  #frameEnded(): void {
    const control = this.#control;
    this.#isInPayload = false;
    this.#headFilled = 0;
    this.#headLength = 2;
    this.#control = null;
    this.#isClosed = control?.kind === 'close';
    if (control !== null) this.#onControl(control.kind, control.payload);
  }
}

function kindOf(opcode: number): ControlKind | null {
  for (const [kind, own] of Object.entries(controlOpcodes)) if (own === opcode) return kind as ControlKind;
  return null;
}

/** `mask`: four bytes for a client, null for a server. */
export function controlFrame(kind: ControlKind, payload: Uint8Array, mask: Uint8Array | null): Uint8Array {
  const maskLength = mask === null ? 0 : 4;
  const frame = new Uint8Array(2 + maskLength + payload.length);
  frame[0] = 0x80 | controlOpcodes[kind];
  frame[1] = (mask === null ? 0 : 0x80) | payload.length;
  if (mask !== null) frame.set(mask.subarray(0, 4), 2);
  for (let i = 0; i < payload.length; i += 1) {
    frame[2 + maskLength + i] = (payload[i] as number) ^ (mask === null ? 0 : (mask[i % 4] as number));
  }
  return frame;
}
