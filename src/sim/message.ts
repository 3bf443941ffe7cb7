/** HTTP messages between prober and model: what of a request the model is told, and its answer as it is received. */
import type { HttpRequest } from '../core/ports.ts';
import { traceOf } from '../core/trace-id.ts';
import type { Arrival, Held, Served } from '../model/world-model.ts';

type Answered = Extract<Served, { kind: 'answered' }>;

export function arrivalOf(request: HttpRequest, held: Held, atNs: number, isUpgrade: boolean): Arrival {
  return {
    atNs,
    held,
    hostname: request.authority.replace(/:\d+$/, '').toLowerCase(),
    method: request.method,
    path: request.path,
    isSecure: request.scheme === 'https',
    isUpgrade,
    userAgent: headerOf(request.headers, 'user-agent'),
    trace: traceOf(headerOf(request.headers, 'x-amzn-trace-id')),
  };
}

export function asksToClose(request: HttpRequest): boolean {
  return headerOf(request.headers, 'connection').toLowerCase() === 'close';
}

/** Of a flat list; '' where it is not there. */
function headerOf(headers: readonly string[], lowerCaseName: string): string {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) return headers[i + 1] as string;
  }
  return '';
}

const encoder = new TextEncoder();
const noBytes = new Uint8Array();

/** These have no body, and say no length (RFC 9110, 8.6). */
function hasLength(status: number): boolean {
  return status !== 204 && status !== 304;
}

/**
 * The model leaves out what belongs to the connection. HTTP/2 has its names in lower case, and no `Connection`. HEAD is
 * told of a body's length, and gets none.
 */
export function answerOf(
  request: HttpRequest,
  served: Answered,
  { isHttp2, closes }: { readonly isHttp2: boolean; readonly closes: boolean },
): { readonly headers: readonly string[]; readonly body: Uint8Array } {
  const body = hasLength(served.status) ? encoder.encode(served.body) : noBytes;
  const headers = [...served.headers];
  if (hasLength(served.status)) headers.push('Content-Length', String(body.length));
  if (closes && !isHttp2) headers.push('Connection', 'close');
  return {
    headers: isHttp2 ? headers.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)) : headers,
    body: request.method === 'HEAD' ? noBytes : body,
  };
}
