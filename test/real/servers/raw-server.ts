import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleepMs } from 'node:timers/promises';

/** What a raw server does with each request head it has read. It may write, destroy or keep the socket. */
export type Conduct = (socket: Socket) => void | Promise<void>;

export interface RawServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Requests read so far. */
  readonly requestCount: number;
  /** For requests from now on. */
  setConduct(conduct: Conduct): void;
}

/** An HTTP server that does what no server should. With port 0 it chooses a free one. */
export async function startRawServer(first: Conduct, address = '127.0.0.1', port = 0): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let conduct = first;
  let requestCount = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let head = '';
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1');
      for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
        head = head.slice(end + 4);
        requestCount += 1;
        void conduct(socket);
      }
    });
    // The other end resets now and then; that is what we are here for.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  return {
    address,
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    get requestCount() {
      return requestCount;
    },
    setConduct: (next) => {
      conduct = next;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A whole answer, after a while. */
export function answers(body: string, { afterMs = 0 }: { readonly afterMs?: number } = {}): Conduct {
  return async (socket) => {
    if (afterMs > 0) await sleepMs(afterMs);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
}

/** Promises 1,000 bytes, sends 7 and closes. */
export const truncates: Conduct = (socket) => {
  socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beg');
};

export const resets: Conduct = (socket) => {
  socket.resetAndDestroy();
};

export const closesWithoutAnswer: Conduct = (socket) => {
  socket.end();
};

export const neverAnswers: Conduct = () => {};

/** A body without end, 1 KiB every 10 ms until the other end has had enough. */
export const neverEnds: Conduct = async (socket) => {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  while (!socket.destroyed) {
    socket.write(`400\r\n${'x'.repeat(0x400)}\r\n`);
    await sleepMs(10);
  }
};
