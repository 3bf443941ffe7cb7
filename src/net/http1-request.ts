import type { HttpRequest } from '../core/ports.ts';

/** The bytes of a request, and whether it asks that the connection end with it. */
export interface RequestBytes {
  /** All of it as latin1, or its bytes where it has a body. */
  readonly bytes: string | Buffer;
  readonly asksToClose: boolean;
}

/** A line break or NUL in a name or value would be another header, or another request. */
// oxlint-disable-next-line no-control-regex
const isUnsafe = /[\r\n\0]/;

/** `null`: it holds a line break where there may be none, and must not be sent. */
export function requestBytes(request: HttpRequest): RequestBytes | null {
  const { method, headers, body } = request;
  let fields = '';
  let asksToClose = false;
  let hasLength = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    if (isUnsafe.test(name) || isUnsafe.test(value)) return null;
    if (name.length === 10 && name.toLowerCase() === 'connection') asksToClose ||= value.toLowerCase() === 'close';
    if (name.length === 14 && name.toLowerCase() === 'content-length') hasLength = true;
    fields += `${name}: ${value}\r\n`;
  }
  const start = `${method} ${request.path} HTTP/1.1\r\nHost: ${request.authority}\r\n`;
  if (isUnsafe.test(request.path) || isUnsafe.test(request.authority)) return null;
  if (body === null) {
    const length =
      hasLength || method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? '' : 'Content-Length: 0\r\n';
    return { bytes: `${start}${fields}${length}\r\n`, asksToClose };
  }
  const content = Buffer.from(body, 'utf8');
  const length = hasLength ? '' : `Content-Length: ${content.length}\r\n`;
  return { bytes: Buffer.concat([Buffer.from(`${start}${fields}${length}\r\n`, 'latin1'), content]), asksToClose };
}
