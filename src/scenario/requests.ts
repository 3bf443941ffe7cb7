/** What a check sends and expects: `defaults`, service and check put together, the innermost winning. */
import type { Check, Expectation, RequestSpec, Timeouts } from '../core/scenario.ts';
import { defaultProbe } from './defaults.ts';
import type { Path } from './document.ts';
import type { ExpectInput, ProbeInput, RequestInput, TimeoutsInput } from './input.ts';
import { isToken } from './leaves.ts';
import type { Report } from './problems.ts';

/** One place that can say something about a probe. */
export interface Level {
  readonly input: ProbeInput;
  readonly path: Path;
}

type Probing = Pick<Check, 'request' | 'expect' | 'goodWithinMs' | 'timeouts' | 'ratePerSecond'>;

/** Levels go from the outermost to the innermost. */
export function probingOf(levels: readonly Level[], report: Report): Probing {
  const timeouts = timeoutsOf(levels, report);
  const good = innermost(levels, (input) => input.goodWithinMs);
  if (good !== null && good.value > timeouts.totalMs) {
    const sentence = `${good.value} is more than timeouts.totalMs, ${timeouts.totalMs}: the probe ends before it is late`;
    report([...good.path, 'goodWithinMs'], sentence);
  }
  const request = requestOf(levels, report);
  return {
    request,
    expect: expectationOf(levels, request.method, report),
    goodWithinMs: good?.value ?? Math.min(defaultProbe.goodWithinMs, timeouts.totalMs),
    timeouts,
    ratePerSecond: innermost(levels, (input) => input.ratePerSecond)?.value ?? defaultProbe.ratePerSecond,
  };
}

function innermost<T>(
  levels: readonly Level[],
  get: (input: ProbeInput) => T | undefined,
): { readonly value: T; readonly path: Path } | null {
  for (const { input, path } of levels.toReversed()) {
    const value = get(input);
    if (value !== undefined) return { value, path };
  }
  return null;
}

// ── timeouts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function timeoutsOf(levels: readonly Level[], report: Report): Timeouts {
  const said = (key: keyof TimeoutsInput): { value: number; path: Path } | null =>
    innermost(levels, (input) => input.timeouts?.[key]);
  const totalMs = said('totalMs')?.value ?? defaultProbe.totalMs;
  const step = (key: 'connectMs' | 'tlsMs' | 'firstByteMs', defaultMs: number): number => {
    const given = said(key);
    if (given !== null && given.value > totalMs) {
      report(
        [...given.path, 'timeouts', key],
        `${given.value} is more than totalMs, ${totalMs}: it would never be reached`,
      );
    }
    return given?.value ?? Math.min(defaultMs, totalMs);
  };
  return {
    connectMs: step('connectMs', defaultProbe.connectMs),
    tlsMs: step('tlsMs', defaultProbe.tlsMs),
    firstByteMs: step('firstByteMs', totalMs),
    totalMs,
  };
}

// ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function requestOf(levels: readonly Level[], report: Report): RequestSpec {
  const said = <K extends keyof RequestInput>(key: K): { value: NonNullable<RequestInput[K]>; path: Path } | null =>
    innermost(levels, (input) => input.request?.[key] as NonNullable<RequestInput[K]> | undefined);

  const method = said('method');
  const methodName = method?.value ?? 'GET';
  const isReading = methodName === 'GET' || methodName === 'HEAD';
  if (method !== null && !isReading && said('writes')?.value !== true) {
    const sentence = `${methodName} may change something at every probe; say request.writes: true if it does no harm`;
    report([...method.path, 'request', 'method'], sentence);
  }

  const body = bodyOf(levels);
  if (body !== null && isReading) {
    report([...body.path, 'request', 'body'], `${methodName} has no body; choose another method`);
  }

  const headers = [...mergedHeaders(levels), ...cookieHeader(levels)];
  const token = said('token');
  if (token !== null && !headers.some(([, value]) => value.includes('${TOKEN}'))) {
    report([...token.path, 'request', 'token'], 'no header uses it; write ${TOKEN} where the token belongs', 'key');
  }
  return { method: methodName, headers, body: body?.value ?? null, token: token?.value ?? null };
}

/** A level that names a method has its own body or none: a GET must not inherit the body of a POST. */
function bodyOf(levels: readonly Level[]): { readonly value: string; readonly path: Path } | null {
  for (const { input, path } of levels.toReversed()) {
    if (input.request?.body !== undefined) return { value: input.request.body, path };
    if (input.request?.method !== undefined) return null;
  }
  return null;
}

