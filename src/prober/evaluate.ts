/**
 * What an answer is worth against the expectation, and its face: what tells one server from another. Pure. The verdict
 * on a row (good, blocked, whose fault) is not made here; only facts that need the bytes, which are not kept.
 */
import { checkBits } from '../core/outcome.ts';
import type { Connection, Exchange, RowSink } from '../core/ports.ts';
import type { Face } from '../core/row.ts';
import type { Expectation } from '../core/scenario.ts';

/** Headers that tell servers, proxies and refusals apart (domain facts: load balancers, ingress-nginx, CDNs). */
const faceHeaders = [
  'server',
  'via',
  'content-type',
  'location',
  'retry-after',
  'strict-transport-security',
  'x-served-by',
  'x-cache',
  'cf-mitigated',
  'x-amzn-waf-action',
  'grpc-status',
  'grpc-message',
];

const headerValueCharsMax = 128;
/** A server may send one of them again and again. */
const keptHeaderCountMax = 32;
const unexpectedBodyBytesMax = 512;
/** Different unexpected bodies that one prober keeps; error pages with a request id in them would fill the table. */
const unexpectedBodyCountMax = 500;

export interface Evaluation {
  /** `checkBits`. */
  checks: number;
  face: number;
  /** A refusal of the prober itself: 403, 429 or a challenge page that nobody asked for. */
  isBlocked: boolean;
}

export interface Evaluator {
  evaluate(exchange: Exchange, connection: Connection, into: Evaluation): void;
  /** The face of a connection that got no answer: its certificate, at most. */
  faceOfCertificate(certificateSha256: string, alpn: string, tlsVersion: string): number;
}

/** Bodies are compared as UTF-8; bytes that are not become U+FFFD and match nothing that was asked for. */
const decoder = new TextDecoder('utf-8');

export function newEvaluator(
  sink: RowSink,
  /** Lower-case names of marker headers of either side. */
  markerNames: readonly string[],
): (expect: Expectation) => Evaluator {
  const unexpectedBodies = new Set<string>();

  return (expect) => {
    const kept = new Set([...faceHeaders, ...markerNames, ...expect.headers.map(([name]) => name)]);
    const statuses = new Set(expect.statusIn);
    const bodyMatches = expect.bodyMatches === null ? null : new RegExp(expect.bodyMatches, 'u');
    const checksBody = expect.bodyIncludes !== null || bodyMatches !== null;

    function isBodyRight(exchange: Exchange): boolean {
      const text = exchange.bodyStart === null ? '' : decoder.decode(exchange.bodyStart);
      if (expect.bodyIncludes !== null && !text.includes(expect.bodyIncludes)) return false;
      return bodyMatches === null || bodyMatches.test(text);
    }

    function unexpectedBody(exchange: Exchange): string {
      if (exchange.bodyStart === null) return '';
      const text = Buffer.from(exchange.bodyStart.subarray(0, unexpectedBodyBytesMax)).toString('latin1');
      if (unexpectedBodies.has(text)) return text;
      if (unexpectedBodies.size >= unexpectedBodyCountMax) return '';
      unexpectedBodies.add(text);
      return text;
    }

    /** Flat name, value … of the headers worth keeping; cookies by name only, never by value. */
    function keptHeaders(headers: readonly string[]): string[] {
      const found: string[] = [];
      for (let i = 0; i + 1 < headers.length && found.length < 2 * keptHeaderCountMax; i += 2) {
        const name = (headers[i] as string).toLowerCase();
        if (name === 'set-cookie') {
          found.push(name, (headers[i + 1] as string).split('=', 1)[0]?.trim().slice(0, headerValueCharsMax) ?? '');
        } else if (kept.has(name)) {
          const value = headers[i + 1] as string;
          // What follows a `?` in a redirect may be a secret of its own.
          const shown = name === 'location' ? (value.split('?', 1)[0] ?? '') : value;
          found.push(name, shown.slice(0, headerValueCharsMax));
        }
      }
      return found;
    }

    return {
      evaluate(exchange, connection, into) {
        const isStatusRight = statuses.has(exchange.status);
        const headers = keptHeaders(exchange.headers);
        const isHeaderRight = expect.headers.every(([name, value]) => {
          for (let i = 0; i + 1 < exchange.headers.length; i += 2) {
            if ((exchange.headers[i] as string).toLowerCase() === name && exchange.headers[i + 1] === value)
              return true;
          }
          return false;
        });
        const isRightBody = !checksBody || isBodyRight(exchange);
        const body = isStatusRight && isRightBody ? '' : unexpectedBody(exchange);
        into.checks =
          (isStatusRight ? checkBits.statusRight : 0) |
          (isHeaderRight ? checkBits.headerRight : 0) |
          (checksBody && isRightBody ? checkBits.bodyRight : 0) |
          (checksBody ? checkBits.bodyChecked : 0) |
          (exchange.cutByUs ? checkBits.cutByUs : 0) |
          (exchange.framingComplete ? checkBits.framingComplete : 0) |
          (exchange.serverClosed ? checkBits.serverClosed : 0) |
          (exchange.informationalSeen ? checkBits.informationalSeen : 0);
        into.isBlocked =
          !isStatusRight &&
          (exchange.status === 403 ||
            exchange.status === 429 ||
            headers.includes('cf-mitigated') ||
            headers.includes('x-amzn-waf-action'));
        const key = `${connection.certificateSha256}|${connection.alpn}|${connection.tlsVersion}|${headers.join('\n')}\0${body}`;
        into.face = sink.define('face', key, () => faceOf(connection, headers, body));
      },
      faceOfCertificate(certificateSha256, alpn, tlsVersion) {
        if (certificateSha256 === '') return 0;
        const facts = { certificateSha256, alpn, tlsVersion };
        return sink.define('face', `${certificateSha256}|${alpn}|${tlsVersion}|\0`, () => faceOf(facts, [], ''));
      },
    };
  };
}

function faceOf(
  facts: { readonly certificateSha256: string; readonly alpn: string; readonly tlsVersion: string },
  flatHeaders: readonly string[],
  unexpectedBody: string,
): Face {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < flatHeaders.length; i += 2) {
    headers.push([flatHeaders[i] as string, flatHeaders[i + 1] as string]);
  }
  return {
    certificateSha256: facts.certificateSha256,
    alpn: facts.alpn,
    tlsVersion: facts.tlsVersion,
    headers,
    unexpectedBody,
  };
}
