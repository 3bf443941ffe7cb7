/**
 * Each address of the side that is moved to answers directly, with the service's own name, as the side that is left does
 * (domain.md, E4 and E5).
 */
import { countOf, listText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { isSameShape, shapeText } from './body-shape.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe } from './facts.ts';
import { answered, failureText, headerOf, isOutOfReach, probesOf, unique, type Answered } from './probe-sets.ts';
import { sidesOf } from './records.ts';

const msPerDay = 86_400_000;
const certificateDaysMin = 30;

export function enteringSide(facts: Facts, service: Service): readonly CheckResult[] {
  const { entering } = sidesOf(facts);
  const addresses = facts.addresses[entering];
  if (addresses.length === 0) {
    const text = `No address of ${facts.scenario.sides[entering].title} is known: name them, or its load balancer as dns:, in sides.`;
    const said = { subject: entering, observed: 'no address', expected: 'addresses to connect to', text };
    return [rowsOf(service.name, 'answer').unknown(said)];
  }
  return addresses.flatMap((address) => [
    ...certificate(facts, service, address),
    ...service.checks.map((check) => answers(facts, service, check.name, address)),
    ...slowRequests(facts, service, address),
    ...plainHttp(facts, service, address),
    ...unknownPath(facts, service, address),
    ...http2(facts, service, address),
  ]);
}

// ── certificate ──────────────────────────────────────────────────────────────────────────────────────────────────────

function certificate(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'certificate');
  if (!service.checks.some(({ scheme }) => scheme === 'https')) return [];
  const { entering: side } = sidesOf(facts);
  const probes = probesOf(facts, { service: service.name, side, address }).filter(({ kind }) => kind !== 'plain');
  const names = unique(service.checks.filter(({ scheme }) => scheme === 'https').map(({ hostname }) => hostname));
  const said = { subject: address, expected: `a chain that is trusted, for ${listText(names)}, for 30 days and more` };
  const refused = probes.find(({ outcome }) => outcome === 'tls-failed' || outcome === 'tls-timed-out');
  if (refused !== undefined) {
    const observed = failureText(refused);
    return [rows.fail({ ...said, observed, text: `${address} does not show a good certificate: ${observed}.` })];
  }
  const ends = probes.flatMap(({ certificateToMs }) => (certificateToMs === null ? [] : [certificateToMs]));
  if (ends.length === 0) {
    return [rows.unknown({ ...said, observed: 'none seen', text: `No certificate of ${address} was seen.` })];
  }
  const endsAtMs = Math.min(...ends);
  const days = Math.floor((endsAtMs - facts.nowMs) / msPerDay);
  const observed = `good until ${new Date(endsAtMs).toISOString().slice(0, 10)}`;
  return endsAtMs - facts.nowMs < certificateDaysMin * msPerDay
    ? [
        rows.fail({
          ...said,
          observed,
          text: `The certificate at ${address} ends in ${countOf(days, 'day')}. Renew it before the switch.`,
        }),
      ]
    : [rows.pass({ ...said, observed, text: `The certificate at ${address} is good.` })];
}

// ── the checks of the scenario ───────────────────────────────────────────────────────────────────────────────────────

function answers(facts: Facts, service: Service, check: string, address: string): CheckResult {
  const rows = rowsOf(service.name, 'answer');
  const { entering, leaving } = sidesOf(facts);
  const ofCheck = (probes: readonly Probe[]): readonly Probe[] => probes.filter((probe) => probe.check === check);
  const isOrdinary = ({ kind }: Probe): boolean => kind === 'request' || kind === 'slow';
  const probes = ofCheck(probesOf(facts, { service: service.name, side: entering, address })).filter(isOrdinary);
  const before = answered(ofCheck(probesOf(facts, { service: service.name, side: leaving }))).filter(isOrdinary);
  const spec = facts.scenario.sides[entering];
  const subject = `${check} at ${address}`;
  const expected = `what ${facts.scenario.sides[leaving].title} answers`;
  const of = (count: number): string => `${count} of ${countOf(probes.length, 'probe')}`;

  if (probes.every(isOutOfReach)) {
    const observed = probes[0] === undefined ? 'not probed' : failureText(probes[0]);
    const text = `${address} cannot be reached from here (${observed}): nothing is known of it.`;
    return rows.unknown({ subject, observed, expected, text });
  }
  const failed = probes.filter(({ answer }) => answer === null);
  if (failed.length > 0) {
    const observed = `${of(failed.length)}: ${listText(unique(failed.map(failureText)))}`;
    return rows.fail({ subject, observed, expected, text: `${address} does not answer: ${observed}.` });
  }
  const own = answered(probes);
  const blocked = own.filter(({ answer }) => answer.isBlocked);
  if (blocked.length > 0) {
    const observed = `${of(blocked.length)} refused with ${listText(statusesOf(blocked))}`;
    return rows.unknown({
      subject,
      observed,
      expected,
      text: `${address} refuses the prober: nothing is known of what users get.`,
    });
  }
  const wrong = own.filter(({ answer }) => !answer.isRight);
  if (wrong.length > 0) {
    const observed = `${of(wrong.length)} not as the check expects: status ${listText(statusesOf(wrong))}`;
    return rows.fail({
      subject,
      observed,
      expected: 'what the check expects',
      text: `${address} answers, ${observed}.`,
    });
  }
  const unmarked = own.filter(({ answer }) => spec.marker.some(([name, value]) => headerOf(answer, name) !== value));
  if (unmarked.length > 0) {
    const observed = `${of(unmarked.length)} without ${listText(spec.marker.map(([name]) => name))}`;
    const text = `${address} does not always say that it is ${spec.title}: ${observed}.`;
    return rows.fail({ subject, observed, expected: `the marker of ${spec.title}`, text });
  }
  if (before.length === 0) {
    const text = `${facts.scenario.sides[leaving].title} did not answer: there is nothing to compare with.`;
    return rows.unknown({ subject, observed: `${of(own.length)} good`, expected, text });
  }
  const late = own.filter(({ answer }) => answer.isLate);
  if (late.length > own.length / 2) {
    const observed = `${of(late.length)} slower than goodWithinMs`;
    return rows.fail({
      subject,
      observed,
      expected: 'an answer within goodWithinMs',
      text: `${address} is too slow: ${observed}.`,
    });
  }
  const differences = differencesOf(own, before);
  return differences.length > 0
    ? rows.fail({
        subject,
        observed: listText(differences),
        expected,
        text: `${address} answers otherwise: ${listText(differences)}.`,
      })
    : rows.pass({
        subject,
        observed: `${of(own.length)} good`,
        expected,
        text: `${address} answers as the side left does.`,
      });
}

