/**
 * What became of a request, by the world's word. The row says which way it went; whether it was served there the world
 * knows. Where the two cannot both be right, that is said: then the prober, the simulator or the model is wrong.
 */
import type { Lane } from '../core/scenario.ts';
import { msToNs, nsPerMs, sToNs } from '../core/time.ts';
import type { Condition, FaultName } from '../core/truth.ts';
import type { Attempt } from './attempts.ts';
import type { History, Hit } from './history.ts';

export interface Fate {
  readonly attempt: Attempt;
  readonly kind: 'good' | 'failed' | 'unseen';
  /** What it met; of a failed one that has none the world knows no reason. */
  readonly fault: FaultName | null;
  /** Where row and world cannot both be right. */
  readonly contradiction: string | null;
  /** Of a second try that came too late, and nothing else was wrong with it. */
  readonly firstTry?: Fate;
}

/** Lanes share one DNS answer for a second. */
const sharedPollNs = sToNs(1);
/** A failure may be kept so long (RFC 9520: at least 1 s; CoreDNS: 5 s). */
const servfailKeptNs = sToNs(5);
/** Service times are drawn: an answer that the fault alone does not make late may be late all the same. */
const drawnShareMin = 0.5;

/** 101, for who asks for a WebSocket. */
function rightStatuses({ archetype, check }: Lane): readonly number[] {
  return archetype.connect.kind === 'held' ? [101] : check.expect.statusIn;
}

/** What a condition can do to a request depends on how it comes. */
export type Way = 'new' | 'kept' | 'session';

export function wayOf({ isKept, sentNs, bornNs }: Attempt, { archetype }: Lane): Way {
  if (!isKept) return 'new';
  if (archetype.connect.kind !== 'held') return 'kept';
  // A session that was opened while the slot waited has no age yet.
  return sentNs - bornNs <= nsPerMs ? 'new' : 'session';
}

/** Of what is between the client and the load balancer; the rest a WebSocket meets when it is opened, and not again. */
const outerFaults: ReadonlySet<FaultName | null> = new Set([
  'load-balancer-removed',
  'zone-lost',
  'network-degraded',
  'own-network-lost',
]);

export function isMet({ hits, fault }: Condition, way: Way): boolean {
  return way === 'new' || (hits === 'all' && (way === 'kept' || outerFaults.has(fault)));
}

/** @param tried addresses that the request was kept waiting by before */
export function fateOf(attempt: Attempt, lane: Lane, history: History, tried: readonly Attempt[] = []): Fate {
  const { outcome, status } = attempt;
  if (outcome === 'none' || outcome === 'own-trouble' || outcome === 'dropped' || outcome === 'withheld') {
    return { attempt, kind: 'unseen', fault: null, contradiction: null };
  }
  // Meant for the prober, so neither downtime nor health.
  if (outcome === 'answered' && (status === 403 || status === 429) && !rightStatuses(lane).includes(status)) {
    return { attempt, kind: 'unseen', fault: null, contradiction: null };
  }
  const hit = history.hit(lane.number, attempt.slot, attempt.part);
  if (isGood(attempt, lane)) {
    return { attempt, kind: 'good', fault: null, contradiction: whyNotGood(attempt, lane, history, hit) };
  }
  const fault =
    faultMet(attempt, lane, history, hit) ??
    tried.map((one) => faultMet(one, lane, history, null)).find(isKnown) ??
    null;
  const contradiction = fault === null ? `${what(attempt)}, and nothing was wrong` : null;
  return { attempt, kind: 'failed', fault, contradiction };
}

function isKnown(fault: FaultName | null): boolean {
  return fault !== null;
}

/** What a client that tries once more is served: where the second try was only late, by what kept the first. */
export function fateOfRetry(retried: Attempt, first: Fate, lane: Lane, history: History): Fate {
  const fate = fateOf(retried, lane, history);
  if (fate.kind !== 'failed' || retried.outcome !== 'answered' || !retried.isRight) return fate;
  return { ...fate, fault: fate.fault ?? first.fault, contradiction: null, firstTry: first };
}

