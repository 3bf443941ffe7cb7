/** What one sighting means wherever it occurs: how its slot is to be read, its failure class, its side. */
import type { FailureClass } from '../core/analysis.ts';
import { pageShape } from '../core/error-page.ts';
import { checkBits, isBodyRight, isRight, outcomes, type Outcome } from '../core/outcome.ts';
import type { Face } from '../core/row.ts';
import type { SideSeen } from '../core/scenario.ts';
import type { Definitions } from './gathered.ts';
import type { Sides } from './sides.ts';
import { sightingBits, sightingNone, sightingOverflow, type Sighting } from './sightings.ts';

export type Reading =
  | 'pending'
  /** All checks right: good if it came in time, else too slow. */
  | 'right'
  /** Failed because a time was over: not our target's fault if we stood still meanwhile. */
  | 'failed-by-time'
  | 'failed'
  | 'dropped'
  | 'blind'
  | 'blocked';

export interface SightingFacts extends Sighting {
  readonly reading: Reading;
  /** Of a failure; for a right answer what it is called when it came too late. */
  readonly failureClass: FailureClass;
  readonly side: SideSeen;
  /** An address was tried or answered: only then is there a side to know. */
  readonly hasAddress: boolean;
  readonly isAnswered: boolean;
  readonly is5xx: boolean;
  readonly wasSent: boolean;
}

export function factsOf(number: number, sighting: Sighting, sides: Sides, definitions: Definitions): SightingFacts {
  const outcome = outcomes[sighting.outcome] ?? 'none';
  const isAnswered = outcome === 'answered';
  const face = definitions.face[sighting.face];
  return {
    ...sighting,
    reading:
      number === sightingOverflow ? 'blind' : number === sightingNone ? 'pending' : readingOf(outcome, sighting, face),
    failureClass: classOf(outcome, sighting, face),
    side: sides.seen(sighting.address, sighting.face),
    hasAddress: sighting.address !== 0,
    isAnswered,
    is5xx: isAnswered && sighting.status >= 500 && sighting.status < 600 && !hasRightStatus(sighting),
    wasSent: outcome !== 'dropped' && outcome !== 'withheld' && outcome !== 'own-trouble' && outcome !== 'none',
  };
}

function readingOf(outcome: Outcome, sighting: Sighting, face: Face | undefined): Reading {
  if (outcome === 'dropped') return 'dropped';
  if (outcome === 'withheld') return 'blocked';
  // 'none' is never written: an outcome that a newer version knows, or damage. Neither is evidence of anything.
  if (outcome === 'none' || outcome === 'own-trouble' || (sighting.bits & sightingBits.late) !== 0) return 'blind';
  if (outcome.endsWith('timed-out')) return 'failed-by-time';
  if (outcome !== 'answered') return 'failed';
  if (isRight(sighting.checks)) return 'right';
  return isBlocked(sighting, face) ? 'blocked' : 'failed';
}

function hasRightStatus(sighting: Sighting): boolean {
  return (sighting.checks & checkBits.statusRight) !== 0;
}

/** Meant for the prober, not for users: a rate limit, a firewall rule, or a challenge that a browser would pass. */
function isBlocked(sighting: Sighting, face: Face | undefined): boolean {
  if (hasRightStatus(sighting)) return false;
  if (sighting.status === 403 || sighting.status === 429) return true;
  return headerOf(face, 'cf-mitigated') !== null || headerOf(face, 'x-amzn-waf-action') !== null;
}

export function headerOf(face: Face | undefined, name: string): string | null {
  return face?.headers.find((header) => header[0] === name)?.[1] ?? null;
}

function classOf(outcome: Outcome, sighting: Sighting, face: Face | undefined): FailureClass {
  switch (outcome) {
    case 'answered':
      return classOfAnswer(sighting, face);
    case 'none':
    case 'own-trouble':
    case 'dropped':
    case 'withheld':
      // None of these is a failure; the class is never looked at.
      return 'too-slow';
    case 'dns-nxdomain':
    case 'dns-servfail':
    case 'dns-timed-out':
    case 'dns-failed':
    case 'connect-refused':
    case 'connect-timed-out':
    case 'connect-failed':
    case 'tls-failed':
    case 'tls-timed-out':
    case 'reset':
    case 'closed-before-answer':
    case 'truncated':
    case 'first-byte-timed-out':
    case 'body-timed-out':
    case 'malformed-answer':
    case 'goaway':
    case 'refused-stream':
      return outcome;
  }
}

function classOfAnswer(sighting: Sighting, face: Face | undefined): FailureClass {
  const { status } = sighting;
  if (!hasRightStatus(sighting)) {
    if (status >= 500 && status < 600) return makerOf5xx(face);
    return status >= 400 && status < 500 ? '4xx' : 'unexpected-status';
  }
  if ((sighting.checks & checkBits.headerRight) === 0) return 'header-mismatch';
  return isBodyRight(sighting.checks) ? 'too-slow' : 'body-mismatch';
}

function makerOf5xx(face: Face | undefined): FailureClass {
  if (face === undefined) return '5xx-app';
  if (headerOf(face, 'server')?.startsWith('awselb') === true) return '5xx-alb';
  switch (pageShape(face.unexpectedBody)) {
    case 'alb':
      return '5xx-alb';
    case 'nginx':
    case 'openresty':
      return '5xx-nginx';
    case null:
      return '5xx-app';
  }
}
