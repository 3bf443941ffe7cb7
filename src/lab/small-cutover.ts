/**
 * The smallest cutover on real sockets: `shop.rehearsal.test` moves from 127.0.1.1 to 127.0.2.1 by DNS, with a TTL of
 * 3 s, resolved through a cache that honours it. Both sides stay up, as they should.
 */
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { userError } from '../core/errors.ts';
import type { Side } from '../core/scenario.ts';
import { decodeAsked, encodeServed } from '../wire/dns-serving.ts';

export interface SmallCutover extends AsyncDisposable {
  /** What happens, for people. */
  readonly story: string;
  /** Scenario YAML. */
  readonly scenario: string;
  /** The command that switches DNS. */
  readonly switchCommand: readonly string[];
}

const sideAddress: Readonly<Record<Side, string>> = { old: '127.0.1.1', new: '127.0.2.1' };
const hostname = 'shop.rehearsal.test';
const ttlS = 3;

export async function startSmallCutover(): Promise<SmallCutover> {
  let live: Side = 'old';
  const stops: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const oldPort = await listen(sideServer('old'), sideAddress.old, 0, stops);
    await listen(sideServer('new'), sideAddress.new, oldPort, stops);
    const authorityPort = await serveDns(
      authority(() => sideAddress[live]),
      stops,
    );
    const resolverPort = await serveDns(
      cache(() => sideAddress[live]),
      stops,
    );
    const control = createServer((request, response) => {
      if (request.method === 'POST') live = 'new';
      response.end();
    });
    const controlPort = await listen(control, '127.0.0.1', 0, stops);
    return {
      story:
        `Rehearsal: ${hostname} moves from ${sideAddress.old} to ${sideAddress.new} by DNS (TTL ${ttlS} s), ` +
        'on real sockets of this machine. About half a minute.',
      scenario: scenarioText(oldPort, authorityPort, resolverPort),
      switchCommand: [
        process.execPath,
        '--input-type=module',
        '--eval',
        `await fetch('http://127.0.0.1:${controlPort}/switch', { method: 'POST' })`,
      ],
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function scenarioText(port: number, authorityPort: number, resolverPort: number): string {
  return `name: rehearsal
defaults: { ratePerSecond: 4 }
services:
  - { name: shop, url: "http://${hostname}:${port}/ready" }
sides:
  old: { title: the old platform, addresses: [${sideAddress.old}], marker: { x-served-by: old } }
  new: { title: the new platform, addresses: [${sideAddress.new}], marker: { x-served-by: new } }
resolvers:
  - { name: cache, address: "127.0.0.1:${resolverPort}" }
authorities: ["127.0.0.1:${authorityPort}"]
clients: [fresh, keep-alive, jvm-forever]
change: { via: dns, ttlS: ${ttlS}, baselineS: 7, convergenceTimeoutS: 60, tailS: 8 }
`;
}

function sideServer(side: Side): Server {
  // Kept connections stay open, as on a load balancer whose connection age nobody lowered.
  return createServer({ keepAliveTimeout: 60_000 }, (_, response) => {
    response.setHeader('X-Served-By', side);
    response.end('ready\n');
  });
}

async function listen(server: Server, address: string, port: number, stops: (() => Promise<void>)[]): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isAlias = error.code === 'EADDRNOTAVAIL';
      const what = isAlias ? 'this machine has no such loopback address' : `cannot listen (${error.code})`;
      const how = isAlias ? `; on macOS: sudo ifconfig lo0 alias ${address}` : '';
      reject(userError(address, `${what}${how}`));
    });
    server.listen(port, address, resolve);
  });
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

type Answering = (name: string) => { readonly authoritative: boolean; readonly address: string; readonly ttlS: number };

function authority(liveAddress: () => string): Answering {
  return () => ({ authoritative: true, address: liveAddress(), ttlS });
}

/** An honest cache: an answer is kept for its TTL, and says how much of it is left. */
function cache(liveAddress: () => string): Answering {
  const kept = new Map<string, { readonly address: string; readonly untilMs: number }>();
  return (name) => {
    const nowMs = performance.now();
    const key = name.toLowerCase();
    let held = kept.get(key);
    if (held === undefined || held.untilMs <= nowMs) {
      held = { address: liveAddress(), untilMs: nowMs + ttlS * 1000 };
      kept.set(key, held);
    }
    return { authoritative: false, address: held.address, ttlS: Math.ceil((held.untilMs - nowMs) / 1000) };
  };
}

async function serveDns(answering: Answering, stops: (() => Promise<void>)[]): Promise<number> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (bytes, peer) => {
    const asked = decodeAsked(bytes);
    if (asked === null) return;
    const isOurs = asked.name.toLowerCase() === hostname;
    const { authoritative, address, ttlS: answerTtlS } = answering(asked.name);
    const record = { name: asked.name, type: 'A', ttlS: answerTtlS, data: address };
    const answers = isOurs && asked.type === 'A' ? [record] : [];
    const recursionAvailable = !authoritative;
    const serving = { rcode: 'NOERROR', authoritative, recursionAvailable, ede: 0, answers, authority: [] } as const;
    socket.send(encodeServed(asked, serving, 'udp'), peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  stops.push(() => new Promise((resolve) => socket.close(() => resolve())));
  return socket.address().port;
}
