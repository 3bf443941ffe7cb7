import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { nextAttemptAtNs } from '../core/dns-patience.ts';
import type { Cancel, Clock } from '../core/ports.ts';
import { decodeReply } from '../wire/dns-message.ts';
import { failureOf, malformed, newQuery, timedOut } from './dns-exchange.ts';
import type { Ask, Asked, ServerAddress } from './dns-exchange.ts';
import { askTcp } from './dns-stream.ts';

/**
 * Asks over UDP, and over TCP when the answer was truncated. Each attempt has a new id and its own connected socket, so a
 * new source port. Earlier attempts stay open: a resolver that needs longer than the first wait is still heard.
 * A datagram that does not match its query is as if it never came, since anybody may have sent it.
 */
export function askUdp(clock: Clock, server: ServerAddress, ask: Ask, attemptCount: number): Promise<Asked> {
  const { promise, resolve } = Promise.withResolvers<Asked>();
  const sockets = new Set<Socket>();
  const startedAtNs = clock.nowNs();
  let attemptsMade = 0;
  let isSettled = false;
  let heardUnrelated = '';
  let cancelNext: Cancel = () => undefined;
  const cancelDeadline = clock.at(ask.deadlineNs, () => {
    settle(heardUnrelated === '' ? timedOut : { ...timedOut, error: `no answer that matched: ${heardUnrelated}` });
  });
  attempt();
  return promise;

  function settle(asked: Asked | Promise<Asked>): void {
    if (isSettled) return;
    isSettled = true;
    cancelNext();
    cancelDeadline();
    for (const socket of sockets) socket.close();
    resolve(asked);
  }

  function attempt(): void {
    attemptsMade += 1;
    cancelNext =
      attemptsMade < attemptCount
        ? clock.at(nextAttemptAtNs(startedAtNs, ask.deadlineNs, { made: attemptsMade, max: attemptCount }), attempt)
        : () => undefined;
    const query = newQuery(ask);
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    sockets.add(socket);
    socket.on('error', (error) => giveUp(socket, error));
    socket.on('message', (reply) => hear(reply, query));
    socket.on('connect', () => socket.send(query));
    socket.connect(server.port, server.address);
  }

  function hear(reply: Uint8Array, query: Uint8Array): void {
    if (isSettled) return;
    const decoded = decodeReply(reply, query);
    switch (decoded.kind) {
      case 'answered':
        return settle(decoded);
      case 'truncated':
        return settle(askWhole());
      case 'malformed':
        return settle(malformed(decoded.why));
      case 'unrelated':
        heardUnrelated = decoded.why;
    }
  }

  /** Where TCP is blocked, only long answers fail: that must be told, or nobody finds it. */
  async function askWhole(): Promise<Asked> {
    const asked = await askTcp(clock, server, ask);
    return asked.kind === 'failed' ? { ...asked, error: `${asked.error} over TCP, after a truncated answer` } : asked;
  }

  /** A server that refuses is asked again at once, as the C library does; there is nothing to wait for. */
  function giveUp(socket: Socket, error: Error): void {
    if (isSettled || !sockets.delete(socket)) return;
    socket.close();
    const failure = failureOf(error);
    if (failure.reason === 'own-trouble' || attemptsMade === attemptCount) return settle(failure);
    cancelNext();
    attempt();
  }
}
