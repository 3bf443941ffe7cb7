/**
 * When a correct client must have left the side that a change leaves (domain facts: the archetypes' bounds), and why a slot
 * was still there. The record's TTL runs from the last authoritative server's change; what a cache inside the client adds
 * comes on top; a kept connection ends when it is old enough, if ever.
 */
import type { OldReason } from '../core/analysis.ts';
import type { Lane, ResolvePolicy, Scenario } from '../core/scenario.ts';
import { intervalNs } from '../core/schedule.ts';
import { nsPerMs, nsToS, sToNs } from '../core/time.ts';
import type { AnswersUsed } from './answers-used.ts';
import type { AuthorityTrack } from './authority-tracks.ts';
import type { Change } from './change.ts';
import type { Definitions } from './gathered.ts';
import type { LaneView } from './lane-view.ts';
import { stepTtlS, type StepTtlS } from './parting-set.ts';
import type { Sides } from './sides.ts';
import { sightingBits } from './sightings.ts';

/** TTLs are whole seconds: an answer may be used a second longer than it says. */
export const ttlRoundingNs: number = sToNs(1);
/** And may have been under way for a moment: what was asked for later than this after its end was given too late. */
export const endSlackNs: number = ttlRoundingNs + sToNs(0.25);
/** Lanes that resolve for each slot share one poll a second. */
export const sharedPollNs: number = sToNs(1);

/** What the records of the leaving side promise to whoever cached them. */
export interface RecordLife {
  /** Null = no TTL was seen or given. */
  readonly ttlS: number | null;
  /** From here on no compliant cache holds an answer of the leaving side; null = not known, or not yet. */
  readonly expiresAtNs: number | null;
  /** Authoritative servers were heard and all have changed: then an answer that is older than it may be is proof. */
  readonly isProven: boolean;
  /** Authoritative servers that last said the leaving side and have not answered since: a correct resolver may hear them. */
  readonly unheard: readonly string[];
  /** A longer TTL that had not aged out when the record changed: what was cached before `atNs` may live so long. */
  readonly lowered: { readonly fromS: number; readonly atNs: number } | null;
}

export interface RecordEvidence {
  readonly change: Change;
  readonly scenario: Scenario;
  readonly hostnames: ReadonlySet<string>;
  readonly tracks: readonly AuthorityTrack[];
  readonly answersUsed: AnswersUsed;
  readonly definitions: Definitions;
  readonly sides: Sides;
}

export function recordLife(evidence: RecordEvidence): RecordLife {
  const { change, tracks, scenario } = evidence;
  const { authorityFirstAtNs, authorityLastAtNs, usedAtNs } = change.seen;
  const ttlOf = stepTtlS(tracks, change, scenario);
  const ttlS = authoritativeTtlS(tracks, change, ttlOf) ?? usedTtlS(evidence) ?? scenario.change.ttlS;
  if (authorityFirstAtNs === null) {
    const expiresAtNs = ttlS === null ? null : usedAtNs + sToNs(ttlS);
    return { ttlS, expiresAtNs, isProven: false, unheard: [], lowered: null };
  }
  if (authorityLastAtNs === null) {
    return { ttlS, expiresAtNs: null, isProven: false, unheard: [], lowered: null };
  }
  // The largest TTL that was served and has not aged out: one lowered an hour ago no longer counts, one a minute ago does.
  let expiresAtNs = authorityLastAtNs;
  let lowered: RecordLife['lowered'] = null;
  for (const track of tracks) {
    for (const step of track.steps) {
      if (step.side !== change.leaving && step.side !== 'mixed') continue;
      const servedUntilNs = Math.min(step.untilNs ?? authorityLastAtNs, authorityLastAtNs);
      const fromS = ttlOf(track, step);
      const endNs = servedUntilNs + sToNs(fromS);
      if (step.seenNs > authorityLastAtNs || endNs <= expiresAtNs) continue;
      expiresAtNs = endNs;
      lowered = ttlS !== null && fromS > ttlS ? { fromS, atNs: servedUntilNs } : null;
    }
  }
  const unheard = tracks.filter(({ isUnreachable, steps }) => {
    const side = steps.at(-1)?.side;
    return isUnreachable && (side === change.leaving || side === 'mixed');
  });
  return { ttlS, expiresAtNs, isProven: true, unheard: [...new Set(unheard.map(({ server }) => server))], lowered };
}

