/**
 * The values a scenario is made of. A message is either `expected …`, which `problems.ts` completes with what was found,
 * or a whole sentence.
 */
import { isAddress, isHostname, parseAddressAndPort, parseNetwork, unbracketed } from './network.ts';
import { z } from 'zod';

/** An optional key: what it means, and its default where it is a plain value. */
export function optional<T extends z.ZodType>(
  schema: T,
  description: string,
  defaultValue?: unknown,
): z.ZodExactOptional<T> {
  const meta = defaultValue === undefined ? { description } : { description, default: defaultValue };
  return schema.meta(meta).exactOptional();
}

export function map<S extends z.ZodRawShape>(what: string, shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, { error: `expected ${what}` });
}

export function list<T extends z.ZodType>(item: T, what: string): z.ZodArray<T> {
  return z.array(item, { error: `expected ${what}` }).min(1, `expected ${what}`);
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
}

function boundsText({ min, max, above }: Bounds): string {
  if (above !== undefined) return max === undefined ? ` above ${above}` : ` above ${above}, at most ${max}`;
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  return min === undefined ? '' : ` ≥ ${min}`;
}

function bounded(what: string, number: z.ZodNumber, { min, max, above }: Bounds): z.ZodNumber {
  let schema = number;
  if (min !== undefined) schema = schema.min(min, what);
  if (above !== undefined) schema = schema.gt(above, what);
  if (max !== undefined) schema = schema.max(max, what);
  return schema;
}

export function number(bounds: Bounds): z.ZodNumber {
  const what = `expected a number${boundsText(bounds)}`;
  return bounded(what, z.number({ error: what }), bounds);
}

export function whole(bounds: Bounds): z.ZodNumber {
  const what = `expected a whole number${boundsText(bounds)}`;
  return bounded(what, z.number({ error: what }).int(what), bounds);
}

/** No run is longer, and as ns it is still exact. */
const secondsMax = 1_000_000;

export function boundedSeconds(): z.ZodNumber {
  return number({ min: 0, max: secondsMax });
}

/** More than none. */
export function someSeconds(): z.ZodNumber {
  return number({ above: 0, max: secondsMax });
}

/** RFC 2181, 8. */
export function ttl(): z.ZodNumber {
  return whole({ min: 0, max: 2_147_483_647 });
}

export function ratio(): z.ZodNumber {
  return number({ min: 0, max: 1 });
}

export function sideName(): z.ZodEnum<{ old: 'old'; new: 'new' }> {
  return oneOf('old', 'new');
}

export function bool(): z.ZodBoolean {
  return z.boolean({ error: 'expected true or false' });
}

/** Any text of at least one character. */
export function text(what: string): z.ZodString {
  return z.string({ error: `expected ${what}` }).min(1, `expected ${what}`);
}

