/**
 * One connection of the simulated network, as the prober sees it. What a server does with a request is known when it is
 * sent, so one wait is enough for each: for the answer, or for the deadline that comes before it. Bodies come with their
 * head, so that none times out by itself; no answer has a Date, since nobody reads it.
 */
import { assert } from '../core/errors.ts';
import {
  bodyBytesMax,
  type Cancel,
  type Clock,
  type Connection,
  type ConnectionFacts,
  type Exchange,
  type HttpRequest,
} from '../core/ports.ts';
import type { Arrival, CutHow, Held, Served, WorldModel } from '../model/world-model.ts';
import { answerOf, arrivalOf, asksToClose } from './message.ts';

export interface SimConnection extends Connection {
  readonly held: Held;
  /** What it led to is no more. */
  cut(how: CutHow): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly world: WorldModel;
  readonly facts: ConnectionFacts;
  /** It will carry nothing more, and nothing is under way. May come twice. */
  readonly onOver: (connection: SimConnection) => void;
}

type Answered = Extract<Served, { kind: 'answered' }>;

interface UnderWay {
  readonly request: HttpRequest;
  readonly isUpgrade: boolean;
  readonly sentAtNs: number;
  /** As the world was told of it; null = it was not. */
  arrival: Arrival | null;
  /** When the prober waits no longer. */
  readonly limitNs: number;
  readonly resolve: (exchange: Exchange) => void;
  cancel: Cancel;
}

