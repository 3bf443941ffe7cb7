/**
 * Who may ask, and who may mark. On a loopback address everybody on this machine may look; to mark needs the token, and at
 * any other address everything does. A page of somebody else's in a browser of this machine reaches loopback addresses too:
 * by a name of its own that it turned to us (so a name that is not ours needs the token), or by a form (so whatever changes
 * something must come from our own page, or from no page).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from './listen-address.ts';

export interface Door {
  readonly token: string;
  readonly isLoopback: boolean;
  /** Of this server alone: browsers give a cookie to every port of a host. */
  readonly cookieName: string;
}

export interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** `token` of the query. */
  readonly tokenInQuery: string | null;
  /** Only who has the token may, wherever he is. */
  readonly changesSomething: boolean;
}

export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly text: string;
}

/** Null: he may. */
export function refusalOf(door: Door, asked: Asked): Refusal | null {
  const { headers, method } = asked;
  if (method !== 'GET' && method !== 'HEAD' && isFromElsewhere(headers)) {
    return { status: 403, text: 'This came from the page of another site.' };
  }
  const given = asked.tokenInQuery ?? bearerOf(headers.authorization);
  if (given !== null) return isToken(door, given) ? null : { status: 401, text: 'The token is not that of this run.' };
  const cookie = cookieOf(headers.cookie, door.cookieName);
  if (cookie !== null && isToken(door, cookie)) return null;
  if (door.isLoopback && !isLocalHost(headers.host ?? '')) {
    return { status: 421, text: 'By this name only those with the token may ask: say localhost, or bring the token.' };
  }
  if (door.isLoopback && !asked.changesSomething) return null;
  return {
    status: 401,
    text: 'The token is missing: open the URL that cutwatch printed, or send it as Authorization: Bearer.',
  };
}

/** By digests of equal length, so that the time it takes tells nothing of the token. */
export function isToken({ token }: Pick<Door, 'token'>, given: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(token), digest(given));
}

export function cookieText({ cookieName, token }: Door): string {
  return `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict`;
}

function isFromElsewhere(headers: IncomingHttpHeaders): boolean {
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  // A proxy before us may speak TLS.
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
}

function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

function cookieOf(header: string | undefined, name: string): string | null {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

/** Through a tunnel the port is another. */
function isLocalHost(host: string): boolean {
  const [, name = ''] = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host) ?? [];
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return name.toLowerCase() === 'localhost' || (isIP(address) !== 0 && isLoopback(address));
}
