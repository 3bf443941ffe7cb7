/**
 * The connections to the fronts of both sides and the references: HTTP/1.1, and HTTP/2 where TLS offers it. What happens
 * to each is the world's word: when it is accepted, what it is shown and served, when it is closed or cut.
 *
 * The round trip is taken before an answer and not at the connect: loopback has none of its own. Where a connection comes in
 * although the world answers no SYN there (the door is not mute yet, or cannot be), nothing ever comes on it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Cancel, Clock } from '../core/ports.ts';
import type { Places, Setting } from '../core/world.ts';
import type { Side } from '../core/scenario.ts';
import { traceOf } from '../core/trace-id.ts';
import type { Arrival, Held, Served, WorldModel } from '../model/world-model.ts';
import { http1Reply, http2Reply, type Reply } from './answer.ts';
import type { SecureFront } from './secure-front.ts';
import { upgradeReply } from './websocket.ts';

export interface ConnectionsOptions {
  readonly world: WorldModel;
  readonly setting: Setting;
  readonly clock: Clock;
  /** Traces of this run only are taken for ours; null = of any run. */
  readonly runId: string | null;
}

export interface Connections {
  /** A socket that came to an address. `front` null: plain HTTP. */
  accept(socket: Socket, address: string, front: SecureFront | null): void;
  /** The world has moved on: whose end has come? */
  follow(): void;
  /** The most that an answer left after its time, ns: our own lateness. */
  readonly lateNsMax: number;
  close(): void;
}

interface Connection {
  readonly socket: Socket;
  readonly held: Held & { requestCount: number; alpn: string; session?: string };
  /** Over TLS. */
  readonly isSecure: boolean;
  /** Not yet answered, as the world was told of them. */
  readonly underWay: Set<Arrival>;
  /** Tells the client that it ends, if there is a way, and closes once what is under way is over. */
  end: () => void;
  reset: () => void;
  lastUsedAtNs: number;
  inFlightCount: number;
  /** What it led to is silent: nothing comes from here any more. */
  isMuted: boolean;
  cancelIdle: Cancel | null;
}

/** A request, and what the world says to it. */
interface Asking {
  readonly asked: Asked;
  readonly arrival: Arrival;
  readonly served: Served;
}

/**
 * In every answer of a side, so that whoever looks at the lab with curl or a browser sees which one it is. A run does not
 * go by it: it reads headers that it knows, and those that the scenario names.
 */
const sideHeader = 'X-Rehearsal-Side';

