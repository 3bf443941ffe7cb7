/**
 * How many independent caches stand behind one address: as many as there were entries that answered to and fro. A cache
 * that is refilled, refreshed early or emptied goes from one entry to the next and never back.
 */
import { sToNs } from '../core/time.ts';
import { isCounted, isSeenTwice, type Life } from './resolver-lives.ts';

/** Two questions under way at once may come back in either order; entries that overlap by more are two. */
const overlapNs = sToNs(0.5);

export interface Caches {
  /** At least so many; null = nothing was seen to count down, so none could be told from another. */
  readonly count: number | null;
  /** For each cache its entries, in order of time; those seen once only where they fit. */
  readonly entries: readonly (readonly Life[])[];
  /** Entries that answered in turn: one of each cache that was proved. */
  readonly proof: readonly Life[];
}

export function cachesOf(lives: readonly Life[]): Caches {
  if (!lives.some(isCounted)) return { count: null, entries: [lives], proof: [] };
  let proof: readonly Life[] = [];
  for (const families of [1, 2, 3]) {
    const together = mostAtOnce(lives.filter((life) => life.families === families && isSeenTwice(life)));
    if (together.length > proof.length) proof = together;
  }
  const count = Math.max(1, proof.length);
  return { count, entries: count === 1 ? [lives] : distributed(lives, count), proof: count === 1 ? [] : proof };
}

/** The most lives that overlap at one instant. */
function mostAtOnce(lives: readonly Life[]): readonly Life[] {
  let most: readonly Life[] = [];
  let open: Life[] = [];
  for (const life of lives) {
    open = open.filter((one) => one.last.askedNs - overlapNs > life.first.askedNs);
    if (life.last.askedNs - life.first.askedNs <= overlapNs) continue;
    open.push(life);
    if (open.length > most.length) most = [...open];
  }
  return most;
}

/**
 * Each life to a cache whose last entry had ended: rather one that does not go back to the old side by it, then the one that
 * waited longest. Where none had and not all caches are known, it is of another one.
 */
function distributed(lives: readonly Life[], count: number): readonly (readonly Life[])[] {
  const caches: Life[][] = [];
  for (const life of lives) {
    const free = caches.filter((cache) => lastOf(cache).last.askedNs - overlapNs <= life.first.askedNs);
    const ended = free.filter((cache) => lastOf(cache).endMinNs <= life.last.askedNs);
    if (ended.length === 0 && caches.length < count) {
      caches.push([life]);
      continue;
    }
    const rank = (cache: readonly Life[]): number => {
      const goesBack = Number.isFinite(lastOf(cache).firstNewNs) && !Number.isFinite(life.firstNewNs);
      return lastOf(cache).endMinNs + (goesBack ? endOfTimeNs : 0);
    };
    (ended.length > 0 ? ended : free).toSorted((a, b) => rank(a) - rank(b))[0]?.push(life);
  }
  return caches;
}

/** Later than any instant of a run. */
const endOfTimeNs = 2 ** 53;

function lastOf(cache: readonly Life[]): Life {
  return cache.at(-1) as Life;
}
