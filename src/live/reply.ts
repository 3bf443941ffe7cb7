/** How anything is answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Encoded } from './snapshot-store.ts';

/** The page has a policy of its own; nothing else is ever a page. */
export const headersOfAll = [
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
] as const;

export function send(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

export function sendEncoded(
  { 'if-none-match': known, 'accept-encoding': accepted = '' }: IncomingMessage['headers'],
  response: ServerResponse,
  { etag, json, gzipped }: Encoded,
): void {
  response.setHeader('etag', etag);
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('vary', 'accept-encoding');
  if (known === etag) {
    response.writeHead(304).end();
    return;
  }
  if (!/\bgzip\b/.test(accepted.toString())) return send(response, 200, 'application/json', json);
  response.setHeader('content-encoding', 'gzip');
  send(response, 200, 'application/json', gzipped);
}

/** What is still to come of it is not waited for. */
export function refuseBody(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
  response.on('finish', () => request.destroy());
  sendText(response, 413, 'That is more than is read here.');
}
