/**
 * What the application is told of who asks. An ALB appends to X-Forwarded-For, ingress-nginx sets it anew, and an NLB before
 * it may hide the client (domain.md, C.3): the application then logs, limits or trusts another address, or takes
 * https for http and redirects for ever.
 */
import { listText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { bothSides, isAlone, type Both } from './both-sides.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe } from './facts.ts';
import { unique } from './probe-sets.ts';
import { sidesOf } from './records.ts';

/** What the client claims to be forwarded for, a documentation address (RFC 5737): whether it is believed is told too. */
export const claimedAddress = '192.0.2.77';

/** By these the application goes; the others come and go with load balancers. */
const deciding = ['host', 'x-forwarded-for', 'x-forwarded-proto'];
const telling = [...deciding, 'forwarded', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-scheme', 'x-real-ip'];

export function forwarded(facts: Facts, service: Service, addresses: readonly string[]): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'forwarded');
  if ((service.preflight?.echoPath ?? null) === null) {
    return [rows.notAsked('What the application is told of who asks: say preflight.echoPath.')];
  }
  return addresses.flatMap((address) => addressRows(facts, service, address));
}

function addressRows(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'forwarded');
  if (isAlone(facts, service)) return [];
  const { entering, leaving } = sidesOf(facts);
  const both = bothSides(facts, service, address, 'echo');
  const isEchoed = ({ answer }: Probe): boolean => (answer?.echoed ?? []).length > 0;
  const silent = both === null ? null : [both.own, ...both.before].find((probe) => !isEchoed(probe));
  if (both === null || silent !== undefined) {
    const who = silent === null || silent === undefined ? `${address} or the side left` : silent.address;
    return [
      rows.unknown({
        subject: address,
        observed: 'no header',
        expected: 'the headers that the application gets, as JSON or in lines',
        text: `The echo of ${who} names no header: what the application is told of who asks is not known.`,
      }),
    ];
  }
  const { sides } = facts.scenario;
  const different = telling.flatMap((name) => {
    const [now, before] = [textOf(name, both.own, both), unique(both.before.map((one) => textOf(name, one, both)))];
    return before.includes(now) ? [] : [{ name, now, before: listText(before) }];
  });
  const decides = different.some(({ name }) => deciding.includes(name));
  const all = (key: 'now' | 'before'): string => different.map((one) => `${one.name}: ${one[key]}`).join('; ');
  if (different.length === 0) {
    const observed = telling.filter((name) => valueOf(name, both.own) !== null).join(', ');
    const text = `The application is told the same of who asks: ${observed}.`;
    return [rows.pass({ subject: address, observed, expected: observed, text })];
  }
  const text = `Through ${address} the application is told ${all('now')}; through ${sides[leaving].title} ${all('before')}.${hintOf(different, sides[entering].title)}`;
  return [rows.fail({ subject: address, observed: all('now'), expected: all('before'), decides, text })];
}

function hintOf(different: readonly { readonly name: string }[], title: string): string {
  const names = new Set(different.map(({ name }) => name));
  if (names.has('x-forwarded-proto')) return ` An application that redirects to https by it would do so for ever.`;
  if (!names.has('x-forwarded-for')) return '';
  return ` Mend what ${title} passes on (ingress-nginx: use-forwarded-headers, use-proxy-protocol), or what the application trusts.`;
}

function valueOf(name: string, { answer }: Probe): string | null {
  return answer?.echoed?.find(([one]) => one === name)?.[1] ?? null;
}

/**
 * Addresses are compared as they are, as long as we came by the same family; else only whether there is one, for then we
 * have another. A port is left out: each connection has its own.
 */
function textOf(name: string, probe: Probe, { own, before }: Both): string {
  const value = valueOf(name, probe);
  if (value === null) return 'none';
  if (name !== 'x-forwarded-for' && name !== 'x-real-ip') return value.slice(0, 100);
  const isOneFamily = new Set([own, ...before].map(({ address }) => address.includes(':'))).size === 1;
  return value
    .split(',')
    .map((one) => one.trim().replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1'))
    .map((one) => (one === claimedAddress ? 'what the client claims' : isOneFamily ? one : 'an address'))
    .join(', ')
    .slice(0, 200);
}

// ── reading an echo ──────────────────────────────────────────────────────────────────────────────────────────────────

const depthMax = 6;
const line = /^[\s"']*([A-Za-z][A-Za-z0-9_-]*)["']?\s*[:=]\s*(.*?)[\s,]*$/;

/** Those that tell who asked, from JSON of any shape, or lines of `name: value` or `NAME=value` as CGI has them. */
export function echoedHeaders(bytes: Uint8Array | null): readonly (readonly [string, string])[] {
  const text = bytes === null ? '' : new TextDecoder('utf-8').decode(bytes);
  const found = new Map<string, string>();
  const keep = (key: string, value: unknown): void => {
    const name = key
      .toLowerCase()
      .replaceAll('_', '-')
      .replace(/^http-/, '');
    const values = Array.isArray(value) ? value : [value];
    if (!telling.includes(name) || found.has(name) || !values.every((one) => typeof one === 'string')) return;
    found.set(name, values.join(', '));
  };
  const walk = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > depthMax) return;
    for (const [key, inner] of Object.entries(value)) {
      keep(key, inner);
      walk(inner, depth + 1);
    }
  };
  try {
    walk(JSON.parse(text), 0);
  } catch {
    for (const one of text.split('\n')) {
      const [, key = '', value = ''] = line.exec(one) ?? [];
      keep(key, value.replace(/^(["'])(.*)\1$/, '$2'));
    }
  }
  return [...found];
}
