/** A world of one server that does what the test says, and a simulated clock. */
import type { DialResult, Connection, HttpRequest, TlsSettings } from '../../src/core/ports.ts';
import { sToNs } from '../../src/core/time.ts';
import type { Arrival, WorldModel } from '../../src/model/world-model.ts';
import { settle } from '../../src/cli/settle.ts';
import { newSimClock, type SimClock } from '../../src/sim/clock.ts';
import { newSimNetwork, type SimNetwork } from '../../src/sim/network.ts';

export const address = '127.0.1.1';
export const rttNs = 13e6;
export const serveNs = 7e6;

export type TestWorld = { -readonly [K in keyof WorldModel]: WorldModel[K] };

export interface Stage {
  readonly clock: SimClock;
  readonly world: TestWorld;
  readonly network: SimNetwork;
  readonly arrivals: Arrival[];
  waitS(s: number): Promise<void>;
}

/** Everything is accepted and answered; `over` says what is not. */
export function newStage(over: Partial<WorldModel> = {}): Stage {
  const clock = newSimClock(settle);
  const arrivals: Arrival[] = [];
  const world: TestWorld = {
    places: { sides: { old: [address], new: ['127.0.2.1'] }, nameServers: {}, resolvers: {}, references: {} },
    change: () => {},
    advance: () => {},
    nextEventNs: () => null,
    ask: () => null,
    dial: () => ({ kind: 'accepted', afterNs: 0 }),
    certificate: (_, serverName) => ({ kind: 'right', side: 'old', names: [serverName] }),
    serve(arrival) {
      arrivals.push({ ...arrival, held: { ...arrival.held } });
      return {
        kind: 'answered',
        afterNs: serveNs,
        status: 200,
        reason: 'OK',
        headers: ['X-Served-By', 'ecs'],
        body: 'häppy',
        closes: false,
        fault: null,
      };
    },
    idleEndNs: () => null,
    cut: () => null,
    recordCut: () => {},
    seen: () => [],
    isApiDown: () => false,
    rttNs: () => rttNs,
    end: () => {},
    ...over,
  };
  return {
    clock,
    world,
    arrivals,
    network: newSimNetwork({ clock, world }),
    waitS: (s) => clock.runUntil(new Promise((resolve) => clock.at(clock.nowNs() + sToNs(s), resolve))),
  };
}

export function dial(stage: Stage, tls: TlsSettings | null = null, withinS = 5): Promise<DialResult> {
  const { clock, network } = stage;
  const connectAtNs = clock.nowNs() + sToNs(withinS);
  const deadlines = { connectAtNs, secureAtNs: connectAtNs + sToNs(withinS) };
  return clock.runUntil(network.dialer.dial({ address, port: 443, tls }, deadlines));
}

export async function connect(stage: Stage, tls: TlsSettings | null = null): Promise<Connection> {
  const result = await dial(stage, tls);
  if (result.kind === 'failed') throw new Error(result.outcome);
  return result.connection;
}

export function get(more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    path: '/ready?deep=1',
    authority: 'Shop.Test:8443',
    scheme: 'https',
    headers: ['User-Agent', 'me', 'X-Amzn-Trace-Id', 'Root=1-6a1b2c3d-c0ffee42000700000bb80002'],
    body: null,
    ...more,
  };
}

export const http1: TlsSettings = { serverName: 'shop.test', alpn: ['http/1.1'] };
export const http2: TlsSettings = { serverName: 'shop.test', alpn: ['h2', 'http/1.1'] };
