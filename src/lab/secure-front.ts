/** TLS of one address: each handshake is shown the certificate that the world says, also one without a server name. */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { ShownCertificate } from '../model/world-model.ts';
import type { Certificates, Pem } from './certificates.ts';

export interface SecureFront {
  /** `secured` runs once the handshake is done; a connection that fails it is gone by itself. */
  accept(socket: Socket, secured: (tls: TLSSocket) => void): Promise<void>;
}

/** `shownTo('')`: to who names no server. */
export function newSecureFront(
  certificates: Certificates,
  shownTo: (serverName: string) => ShownCertificate,
): SecureFront {
  /** By the client's port: there is one of each at this address. */
  const waiting = new Map<number, (tls: TLSSocket) => void>();
  let unnamed: Pem | null = null;
  const server = createServer({
    ALPNProtocols: ['h2', 'http/1.1'],
    SNICallback: (serverName, done) => {
      certificates.contextOf(shownTo(serverName.toLowerCase())).then((context) => done(null, context), done);
    },
  });
  server.on('secureConnection', (tls) => {
    const secured = waiting.get(tls.remotePort ?? 0);
    if (secured === undefined) tls.destroy();
    else secured(tls);
  });
  server.on('tlsClientError', (_, tls) => tls.destroy());

  return {
    async accept(socket, secured) {
      const pem = await certificates.pemOf(shownTo(''));
      if (socket.destroyed || socket.remotePort === undefined) return;
      // The context of a handshake without a name is the server's own, as it is when the connection comes.
      if (pem !== unnamed) server.setSecureContext({ cert: pem.cert, key: pem.key });
      unnamed = pem;
      const port = socket.remotePort;
      waiting.set(port, secured);
      socket.on('close', () => waiting.delete(port));
      server.emit('connection', socket);
    },
  };
}
