import type { Socket } from 'node:net';
import { assert } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Cancel, Clock, Connection, ConnectionFacts, Exchange, HttpRequest } from '../core/ports.ts';
import { atDeadline } from './deadline.ts';
import { addBody, joinBody, newDraft, notSent, type Draft } from './exchange.ts';
import { AnswerReader } from './http1-answer.ts';
import { requestBytes } from './http1-request.ts';
import { lingerNs } from './linger.ts';
import { codeOf, isOwnTrouble, tlsReason } from './trouble.ts';
import { newWebSocketKey, problemOfSwitch, upgradeRequest } from './websocket-handshake.ts';
import { newWebSocket, type OpenWebSocket } from './websocket.ts';

interface UnderWay {
  readonly draft: Draft;
  readonly reader: AnswerReader;
  readonly chunks: Uint8Array[];
  readonly resolve: (exchange: Exchange) => void;
  readonly cancelDeadline: Cancel;
  readonly cancelFirstByte: Cancel | null;
  readonly asksToClose: boolean;
  /** Of a request for a WebSocket; null = it is none. */
  readonly webSocketKey: string | null;
}

/**
 * HTTP/1.1 on a socket that the dialer opened, written and read here and not by undici (docs/decisions/0004): cheaper, and
 * it sees what undici hides. The socket is read all the time, so a server that closes it while it is idle is noticed
 * at once, and nothing ever replaces it.
 */
