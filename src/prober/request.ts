/**
 * What a probe sends. Each carries `X-Amzn-Trace-Id`, whose root encodes run, lane, slot and part: an ALB keeps it and
 * writes it to its access log (AWS: "Request tracing for your Application Load Balancer"), as do the logs of most
 * proxies when asked, so that a row can be found in somebody else's log.
 */
import type { HttpRequest } from '../core/ports.ts';
import type { Lane } from '../core/scenario.ts';
import { nsPerMs } from '../core/time.ts';

/** Where a token goes in a header value when the scenario has a token command. */
const tokenPlace = '${TOKEN}';

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** `1-<8 hex: seconds since 1970>-<24 hex: run id 8, lane 4, slot 8, part 4>`. */
export function traceId(runId: string, epochS: number, lane: number, slot: number, part: number): string {
  return `1-${hex(epochS >>> 0, 8)}-${runId}${hex(lane, 4)}${hex(slot, 8)}${hex(part, 4)}`;
}

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
