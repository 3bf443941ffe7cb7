import { expect } from 'vitest';
import type { Clock, Connection, Dialer, DialResult, HttpRequest, TlsSettings } from '../../src/core/ports.ts';
import { msToNs } from '../../src/core/time.ts';
import { newClock } from '../../src/net/clock.ts';
import { newDialer } from '../../src/net/dialer.ts';

export const clock: Clock = newClock(process.hrtime.bigint());
export const dialer: Dialer = newDialer({ clock });

/** Long enough that it only ends a test that is broken. */
const amplyMs = 20_000;

export function inMs(ms: number = amplyMs): number {
  return clock.nowNs() + msToNs(ms);
}

export interface DialOptions {
  readonly tls?: TlsSettings | null;
  readonly address?: string;
  readonly connectMs?: number;
  readonly secureMs?: number;
}

export function dial(port: number, options: DialOptions = {}): Promise<DialResult> {
  const { tls = null, address = '127.0.0.1', connectMs = amplyMs, secureMs = amplyMs } = options;
  return dialer.dial({ address, port, tls }, { connectAtNs: inMs(connectMs), secureAtNs: inMs(secureMs) });
}

export async function connectTo(port: number, options: DialOptions = {}): Promise<Connection> {
  const result = await dial(port, options);
  if (result.kind === 'failed') expect.fail(`${result.outcome} ${result.error}`);
  return result.connection;
}

export function get(path = '/ready', more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', path, authority: 'shop.example', scheme: 'http', headers: [], body: null, ...more };
}

/** Until it holds; the test's own time limit ends a wait in vain. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}
