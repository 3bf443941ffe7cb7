/** An answer of the world onto HTTP/1.1 or HTTP/2. Nothing is added but Date, Content-Length and Connection. */
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Served } from '../model/world-model.ts';

export type Answered = Extract<Served, { kind: 'answered' }>;

/** Where an answer goes. */
export interface Reply {
  answer(answered: Answered): void;
  /** Runs `run` once nothing more will be sent, for whatever reason. */
  onClosed(run: () => void): void;
}

export function http1Reply(response: ServerResponse): Reply {
  return {
    answer({ status, reason, headers, body, closes }) {
      // A flat list goes out in the order and the case that it has.
      const all = [...headers];
      if (hasLength(status)) all.push('Content-Length', String(Buffer.byteLength(body)));
      if (closes) all.push('Connection', 'close');
      response.writeHead(status, reason, all);
      response.end(hasLength(status) ? body : undefined);
    },
    onClosed: (run) => response.once('close', run),
  };
}

/** `close`: tells the client that this connection takes no more (GOAWAY). */
export function http2Reply(stream: ServerHttp2Stream, method: string, close: () => void): Reply {
  // Whatever goes wrong with a stream ends in its close.
  stream.on('error', () => {});
  return {
    answer({ status, headers, body, closes }) {
      if (stream.destroyed || stream.closed) return;
      const fields: Record<string, number | string | string[]> = { ':status': status };
      for (let i = 0; i + 1 < headers.length; i += 2) append(fields, headers[i] ?? '', headers[i + 1] ?? '');
      if (hasLength(status)) fields['content-length'] = String(Buffer.byteLength(body));
      const hasBody = hasLength(status) && method !== 'HEAD' && body !== '';
      stream.respond(fields, { endStream: !hasBody });
      if (hasBody) stream.end(body);
      if (closes) close();
    },
    onClosed: (run) => stream.once('close', run),
  };
}

/** RFC 9110, 8.6: these have no body, and say no length. */
function hasLength(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

/** Of HTTP/1.1's connection only; HTTP/2 forbids them (RFC 9113, 8.2.2). */
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

function append(fields: Record<string, number | string | string[]>, given: string, value: string): void {
  const name = given.toLowerCase();
  if (hopByHop.has(name)) return;
  const before = fields[name];
  fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value];
}
