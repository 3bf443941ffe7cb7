import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Clock, DnsServer } from '../core/ports.ts';
import { concludeReply, failureOf, newQuery, timedOut, unreachable } from './dns-exchange.ts';
import type { Ask, Asked, ServerAddress } from './dns-exchange.ts';

/** DNS over TCP (RFC 7766): a new connection for each query. */
export function askTcp(clock: Clock, server: ServerAddress, ask: Ask): Promise<Asked> {
  return exchange(clock, ask, () => connect({ host: server.address, port: server.port, autoSelectFamily: false }));
}

/** DNS over TLS (RFC 7858), the certificate checked against the server's name, or its address when it has none. */
export function askTls(clock: Clock, server: Extract<DnsServer, { kind: 'tls' }>, ask: Ask): Promise<Asked> {
  return exchange(clock, ask, () => openTls(server));
}

export interface TlsServer extends ServerAddress {
  /** '' = the certificate is checked against the address. */
  readonly serverName: string;
  readonly caPem?: string;
}

export function openTls(server: TlsServer, alpn?: string[]): TLSSocket {
  const socket = connectTls({
    host: server.address,
    port: server.port,
    ...(server.serverName !== '' && { servername: server.serverName }),
    ...(alpn !== undefined && { ALPNProtocols: alpn }),
    secureContext: secureContextOf(server.caPem ?? ''),
  });
  // Else the query waits for the acknowledgement of the handshake's end: 40 ms, measured with bind9 and unbound.
  return socket.setNoDelay();
}

const secureContexts = new Map<string, SecureContext>();

/** Built once for each set of roots: building one costs as much as a handshake. */
function secureContextOf(caPem: string): SecureContext {
  const known = secureContexts.get(caPem);
  if (known !== undefined) return known;
  const context = createSecureContext(caPem === '' ? {} : { ca: caPem });
  secureContexts.set(caPem, context);
  return context;
}

/** Sends one framed query and reads one framed reply, at most 64 KiB, whatever the peer goes on to send. */
function exchange(clock: Clock, ask: Ask, open: () => Socket): Promise<Asked> {
  const { promise, resolve } = Promise.withResolvers<Asked>();
  const query = newQuery(ask);
  const frame = new Frame();
  const socket = open();
  const cancelDeadline = clock.at(ask.deadlineNs, () => settle(timedOut));
  socket.on('error', (error) => settle(failureOf(error)));
  for (const event of ['end', 'close']) socket.on(event, () => settle(unreachable('closed before an answer')));
  socket.on('data', (bytes) => {
    const reply = frame.add(bytes);
    if (reply !== null) settle(concludeReply(reply, query));
  });
  socket.write(Buffer.concat([Uint8Array.of(query.length >> 8, query.length & 0xff), query]));
  return promise;

  function settle(asked: Asked): void {
    cancelDeadline();
    socket.destroy();
    resolve(asked);
  }
}

/** Two bytes of length, then the message; however the bytes were cut on their way. */
class Frame {
  #head = new Uint8Array(2);
  #headLength = 0;
  #body: Uint8Array | null = null;
  #bodyLength = 0;

  /** The message once it is whole. */
  add(bytes: Uint8Array): Uint8Array | null {
    let rest = bytes;
    while (this.#headLength < 2 && rest.length > 0) {
      this.#head[this.#headLength] = rest[0] ?? 0;
      this.#headLength += 1;
      rest = rest.subarray(1);
    }
    if (this.#headLength < 2) return null;
    this.#body ??= new Uint8Array(((this.#head[0] ?? 0) << 8) + (this.#head[1] ?? 0));
    const wanted = rest.subarray(0, this.#body.length - this.#bodyLength);
    this.#body.set(wanted, this.#bodyLength);
    this.#bodyLength += wanted.length;
    return this.#bodyLength === this.#body.length ? this.#body : null;
  }
}
