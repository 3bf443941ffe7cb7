import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Certificate } from './certificates.ts';

/** Frame types and flags of RFC 9113, section 6. */
const types = { data: 0, headers: 1, rstStream: 3, settings: 4, goaway: 7 } as const;
const endStream = 1;
const endHeaders = 4;

export const errorCodes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  refusedStream: 7,
  enhanceYourCalm: 11,
} as const;

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
}

/** HPACK (RFC 7541): an indexed field of the static table, or a literal with a new name. */
const headerBlocks = {
  200: Buffer.from([0x88]),
  503: Buffer.from([0x48, 3, ...Buffer.from('503')]),
} as const;

/** The frames one stream or connection can be sent. */
export interface Frames {
  head(status: 200 | 503, options?: { readonly length?: number; readonly isEnd?: boolean }): Frames;
  data(text: string, options?: { readonly isEnd?: boolean }): Frames;
  reset(code: number): Frames;
  goaway(lastStreamId: number, code: number): Frames;
  /** FIN. */
  close(): void;
  /** RST of the TCP connection below TLS. */
  abort(): void;
}

export interface FrameServer extends AsyncDisposable {
  readonly port: number;
  readonly connectionCount: number;
  /** The stream of each request, in order of arrival. */
  readonly streamIds: readonly number[];
  readonly openSockets: ReadonlySet<Socket>;
}

/**
 * An HTTP/2 server that says exactly the frames the test wants, which Node's own does not: it ends a stream before it
 * resets it, and its GOAWAY always covers what has arrived. Requests are told apart by their stream only.
 */
export async function startFrameServer(
  certificate: Certificate,
  conduct: (frames: Frames, streamId: number) => void,
  { neverCloses = false }: { readonly neverCloses?: boolean } = {},
): Promise<FrameServer> {
  const rawSockets = new Map<number | undefined, Socket>();
  const sockets = new Set<Socket>();
  const streamIds: number[] = [];
  const server = createServer({ ...certificate, ALPNProtocols: ['h2'], allowHalfOpen: neverCloses });
  let connectionCount = 0;

  server.on('connection', (raw) => {
    rawSockets.set(raw.remotePort, raw);
    raw.on('error', () => undefined);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    connectionCount += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    socket.write(frame(types.settings, 0, 0, Buffer.alloc(0)));
    const raw = rawSockets.get(socket.remotePort);
    // It goes on writing to a client that has closed, until the client's machine says that nobody is there.
    const timer = neverCloses
      ? setInterval(() => socket.write(frame(types.settings, 0, 0, Buffer.alloc(0))), 20)
      : null;
    socket.on('close', () => timer !== null && clearInterval(timer));
    let pending = Buffer.alloc(0);
    let isPrefaceRead = false;
    socket.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.length;
      if (!isPrefaceRead && pending.length >= preface) {
        pending = pending.subarray(preface);
        isPrefaceRead = true;
      }
      while (isPrefaceRead && pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
        const length = pending.readUIntBE(0, 3);
        const type = pending.readUInt8(3);
        const streamId = pending.readUInt32BE(5);
        pending = pending.subarray(9 + length);
        if (type === types.headers) {
          streamIds.push(streamId);
          conduct(framesOf(socket, raw, streamId), streamId);
        }
      }
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return {
    port: address.port,
    get connectionCount() {
      return connectionCount;
    },
    streamIds,
    openSockets: sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function framesOf(socket: TLSSocket, raw: Socket | undefined, streamId: number): Frames {
  const frames: Frames = {
    head(status, { length, isEnd = false } = {}) {
      // A literal field without indexing, its name from the static table: 28 is content-length.
      const text = length === undefined ? '' : String(length);
      const field = length === undefined ? [] : [0x0f, 0x0d, text.length, ...Buffer.from(text)];
      const block = Buffer.from([...headerBlocks[status], ...field]);
      socket.write(frame(types.headers, endHeaders | (isEnd ? endStream : 0), streamId, block));
      return frames;
    },
    data(text, { isEnd = false } = {}) {
      socket.write(frame(types.data, isEnd ? endStream : 0, streamId, Buffer.from(text)));
      return frames;
    },
    reset(code) {
      socket.write(frame(types.rstStream, 0, streamId, u32(code)));
      return frames;
    },
    goaway(lastStreamId, code) {
      socket.write(frame(types.goaway, 0, 0, u32(lastStreamId, code)));
      return frames;
    },
    close() {
      socket.end();
    },
    abort() {
      raw?.resetAndDestroy();
    },
  };
  return frames;
}