export function newConnections({ world, setting, clock, runId }: ConnectionsOptions): Connections {
  const sideOf = sidesOf(setting.places);
  const sockets = new Set<Socket>();
  const connections = new Set<Connection>();
  const byStream = new WeakMap<Duplex, Connection>();
  /** Requests for a WebSocket: whether they get it must be known before they are handed on. */
  const upgrades = new WeakMap<IncomingMessage, Asking>();
  // Never listens: sockets are handed to it. Keep-alive is the world's business, so Node has no say in it.
  const http1 = createServer({ keepAliveTimeout: 0, requestTimeout: 0, shouldUpgradeCallback: isUpgraded }, onHttp1);
  http1.on('upgrade', onUpgrade);
  http1.on('clientError', (_, socket) => socket.destroy());
  let lateNsMax = 0;

  function accept(socket: Socket, address: string, front: SecureFront | null): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const openedAtNs = clock.nowNs();
    const dialled = world.dial(address, openedAtNs);
    if (dialled.kind === 'refused') return void socket.resetAndDestroy();
    if (dialled.kind === 'silent') {
      // Read, so that the client's end is noticed.
      socket.on('end', () => socket.destroy());
      socket.resume();
      return;
    }
    const connection: Connection = {
      socket,
      held: { address, openedAtNs, requestCount: 0, alpn: '' },
      isSecure: front !== null,
      underWay: new Set(),
      end: () => socket.end(),
      reset: () => socket.resetAndDestroy(),
      lastUsedAtNs: openedAtNs,
      inFlightCount: 0,
      isMuted: false,
      cancelIdle: null,
    };
    connections.add(connection);
    socket.on('close', () => {
      connections.delete(connection);
      connection.cancelIdle?.();
    });
    watchIdle(connection);
    if (front === null) serveHttp1(connection, socket);
    else void front.accept(socket, (tls) => serveSecured(connection, tls));
  }

  function serveSecured(connection: Connection, tls: TLSSocket): void {
    tls.on('error', () => connection.socket.destroy());
    tls.on('close', () => connection.socket.destroy());
    connection.end = () => tls.end();
    connection.held.alpn = tls.alpnProtocol || '';
    if (tls.alpnProtocol === 'h2') serveHttp2(connection, tls);
    else serveHttp1(connection, tls);
  }

  function serveHttp1(connection: Connection, stream: Duplex): void {
    byStream.set(stream, connection);
    http1.emit('connection', stream);
  }

  function onHttp1(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const connection = byStream.get(request.socket);
    if (connection === undefined) return void request.socket.destroy();
    serve(connection, upgrades.get(request) ?? ask(connection, askedIn(request)), http1Reply(response));
  }

  function isUpgraded(request: IncomingMessage): boolean {
    const connection = byStream.get(request.socket);
    if (connection === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') return false;
    const asking = ask(connection, { ...askedIn(request), isUpgrade: true });
    upgrades.set(request, asking);
    return asking.served.kind === 'answered' && asking.served.session !== undefined;
  }

  function onUpgrade(request: IncomingMessage, stream: Duplex, first: Buffer): void {
    const connection = byStream.get(stream);
    const asking = upgrades.get(request);
    if (connection === undefined || asking === undefined) return void stream.destroy();
    const { isUpgrade: _, ...asked } = asking.asked;
    const key = request.headers['sec-websocket-key'] ?? '';
    const onPing = (trace: string, reply: Reply): void =>
      serve(connection, ask(connection, { ...asked, trace }), reply);
    serve(connection, asking, upgradeReply({ stream, key, first, onPing }));
  }

  function serveHttp2(connection: Connection, tls: TLSSocket): void {
    const session: ServerHttp2Session = performServerHandshake(tls);
    session.on('error', () => tls.destroy());
    connection.end = () => session.close();
    // One that meets Node's client as that still writes is not told as a reset: its own ACK is the last of that.
    connection.reset = () => {
      if (session.pendingSettingsAck) session.once('localSettings', () => connection.socket.resetAndDestroy());
      else connection.socket.resetAndDestroy();
    };
    session.on('stream', (stream, headers) => {
      stream.resume();
      const { ':method': method = 'GET', ':path': path = '/', ':authority': authority = '' } = headers;
      const { host = '', 'user-agent': userAgent = '', 'x-amzn-trace-id': trace = '' } = headers;
      const asked = { authority: authority || host, method, path, userAgent, trace: String(trace) };
      serve(
        connection,
        ask(connection, asked),
        http2Reply(stream, method, () => session.close()),
      );
    });
  }

  function ask({ held, isSecure, isMuted }: Connection, asked: Asked): Asking {
    const arrival = { ...arrivalOf(asked, { ...held }, clock.nowNs()), isSecure };
    if (isMuted) return { asked, arrival, served: unheard };
    const served = world.serve(arrival);
    held.requestCount += 1;
    return { asked, arrival, served };
  }

  function serve(connection: Connection, { arrival, served }: Asking, reply: Reply): void {
    if (served === unheard) return;
    const { held, underWay } = connection;
    underWay.add(arrival);
    connection.inFlightCount += 1;
    connection.cancelIdle?.();
    reply.onClosed(() => {
      underWay.delete(arrival);
      connection.inFlightCount -= 1;
      connection.lastUsedAtNs = clock.nowNs();
      watchIdle(connection);
    });
    if (served.kind === 'silent') return;
    const dueAtNs = arrival.atNs + served.afterNs + world.rttNs(held.address);
    clock.at(dueAtNs, () => {
      lateNsMax = Math.max(lateNsMax, clock.nowNs() - dueAtNs);
      underWay.delete(arrival);
      if (served.kind === 'answered' && served.session !== undefined) held.session = served.session;
      if (!connection.isMuted && !connection.socket.destroyed) carryOut(served, connection, reply);
    });
  }

  function arrivalOf({ authority, trace, ...asked }: Asked, held: Held, atNs: number): Arrival {
    const found = traceOf(trace);
    const isOurs = found !== null && (runId === null || found.runId === runId);
    return {
      ...asked,
      atNs,
      held,
      hostname: authority.replace(/:\d*$/, '').toLowerCase(),
      trace: isOurs ? { lane: found.lane, slot: found.slot, part: found.part } : null,
    };
  }

  function carryOut(served: Exclude<Served, { kind: 'silent' }>, connection: Connection, reply: Reply): void {
    switch (served.kind) {
      case 'answered': {
        const side = sideOf.get(connection.held.address);
        const headers = side === undefined ? served.headers : [...served.headers, sideHeader, side];
        return reply.answer({ ...served, headers });
      }
      case 'reset':
        return connection.reset();
      case 'closed':
        return void connection.socket.end();
    }
  }

  /** When the world says so, an idle connection is closed; asked again then, since the world may have changed its mind. */
  function watchIdle(connection: Connection): void {
    connection.cancelIdle?.();
    connection.cancelIdle = null;
    if (connection.inFlightCount > 0 || connection.isMuted || connection.socket.destroyed) return;
    const endNs = world.idleEndNs(connection.held, connection.lastUsedAtNs);
    if (endNs === null) return;
    connection.cancelIdle = clock.at(endNs, () => {
      connection.cancelIdle = null;
      connection.end();
    });
  }

  function follow(): void {
    const nowNs = clock.nowNs();
    for (const connection of connections) {
      if (connection.isMuted) continue;
      const end = world.cut(connection.held, nowNs);
      if (end !== null) for (const arrival of connection.underWay) world.recordCut(arrival, nowNs);
      if (end === 'reset') connection.reset();
      else if (end === 'closed') connection.end();
      else if (end === 'silent') connection.isMuted = true;
      watchIdle(connection);
    }
  }

  return {
    accept,
    follow,
    get lateNsMax() {
      return lateNsMax;
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function sidesOf({ sides }: Places): ReadonlyMap<string, Side> {
  return new Map((['old', 'new'] as const).flatMap((side) => sides[side].map((address) => [address, side] as const)));
}

/** Nobody is there to hear it. */
const unheard: Served = { kind: 'silent', fault: 'connection-ended' };

function askedIn({ headers, method = 'GET', url = '/' }: IncomingMessage): Asked {
  const { host = '', 'user-agent': userAgent = '', 'x-amzn-trace-id': trace = '' } = headers;
  return { authority: host, method, path: url, userAgent, trace: String(trace) };
}

interface Asked {
  readonly authority: string;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly userAgent: string;
  /** The value of `X-Amzn-Trace-Id`. */
  readonly trace: string;
  /** Asks for a WebSocket. */
  readonly isUpgrade?: boolean;
}