/** The TTL that the leaving side's records last had before they were changed; the largest of all servers. */
function authoritativeTtlS(tracks: readonly AuthorityTrack[], change: Change, ttlOf: StepTtlS): number | null {
  const ttls = tracks.flatMap((track) => {
    const own = track.steps.filter((step) => step.side === change.leaving && step.seenNs < change.untilNs);
    const before = own.filter((step) => step.seenNs <= (change.seen.authorityLastAtNs ?? Infinity));
    const step = before.at(-1) ?? own[0];
    return step === undefined ? [] : [ttlOf(track, step)];
  });
  return ttls.length === 0 ? null : Math.max(...ttls);
}

/** The largest with which probes got an answer of the leaving side; getaddrinfo tells none. */
function usedTtlS({ change, definitions, answersUsed, sides, hostnames }: RecordEvidence): number | null {
  let ttlS = 0;
  definitions.answer.forEach((answer, number) => {
    if (
      answer === undefined ||
      !hostnames.has(answer.name) ||
      sides.ofAnswer(answer.addresses, answer.chain) !== change.leaving
    )
      return;
    ttlS = Math.max(ttlS, answersUsed.of(number)?.ttlSMax ?? 0);
  });
  return ttlS === 0 ? null : ttlS;
}

/** How long after the records' own end a client of this kind may still be there; null = it does not leave by itself. */
interface Stay {
  readonly s: number | null;
  readonly why: string;
}

export function stayOf(lane: Lane): Stay {
  if (lane.role !== 'client') return { s: null, why: 'asks no resolver, so no change of DNS moves it' };
  const resolve = stayOfResolve(lane);
  if (resolve.s === null) return resolve;
  const connect = stayOfConnection(lane);
  if (connect.s === null) return connect;
  return { s: resolve.s + connect.s, why: [resolve.why, connect.why].filter((why) => why !== '').join(', ') };
}

/** The part of it that its own cache makes. */
export function stayOfResolve(lane: Lane): Stay {
  const { resolve } = lane.archetype;
  switch (resolve.kind) {
    case 'per-connection':
      return { s: 0, why: '' };
    case 'ttl':
      return ttlStay(resolve, lane);
    case 'fixed':
      return {
        s: resolve.s + resolve.graceS,
        why: `its own cache keeps an answer ${String(resolve.s + resolve.graceS)} s`,
      };
    case 'refresh':
      return { s: resolve.s, why: `it asks every ${String(resolve.s)} s` };
    case 'on-break':
      return { s: null, why: 'never by itself: it asks again only when a connection breaks' };
    case 'once':
      return { s: null, why: 'never by itself: it asks once and needs a restart' };
    case 'pinned':
      return { s: null, why: 'never by itself: its address is written down' };
  }
}

/** The first slot after the end of an answer is still served the old one, and is what makes the cache ask. */
function ttlStay({ minS, graceS = 0 }: Extract<ResolvePolicy, { kind: 'ttl' }>, lane: Lane): Stay {
  const onceMoreS = Math.min(graceS, Math.ceil(2 * nsToS(intervalNs(lane))));
  const why = [
    ...(minS > 0 ? [`its own cache keeps an answer at least ${String(minS)} s`] : []),
    ...(graceS > 0 ? ['it is given an expired answer once more while that is asked for anew'] : []),
  ];
  return { s: minS + onceMoreS, why: why.join(', ') };
}

function stayOfConnection(lane: Lane): Stay {
  const { connect } = lane.archetype;
  switch (connect.kind) {
    case 'new':
      return { s: 0, why: '' };
    case 'keep-alive': {
      const isIdleTooLong = connect.idleS > 0 && intervalNs(lane) > sToNs(connect.idleS);
      if (isIdleTooLong) return { s: 0, why: '' };
      if (connect.maxAgeS > 0) return { s: connect.maxAgeS, why: `it keeps a connection ${String(connect.maxAgeS)} s` };
      return { s: null, why: 'not before the server closes its connection' };
    }
    case 'http2':
      return { s: null, why: 'not before the server closes its connection' };
    case 'held':
      if (connect.maxAgeS > 0) return { s: connect.maxAgeS, why: `it holds a session ${String(connect.maxAgeS)} s` };
      return { s: null, why: 'not before either side closes its session' };
  }
}

