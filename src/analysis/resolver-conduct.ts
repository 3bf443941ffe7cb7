/**
 * What a resolver does with TTLs (domain facts, B.2), concluded only where nothing honest looks like it: not the rounding of
 * a TTL to whole seconds, nor a TTL that the authority changed in the run, nor an entry from before the run, nor several
 * caches behind one address, nor an entry that is fetched anew a little before its end.
 */
import type { ResolverConduct } from '../core/analysis.ts';
import { sToNs } from '../core/time.ts';
import type { AuthorityTtls } from './authority-ttls.ts';
import type { Caches } from './resolver-caches.ts';
import { endSpreadNs, isCounted, type Life } from './resolver-lives.ts';
import type { Reading, Run } from './resolver-reading.ts';

export interface Conduct extends ResolverConduct {
  /** Entries that prove it. */
  readonly lives: readonly Life[];
  /** Answers in a row that prove it. */
  readonly runs: readonly Run[];
  /** The TTL that the authorities served at that time. */
  readonly authorityS: number | null;
  /** Entries with a larger TTL than any authority served, and not known to have been fetched in the run. */
  readonly heldFromBefore: readonly Life[];
  /** All answers that were stale, by its own word or by their TTL. */
  readonly stale: readonly Run[];
}

export interface ConductEvidence {
  readonly reading: Reading;
  readonly caches: Caches;
  readonly ttls: AuthorityTtls;
  /** When the first authority was heard with data that no authority had before in the run; by nobody: Infinity. */
  readonly newDataNs: number;
  /** Of which side that data is. */
  readonly isNewData: (life: Life) => boolean;
}

/** Rounding, and a second for a server that counts by whole ones. */
const roundingS = 2;
/** RFC 8767, 4: what a stale answer's TTL should be. */
const staleTtlSMax = 30;
/** Below that an answer may be fetched anew each time, one a second. */
const constantTtlSMin = 5;
const refillCountMin = 2;
const loweredCountMin = 3;

export function conductOf(evidence: ConductEvidence): Conduct {
  const { reading, caches } = evidence;
  const refills = caches.entries.flatMap(refillsOf);
  const staleByTtl = caches.count === 1 ? staleRuns(evidence) : [];
  const first = caches.count === 1 ? staleFirst(refills, evidence) : [];
  const raised = raisedLives(refills, evidence);
  const heldFromBefore = reading.lives.filter(
    (life) => isCounted(life) && !raised.includes(life) && exceedsS(life, life, evidence.ttls) !== null,
  );
  const stale = [...reading.stale, ...staleByTtl, ...first.map(runOf)].toSorted(
    (a, b) => a.first.askedNs - b.first.askedNs,
  );
  const common = { heldFromBefore, stale, clampS: null, lives: [], runs: [], authorityS: evidence.ttls.everS };
  if (stale.length > 0) return { ...common, kind: 'serves-stale', runs: stale };
  if (raised.length > 0) {
    const [life] = raised as [Life, ...Life[]];
    const authorityS = evidence.ttls.largestS(life.first.askedNs, life.first.askedNs);
    return { ...common, kind: 'raises-ttl', clampS: largestS(raised), lives: raised, authorityS };
  }
  const constant = constantRun(evidence);
  if (constant !== null) return { ...common, kind: 'constant-ttl', clampS: constant.last.ttlS, runs: [constant] };
  const lowered = loweredLives(refills, evidence);
  if (lowered.length > 0) return { ...common, kind: 'lowers-ttl', clampS: largestS(lowered), lives: lowered };
  const early = caches.count === 1 ? earlyRefills(refills) : [];
  if (early.length > 0) return { ...common, kind: 'prefetches', lives: early.map(({ life }) => life) };
  return { ...common, kind: isAsItShould(evidence, heldFromBefore) ? 'honest' : 'unknown' };
}

// ── refills ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** An entry, and the one that the same cache had before. */
interface Refill {
  readonly before: Life;
  readonly life: Life;
}

