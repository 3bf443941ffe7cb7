/** The request of each kind of probe: that of the check, changed in the one thing that is tried. */
import { claimedAddress } from '../checks/forwarded.ts';
import { headerBytesOf } from '../checks/header-sizes.ts';
import type { HttpRequest, TlsSettings } from '../core/ports.ts';
import { tlsOf } from '../prober/lane-runner.ts';
import { newRequestMaker } from '../prober/request.ts';
import type { Task } from './preflight-tasks.ts';

export interface RunNames {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly version: string;
}

/** Says by itself what it is for, to whoever reads it in a log. */
const paddingName = 'X-Cutwatch-Padding';

export function tlsFor({ kind, lane }: Task): TlsSettings | null {
  const tls = kind === 'plain' ? null : tlsOf(lane);
  if (tls === null) return null;
  const plain: TlsSettings = { ...tls, alpn: ['http/1.1'] };
  if (kind === 'http2') return { ...tls, alpn: ['h2', 'http/1.1'] };
  if (kind === 'no-server-name') return { ...plain, sendsServerName: false };
  if (kind === 'tls-1.2') return { ...plain, versionMax: 'TLSv1.2' };
  return kind === 'tls-1.1' ? { ...plain, versionMax: 'TLSv1.1' } : plain;
}

export function requestOf(
  { kind, lane, service }: Task,
  of: { readonly run: RunNames; readonly token: string; readonly slot: number; readonly nowNs: number },
): HttpRequest {
  const { check } = lane;
  const maker = newRequestMaker(lane, of.run);
  maker.token(of.token);
  // HTTP/2 has no Connection header.
  const request = maker.make(of.slot, 0, of.nowNs, kind === 'http2');
  const get = (path: string): HttpRequest => ({ ...request, method: 'GET', path, body: null });
  const { slow, upload, headerBytes, echoPath } = service.preflight ?? nothingAsked;
  switch (kind) {
    case 'request':
    case 'slow':
    case 'http2':
    case 'tls-1.2':
    case 'tls-1.1':
    case 'no-server-name':
      return request;
    case 'unknown-path':
      return get(`/cutwatch-preflight-${of.run.runId}`);
    case 'large-header':
    case 'large-headers':
      return padded(request, headerBytesOf[kind]);
    case 'asked-header':
      return padded(request, [headerBytes ?? 0]);
    case 'slow-path':
      return get(slow?.path ?? check.path);
    case 'echo': {
      const echo = get(echoPath ?? check.path);
      return { ...echo, headers: [...echo.headers, 'X-Forwarded-For', claimedAddress] };
    }
    case 'upload': {
      const { path = check.path, method = 'POST', bytes = 0 } = upload ?? {};
      const headers = [...without(request.headers, 'content-type'), 'Content-Type', 'application/octet-stream'];
      return { ...request, method, path, headers, body: 'x'.repeat(bytes) };
    }
    case 'plain':
      // Nothing that the scenario says of headers or query goes out unencrypted.
      return {
        method: 'GET',
        path: check.path.split('?', 1)[0] ?? '/',
        authority: check.hostname,
        scheme: 'http',
        headers: [
          'User-Agent',
          `cutwatch/${of.run.version} (availability probe)`,
          'Accept',
          '*/*',
          'Connection',
          'close',
        ],
        body: null,
      };
  }
}

const nothingAsked = { slow: null, upload: null, headerBytes: null, echoPath: null };

/** With headers of so many bytes each, name and all. */
function padded(request: HttpRequest, bytes: readonly number[]): HttpRequest {
  const padding = bytes.flatMap((count, i) => {
    const name = `${paddingName}-${i + 1}`;
    return [name, 'x'.repeat(Math.max(1, count - name.length - ': \r\n'.length))];
  });
  return { ...request, headers: [...request.headers, ...padding] };
}

function without(headers: readonly string[], name: string): readonly string[] {
  return headers.filter((_, i) => headers[i - (i % 2)]?.toLowerCase() !== name);
}
