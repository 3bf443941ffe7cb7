/** What a probe sends. Each carries a trace id (`core/trace-id.ts`) that says run, lane, slot and part. */
import type { HttpRequest } from '../core/ports.ts';
import type { Lane } from '../core/scenario.ts';
import { nsPerMs } from '../core/time.ts';
import { traceId } from '../core/trace-id.ts';

/** Where a token goes in a header value when the scenario has a token command. */
const tokenPlace = '${TOKEN}';

export interface RequestMaker {
  make(slot: number, part: number, sentAtNs: number, keepsConnection: boolean): HttpRequest;
  /** The value for `${TOKEN}` from now on. */
  token(value: string): void;
}

export function newRequestMaker(
  lane: Lane,
  run: { readonly runId: string; readonly startedAtMs: number; readonly version: string },
): RequestMaker {
  const { check } = lane;
  const defaultPort = check.scheme === 'https' ? 443 : 80;
  const host = check.hostname.includes(':') ? `[${check.hostname}]` : check.hostname;
  const authority = check.port === defaultPort ? host : `${host}:${check.port}`;
  let own: readonly string[] = [];

  /** No `Chrome/` and no `MSIE` in the User-Agent: nginx and ALB pad their error pages for these. */
  function build(token: string): void {
    const names = new Set(check.request.headers.map(([name]) => name.toLowerCase()));
    own = [
      ...(names.has('user-agent') ? [] : ['User-Agent', `cutwatch/${run.version} (availability probe)`]),
      ...(names.has('accept') ? [] : ['Accept', '*/*']),
      ...check.request.headers.flatMap(([name, value]) => [name, value.replaceAll(tokenPlace, () => token)]),
      'X-Cutwatch-Run',
      run.runId,
      'X-Amzn-Trace-Id',
    ];
  }
  build('');

  return {
    make(slot, part, sentAtNs, keepsConnection) {
      const epochS = Math.floor((run.startedAtMs + sentAtNs / nsPerMs) / 1000);
      const headers = own.slice();
      headers.push(`Root=${traceId(run.runId, epochS, lane.number, slot, part)}`);
      if (!keepsConnection) headers.push('Connection', 'close');
      return {
        method: check.request.method,
        path: check.path,
        authority,
        scheme: check.scheme,
        headers,
        body: check.request.body,
      };
    },
    token: build,
  };
}
