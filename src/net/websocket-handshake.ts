/** What asks for a WebSocket, and what must be in the 101 that grants it (RFC 6455, 4.1). */
import { createHash, randomBytes } from 'node:crypto';
import type { HttpRequest } from '../core/ports.ts';
import { acceptSalt } from '../wire/websocket-frame.ts';

export function newWebSocketKey(): string {
  return randomBytes(16).toString('base64');
}

/** The same request, asking to go on as a WebSocket: always a GET, never with a body. No extensions are offered. */
export function upgradeRequest(request: HttpRequest, key: string): HttpRequest {
  const own = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
  const headers = [...request.headers, ...own, 'Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', key];
  return { ...request, method: 'GET', body: null, headers };
}

/** What is wrong with the headers of a 101; '' = nothing. */
export function problemOfSwitch(headers: readonly string[], key: string): string {
  if (!listOf(headers, 'upgrade').includes('websocket')) return 'upgrade';
  if (!listOf(headers, 'connection').includes('upgrade')) return 'connection';
  const accept = createHash('sha1')
    .update(key + acceptSalt)
    .digest('base64');
  const accepts = valuesOf(headers, 'sec-websocket-accept');
  if (accepts.length !== 1 || accepts[0] !== accept) return 'sec-websocket-accept';
  return valuesOf(headers, 'sec-websocket-extensions').length > 0 ? 'sec-websocket-extensions' : '';
}

function valuesOf(headers: readonly string[], lowerCaseName: string): readonly string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === lowerCaseName);
}

function listOf(headers: readonly string[], lowerCaseName: string): readonly string[] {
  return valuesOf(headers, lowerCaseName)
    .join()
    .split(',')
    .map((one) => one.trim().toLowerCase());
}