/**
 * Of entries that were seen to count down: a forwarder passes on what it fetches as it came, and counts down another TTL
 * afterwards.
 */
function refillsOf(entries: readonly Life[]): readonly Refill[] {
  const latest = new Map<number, Life>();
  return entries.filter(isCounted).flatMap((life) => {
    const before = latest.get(life.families);
    latest.set(life.families, life);
    return before === undefined ? [] : [{ before, life }];
  });
}

/** By how much the TTL is larger than what the authorities served when the entry was fetched; null = it is not. */
function exceedsS(before: Life, life: Life, ttls: AuthorityTtls): number | null {
  if (ttls.leastS === null || life.ttlSMax < ttls.leastS + roundingS) return null;
  const authorityS = ttls.largestS(before.last.askedNs, life.first.askedNs);
  if (authorityS === null || life.first.askedNs > ttls.knownUntilNs) return null;
  return life.ttlSMax >= authorityS + roundingS ? life.ttlSMax - authorityS : null;
}

/**
 * Fetched in the run, and kept for longer than any authority said. An entry from before the run may have had a larger TTL
 * then; so it must follow one that had ended, twice, or be of data that nobody served before the change.
 */
function raisedLives(refills: readonly Refill[], { reading, ttls, newDataNs, isNewData }: ConductEvidence): Life[] {
  const raised = refills
    .filter(({ before, life }) => hasEnded(before, life) && exceedsS(before, life, ttls) !== null)
    .map(({ life }) => life);
  if (raised.length >= refillCountMin) return raised;
  const ofNewData = reading.lives.filter(
    (life) =>
      isCounted(life) && life.first.askedNs >= newDataNs && isNewData(life) && exceedsS(life, life, ttls) !== null,
  );
  const isNewHere = !reading.lives.some((life) => isNewData(life) && life.first.askedNs < newDataNs - sToNs(2));
  return isNewHere ? ofNewData : [];
}

function hasEnded(before: Life, life: Life): boolean {
  return life.first.receivedNs >= before.endMinNs - sToNs(1) - endSpreadNs;
}

/**
 * Each time it was fetched anew, no more than a smaller TTL was left of what the authorities say. An entry whose beginning
 * nobody saw may be half over; one full TTL, and nothing is lowered.
 */
function loweredLives(refills: readonly Refill[], { reading, caches, ttls }: ConductEvidence): Life[] {
  const counted = reading.lives.filter(isCounted);
  const smallestS = (life: Life): number | null => ttls.smallestS(life.first.askedNs, life.first.askedNs);
  const isFull = (life: Life): boolean => life.ttlSMax >= (smallestS(life) ?? 0) - 1;
  if (counted.some(isFull)) return [];
  const lowered =
    caches.count === 1
      ? refills
          .filter(({ before, life }) => largestStartS(before, life) < (smallestS(life) ?? 0))
          .map(({ life }) => life)
      : counted.filter((life) => life.ttlSMax < (smallestS(life) ?? 0) - 3);
  if (lowered.length < Math.max(loweredCountMin, caches.count === 1 ? 0 : 4 * (caches.count ?? 0))) return [];
  return largestS(lowered) - Math.min(...lowered.map((life) => life.ttlSMax)) <= 1 ? lowered : [];
}

/**
 * The most that its TTL can have been when it was fetched: at the end of the one before, or where that was asked for when it
 * was nearly over, already then.
 */
function largestStartS(before: Life, life: Life): number {
  const mayBePrefetched = before.last.ttlS <= prefetchedS(before) + 1;
  const sinceNs = mayBePrefetched ? Math.min(before.last.askedNs, before.endMinNs) : before.endMinNs;
  const unseenNs = Math.max(0, life.first.receivedNs - sinceNs) + endSpreadNs;
  return life.first.ttlS + unseenNs / sToNs(1);
}

interface EarlyRefill extends Refill {
  readonly leftNs: number;
}

