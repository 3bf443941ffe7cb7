/**
 * Entries of caches, as far as answers show them: whatever counts down to the same instant is one entry of one cache, and
 * the time in which it was seen is its life.
 */
import { sToNs } from '../core/time.ts';
import type { AnswerSide } from './sides.ts';

/** TTLs are whole seconds, counted by clocks of whole seconds: two ends of one entry differ by so much at most. */
export const endSpreadNs: number = sToNs(1.25);
/** Two questions at least so far apart are two looks at a cache. */
export const apartNs: number = sToNs(0.9);

export interface Observation {
  readonly askedNs: number;
  readonly receivedNs: number;
  readonly ttlS: number;
  /** # `Answer`. */
  readonly answer: number;
}

/** One entry of one cache, from the first to the last time that it was seen. */
export interface Life {
  readonly families: number;
  readonly first: Observation;
  last: Observation;
  count: number;
  /** Which of the answers of its families it was last seen in. */
  lastNumber: number;
  /** Between these it ends, ±`endSpreadNs`. */
  readonly endMinNs: number;
  readonly endMaxNs: number;
  ttlSMin: number;
  ttlSMax: number;
  /** Received; the last old one is when it was asked for. */
  firstNewNs: number;
  lastOldNs: number;
}

/** Seen at two looks and with less left at the second: an entry that ages as it should. */
export function isCounted(life: Life): boolean {
  return life.ttlSMax > life.ttlSMin && isSeenTwice(life);
}

export function isSeenTwice({ first, last }: Life): boolean {
  return last.askedNs - first.askedNs >= apartNs;
}

/**
 * A life that was not seen to count down, nor in so many answers since, is not gone on with: a stale answer promises half a
 * minute and is never seen again, and by chance a later entry ends when it would have.
 */
const unseenCountMax = 8;
/** Beyond so many entries that live at once the eldest are no longer looked for. */
const aliveCountMax = 64;
/** From so many on those that have ended are put aside. */
const aliveCountUsual = 8;

export interface Lives {
  /** By their first observation. */
  readonly all: readonly Life[];
  see(seen: Observation, facts: { readonly families: number; readonly side: AnswerSide }): void;
}

export function newLives(): Lives {
  const all: Life[] = [];
  let alive: Life[] = [];
  const answerCounts = [0, 0, 0, 0];

  function known(families: number, endMinNs: number, endMaxNs: number): Life | null {
    const number = answerCounts[families] as number;
    for (let i = alive.length - 1; i >= 0; i -= 1) {
      const life = alive[i] as Life;
      const isNear = endMaxNs >= life.endMinNs - endSpreadNs && endMinNs <= life.endMaxNs + endSpreadNs;
      if (!isNear || life.families !== families) continue;
      if (life.ttlSMax > life.ttlSMin || number - life.lastNumber <= unseenCountMax) return life;
    }
    return null;
  }

  function begin(seen: Observation, families: number, endMinNs: number, endMaxNs: number): Life {
    const life: Life = {
      families,
      first: seen,
      last: seen,
      count: 0,
      lastNumber: 0,
      endMinNs,
      endMaxNs,
      ttlSMin: seen.ttlS,
      ttlSMax: seen.ttlS,
      firstNewNs: Infinity,
      lastOldNs: -Infinity,
    };
    if (alive.length >= aliveCountUsual) alive = alive.filter((one) => one.endMaxNs + 2 * endSpreadNs > seen.askedNs);
    if (alive.length === aliveCountMax) alive.shift();
    alive.push(life);
    all.push(life);
    return life;
  }

  return {
    all,
    see(seen, { families, side }) {
      const number = (answerCounts[families] = (answerCounts[families] as number) + 1);
      const endMinNs = seen.askedNs + sToNs(seen.ttlS);
      const endMaxNs = seen.receivedNs + sToNs(seen.ttlS);
      const life = known(families, endMinNs, endMaxNs) ?? begin(seen, families, endMinNs, endMaxNs);
      life.last = seen;
      life.count += 1;
      life.lastNumber = number;
      if (seen.ttlS < life.ttlSMin) life.ttlSMin = seen.ttlS;
      if (seen.ttlS > life.ttlSMax) life.ttlSMax = seen.ttlS;
      if (side === 'new') life.firstNewNs = Math.min(life.firstNewNs, seen.receivedNs);
      else if (side === 'old') life.lastOldNs = seen.askedNs;
    },
  };
}
