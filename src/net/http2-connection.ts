import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Outcome } from '../core/outcome.ts';
import type { Cancel, Clock, Connection, ConnectionFacts, Exchange, HttpRequest } from '../core/ports.ts';
import { atDeadline } from './deadline.ts';
import { lingerNs } from './linger.ts';
import { addBody, headerPairsMax, joinBody, newDraft, notSent } from './exchange.ts';
import { codeOf, tlsReason } from './trouble.ts';

/**
 * HTTP/2 on a socket that the dialer opened, one session for each. undici would silently send again what a GOAWAY or
 * REFUSED_STREAM turned away, so this is Node's own client, which tells us both. A stream that fails or is cut takes
 * nothing else down: only its RST_STREAM goes out.
 *
 * Node lets the streams that a GOAWAY still covers finish when its code is NO_ERROR, and drops them all otherwise; these
 * are reported as `goaway` with the code.
 */
export function newHttp2Connection(facts: ConnectionFacts, socket: TLSSocket, clock: Clock): Connection {
  let exchangesUnderWay = 0;
  let ending: { readonly why: 'server-closed' | 'reset'; readonly error: string; readonly isTls: boolean } | null =
    null;
  let goaway: { readonly lastStreamId: number; readonly code: number } | null = null;
  let isClosedByUs = false;
  let cancelLinger: Cancel | null = null;

  // These listeners come before the session's own, so what happened to the socket is known when the streams close.
  socket.on('error', (error) => {
    const reason = tlsReason(error);
    ended('reset', reason || codeOf(error), reason !== '');
  });
  socket.on('end', () => {
    ended('server-closed');
  });
  socket.on('close', () => {
    ended('server-closed');
  });
  const session: ClientHttp2Session = connect('https://unused.invalid', {
    createConnection: () => socket,
    settings: { enablePush: false },
    maxHeaderListPairs: headerPairsMax,
  });
  // Its streams are told the same.
  session.on('error', () => {});
  session.on('goaway', (code, lastStreamId) => {
    const isFirst = goaway === null;
    goaway = { code, lastStreamId };
    if (isFirst && ending === null) tellClosed('goaway');
    lingerWhenDone();
  });

  function ended(why: 'server-closed' | 'reset', error = '', isTls = false): void {
    if (ending !== null) return;
    ending = { why, error, isTls };
    cancelLinger?.();
    if (goaway === null) tellClosed(why);
  }

  function tellClosed(why: 'server-closed' | 'reset' | 'goaway'): void {
    if (exchangesUnderWay === 0 && !isClosedByUs) connection.onClosed?.(why);
  }

  /** After a GOAWAY the server closes; Node would wait for it for ever. */
  function lingerWhenDone(): void {
    if (goaway === null || exchangesUnderWay > 0 || cancelLinger !== null || ending !== null) return;
    cancelLinger = clock.at(clock.nowNs() + lingerNs, () => socket.destroy());
  }

  const connection: Connection = {
    ...facts,
    get isOpen() {
      return !isClosedByUs && ending === null && goaway === null && !session.closed && !session.destroyed;
    },
    onClosed: null,
    exchange(request, deadlineNs, firstByteAtNs = deadlineNs) {
      if (!connection.isOpen) {
        const outcome = goaway === null ? 'closed-before-answer' : 'goaway';
        return Promise.resolve(notSent(outcome, 'not sent', clock.nowNs()));
      }
      return new Promise((resolve) => {
        exchangesUnderWay += 1;
        exchangeOnStream(request, deadlineNs, firstByteAtNs, (exchange) => {
          exchangesUnderWay -= 1;
          lingerWhenDone();
          resolve(exchange);
        });
      });
    },
    close() {
      isClosedByUs = true;
      session.destroy();
      socket.destroy();
    },
  };

  function exchangeOnStream(
    request: HttpRequest,
    deadlineNs: number,
    firstByteAtNs: number,
    done: (exchange: Exchange) => void,
  ): void {
    const draft = newDraft(clock.nowNs());
    const chunks: Uint8Array[] = [];
    let stream: ClientHttp2Stream;
    let isEnded = false;
    let isWhole = false;
    let fault: Error | null = null;

    const end = (outcome: Outcome, error: string): void => {
      if (isEnded) return;
      isEnded = true;
      cancelDeadline();
      if (cancelFirstByte !== false) cancelFirstByte();
      draft.outcome = outcome;
      draft.error = error;
      draft.endedAtNs = clock.nowNs();
      draft.bodyStart = joinBody(chunks);
      draft.serverClosed = goaway !== null || ending !== null;
      done(draft);
    };

    const timedOut = (): void => {
      end(draft.status === 0 ? 'first-byte-timed-out' : 'body-timed-out', '');
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const cancelDeadline = atDeadline(clock, deadlineNs, timedOut);
    const cancelFirstByte =
      firstByteAtNs < deadlineNs &&
      atDeadline(clock, firstByteAtNs, () => {
        if (draft.firstByteAtNs === 0) timedOut();
      });

    try {
      stream = session.request(requestHeaders(request), { endStream: request.body === null });
    } catch (error) {
      end('own-trouble', error instanceof Error ? codeOf(error) : String(error));
      return;
    }
    if (request.body !== null) stream.end(request.body);

    // Node ends the readable side for END_STREAM, but also when the stream is reset or the connection is lost. Only the
    // first comes while the stream is open (all of them are tested against raw frames).
    const push = stream.push.bind(stream);
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed && !stream.destroyed) isWhole = true;
      return push(chunk, encoding);
    };

    stream.on('headers', () => {
      draft.informationalSeen = true;
      if (draft.firstByteAtNs === 0) draft.firstByteAtNs = clock.nowNs();
    });
    stream.on('response', (headers, _flags, rawHeaders) => {
      if (draft.firstByteAtNs === 0) draft.firstByteAtNs = clock.nowNs();
      draft.status = headers[':status'] ?? 0;
      draft.headers = withoutPseudo(rawHeaders);
    });
    stream.on('data', (chunk: Buffer) => {
      if (isEnded || addBody(draft, chunks, chunk)) return;
      end('answered', '');
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on('error', (error) => {
      fault = error;
    });
    const over = (): void => {
      if (isWhole && draft.status !== 0) {
        draft.framingComplete = true;
        end('answered', '');
      } else if (stream.closed) {
        end(...whyClosed(stream, draft.status !== 0, fault));
      }
    };
    stream.on('end', over);
    stream.on('close', over);
  }

  /** What ended a stream before its answer was whole. */
  function whyClosed(stream: ClientHttp2Stream, hasHead: boolean, fault: Error | null): [Outcome, string] {
    const isTurnedAway = goaway !== null && (goaway.code !== 0 || (stream.id ?? Infinity) > goaway.lastStreamId);
    if (goaway !== null && isTurnedAway) return [hasHead ? 'truncated' : 'goaway', codeName(goaway.code)];
    if (ending !== null) {
      if (hasHead) return ['truncated', ending.error || 'closed'];
      if (ending.why === 'server-closed') return ['closed-before-answer', ''];
      return [ending.isTls ? 'tls-failed' : 'reset', ending.error];
    }
    if (fault !== null && codeOf(fault) === 'ERR_HTTP2_ERROR') {
      return [hasHead ? 'truncated' : 'malformed-answer', fault.message];
    }
    if (hasHead) return ['truncated', `RST_STREAM ${codeName(stream.rstCode)}`];
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return ['refused-stream', ''];
    return ['reset', `RST_STREAM ${codeName(stream.rstCode)}`];
  }

  return connection;
}

/** The error codes of RFC 9113, section 7, by number. */
const codeNames: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

function codeName(code = 0): string {
  return codeNames[code] ?? String(code);
}

/** Headers about the connection do not exist in HTTP/2 (RFC 9113, 8.2.2), and Node throws when it is given one. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

function requestHeaders(request: HttpRequest): string[] {
  const headers = [
    ':method',
    request.method,
    ':scheme',
    request.scheme,
    ':authority',
    request.authority,
    ':path',
    request.path,
  ];
  for (let i = 0; i < request.headers.length; i += 2) {
    const name = (request.headers[i] ?? '').toLowerCase();
    if (!hopByHop.has(name)) headers.push(name, request.headers[i + 1] ?? '');
  }
  return headers;
}

function withoutPseudo(rawHeaders: readonly string[]): string[] {
  const headers: string[] = [];
  for (let i = 0; i < rawHeaders.length && headers.length < 2 * headerPairsMax; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!name.startsWith(':')) headers.push(name, rawHeaders[i + 1] ?? '');
  }
  return headers;
}
