import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface FaultServer extends AsyncDisposable {
  readonly port: number;
  /** How many connections were accepted: nobody may open one behind our back. */
  readonly connectionCount: number;
  /** Every request head, in order of arrival. */
  readonly requests: readonly string[];
  readonly openSockets: ReadonlySet<Socket>;
}

/** What a server does with the n-th request (from 0) of one connection. `null` when the connection was just accepted. */
export type Conduct = (socket: Socket, requestIndex: number | null) => void;

/** A raw server on loopback that answers each request head with whatever bytes, hangs or faults the test wants. */
export async function startFaultServer(conduct: Conduct, tls: TlsOptions | null = null): Promise<FaultServer> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let connectionCount = 0;

  const serve = (socket: Socket): void => {
    connectionCount += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let pending = '';
    let requestIndex = 0;
    conduct(socket, null);
    socket.on('data', (bytes: Buffer) => {
      pending += bytes.toString('latin1');
      for (let end = pending.indexOf('\r\n\r\n'); end !== -1; end = pending.indexOf('\r\n\r\n')) {
        requests.push(pending.slice(0, end));
        pending = pending.slice(end + 4);
        conduct(socket, requestIndex);
        requestIndex += 1;
      }
    });
  };

  const server: Server = tls === null ? createServer(serve) : createTlsServer(tls, serve);
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
    requests,
    openSockets: sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