function statusesOf(probes: readonly Answered[]): readonly string[] {
  return unique(probes.map(({ answer }) => String(answer.status)));
}

/** Headers by which clients go. Cookies and caching are told among the edges. */
const keyHeaders = ['content-type', 'content-encoding', 'location', 'www-authenticate'];

/** What some answer of the one side has that none of the other has. */
function differencesOf(own: readonly Answered[], before: readonly Answered[]): readonly string[] {
  const differences: string[] = [];
  const compare = (what: string, of: (probe: Answered) => string): void => {
    const known = new Set(before.map(of));
    const others = unique(own.map(of)).filter((value) => !known.has(value));
    if (others.length > 0)
      differences.push(`${what} ${listText(others.map(shown))} for ${listText([...known].map(shown))}`);
  };
  compare('status', ({ answer }) => String(answer.status));
  for (const name of keyHeaders) compare(name, ({ answer }) => comparable(name, headerOf(answer, name)));
  const shapes = before.map(({ answer }) => answer.body);
  const other = own.find(({ answer }) => !shapes.some((shape) => isSameShape(shape, answer.body)));
  if (other !== undefined) {
    const known = listText(unique(shapes.map(shapeText)));
    const found = shapeText(other.answer.body);
    differences.push(found === known ? `a body of other keys (${found})` : `a body of ${found} for ${known}`);
  }
  return differences;
}

/** Without parameters, which servers write each in their way; what follows a `?` may be secret. */
function comparable(name: string, value: string): string {
  const [bare = ''] = value.split(name === 'location' ? '?' : ';');
  return bare.trim().toLowerCase();
}

function shown(value: string): string {
  return value === '' ? 'none' : value.slice(0, 100);
}

// ── besides ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function slowRequests(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'slow-request');
  const { entering: side } = sidesOf(facts);
  return answered(probesOf(facts, { service: service.name, side, address, kind: 'slow' })).map(
    ({ check, tookMs, answer }) =>
      rows.pass({
        subject: `${check} at ${address}`,
        decides: false,
        observed: `status ${answer.status} after ${Math.round(tookMs / 1000)} s`,
        expected: 'an answer, whatever its proxies allow',
        text: `${address} lets a slow request end.`,
      }),
  );
}

/** Both sides, asked the same thing; null where neither was asked. */
function bothSides(
  facts: Facts,
  service: Service,
  address: string,
  kind: 'plain' | 'unknown-path' | 'http2',
): { readonly own: Probe; readonly before: readonly Probe[] } | null {
  const { entering, leaving } = sidesOf(facts);
  const own = probesOf(facts, { service: service.name, side: entering, address, kind })[0];
  const before = probesOf(facts, { service: service.name, side: leaving, kind });
  return own === undefined || before.length === 0 || isOutOfReach(own) ? null : { own, before };
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
  return [
    rows.fail({
      ...said,
      decides: isLost,
      text: `Port 80 of ${address} gives ${observed}, and the side left ${listText(known)}.`,
    }),
  ];
}

function unknownPath(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'unknown-path');
  const both = bothSides(facts, service, address, 'unknown-path');
  if (both === null || both.own.answer === null) return [];
  const { status } = both.own.answer;
  const before = answered(both.before).map(({ answer }) => answer.status);
  if (before.length === 0) return [];
  const known = unique(before.map(String));
  const said = { subject: `unknown path at ${address}`, observed: String(status), expected: listText(known) };
  if (before.includes(status))
    return [rows.pass({ ...said, text: `A path that nobody has gets ${status}, as before.` })];
  // Whoever is refused by a path of another kind sees a difference; whoever meets a 5xx calls it a fault.
  const decides = status >= 500 && before.every((one) => one < 500);
  return [
    rows.fail({
      ...said,
      decides,
      text: `A path that nobody has gets ${status} from ${address}, and ${listText(known)} from the side left.`,
    }),
  ];
}

function http2(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'http2');
  const both = bothSides(facts, service, address, 'http2');
  if (both === null) return [];
  const spoken = (probe: Probe): string => (probe.answer === null ? 'no answer' : probe.alpn || 'http/1.1');
  const known = unique(both.before.map(spoken));
  const observed = spoken(both.own);
  const said = { subject: `HTTP/2 at ${address}`, observed, expected: listText(known) };
  if (known.includes(observed) || observed === 'h2')
    return [rows.pass({ ...said, text: `${address} speaks ${observed}.` })];
  const needs = facts.scenario.clients
    .filter(({ archetype }) => archetype.connect.kind === 'http2')
    .map(({ name }) => name);
  const text = `${address} speaks ${observed} to whoever offers HTTP/2; the side left speaks ${listText(known)}${needs.length === 0 ? '' : `, and ${listText(needs)} use it`}.`;
  return [rows.fail({ ...said, decides: observed === 'no answer' || needs.length > 0, text })];
}