/** Names as written, the innermost value; compared without case. */
function mergedHeaders(levels: readonly Level[]): readonly (readonly [string, string])[] {
  const merged = new Map<string, readonly [string, string]>();
  for (const { input } of levels) {
    for (const [name, value] of Object.entries(input.request?.headers ?? {})) {
      merged.set(name.toLowerCase(), [name, value]);
    }
  }
  return [...merged.values()];
}

function cookieHeader(levels: readonly Level[]): readonly (readonly [string, string])[] {
  const cookies = Object.entries(Object.assign({}, ...levels.map(({ input }) => input.request?.cookies ?? {})));
  if (cookies.length === 0) return [];
  return [['cookie', cookies.map(([name, value]) => `${name}=${String(value)}`).join('; ')]];
}

/** What is wrong with one level by itself; once for each, however many checks inherit it. */
export function reportLevel({ input, path }: Level, hasToken: boolean, report: Report): void {
  const request = [...path, 'request'];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(input.request?.headers ?? {})) {
    const at = [...request, 'headers', name];
    const reason = refusal(name.toLowerCase(), value);
    if (reason !== null) report(at, reason, 'key');
    if (seen.has(name.toLowerCase())) report(at, 'is there twice: header names are compared without case', 'key');
    seen.add(name.toLowerCase());
    if (value.includes('${TOKEN}') && !hasToken) report(at, 'uses ${TOKEN}, but this request has no token command');
  }
  if (seen.has('cookie') && input.request?.cookies !== undefined) {
    report([...request, 'cookies'], 'request.headers has a cookie header already; put all of them here', 'key');
  }
  for (const [name, value] of Object.entries(input.request?.cookies ?? {})) {
    const at = [...request, 'cookies', name];
    if (!isToken(name) || /[;,\s"\\]/.test(value)) report(at, 'a cookie value has no space, comma, semicolon or quote');
  }
  const expect = input.expect;
  if (expect?.status !== undefined && expect.statusIn !== undefined) {
    report([...path, 'expect', 'statusIn'], 'status is there too; give one of them', 'key');
  }
}

const framing = 'is ours: it follows from the body and the kind of client';
const tracing = 'is ours: it carries the number of the probe, by which server logs are matched';
const refused: Readonly<Record<string, string>> = {
  host: 'is ours: it comes from the URL, so that a side lane asks for what users ask for',
  'x-amzn-trace-id': tracing,
  'x-cutwatch-run': tracing,
  connection: framing,
  'keep-alive': framing,
  'proxy-connection': framing,
  'content-length': framing,
  'transfer-encoding': framing,
  te: framing,
  trailer: framing,
  upgrade: framing,
  'sec-websocket-extensions': framing,
  'sec-websocket-key': framing,
  'sec-websocket-version': framing,
  expect: framing,
};

function refusal(name: string, value: string): string | null {
  if (Object.hasOwn(refused, name)) return refused[name] ?? null;
  if (name === 'user-agent' && /Chrome\/|MSIE/.test(value)) {
    return 'may not contain Chrome/ or MSIE: ALB and nginx pad their error pages for these, and we tell them by length';
  }
  return null;
}

// ── expectations ─────────────────────────────────────────────────────────────────────────────────────────────────────

function expectationOf(levels: readonly Level[], method: string, report: Report): Expectation {
  const said = <K extends keyof ExpectInput>(key: K): { value: NonNullable<ExpectInput[K]>; path: Path } | null =>
    innermost(levels, (input) => input.expect?.[key] as NonNullable<ExpectInput[K]> | undefined);
  const statuses = innermost(levels, ({ expect }) =>
    expect?.status === undefined ? expect?.statusIn : [expect.status],
  );
  if (method === 'HEAD') {
    for (const key of ['bodyIncludes', 'bodyMatches'] as const) {
      const given = said(key);
      if (given !== null) report([...given.path, 'expect', key], 'an answer to HEAD has no body', 'key');
    }
  }
  const headers = new Map<string, string>();
  for (const { input } of levels) {
    for (const [name, value] of Object.entries(input.expect?.header ?? {})) headers.set(name.toLowerCase(), value);
  }
  return {
    statusIn: statuses?.value ?? [200],
    bodyIncludes: said('bodyIncludes')?.value ?? null,
    bodyMatches: said('bodyMatches')?.value ?? null,
    headers: [...headers],
  };
}