/** Answered as expected, and within a user's patience since it was due. */
export function isGood(attempt: Attempt, lane: Lane): boolean {
  const isInTime = attempt.endedNs - attempt.dueNs <= msToNs(lane.check.goodWithinMs);
  return attempt.outcome === 'answered' && attempt.isRight && isInTime;
}

function what({ outcome, status }: Attempt): string {
  return outcome === 'answered' ? `answered ${String(status)}` : outcome;
}

function whyNotGood(attempt: Attempt, lane: Lane, history: History, hit: Hit | null): string | null {
  const goodWithinMs = lane.check.goodWithinMs;
  if (hit !== null) {
    const isHarmless = rightStatuses(lane).includes(hit.status) && (hit.afterMs ?? Infinity) <= goodWithinMs;
    // A ping that was lost is sent again by TCP, before the next.
    const isSentAgain = hit.afterMs === null && wayOf(attempt, lane) === 'session';
    return isHarmless || isSentAgain ? null : `good, though hit by ${hit.fault} (${String(hit.status)})`;
  }
  const { sentNs, endedNs, address } = attempt;
  if (history.ownNetwork.isAllTheTime(sentNs, endedNs, (fault) => fault !== null)) {
    return 'good, though our own network was lost';
  }
  const isHopeless = (condition: Condition): boolean => fails(condition, wayOf(attempt, lane), Infinity);
  if (address !== null && history.conditions(address, lane.check.hostname).isAllTheTime(sentNs, endedNs, isHopeless)) {
    return `good, though nothing was at ${address}`;
  }
  return null;
}

/** Whether every request fails that meets this; one so slow that nobody waits for it does. */
export function fails(condition: Condition, way: Way, goodWithinMs: number): boolean {
  if (!isMet(condition, way)) return false;
  return condition.failedRatio >= 1 || condition.delayMs >= goodWithinMs;
}

function faultMet(attempt: Attempt, lane: Lane, history: History, hit: Hit | null): FaultName | null {
  if (hit !== null && !isHarmless(hit, attempt, lane)) return hit.fault;
  const { outcome, isKept, endedNs } = attempt;
  const isAsked = lane.resolver !== null && !isKept;
  const isAlive = outcome === 'answered';
  const atOnce = metAtOnce(attempt, lane, history);
  if (atOnce !== null) return atOnce;
  const ofOwnNetwork = worst(history.ownNetwork.during(startedNs(attempt, lane), endedNs));
  if (ofOwnNetwork !== null) return ofOwnNetwork;
  if (outcome.startsWith('dns-')) return faultOfName(attempt, lane, history);
  // An answer that came too late may have waited for its resolver.
  return faultAt(attempt, lane, history) ?? (isAsked && isAlive ? faultOfName(attempt, lane, history) : null);
}

/** Nothing was there when it went: whatever came while it waited in vain came too late to matter. */
function metAtOnce(attempt: Attempt, lane: Lane, history: History): FaultName | null {
  const { address, sentNs, outcome } = attempt;
  if (address === null || outcome === 'answered') return null;
  const then = history.conditions(address, lane.check.hostname).at(sentNs);
  return then !== null && fails(then, wayOf(attempt, lane), Infinity) ? then.fault : null;
}

/**
 * What a request waits for may have begun before it: an answer that lanes share, the one dial that all requests of an
 * HTTP/2 client wait for, or the one session of a client that holds one.
 */
function startedNs(attempt: Attempt, lane: Lane): number {
  return Math.min(attempt.sentNs - waitedNs(attempt, lane), askedNs(attempt, lane));
}

/** At most, since others began. */
function waitedNs(attempt: Attempt, lane: Lane): number {
  const { timeouts } = lane.check;
  if (wayOf(attempt, lane) !== 'new') return 0;
  switch (lane.archetype.connect.kind) {
    case 'new':
    case 'keep-alive':
      return 0;
    case 'http2':
      return msToNs(timeouts.connectMs);
    case 'held':
      return msToNs(timeouts.totalMs);
  }
}

