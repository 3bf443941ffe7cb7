/** A DNS server of the world at one address, over UDP and over TCP. Bytes that are no query are dropped without a word. */
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net';
import type { Clock, DnsQuestion } from '../core/ports.ts';
import type { DnsContent } from '../model/world-model.ts';
import { decodeAsked, encodeServed, questionOf } from '../wire/dns-serving.ts';
import type { Listening } from './listening.ts';

export interface DnsServerOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly recursionAvailable: boolean;
  /** null: says nothing. */
  readonly ask: (question: DnsQuestion) => { readonly content: DnsContent; readonly afterNs: number } | null;
}

type Respond = (query: Uint8Array, transport: 'udp' | 'tcp', send: (reply: Uint8Array) => void) => void;

/** RFC 7766, 6.2: connections may be bounded, and closed when idle for some seconds. */
const tcpConnectionCountMax = 200;
const tcpIdleMs = 10_000;

export function newDnsServer(options: DnsServerOptions): readonly Listening[] {
  const respond: Respond = (query, transport, send) => {
    const asked = decodeAsked(query);
    if (asked === null) return;
    const answer = options.ask(questionOf(asked));
    if (answer === null) return;
    const { recursionAvailable, clock } = options;
    const reply = encodeServed(asked, { ...answer.content, recursionAvailable }, transport);
    clock.at(clock.nowNs() + answer.afterNs, () => send(reply));
  };
  // TCP first: it is where a port is taken more often.
  return [overTcp(options.address, respond), overUdp(options.address, respond)];
}

function overUdp(address: string, respond: Respond): Listening {
  let socket: Socket | null = null;
  return {
    address,
    listen(port) {
      const opened = createSocket('udp4');
      socket = opened;
      opened.on('message', (query, peer) => {
        respond(query, 'udp', (reply) => {
          // Nobody there to hear it is no concern of a server's.
          if (socket === opened) opened.send(reply, peer.port, peer.address, () => {});
        });
      });
      return new Promise((resolve, reject) => {
        opened.on('error', reject);
        opened.bind({ port, address, exclusive: true }, () => resolve(opened.address().port));
      });
    },
    close() {
      const closing = socket;
      socket = null;
      return new Promise((resolve) => {
        if (closing === null) resolve();
        else closing.close(() => resolve());
      });
    },
  };
}

function overTcp(address: string, respond: Respond): Listening {
  const sockets = new Set<TcpSocket>();
  let server: Server | null = null;

  function accept(socket: TcpSocket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    let unread = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      for (let message = firstMessage(unread); message !== null; message = firstMessage(unread)) {
        unread = unread.subarray(message.length + lengthBytes);
        respond(message, 'tcp', (reply) => {
          if (socket.writable) socket.write(Buffer.concat([lengthOf(reply), reply]));
        });
      }
    });
  }

  return {
    address,
    listen(port) {
      const opened = createServer({ noDelay: true }, accept);
      server = opened;
      opened.maxConnections = tcpConnectionCountMax;
      return new Promise((resolve, reject) => {
        opened.once('error', reject);
        opened.listen({ port, host: address, exclusive: true }, () => resolve((opened.address() as AddressInfo).port));
      });
    },
    close() {
      const closing = server;
      server = null;
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        if (closing === null) resolve();
        else closing.close(() => resolve());
      });
    },
  };
}

/** Each message over TCP begins with its length (RFC 1035, 4.2.2). */
const lengthBytes = 2;

function firstMessage(bytes: Buffer): Buffer | null {
  if (bytes.length < lengthBytes) return null;
  const end = lengthBytes + bytes.readUInt16BE(0);
  return bytes.length < end ? null : bytes.subarray(lengthBytes, end);
}

function lengthOf(reply: Uint8Array): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt16BE(reply.length);
  return length;
}