export function newSimConnection({ clock, world, facts, onOver }: ConnectionOptions): SimConnection {
  const held: Mutable<Held> = {
    address: facts.address,
    openedAtNs: facts.connectedAtNs,
    requestCount: 0,
    alpn: facts.alpn,
  };
  const rttNs = world.rttNs(facts.address);
  const isHttp2 = facts.alpn === 'h2';
  const underWay = new Set<UnderWay>();
  /** It is a WebSocket, opened by a 101 with these headers. */
  let sessionHeaders: readonly string[] | null = null;
  let isOpen = true;
  /** The server said that it serves nothing more (`Connection: close`, GOAWAY). */
  let isGoingAway = false;
  /** Nobody is there any more, and nothing said so. */
  let isDeaf = false;
  let lastUsedAtNs = facts.connectedAtNs;
  let cancelIdle: Cancel | null = null;
  let idleArmedForNs = Infinity;

  function exchange(request: HttpRequest, deadlineNs: number, firstByteAtNs = deadlineNs): Promise<Exchange> {
    return ask(request, Math.min(deadlineNs, firstByteAtNs), false);
  }

  function ask(request: HttpRequest, limitNs: number, isUpgrade: boolean): Promise<Exchange> {
    const isAlone = !isHttp2 && sessionHeaders === null;
    assert(!isAlone || underWay.size === 0, 'an HTTP/1.1 connection carries one exchange at a time');
    const sentAtNs = clock.nowNs();
    if (!isOpen) {
      const outcome = isHttp2 && isGoingAway ? 'goaway' : 'closed-before-answer';
      return Promise.resolve({ ...nothing, outcome, error: 'not sent', sentAtNs, endedAtNs: sentAtNs });
    }
    return new Promise((resolve) => {
      const one: UnderWay = { request, isUpgrade, sentAtNs, arrival: null, limitNs, resolve, cancel: () => {} };
      underWay.add(one);
      if (isDeaf) waitInVain(one);
      else send(one);
    });
  }

  function send(one: UnderWay): void {
    one.arrival = arrivalOf(one.request, held, one.sentAtNs, one.isUpgrade);
    const served = world.serve(one.arrival);
    held.requestCount += 1;
    const endNs = served.kind === 'silent' ? Infinity : one.sentAtNs + rttNs + served.afterNs;
    if (served.kind === 'silent' || endNs > one.limitNs) waitInVain(one);
    else if (served.kind === 'answered') one.cancel = clock.at(endNs, () => answer(one, served));
    else one.cancel = clock.at(endNs, () => end(served.kind));
  }

  function waitInVain(one: UnderWay): void {
    one.cancel = clock.at(one.limitNs, () => {
      // On HTTP/2 only the stream ends.
      if (!isHttp2) isOpen = false;
      finish(one, { outcome: 'first-byte-timed-out', serverClosed: isGoingAway });
    });
  }

  function answer(one: UnderWay, served: Answered): void {
    if (sessionHeaders !== null) {
      // What was lost on the way is sent again by TCP and comes before this: a pong answers all pings before its own.
      for (const before of underWay) {
        finishOnSession(before, sessionHeaders);
        if (before === one) return;
      }
    }
    if (one.isUpgrade && served.session !== undefined) {
      held.session = served.session;
      sessionHeaders = served.headers;
      finishOnSession(one, sessionHeaders);
      return;
    }
    const { request } = one;
    isGoingAway ||= served.closes || (!isHttp2 && asksToClose(request));
    const { headers, body } = answerOf(request, served, { isHttp2, closes: isGoingAway });
    const cutByUs = body.length > bodyBytesMax;
    if (isGoingAway || (cutByUs && !isHttp2)) isOpen = false;
    const bodyStart = cutByUs ? body.subarray(0, bodyBytesMax) : body;
    finish(one, {
      outcome: 'answered',
      status: served.status,
      headers,
      bodyBytes: bodyStart.length,
      bodyStart: bodyStart.length === 0 ? null : bodyStart,
      firstByteAtNs: clock.nowNs(),
      framingComplete: !cutByUs,
      serverClosed: isGoingAway,
      cutByUs,
    });
  }

  function finishOnSession(one: UnderWay, headers: readonly string[]): void {
    const firstByteAtNs = clock.nowNs();
    finish(one, { outcome: 'answered', status: 101, headers, firstByteAtNs, framingComplete: true });
  }

  function finish(one: UnderWay, found: Partial<Exchange> & Pick<Exchange, 'outcome'>): void {
    const endedAtNs = clock.nowNs();
    one.cancel();
    underWay.delete(one);
    lastUsedAtNs = endedAtNs;
    if (underWay.size === 0) {
      if (isOpen) armIdle();
      else over();
    }
    one.resolve({ ...nothing, sentAtNs: one.sentAtNs, endedAtNs, ...found });
  }

  // ── its end ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The server ends the connection, and with it all that is under way. */
  function end(how: 'reset' | 'closed'): void {
    const isIdle = isOpen && underWay.size === 0;
    isOpen = false;
    for (const one of underWay) {
      if (how === 'reset') finish(one, { outcome: 'reset', error: 'ECONNRESET', serverClosed: isHttp2 });
      else finish(one, { outcome: 'closed-before-answer', serverClosed: true });
    }
    over();
    // Servers say GOAWAY before they close an idle HTTP/2 connection (RFC 9113, 9.1).
    isGoingAway ||= isIdle && isHttp2 && how === 'closed';
    if (isIdle) connection.onClosed?.(how === 'reset' ? 'reset' : isHttp2 ? 'goaway' : 'server-closed');
  }

  /** Most connections are used again long before they were idle for too long: then the wait is set anew when it is over. */
  function armIdle(): void {
    const endNs = isDeaf ? null : world.idleEndNs(held, lastUsedAtNs);
    if (endNs === null || endNs >= idleArmedForNs) return;
    cancelIdle?.();
    idleArmedForNs = endNs;
    cancelIdle = clock.at(endNs, () => {
      idleArmedForNs = Infinity;
      if (!isOpen || underWay.size > 0) return;
      const isOver = (world.idleEndNs(held, lastUsedAtNs) ?? Infinity) <= clock.nowNs();
      if (isOver) end('closed');
      else armIdle();
    });
  }

  function fallSilent(): void {
    isDeaf = true;
    cancelIdle?.();
    for (const one of underWay) {
      one.cancel();
      waitInVain(one);
    }
  }

  function over(): void {
    cancelIdle?.();
    onOver(connection);
  }

  const connection: SimConnection = {
    ...facts,
    held,
    get isOpen() {
      return isOpen;
    },
    onClosed: null,
    exchange,
    upgrade: (request, deadlineNs, firstByteAtNs = deadlineNs) =>
      ask(request, Math.min(deadlineNs, firstByteAtNs), true),
    close() {
      isOpen = false;
      for (const one of underWay) finish(one, { outcome: 'closed-before-answer', serverClosed: true });
      over();
    },
    cut(how) {
      for (const { arrival } of underWay) if (arrival !== null && !isDeaf) world.recordCut(arrival, clock.nowNs());
      if (how === 'silent') fallSilent();
      else end(how);
    },
  };
  armIdle();
  return connection;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** An exchange of which nothing came. */
const nothing: Exchange = {
  outcome: 'none',
  error: '',
  status: 0,
  headers: [],
  bodyBytes: 0,
  bodyStart: null,
  sentAtNs: 0,
  firstByteAtNs: 0,
  endedAtNs: 0,
  informationalSeen: false,
  framingComplete: false,
  serverClosed: false,
  cutByUs: false,
};