export function newHttp1Connection(facts: ConnectionFacts, socket: Socket, clock: Clock): Connection {
  let underWay: UnderWay | null = null;
  let isOpen = true;
  let isServerClosed = false;
  let cancelLinger: Cancel | null = null;
  /** What the connection has become. */
  let webSocket: OpenWebSocket | null = null;

  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('close', onClose);

  function exchange(request: HttpRequest, deadlineNs: number, firstByteAtNs = deadlineNs): Promise<Exchange> {
    if (webSocket !== null) return webSocket.ping(request, Math.min(deadlineNs, firstByteAtNs));
    return ask(request, { deadlineNs, firstByteAtNs }, null);
  }

  function upgrade(request: HttpRequest, deadlineNs: number, firstByteAtNs = deadlineNs): Promise<Exchange> {
    const key = newWebSocketKey();
    return ask(upgradeRequest(request, key), { deadlineNs, firstByteAtNs }, key);
  }

  function ask(
    request: HttpRequest,
    { deadlineNs, firstByteAtNs }: { readonly deadlineNs: number; readonly firstByteAtNs: number },
    webSocketKey: string | null,
  ): Promise<Exchange> {
    assert(underWay === null, 'an HTTP/1.1 connection carries one exchange at a time');
    if (!isOpen) return Promise.resolve(notSent('closed-before-answer', 'not sent', clock.nowNs()));
    const sent = requestBytes(request);
    if (sent === null) return Promise.resolve(notSent('own-trouble', 'line break in the request', clock.nowNs()));
    return new Promise((resolve) => {
      const draft = newDraft(clock.nowNs());
      const chunks: Uint8Array[] = [];
      underWay = {
        draft,
        chunks,
        resolve,
        reader: new AnswerReader(request.method, (bytes) => addBody(draft, chunks, bytes)),
        cancelDeadline: atDeadline(clock, deadlineNs, onDeadline),
        cancelFirstByte: firstByteAtNs < deadlineNs ? atDeadline(clock, firstByteAtNs, onFirstByteDeadline) : null,
        asksToClose: sent.asksToClose,
        webSocketKey,
      };
      socket.write(sent.bytes, 'latin1');
    });
  }

  function onData(bytes: Buffer): void {
    if (underWay === null) {
      onIdleBytes(bytes);
      return;
    }
    const { draft, reader, webSocketKey } = underWay;
    const atNs = clock.nowNs();
    if (draft.firstByteAtNs === 0) draft.firstByteAtNs = atNs;
    const takenCount = reader.take(bytes);
    if (reader.problem !== '') {
      finish('malformed-answer', reader.problem, atNs);
    } else if (reader.isDone) {
      draft.framingComplete = true;
      if (webSocketKey !== null && reader.status === 101) {
        becomeWebSocket(reader, webSocketKey, bytes.subarray(takenCount));
        return;
      }
      // More than the answer: whatever it is, the next request would take it for its own answer.
      const isOver = !isBlank(bytes, takenCount);
      finish('answered', '', atNs);
      if (isOver) {
        isOpen = false;
        socket.destroy();
      }
    } else if (draft.cutByUs) {
      finish('answered', '', atNs);
    }
  }

  function becomeWebSocket(reader: AnswerReader, key: string, rest: Buffer): void {
    const problem = problemOfSwitch(reader.headers, key);
    if (problem !== '') {
      finish('malformed-answer', problem, clock.nowNs());
      return;
    }
    // It ends as HTTP, but not as a connection.
    reader.closes = false;
    finish('answered', '', clock.nowNs());
    socket.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
    const { headers } = reader;
    webSocket = newWebSocket({ socket, clock, headers, onClosed: (why) => connection.onClosed?.(why) });
    if (rest.length > 0) webSocket.take(rest);
  }

  /** Nobody asked: a 408 before an idle close, or a server that lost count. Empty lines are a known slip. */
  function onIdleBytes(bytes: Buffer): void {
    if (isOpen && isBlank(bytes, 0)) return;
    ended('server-closed');
    socket.destroy();
  }

  /** The server closed in order. */
  function onEnd(): void {
    if (underWay === null) {
      ended('server-closed');
      return;
    }
    const { reader } = underWay;
    isServerClosed = true;
    const atNs = clock.nowNs();
    if (reader.endsHere) finish('answered', '', atNs);
    else if (reader.status !== 0) finish('truncated', 'closed', atNs);
    else if (reader.isInHead) finish('truncated', 'closed in the head', atNs);
    else finish('closed-before-answer', '', atNs);
  }

  function onError(error: Error): void {
    const code = codeOf(error);
    if (underWay === null) {
      ended('reset');
      return;
    }
    const reason = tlsReason(error);
    const atNs = clock.nowNs();
    if (isOwnTrouble(code)) finish('own-trouble', code, atNs);
    else if (underWay.reader.status !== 0) finish('truncated', reason || code, atNs);
    else if (reason !== '') finish('tls-failed', reason, atNs);
    else finish('reset', code, atNs);
  }

  function onClose(): void {
    cancelLinger?.();
    if (underWay === null) ended('server-closed');
    else onEnd();
  }

  function onDeadline(): void {
    if (underWay === null) return;
    finish(underWay.reader.status === 0 ? 'first-byte-timed-out' : 'body-timed-out', '', clock.nowNs());
  }

  function onFirstByteDeadline(): void {
    if (underWay?.draft.firstByteAtNs === 0) finish('first-byte-timed-out', '', clock.nowNs());
  }

  function finish(outcome: Outcome, error: string, atNs: number): void {
    assert(underWay !== null, 'only an exchange that is under way ends');
    const { draft, reader, chunks, resolve, cancelDeadline, cancelFirstByte, asksToClose } = underWay;
    underWay = null;
    cancelDeadline();
    cancelFirstByte?.();
    draft.outcome = outcome;
    draft.error = error;
    draft.status = reader.status;
    if (reader.status !== 0) draft.headers = reader.headers;
    draft.informationalSeen = reader.informationalSeen;
    draft.bodyStart = joinBody(chunks);
    draft.serverClosed = reader.closes || isServerClosed;
    draft.endedAtNs = atNs;
    if (outcome !== 'answered' || draft.cutByUs) {
      connection.close();
    } else if (reader.closes || asksToClose) {
      isOpen = false;
      cancelLinger = clock.at(atNs + lingerNs, () => socket.destroy());
    }
    resolve(draft);
  }

  function ended(why: 'server-closed' | 'reset'): void {
    if (!isOpen) return;
    isOpen = false;
    connection.onClosed?.(why);
  }

  const connection: Connection = {
    ...facts,
    get isOpen() {
      return webSocket === null ? isOpen : webSocket.isOpen;
    },
    onClosed: null,
    exchange,
    upgrade,
    close() {
      if (webSocket !== null) {
        webSocket.close();
        return;
      }
      isOpen = false;
      if (cancelLinger === null) socket.destroy();
    },
  };
  return connection;
}

/** Nothing but line ends. */
function isBlank(bytes: Buffer, from: number): boolean {
  for (let i = from; i < bytes.length; i += 1) if (bytes[i] !== 13 && bytes[i] !== 10) return false;
  return true;
}
