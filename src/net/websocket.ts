/**
 * A WebSocket from its 101 on (RFC 6455). An exchange on it is a ping and its pong. What the server sends besides is read
 * and thrown away; its own pings are answered. Several pings may be under way; one that nobody answers in time ends the
 * session for those to come, but those under way wait until their own time is over, as requests of HTTP/2 do.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Outcome } from '../core/outcome.ts';
import type { Cancel, Clock, Connection, Exchange, HttpRequest } from '../core/ports.ts';
import { controlFrame, FrameReader, type ControlKind } from '../wire/websocket-frame.ts';
import { atDeadline } from './deadline.ts';
import { newDraft, notSent, type Draft } from './exchange.ts';
import { lingerNs } from './linger.ts';
import { codeOf, isOwnTrouble, tlsReason } from './trouble.ts';

export interface WebSocketOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  /** Of the 101: every pong shows them, for they say which server it is that holds the session. */
  readonly headers: readonly string[];
  /** It ended while no ping was under way. */
  readonly onClosed: NonNullable<Connection['onClosed']>;
}

export interface OpenWebSocket {
  readonly isOpen: boolean;
  ping(request: HttpRequest, deadlineNs: number): Promise<Exchange>;
  /** Bytes from the server. */
  take(bytes: Uint8Array): void;
  close(): void;
}

interface Ping {
  readonly draft: Draft;
  readonly resolve: (exchange: Exchange) => void;
  readonly cancelDeadline: Cancel;
}

/** Whoever pings us and does not read our pongs gets no more of them. */
const unsentBytesMax = 64 * 1024;
/** RFC 6455, 7.4.1, and the IANA registry of close codes. */
const closeNames: Readonly<Record<number, string>> = {
  1000: 'normal',
  1001: 'going away',
  1008: 'policy violation',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
};
const normalClosure = Buffer.from([1000 >> 8, 1000 & 0xff]);

export function newWebSocket({ socket, clock, headers, onClosed }: WebSocketOptions): OpenWebSocket {
  /** By payload, in the order in which they were sent. */
  const underWay = new Map<string, Ping>();
  const reader = new FrameReader({ isMasked: false, onControl });
  let isOpen = true;
  let cancelLinger: Cancel | null = null;

  socket.on('data', take);
  socket.on('end', () => over('closed-before-answer', ''));
  socket.on('error', onError);
  socket.on('close', () => {
    cancelLinger?.();
    over('closed-before-answer', '');
  });

  function ping(request: HttpRequest, deadlineNs: number): Promise<Exchange> {
    const atNs = clock.nowNs();
    if (!isOpen) return Promise.resolve(notSent('closed-before-answer', 'not sent', atNs));
    return new Promise((resolve) => {
      const payload = payloadOf(request);
      const draft = newDraft(atNs);
      const cancelDeadline = atDeadline(clock, deadlineNs, () => {
        isOpen = false;
        finish(payload, 'first-byte-timed-out', '');
      });
      underWay.set(payload, { draft, resolve, cancelDeadline });
      send('ping', Buffer.from(payload, 'latin1'));
    });
  }

  function send(kind: ControlKind, payload: Uint8Array): void {
    if (socket.writable) socket.write(controlFrame(kind, payload, randomBytes(4)));
  }

  function take(bytes: Uint8Array): void {
    reader.take(bytes);
    if (reader.problem === '') return;
    over('malformed-answer', reader.problem);
    socket.destroy();
  }

  function onControl(kind: ControlKind, payload: Uint8Array): void {
    switch (kind) {
      case 'ping':
        if (socket.writableLength < unsentBytesMax) send('pong', payload);
        return;
      case 'pong':
        return onPong(Buffer.from(payload).toString('latin1'));
      case 'close':
        over('closed-before-answer', closeReason(payload));
        return leave(payload.subarray(0, 2));
    }
  }

  /** Whoever is behind may answer the last of several pings only (5.5.3). Nobody need have asked (a heartbeat). */
  function onPong(payload: string): void {
    if (!underWay.has(payload)) return;
    for (const one of underWay.keys()) {
      finish(one, 'answered', '');
      if (one === payload) return;
    }
  }

  function onError(error: Error): void {
    const code = codeOf(error);
    const reason = tlsReason(error);
    if (isOwnTrouble(code)) over('own-trouble', code);
    else if (reason !== '') over('tls-failed', reason);
    else over('reset', code);
  }

  function finish(payload: string, outcome: Outcome, error: string): void {
    const one = underWay.get(payload);
    if (one === undefined) return;
    const { draft, resolve, cancelDeadline } = one;
    underWay.delete(payload);
    cancelDeadline();
    draft.outcome = outcome;
    draft.error = error;
    draft.endedAtNs = clock.nowNs();
    if (outcome === 'answered') {
      draft.status = 101;
      draft.headers = headers;
      draft.firstByteAtNs = draft.endedAtNs;
      draft.framingComplete = true;
    }
    draft.serverClosed = outcome === 'closed-before-answer';
    resolve(draft);
  }

  /** The server ended it, and with it all that is under way. */
  function over(outcome: Outcome, error: string): void {
    const isNews = isOpen && underWay.size === 0;
    isOpen = false;
    for (const payload of underWay.keys()) finish(payload, outcome, error);
    if (isNews) onClosed(outcome === 'reset' ? 'reset' : 'server-closed');
  }

  /** Says a close, and gives the server the time to answer it and to close first. */
  function leave(code: Uint8Array): void {
    if (cancelLinger !== null || socket.destroyed) return;
    send('close', code);
    socket.end();
    cancelLinger = clock.at(clock.nowNs() + lingerNs, () => socket.destroy());
  }

  return {
    get isOpen() {
      return isOpen;
    },
    ping,
    take,
    close() {
      isOpen = false;
      over('closed-before-answer', '');
      leave(normalClosure);
    },
  };
}

/** The probe's trace id, so that a capture of the bytes says which ping it is; it is never there twice. */
function payloadOf({ headers }: HttpRequest): string {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'x-amzn-trace-id');
  return (at === -1 ? undefined : headers[at + 1]?.slice(0, 125)) ?? randomBytes(8).toString('hex');
}

function closeReason(payload: Uint8Array): string {
  const code = (payload[0] ?? 0) * 256 + (payload[1] ?? 0);
  return `close frame: ${closeNames[code] ?? (code === 0 ? 'no code' : 'another code')}`;
}