/** A text that `problemOf` finds nothing wrong with. */
export function checkedText(what: string, problemOf: (text: string) => string | null): z.ZodString {
  return text(what).superRefine((value, context) => {
    const message = value === '' ? null : problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
}

export function oneOf<const T extends string>(...values: readonly T[]): z.ZodEnum<{ [V in T]: V }> {
  const error = `expected one of ${values.join(', ')}`;
  return z.enum(values, { error }) as unknown as z.ZodEnum<{ [V in T]: V }>;
}

/** Names go into file names, lane names and tables: letters, digits and `. _ -`. */
export function name(what: string): z.ZodString {
  const error = `expected ${what}: a letter or digit, then letters, digits and . _ - (64 at most)`;
  return z.string({ error }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, error);
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** RFC 9110 §5.6.2. */
export function isToken(value: string): boolean {
  return token.test(value);
}

export function headerNameProblem(value: string): string | null {
  return isToken(value) ? null : 'expected the name of a header (letters, digits and -)';
}

function hasControlCharacters(value: string): boolean {
  // Latin-1 without controls but tab: what fits in an HTTP/1.1 field. CR or LF would begin a header of its own.
  return !/^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** A map name → text, names in the alphabet of header names. */
export function fields(what: string): z.ZodRecord<z.ZodString, z.ZodString> {
  const value = z
    .string({ error: 'expected a text (put numbers and true or false in quotes)' })
    .refine((fieldText) => !hasControlCharacters(fieldText), {
      error: 'expected one line of Latin-1 characters: a line break would begin a header of its own',
    });
  const key = z.string().regex(token, 'not a header name (letters, digits and -)');
  return z.record(key, value, { error: `expected ${what}` });
}

export function urlProblem(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  const port = /^\w+:\/\/[^/?#]*:(\d+)(?=[/?#]|$)/.exec(value)?.[1];
  if (port !== undefined && Number(port) > 65_535) return `the port ${port} is above 65535`;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return 'expected an http or https URL';
  if (url.username !== '' || url.password !== '') {
    return 'credentials in a URL are not sent; put them in request.headers.authorization';
  }
  if (url.hash !== '') return 'the part after # is never sent; leave it out';
  const hostname = unbracketed(url.hostname);
  if (!isAddress(hostname) && !isHostname(hostname)) return 'expected a URL whose host is a host name or an address';
  return null;
}

/** Of a URL on a host that is given elsewhere. */
export function pathProblem(value: string): string | null {
  if (!value.startsWith('/') || value.startsWith('//')) return 'expected a path that begins with one /';
  if (!/^[!-~]*$/.test(value)) return 'a path has no spaces and no letters beyond ASCII: write them as %20 and so on';
  return value.includes('#') ? 'the part after # is never sent; leave it out' : null;
}

/** ws: and wss: are what WebSocket programs call http: and https:. */
export function withoutWebSocketScheme(value: string): string {
  return value.replace(/^ws(s?):/i, 'http$1:');
}

export function checkUrlProblem(value: string): string | null {
  return urlProblem(withoutWebSocketScheme(value));
}

export function dohUrlProblem(value: string): string | null {
  const isHttps = URL.canParse(value) && new URL(value).protocol === 'https:';
  return isHttps ? urlProblem(value) : 'expected an https URL, such as https://cloudflare-dns.com/dns-query';
}

export function methodProblem(value: string): string | null {
  if (!/^[A-Z][A-Z-]*$/.test(value)) return 'expected a method in capitals such as GET';
  return value === 'CONNECT' || value === 'TRACE' ? `${value} asks a proxy or a debugger, not a service` : null;
}

export function addressProblem(value: string): string | null {
  return isAddress(value) ? null : 'expected an IP address';
}

export function serverProblem(value: string): string | null {
  return parseAddressAndPort(value, 53) === null
    ? 'expected an IP address, with or without port: 10.0.0.2, 10.0.0.2:53, [fd00::2]:53'
    : null;
}

export function hostnameProblem(value: string): string | null {
  return isHostname(value) ? null : 'expected a host name';
}

export function sideAddressProblem(value: string): string | null {
  if (value.startsWith('dns:')) {
    return isHostname(value.slice(4)) ? null : 'expected a host name after dns:';
  }
  if (parseNetwork(value) !== null) return null;
  const hint = isHostname(value) && /[a-z]/i.test(value) ? ` (for a name write "dns:${value}")` : '';
  return `expected an address, a network such as 10.0.0.0/16, or dns:name${hint}`;
}

export function certificateProblem(value: string): string | null {
  return /^[0-9a-f]{64}$/i.test(value.replaceAll(':', ''))
    ? null
    : 'expected a SHA-256 fingerprint: 64 hex digits, with or without colons';
}

export function regexProblem(value: string): string | null {
  try {
    // The flag the analysis uses.
    new RegExp(value, 'u');
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid regular expression: (?:\/.*\/u: )?/s, '') : '';
    return `expected a regular expression (${why})`;
  }
}

export function instantProblem(value: string): string | null {
  return z.iso.datetime({ offset: true }).safeParse(value).success
    ? null
    : 'expected an instant such as 2026-11-20T10:00:00Z';
}
