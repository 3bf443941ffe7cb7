import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Outcome } from '../core/outcome.ts';
import type { Clock, Connection, Exchange, HttpRequest } from '../core/ports.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import { atDeadline } from './deadline.ts';
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
  let ending: { readonly why: 'server-closed' | 'reset'; readonly error: string } | null = null;
  let goaway: { readonly lastStreamId: number; readonly code: number } | null = null;
  let sessionError = '';

  // These listeners come before the session's own, so what happened to the socket is known when the streams close.
  socket.on('error', (error) => {
    ended('reset', tlsReason(error) || codeOf(error));
  });
  socket.on('end', () => {
    ended('server-closed', '');
  });
  socket.on('close', () => {
    ended('server-closed', '');
  });
  const session: ClientHttp2Session = connect('https://unused.invalid', {
    createConnection: () => socket,
    settings: { enablePush: false },
    maxHeaderListPairs: headerPairsMax,
  });
  session.on('error', (error) => {
    sessionError = codeOf(error);
  });
  session.on('goaway', (code, lastStreamId) => {
    goaway = { code, lastStreamId };
    ended('goaway', '');
  });

  function ended(why: 'server-closed' | 'reset' | 'goaway', error: string): void {
    const wasOpen = ending === null && (goaway === null || why === 'goaway');
    if (why !== 'goaway') ending ??= { why, error };
    if (wasOpen && exchangesUnderWay === 0 && !isClosedByUs) connection.onClosed?.(why);
  }

  let isClosedByUs = false;
  const connection: Connection = {
    ...facts,
    get isOpen() {
      return !isClosedByUs && ending === null && goaway === null && !session.closed && !session.destroyed;
    },
    onClosed: null,
    exchange(request, deadlineNs, firstByteAtNs = deadlineNs) {
      if (!connection.isOpen) {
        const outcome = goaway === null ? 'closed-before-answer' : 'goaway';
        return Promise.resolve(notSent(outcome, 'not-sent', clock.nowNs()));
      }
      return new Promise((resolve) => {
        exchangesUnderWay += 1;
        exchangeOnStream(request, deadlineNs, firstByteAtNs, (exchange) => {
          exchangesUnderWay -= 1;
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
    let contentLength = '';

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

    stream.on('headers', () => {
      draft.informationalSeen = true;
      if (draft.firstByteAtNs === 0) draft.firstByteAtNs = clock.nowNs();
    });
    stream.on('response', (headers, _flags, rawHeaders) => {
      if (draft.firstByteAtNs === 0) draft.firstByteAtNs = clock.nowNs();
      draft.status = headers[':status'] ?? 0;
      draft.headers = withoutPseudo(rawHeaders);
      contentLength = request.method === 'HEAD' ? '' : (headers['content-length'] ?? '');
    });
    stream.on('data', (chunk: Buffer) => {
      if (isEnded || addBody(draft, chunks, chunk)) return;
      end('answered', '');
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on('end', () => {
      if (draft.status === 0 || isEnded) return;
      // RST_STREAM with NO_ERROR looks like an end; the length gives it away.
      draft.framingComplete = contentLength === '' || Number(contentLength) === draft.bodyBytes || draft.status === 304;
      end(draft.framingComplete ? 'answered' : 'truncated', '');
    });
    let streamError = '';
    stream.on('error', (error) => {
      streamError = codeOf(error);
    });
    stream.on('close', () => {
      end(...whyClosed(stream, draft.status !== 0, streamError));
    });
  }

  /** What ended a stream before its answer was whole. */
  function whyClosed(stream: ClientHttp2Stream, hasHead: boolean, streamError: string): [Outcome, string] {
    const code = codeNames[stream.rstCode ?? 0] ?? String(stream.rstCode);
    const isTurnedAway = goaway !== null && (goaway.code !== 0 || (stream.id ?? Infinity) > goaway.lastStreamId);
    if (isTurnedAway && goaway !== null) return [hasHead ? 'truncated' : 'goaway', codeNames[goaway.code] ?? ''];
    if (ending !== null) {
      if (hasHead) return ['truncated', ending.error || 'closed'];
      if (ending.why === 'server-closed') return ['closed-before-answer', ''];
      return [/^E[A-Z]+$/.test(ending.error) ? 'reset' : 'tls-failed', ending.error];
    }
    if (hasHead) return ['truncated', sessionError || `RST_STREAM ${code}`];
    if (sessionError !== '') return ['malformed-answer', sessionError];
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return ['refused-stream', ''];
    return [
      'reset',
      streamError === 'ERR_HTTP2_STREAM_ERROR' || streamError === '' ? `RST_STREAM ${code}` : streamError,
    ];
  }

  return connection;
}

/** NGHTTP2_REFUSED_STREAM = 7 becomes 7 → 'REFUSED_STREAM': the error codes of RFC 9113, section 7. */
const codeNames: Readonly<Record<number, string>> = {
  0: 'NO_ERROR',
  1: 'PROTOCOL_ERROR',
  2: 'INTERNAL_ERROR',
  3: 'FLOW_CONTROL_ERROR',
  4: 'SETTINGS_TIMEOUT',
  5: 'STREAM_CLOSED',
  6: 'FRAME_SIZE_ERROR',
  7: 'REFUSED_STREAM',
  8: 'CANCEL',
  9: 'COMPRESSION_ERROR',
  10: 'CONNECT_ERROR',
  11: 'ENHANCE_YOUR_CALM',
  12: 'INADEQUATE_SECURITY',
  13: 'HTTP_1_1_REQUIRED',
};

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