/** With so much left, an entry is fetched anew by those that do so: two seconds, or a tenth of the TTL (BIND; Unbound, CoreDNS). */
function prefetchedS(life: Life): number {
  return Math.max(2, life.ttlSMax / 10);
}

function earlyRefills(refills: readonly Refill[]): EarlyRefill[] {
  const early = refills
    .map((refill) => ({ ...refill, leftNs: refill.before.endMinNs - refill.life.first.receivedNs }))
    .filter(({ before, leftNs }) => leftNs > endSpreadNs && leftNs <= sToNs(prefetchedS(before)) + endSpreadNs);
  return early.length * 2 >= refills.length ? early : [];
}

// ── TTLs that do not count down ──────────────────────────────────────────────────────────────────────────────────────

/** The TTL was the same for longer than itself, and always: whoever counts down shows less of it now and then. */
function constantRun({ reading, caches }: ConductEvidence): Run | null {
  if (caches.count !== null && caches.count > 1) return null;
  const constant = reading.flats.filter(
    ({ first, last }) => first.ttlS >= constantTtlSMin && last.askedNs - first.askedNs > sToNs(first.ttlS + roundingS),
  );
  const count = constant.reduce((sum, run) => sum + run.count, 0);
  return count * 5 >= reading.givenCount * 4 ? (constant.at(-1) ?? null) : null;
}

/** After an entry had ended: the same data, with a small TTL that does not count down and that no authority served. */
function staleRuns({ reading, ttls }: ConductEvidence): Run[] {
  const counted = reading.lives.filter(isCounted);
  return reading.flats.filter(({ first }) => {
    if (first.ttlS > staleTtlSMax) return false;
    const before = counted.findLast((life) => life.last.askedNs <= first.askedNs);
    if (before === undefined || first.receivedNs < before.endMinNs - endSpreadNs) return false;
    if (first.askedNs > before.endMaxNs + endSpreadNs + sToNs(2)) return false;
    const contentOf = (answer: number): string => reading.factsOf(answer).content;
    return contentOf(before.last.answer) === contentOf(first.answer) && !isServed(ttls, first.ttlS, first.askedNs);
  });
}

function isServed(ttls: AuthorityTtls, ttlS: number, atNs: number): boolean {
  const [largestS, smallestS] = [ttls.largestS(atNs, atNs), ttls.smallestS(atNs, atNs)];
  return largestS === null || (ttlS <= largestS + 1 && ttlS >= (smallestS ?? 0) - 1);
}

/**
 * At the end of an entry one answer with a TTL that no authority served, and then a new entry (Unbound's serve-expired and
 * its like, where the TTL of records is below that of stale answers).
 */
function staleFirst(refills: readonly Refill[], { reading, ttls }: ConductEvidence): Life[] {
  const single = reading.lives.filter(
    (life) =>
      life.ttlSMin === life.ttlSMax &&
      life.ttlSMax <= staleTtlSMax &&
      exceedsS(life, life, ttls) !== null &&
      refills.some(
        ({ before, life: after }) =>
          life.first.receivedNs >= before.endMinNs - endSpreadNs &&
          before.last.askedNs <= life.first.askedNs &&
          life.last.askedNs <= after.first.askedNs,
      ),
  );
  const isAlike = single.every((life) => life.ttlSMax === single[0]?.ttlSMax);
  return isAlike && single.length >= refillCountMin ? single : [];
}

function runOf({ first, last, count }: Life): Run {
  return { first, last, count };
}

function largestS(lives: readonly Life[]): number {
  return Math.max(...lives.map((life) => life.ttlSMax));
}

/** It counted down what an authority had said, or there was nothing to count. */
function isAsItShould({ reading, caches, ttls }: ConductEvidence, heldFromBefore: readonly Life[]): boolean {
  if (caches.count !== null) return reading.lives.some((life) => isCounted(life) && !heldFromBefore.includes(life));
  const { everS } = ttls;
  if (reading.givenCount === 0 || everS === null || everS > roundingS) return false;
  return reading.lives.every((life) => life.ttlSMax <= everS + 1);
}
