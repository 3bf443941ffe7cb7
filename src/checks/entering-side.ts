/**
 * Each address of the side that is moved to answers directly, with the service's own name, as the side that is left does
 * (domain.md, E4 and E5). What of it decides: docs/preflight.md.
 */
import { listText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { answers } from './answers.ts';
import { bothSides, isAlone, isServing } from './both-sides.ts';
import { certificate, noServerName } from './certificates.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe } from './facts.ts';
import { forwarded } from './forwarded.ts';
import { answered, comparable, failureText, headerOf, unique } from './probe-sets.ts';
import { sidesOf } from './records.ts';
import { headerSizes } from './header-sizes.ts';
import { slowRequests } from './slow-requests.ts';
import { upload } from './upload.ts';

export function enteringSide(facts: Facts, service: Service): readonly CheckResult[] {
  const { entering } = sidesOf(facts);
  const addresses = facts.addresses[entering];
  if (addresses.length === 0) {
    const text = `No address of ${facts.scenario.sides[entering].title} is known: name them, or its load balancer as dns:, in sides.`;
    const said = { subject: entering, observed: 'no address', expected: 'addresses to connect to', text };
    return [rowsOf(service.name, 'answer').unknown(said)];
  }
  // Where ordinary requests fail, that is what has to be mended.
  const serving = addresses.filter((address) => isServing(facts, service, address));
  return [
    ...addresses.flatMap((address) => [
      ...certificate(facts, service, address),
      ...service.checks.flatMap((check) => answers(facts, service, check.name, address)),
      ...(isAlone(facts, service) ? [] : compared(facts, service, address)),
      ...headerSizes(facts, service, address),
    ]),
    ...slowRequests(facts, service, serving),
    ...upload(facts, service, serving),
    ...forwarded(facts, service, serving),
  ];
}

/** What says nothing without the other side. */
function compared(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  return [
    ...plainHttp(facts, service, address),
    ...unknownPath(facts, service, address),
    ...http2(facts, service, address),
    ...tlsVersions(facts, service, address),
    ...noServerName(facts, service, address),
  ];
}

/** Status, and where it leads to. */
function redirectText({ answer, ...probe }: Probe): string {
  if (answer === null) return 'no answer';
  const to = comparable('location', headerOf(answer, 'location'));
  return `${answer.status}${to === '' ? '' : ` to ${to.slice(0, 100)}`}${probe.error}`;
}

function plainHttp(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'plain-http');
  const both = bothSides(facts, service, address, 'plain');
  if (both === null) return [];
  const known = unique(both.before.map(redirectText));
  const observed = redirectText(both.own);
  const said = { subject: `port 80 at ${address}`, observed, expected: listText(known) };
  if (known.includes(observed)) return [rows.pass({ ...said, text: `Port 80 of ${address} does as before.` })];
  const isLost = observed === 'no answer' || both.before.some(({ answer }) => answer !== null);
  const text = `Port 80 of ${address} gives ${observed}, and the side left ${listText(known)}.`;
  return [rows.fail({ ...said, decides: isLost, text })];
}

function unknownPath(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'unknown-path');
  const both = bothSides(facts, service, address, 'unknown-path');
  if (both === null || both.own.answer === null) return [];
  const { status } = both.own.answer;
  const before = answered(both.before).map(({ answer }) => answer.status);
  if (before.length === 0) return [];
  const known = unique(before.map(String));
  const said = { subject: address, observed: String(status), expected: listText(known) };
  if (before.includes(status))
    return [rows.pass({ ...said, text: `A path that nobody has gets ${status}, as before.` })];
  // Whoever is refused by a path of another kind sees a difference; whoever meets a 5xx calls it a fault.
  const decides = status >= 500 && before.every((one) => one < 500);
  const text = `A path that nobody has gets ${status} from ${address}, and ${listText(known)} from the side left.`;
  return [rows.fail({ ...said, decides, text })];
}

function http2(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'http2');
  const both = bothSides(facts, service, address, 'http2');
  if (both === null) return [];
  const spoken = (probe: Probe): string => (probe.answer === null ? 'no answer' : probe.alpn || 'http/1.1');
  const known = unique(both.before.map(spoken));
  const observed = spoken(both.own);
  const said = { subject: address, observed, expected: listText(known) };
  if (known.includes(observed) || observed === 'h2')
    return [rows.pass({ ...said, text: `${address} speaks ${observed}.` })];
  const needs = facts.scenario.clients
    .filter(({ archetype }) => archetype.connect.kind === 'http2')
    .map(({ name }) => name);
  const text = `${address} speaks ${observed} to whoever offers HTTP/2; the side left speaks ${listText(known)}${needs.length === 0 ? '' : `, and ${listText(needs)} use it`}.`;
  return [rows.fail({ ...said, decides: observed === 'no answer' || needs.length > 0, text })];
}

/** TLS 1.2 alone is what Java 8 and much of .NET speak; 1.1 alone only what should have been replaced long ago. */
function tlsVersions(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'tls-versions');
  return (
    [
      { kind: 'tls-1.2', version: 'TLS 1.2', decides: true },
      { kind: 'tls-1.1', version: 'TLS 1.1', decides: false },
    ] as const
  ).flatMap(({ kind, version, decides }) => {
    const both = bothSides(facts, service, address, kind);
    if (both === null || both.own.outcome.startsWith('connect-')) return [];
    const { own, before } = both;
    const [isTaken, wasTaken] = [own.answer !== null, answered(before).length > 0];
    const said = {
      subject: `${version} at ${address}`,
      observed: isTaken ? version : `no ${version}`,
      expected: wasTaken ? version : `no ${version}`,
      decides,
    };
    if (isTaken || !wasTaken) {
      return [rows.pass({ ...said, text: `${address} speaks ${said.observed} with who has nothing newer.` })];
    }
    const { title } = facts.scenario.sides[sidesOf(facts).leaving];
    const text = `${address} does not connect with who has nothing newer than ${version} (${failureText(own)}); ${title} does. ingress-nginx: ssl-protocols.`;
    return [rows.fail({ ...said, text })];
  });
}