/** It must leave by its own policy: what convergence waits for. */
export function mustLeave(lane: Lane): boolean {
  return lane.judged && stayOf(lane).s !== null;
}

/** Resolves and connects anew for every slot: it follows DNS at once, so what it reaches is what DNS says. */
export function isFresh(lane: Lane): boolean {
  const { resolve, connect } = lane.archetype;
  return lane.role === 'client' && resolve.kind === 'per-connection' && connect.kind === 'new';
}

export function leavesBy(lane: Lane, life: RecordLife | null): { readonly atNs: number | null; readonly why: string } {
  if (life === null) return { atNs: null, why: 'no change was seen that everybody must follow' };
  const stay = stayOf(lane);
  if (stay.s === null) return { atNs: null, why: stay.why };
  if (life.ttlS === null) return { atNs: null, why: 'the TTL of the record is not known' };
  if (life.expiresAtNs === null) return { atNs: null, why: 'not every authoritative server has changed' };
  const why = [`the record lives ${String(life.ttlS)} s`, stay.why].filter((part) => part !== '').join(', ');
  return { atNs: life.expiresAtNs + sToNs(stay.s) + sharedPollNs, why };
}

/** Whether the resolver of the view's lane gave this answer as a stale one at that instant. */
export type WasStale = (view: LaneView, answer: number, receivedNs: number) => boolean;

/** What is known beside the slot itself. */
export interface ReasonContext {
  readonly change: Change;
  readonly life: RecordLife;
  readonly wasStale: WasStale;
}

/** Why this slot, due after the change began, still reached the leaving side. */
export function reasonOf(view: LaneView, slot: number, { change, life, wasStale }: ReasonContext): OldReason {
  const { archetype } = view.lane;
  const facts = view.factsAt(slot);
  if (view.lane.role !== 'client' || archetype.resolve.kind === 'pinned') return 'pinned';
  const sentNs = view.dueNs(slot);
  const isExpired = (facts.bits & sightingBits.expired) !== 0;
  if ((facts.bits & sightingBits.kept) !== 0) {
    const bornNs = sentNs - view.store.slots.connectionAgeMs(slot) * nsPerMs;
    if (isExpired || bornNs < change.seen.usedAtNs) return 'kept-connection';
  } else if (isExpired) return 'application-cache';
  if (facts.answer === 0) return 'unknown';
  const receivedNs = answerReceivedNs(view, slot);
  if (receivedNs < (change.seen.authorityFirstAtNs ?? change.seen.usedAtNs)) return 'within-ttl';
  if (isLagging(change, receivedNs)) return 'authority-lags';
  if (life.expiresAtNs === null) return 'unknown';
  if (receivedNs <= life.expiresAtNs + endSlackNs) return 'within-ttl';
  const isViolation = isProof(life) && !wasStale(view, facts.answer, receivedNs);
  return isViolation ? 'resolver-violates-ttl' : 'resolver-lags';
}

/** What is given after the end of the record breaks its TTL: nobody was left from whom a correct resolver could have it. */
export function isProof(life: RecordLife): boolean {
  return life.isProven && life.unheard.length === 0;
}

/**
 * The resolver gave the answer that led here after every correct one had dropped it, however long the client then held on
 * to it or to the connection that it opened.
 */
export function wasGivenTooLate(view: LaneView, slot: number, life: RecordLife): boolean {
  if (!life.isProven || life.expiresAtNs === null || view.factsAt(slot).answer === 0) return false;
  return answerReceivedNs(view, slot) > life.expiresAtNs + endSlackNs;
}

function answerReceivedNs(view: LaneView, slot: number): number {
  return view.dueNs(slot) - view.store.slots.answerAgeMs(slot) * nsPerMs;
}

/** Some authoritative servers had changed by then and others had not, so that a correct resolver could get either. */
function isLagging({ seen }: Change, atNs: number): boolean {
  return seen.authorityFirstAtNs !== null && (seen.authorityLastAtNs === null || atNs < seen.authorityLastAtNs);
}
