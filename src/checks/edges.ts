/** How the edges of both sides differ: worth knowing, and never a reason not to switch (domain.md, 0.1, 0.2, 0.9, E6). */
import { listText } from '../core/quantity-text.ts';
import type { Service, Side } from '../core/scenario.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts } from './facts.ts';
import { answered, headerOf, probesOf, unique, type Answered } from './probe-sets.ts';
import { sidesOf } from './records.ts';

/** Of load balancers themselves, which come and go with them. */
const stickyCookies = /^(?:AWSALB|INGRESSCOOKIE|route$)/;

export function edges(facts: Facts, service: Service): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'edges');
  const { entering, leaving } = sidesOf(facts);
  const of = (side: Side): readonly Answered[] =>
    answered(probesOf(facts, { service: service.name, side })).filter(
      ({ kind, answer }) => kind === 'request' && answer.isRight,
    );
  const [own, before] = [of(entering), of(leaving)];
  if (own.length === 0 || before.length === 0) return [];
  const titles = facts.scenario.sides;

  function compare(subject: string, what: (probe: Answered) => string, why: string): CheckResult {
    const [now, then] = [valuesOf(own, what), valuesOf(before, what)];
    const said = { subject, decides: false, observed: now, expected: then };
    return now === then
      ? rows.pass({ ...said, text: `${subject} as before: ${now}.` })
      : rows.fail({
          ...said,
          text: `${subject}: ${now} at ${titles[entering].title}, ${then} at ${titles[leaving].title}. ${why}`,
        });
  }

  const isTls = service.checks.some(({ scheme }) => scheme === 'https');
  return [
    ...(isTls ? [hsts(facts, service, own, before)] : []),
    compare('Server header', ({ answer }) => headerOf(answer, 'server'), 'Whatever reads it will notice.'),
    ...(isTls ? [compare('newest TLS', ({ tlsVersion }) => tlsVersion, 'Handshakes may take longer.')] : []),
    compare('cookies', ({ answer }) => cookiesOf(answer.headers), 'Sessions may not survive the move.'),
    compare('caching', ({ answer }) => headerOf(answer, 'cache-control'), 'Caches will keep answers for another time.'),
  ];
}

/** ingress-nginx sends it by default, an ALB never: browsers keep to it for a year, after a rollback too. */
function hsts(facts: Facts, service: Service, own: readonly Answered[], before: readonly Answered[]): CheckResult {
  const rows = rowsOf(service.name, 'edges');
  const { entering, leaving } = sidesOf(facts);
  const value = ({ answer }: Answered): string => headerOf(answer, 'strict-transport-security');
  const [now, then] = [valuesOf(own, value), valuesOf(before, value)];
  const said = { subject: 'Strict-Transport-Security', decides: false, observed: now, expected: then };
  if (now === then) return rows.pass({ ...said, text: `Strict-Transport-Security as before: ${now}.` });
  if (then === 'none') {
    const text = `${facts.scenario.sides[entering].title} sends Strict-Transport-Security (${now}) and ${facts.scenario.sides[leaving].title} does not: browsers refuse plain HTTP for that long, after a rollback too${now.toLowerCase().includes('includesubdomains') ? ', and for names below this one' : ''}.`;
    return rows.fail({ ...said, text });
  }
  if (now === 'none') {
    const text = `${facts.scenario.sides[leaving].title} sends Strict-Transport-Security (${then}) and ${facts.scenario.sides[entering].title} does not: browsers that met it ask for https alone for that long, so all that they ask for must answer there.`;
    return rows.fail({ ...said, text });
  }
  return rows.fail({ ...said, text: `Strict-Transport-Security was ${then} and will be ${now}.` });
}

function valuesOf(probes: readonly Answered[], of: (probe: Answered) => string): string {
  const values = unique(probes.map(of)).filter((value) => value !== '');
  return values.length === 0 ? 'none' : listText(values.map((value) => value.slice(0, 100)).toSorted());
}

/** By name only. */
function cookiesOf(headers: Answered['answer']['headers']): string {
  const names = headers
    .filter(([name]) => name === 'set-cookie')
    .map(([, value]) => value.split('=', 1)[0]?.trim() ?? '')
    .filter((name) => !stickyCookies.test(name));
  return unique(names).toSorted().join(', ');
}
