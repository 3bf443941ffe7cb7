/** What an application answers, in headers and body: it never looks like a load balancer's page. */
import type { GoodAnswer } from '../core/world.ts';
import type { Page } from './front.ts';

export interface AppPages {
  good(answer: GoodAnswer): Page;
  error(status: number): Page;
  /** To who asks for a WebSocket; any path has one. */
  readonly upgraded: Page;
}

/** `server` null: it has no such header, or the load balancer hides it. The marker is the application's on this side. */
export function newAppPages(
  marker: readonly (readonly [name: string, value: string])[],
  server: string | null,
): AppPages {
  const first = server === null ? [] : ['Server', server];
  const last = marker.flat();
  return {
    good: ({ status, headers, body }) => ({
      status,
      reason: reasons[status] ?? 'OK',
      headers: [...first, ...headers.flat(), ...last],
      body,
    }),
    error(status) {
      const reason = reasons[status] ?? 'Error';
      const body = `${JSON.stringify({ status, error: reason })}\n`;
      return { status, reason, headers: [...first, 'Content-Type', 'application/json', ...last], body };
    },
    upgraded: { status: 101, reason: 'Switching Protocols', headers: [...first, ...last], body: '' },
  };
}

/** RFC 9110, 15. */
const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