/** When its name was asked for at the earliest: answers are shared, and some clients keep a failure once they have it. */
function askedNs(attempt: Attempt, lane: Lane): number {
  const { outcome } = attempt;
  const sentNs = lane.archetype.connect.kind === 'held' ? attempt.sentNs - waitedNs(attempt, lane) : attempt.sentNs;
  if (lane.resolver === null) return sentNs;
  const { resolve } = lane.archetype;
  const keptS = resolve.kind === 'fixed' || resolve.kind === 'once' ? (resolve.negativeS ?? 0) : 0;
  const isKept = keptS > 0 && outcome.startsWith('dns-');
  return sentNs - sharedPollNs - (isKept ? sToNs(keptS) + msToNs(lane.check.timeouts.connectMs) : 0);
}

/** A hit that made nothing fail by itself; where the answer came too late, one that took long enough to matter. */
function isHarmless(hit: Hit, attempt: Attempt, lane: Lane): boolean {
  if (hit.afterMs === null || !rightStatuses(lane).includes(hit.status)) return false;
  return attempt.outcome === 'answered' && hit.afterMs < drawnShareMin * lane.check.goodWithinMs;
}

/** Where it went, from when its connection was opened: a connection that broke earlier is found broken now. */
function faultAt(attempt: Attempt, lane: Lane, history: History): FaultName | null {
  const { address, sentNs, bornNs, endedNs, outcome, isKept } = attempt;
  if (address === null) return null;
  const { kind } = lane.archetype.connect;
  const way = wayOf(attempt, lane);
  const fromNs = kind === 'http2' || (kind === 'held' && way === 'new') ? startedNs(attempt, lane) : sentNs;
  const conditions = history.conditions(address, lane.check.hostname);
  const counts = (condition: Condition): boolean =>
    condition.fault !== null &&
    (condition.failedRatio > 0 || condition.delayMs > 0) &&
    (way !== 'session' || isMet(condition, way));
  const now = conditions.during(fromNs, endedNs).filter(counts);
  if (now.length > 0) return worstOf(now);
  return isKept && outcome !== 'answered' ? worstOf(conditions.during(bornNs, sentNs).filter(counts)) : null;
}

function worstOf(conditions: readonly Condition[]): FaultName | null {
  return conditions.toSorted((a, b) => b.failedRatio - a.failedRatio || b.delayMs - a.delayMs)[0]?.fault ?? null;
}

function worst(faults: readonly (FaultName | null)[]): FaultName | null {
  return faults.find((fault) => fault !== null) ?? null;
}

/** Of the resolver, of all name servers, or of the record; each lasts for whoever keeps a failure. */
function faultOfName(attempt: Attempt, lane: Lane, history: History): FaultName | null {
  const { resolver, check } = lane;
  if (resolver === null) return null;
  const { endedNs } = attempt;
  const fromNs = askedNs(attempt, lane);
  const ofResolver = worst(history.resolver(resolver.name).during(fromNs - servfailKeptNs, endedNs));
  if (ofResolver !== null) return ofResolver;
  const failing = [...history.nameServers.values()].map((steps) =>
    worst(steps.during(fromNs - servfailKeptNs, endedNs)),
  );
  // Whoever asks name servers itself asks one.
  const isResolver = history.world === null || history.world.resolvers[resolver.name] !== undefined;
  const serverCount = isResolver ? history.records(check.hostname).size : 1;
  if (serverCount > 0 && failing.filter((fault) => fault !== null).length >= serverCount) return 'name-server-failing';
  const isMissing = [...history.records(check.hostname).values()].some((steps) =>
    steps.during(fromNs, endedNs).some((served) => served.addresses.length === 0),
  );
  if (isMissing) return 'record-missing';
  const isRemembered = history
    .missing(resolver.name, check.hostname)
    .all()
    .some(({ atNs, value }) => value !== null && atNs <= endedNs && fromNs <= atNs + sToNs(value.ttlS + 1));
  return isRemembered ? 'record-missing' : null;
}
