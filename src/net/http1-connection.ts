import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import type { Outcome } from '../core/outcome.ts';
import type { Cancel, Clock, Connection, Exchange, HttpRequest } from '../core/ports.ts';
import { assert } from '../core/errors.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import { atDeadline } from './deadline.ts';
import { addBody, headerPairsMax, joinBody, newDraft, notSent, type Draft } from './exchange.ts';
import { codeOf, tlsReason } from './trouble.ts';

/**
 * HTTP/1.1 on a socket that the dialer opened. undici gets it once; when it dies, undici's wish for another one is
 * refused, so nothing is ever sent again without our knowing.
 */
export function newHttp1Connection(facts: ConnectionFacts, socket: Socket, clock: Clock): Connection {
  let isGiven = false;
  let isOpen = true;
  let isBusy = false;
  const client = new Client('http://unused', {
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 2 ** 31 - 1,
    keepAliveMaxTimeout: 2 ** 31 - 1,
    strictContentLength: false,
    maxHeaderSize: 64 * 1024,
    connect(_options, callback) {
      if (isGiven) {
        callback(new Error('the connection is closed'), null);
        return;
      }
      isGiven = true;
      queueMicrotask(() => callback(null, socket));
    },
  });
  client.on('disconnect', () => {
    ended('server-closed');
  });
  client.on('connectionError', () => {});
  socket.on('error', (error) => {
    ended(codeOf(error) === 'ECONNRESET' ? 'reset' : 'server-closed');
  });
  socket.on('close', () => {
    ended('server-closed');
  });
  // undici takes the socket over at the first connect, and then notices an idle close.
  const taken = new Promise<void>((resolve) => {
    client.once('connect', () => {
      resolve();
    });
  });
  socket.once('end', () => {
    ended('server-closed');
  });

  function ended(why: 'server-closed' | 'reset'): void {
    if (!isOpen) return;
    isOpen = false;
    if (!isBusy) connection.onClosed?.(why);
  }

  const connection: Connection = {
    ...facts,
    get isOpen() {
      return isOpen;
    },
    onClosed: null,
    exchange(request: HttpRequest, deadlineNs: number, firstByteAtNs = deadlineNs): Promise<Exchange> {
      assert(!isBusy, 'an HTTP/1.1 connection carries one exchange at a time');
      if (!isOpen) return Promise.resolve(notSent('closed-before-answer', 'not sent', clock.nowNs()));
      isBusy = true;
      return new Promise((resolve) => {
        new UndiciExchange(client, clock, request, deadlineNs, firstByteAtNs, (exchange) => {
          isBusy = false;
          if (exchange.serverClosed || exchange.outcome !== 'answered' || exchange.cutByUs) connection.close();
          resolve(exchange);
        });
      });
    },
    close() {
      isOpen = false;
      client.destroy(null, () => {});
      socket.destroy();
    },
  };
  void taken;
  return connection;
}

class UndiciExchange implements Dispatcher.DispatchHandler {
  readonly #draft: Draft;
  readonly #chunks: Uint8Array[] = [];
  readonly #clock: Clock;
  readonly #done: (exchange: Exchange) => void;
  readonly #cancelDeadline: Cancel;
  readonly #client: Client;
  #framing: 'length' | 'chunked' | 'none' | 'close' = 'close';
  #isEnded = false;
  readonly #cancelFirst: Cancel | null = null;

  constructor(
    client: Client,
    clock: Clock,
    request: HttpRequest,
    deadlineNs: number,
    firstByteAtNs: number,
    done: (exchange: Exchange) => void,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#done = done;
    this.#draft = newDraft(clock.nowNs());
    this.#cancelDeadline = atDeadline(clock, deadlineNs, () => {
      this.#end(this.#draft.status === 0 ? 'first-byte-timed-out' : 'body-timed-out', '');
    });
    if (firstByteAtNs < deadlineNs) {
      this.#cancelFirst = atDeadline(clock, firstByteAtNs, () => {
        if (this.#draft.firstByteAtNs === 0) this.#end('first-byte-timed-out', '');
      });
    }
    this.#isHead = request.method === 'HEAD';
    client.dispatch(
      {
        path: request.path,
        method: request.method as Dispatcher.HttpMethod,
        headers: ['host', request.authority, ...request.headers],
        body: request.body,
      },
      this,
    );
  }

  readonly #isHead: boolean;

  onRequestStart(): void {
    this.#draft.sentAtNs = this.#clock.nowNs();
  }

  onResponseStarted(): void {
    if (this.#draft.firstByteAtNs === 0) this.#draft.firstByteAtNs = this.#clock.nowNs();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) {
      this.#draft.informationalSeen = true;
      return;
    }
    this.#draft.status = status;
    const raw = (controller.rawHeaders ?? []) as unknown as readonly Buffer[];
    const headers = raw.slice(0, 2 * headerPairsMax).map((part) => part.toString('latin1'));
    this.#draft.headers = headers;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]?.toLowerCase();
      const value = headers[i + 1]?.toLowerCase() ?? '';
      if (name === 'content-length') this.#framing = 'length';
      if (name === 'transfer-encoding' && value.includes('chunked')) this.#framing = 'chunked';
      if (name === 'connection' && value.includes('close')) this.#draft.serverClosed = true;
    }
    if (this.#isHead || status === 204 || status === 304) this.#framing = 'none';
    if (this.#framing === 'close') this.#draft.serverClosed = true;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (addBody(this.#draft, this.#chunks, Uint8Array.from(chunk))) return;
    this.#draft.cutByUs = true;
    this.#end('answered', '');
  }

  onResponseEnd(): void {
    this.#draft.framingComplete = this.#framing !== 'close';
    this.#end('answered', '');
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = codeOf(error);
    const tls = tlsReason(error);
    if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') this.#end('malformed-answer', code);
    else if (this.#draft.status !== 0) this.#end('truncated', code === 'UND_ERR_SOCKET' ? 'closed' : code);
    else if (tls !== '') this.#end('tls-failed', tls);
    else if (code === 'UND_ERR_SOCKET')
      this.#end(this.#draft.firstByteAtNs === 0 ? 'closed-before-answer' : 'malformed-answer', '');
    else this.#end('reset', code);
  }

  #end(outcome: Outcome, error: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancelDeadline();
    this.#cancelFirst?.();
    this.#draft.outcome = outcome;
    this.#draft.error = error;
    this.#draft.endedAtNs = this.#clock.nowNs();
    this.#draft.bodyStart = joinBody(this.#chunks);
    if (outcome !== 'answered' || this.#draft.cutByUs) this.#client.destroy(null, () => {});
    this.#done(this.#draft);
  }
}
