/** Each address shows a good certificate for every name, and for long enough; also to those who do not name a server. */
import { countOf, listText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { bothSides } from './both-sides.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe, ProbeKind } from './facts.ts';
import { failureText, probesOf, unique } from './probe-sets.ts';
import { sidesOf } from './records.ts';

const msPerDay = 86_400_000;
const certificateDaysMin = 30;
/** What ingress-nginx shows where it has none for a name (domain.md, T2). */
const fakeName = 'Kubernetes Ingress Controller Fake Certificate';
/** Refused for other reasons, or without TLS. */
const besides: ReadonlySet<ProbeKind> = new Set(['plain', 'no-server-name', 'tls-1.1', 'tls-1.2']);

export function certificate(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'certificate');
  const names = unique(service.checks.filter(({ scheme }) => scheme === 'https').map(({ hostname }) => hostname));
  if (names.length === 0) return [];
  const { entering: side } = sidesOf(facts);
  const probes = probesOf(facts, { service: service.name, side, address }).filter(({ kind }) => !besides.has(kind));
  const said = { subject: address, expected: `a chain that is trusted, for ${listText(names)}, for 30 days and more` };
  const refused = probes.find(({ outcome }) => outcome === 'tls-failed' || outcome === 'tls-timed-out');
  if (refused !== undefined) {
    const observed = failureText(refused);
    return [rows.fail({ ...said, observed, text: refusedText(service, refused) })];
  }
  const ends = probes.flatMap(({ certificateToMs }) => (certificateToMs === null ? [] : [certificateToMs]));
  // Where nobody answers, that is told.
  if (ends.length === 0 && probes.every(({ answer }) => answer === null)) return [];
  if (ends.length === 0) {
    return [rows.unknown({ ...said, observed: 'none seen', text: `No certificate of ${address} was seen.` })];
  }
  const endsAtMs = Math.min(...ends);
  const days = Math.floor((endsAtMs - facts.nowMs) / msPerDay);
  const observed = `good until ${new Date(endsAtMs).toISOString().slice(0, 10)}`;
  if (days >= certificateDaysMin)
    return [rows.pass({ ...said, observed, text: `The certificate at ${address} is good.` })];
  const text = `The certificate at ${address} ends in ${countOf(days, 'day')}. Renew it before the switch.`;
  return [rows.fail({ ...said, observed, text })];
}

function refusedText({ checks }: Service, probe: Probe): string {
  const { address, certificateName } = probe;
  const hostname = checks.find(({ name }) => name === probe.check)?.hostname ?? '';
  if (certificateName === fakeName) {
    return `${address} shows ingress-nginx's fake certificate for ${hostname}: no Ingress there has a tls secret for that name, or the secret cannot be read.`;
  }
  const whose = certificateName === '' ? '' : `, of ${certificateName.slice(0, 100)}`;
  return `${address} does not show a good certificate for ${hostname}: ${failureText(probe)}${whose}.`;
}

/** Only very old clients and some health checks do not name the server: worth knowing, no reason to wait. */
export function noServerName(facts: Facts, service: Service, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'no-server-name');
  const both = bothSides(facts, service, address, 'no-server-name');
  if (both === null) return [];
  const shown = (probe: Probe): string =>
    probe.answer !== null
      ? 'its certificate'
      : probe.certificateName === fakeName
        ? 'fake certificate'
        : failureText(probe);
  const [observed, known] = [shown(both.own), unique(both.before.map(shown))];
  const said = { subject: address, observed, expected: listText(known), decides: false };
  if (known.includes(observed) || both.own.answer !== null) {
    return [rows.pass({ ...said, text: `Who names no server (SNI) gets from ${address}: ${observed}.` })];
  }
  const { title } = facts.scenario.sides[sidesOf(facts).leaving];
  const text = `Who names no server (SNI) gets from ${address}: ${observed}, and from ${title}: ${listText(known)}. Old clients and some health checks are such; ingress-nginx has default-ssl-certificate for them.`;
  return [rows.fail({ ...said, text })];
}
