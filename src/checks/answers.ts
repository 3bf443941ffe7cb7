/** Each check of the scenario, at each address: as it expects, and as the side that is left answers it. */
import { countOf, listText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import { isSameShape, shapeText } from './body-shape.ts';
import { rowsOf, type CheckResult } from './check.ts';
import type { Facts, Probe } from './facts.ts';
import {
  answered,
  comparable,
  failureText,
  headerOf,
  isOutOfReach,
  probesOf,
  unique,
  type Answered,
} from './probe-sets.ts';
import { sidesOf } from './records.ts';

export function answers(facts: Facts, service: Service, check: string, address: string): readonly CheckResult[] {
  const rows = rowsOf(service.name, 'answer');
  const { entering, leaving } = sidesOf(facts);
  const { [entering]: spec, [leaving]: left } = facts.scenario.sides;
  const ofCheck = (probes: readonly Probe[]): readonly Probe[] =>
    probes.filter((probe) => probe.check === check && (probe.kind === 'request' || probe.kind === 'slow'));
  const probes = ofCheck(probesOf(facts, { service: service.name, side: entering, address }));
  // What is wrong there is nothing to be like.
  const before = answered(ofCheck(probesOf(facts, { service: service.name, side: leaving }))).filter(
    ({ answer }) => answer.isRight,
  );
  const subject = `${check} at ${address}`;
  const expected = `what ${left.title} answers`;
  const of = (count: number): string => `${count} of ${countOf(probes.length, 'probe')}`;

  if (probes.every(isOutOfReach)) {
    const observed = probes[0] === undefined ? 'not probed' : failureText(probes[0]);
    const text = `${address} cannot be reached from here (${observed}): nothing is known of it.`;
    return [rows.unknown({ subject, observed, expected, text })];
  }
  const failed = probes.filter(({ answer }) => answer === null);
  // Its certificate has a row of its own.
  if (failed.length > 0 && failed.every(({ outcome }) => outcome.startsWith('tls-'))) return [];
  if (failed.length > 0) {
    const observed = `${of(failed.length)}: ${listText(unique(failed.map(failureText)))}`;
    return [
      rows.fail({ subject, observed, expected, text: `${address} (${spec.title}) does not answer: ${observed}.` }),
    ];
  }
  const own = answered(probes);
  const blocked = own.filter(({ answer }) => answer.isBlocked);
  if (blocked.length > 0) {
    const observed = `${of(blocked.length)} refused with ${listText(statusesOf(blocked))}`;
    const text = `${address} refuses the prober: nothing is known of what users get.`;
    return [rows.unknown({ subject, observed, expected, text })];
  }
  const wrong = own.filter(({ answer }) => !answer.isRight);
  if (wrong.length > 0) {
    const observed = `${of(wrong.length)} not as the check expects: status ${listText(statusesOf(wrong))}`;
    const text = `${address} (${spec.title}) answers, but ${observed}.`;
    return [rows.fail({ subject, observed, expected: 'what the check expects', text })];
  }
  const unmarked = own.filter(({ answer }) => spec.marker.some(([name, value]) => headerOf(answer, name) !== value));
  if (unmarked.length > 0) {
    const observed = `${of(unmarked.length)} without ${listText(spec.marker.map(([name]) => name))}`;
    const text = `${address} does not always say that it is ${spec.title}: ${observed}.`;
    return [rows.fail({ subject, observed, expected: `the marker of ${spec.title}`, text })];
  }
  const late = own.filter(({ answer }) => answer.isLate);
  if (late.length > own.length / 2) {
    const observed = `${of(late.length)} slower than goodWithinMs`;
    const text = `${address} is too slow: ${observed}.`;
    return [rows.fail({ subject, observed, expected: 'an answer within goodWithinMs', text })];
  }
  const good = `${of(own.length)} good`;
  if (before.length === 0) {
    if (facts.isRollback) {
      const text = `${address} answers as the check expects; ${left.title} does not, so there is nothing to compare with.`;
      return [rows.pass({ subject, observed: good, expected: 'what the check expects', text })];
    }
    const text = `${left.title} never answers as the check expects: there is nothing to compare with.`;
    return [rows.unknown({ subject, observed: good, expected, text })];
  }
  const differences = differencesOf(own, before);
  const text = `${address} answers otherwise: ${listText(differences)}.`;
  return differences.length > 0
    ? [rows.fail({ subject, observed: listText(differences), expected, text })]
    : [rows.pass({ subject, observed: good, expected, text: `${address} answers as the side left does.` })];
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

function shown(value: string): string {
  return value === '' ? 'none' : value.slice(0, 100);
}
