/**
 * One request at an address of the side that is moved to, and the same request at the side that is left: what was served
 * there has to be served here. Whatever was refused there already is no reason not to move.
 */
import { listText } from '../core/quantity-text.ts';
import type { Service } from '../core/scenario.ts';
import type { Facts, Probe, ProbeKind } from './facts.ts';
import { answered, failureText, isOutOfReach, probesOf, unique } from './probe-sets.ts';
import { sidesOf } from './records.ts';

export interface Both {
  readonly own: Probe;
  readonly before: readonly Probe[];
}

/**
 * null: either was not asked, or cannot be reached from here, or the ordinary requests fail at the address: then that is
 * told, and whatever else fails says nothing more.
 */
export function bothSides(facts: Facts, service: Service, address: string, kind: ProbeKind): Both | null {
  const { entering, leaving } = sidesOf(facts);
  const own = probesOf(facts, { service: service.name, side: entering, address, kind })[0];
  const before = probesOf(facts, { service: service.name, side: leaving, kind }).filter((one) => !isOutOfReach(one));
  if (own === undefined || isOutOfReach(own) || !isServing(facts, service, address)) return null;
  return before.length === 0 && !isAlone(facts, service) ? null : { own, before };
}

/** A rollback leaves a side where nothing at all is right as well; then there is nothing to compare with. */
export function isAlone(facts: Facts, service: Service): boolean {
  return facts.isRollback && !isLeavingUp(facts, service);
}

function isLeavingUp(facts: Facts, service: Service): boolean {
  const { leaving } = sidesOf(facts);
  return answered(probesOf(facts, { service: service.name, side: leaving })).some(({ answer }) => answer.isRight);
}

/** One of the ordinary requests was answered rightly there. */
export function isServing(facts: Facts, service: Service, address: string): boolean {
  const { entering: side } = sidesOf(facts);
  return answered(probesOf(facts, { service: service.name, side, address })).some(
    ({ kind, answer }) => (kind === 'request' || kind === 'slow') && answer.isRight,
  );
}

/** `200`, `connect-refused (ECONNREFUSED)`. */
export function saidText({ answer, ...probe }: Probe): string {
  return answer === null ? failureText(probe) : String(answer.status);
}

export function allSaidText(probes: readonly Probe[]): string {
  return probes.length === 0 ? 'nothing' : listText(unique(probes.map(saidText)).toSorted());
}

/**
 * `same`: also where both refuse. `better`: it was not served before. `alone`: nothing to compare with, and it is served.
 * `unknown`: neither ended, or nothing is there to compare with.
 */
export type Comparison = 'same' | 'better' | 'worse' | 'alone' | 'unknown';

export function compared(
  facts: Facts,
  service: Service,
  { own, before }: Both,
  /** Statuses below 500 that say that this is not served. */
  refusals: readonly number[] = [],
): Comparison {
  const isServed = ({ answer }: Probe): boolean =>
    answer !== null && answer.status < 500 && !refusals.includes(answer.status);
  const isAsBefore = before.some((one) => saidText(one) === saidText(own));
  if (own.answer?.isBlocked === true && !isAsBefore) return 'unknown';
  if (before.some(isServed)) return isAsBefore ? 'same' : 'worse';
  if (answered(before).length > 0) return isServed(own) ? 'better' : 'same';
  if (isAlone(facts, service)) return isServed(own) ? 'alone' : 'worse';
  return 'unknown';
}
