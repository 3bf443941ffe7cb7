/**
 * How many are still on the side that was left, in theory. Whatever holds a client there, an answer in a cache or a kept
 * connection, lasts for a known time and is at a random point of it when the record changes: it ends after a wait that is
 * uniform from 0 to that time. What holds it one after the other, the resolver's cache and then its own, is a sum of waits.
 * So a ratio here is the share to expect of many who differ in their phase only; one alone leaves in one step. Both the
 * forecast's tests and the analysis of a run hold what they see against it.
 */

/** Of whom so many are held by these waits, one after the other; Infinity = for ever. */
export interface TheoryPart {
  readonly weightRatio: number;
  readonly waitsS: readonly number[];
}

/** Weights add up to 1. */
export type ResidualTheory = readonly TheoryPart[];

export function theoryRatio(theory: ResidualTheory, atS: number): number {
  return theory.reduce((sum, { weightRatio, waitsS }) => sum + weightRatio * waitingRatio(atS, waitsS), 0);
}

/** When the last of them has left; Infinity = never. */
export function theoryEndS(theory: ResidualTheory): number {
  return Math.max(0, ...theory.map(({ waitsS }) => waitsS.reduce((sum, waitS) => sum + waitS, 0)));
}

/** From when on no more than this share is there, to the millisecond; Infinity = never. */
export function theoryFallsToS(theory: ResidualTheory, ratio: number): number {
  const ends = theory.map((part) => theoryEndS([part])).filter((endS) => endS < Infinity);
  let [lowS, highS] = [0, Math.max(0, ...ends)];
  if (theoryRatio(theory, highS) > ratio) return Infinity;
  while (highS - lowS > 0.0005) {
    const middleS = (lowS + highS) / 2;
    if (theoryRatio(theory, middleS) > ratio) lowS = middleS;
    else highS = middleS;
  }
  return Math.round(highS * 1000) / 1000;
}

/** Of as many of each. */
export function meanTheory(theories: readonly ResidualTheory[]): ResidualTheory {
  return theories.flatMap((theory) =>
    theory.map(({ weightRatio, waitsS }) => ({ weightRatio: weightRatio / theories.length, waitsS })),
  );
}

/**
 * The chance that independent waits, each uniform from 0 to its length, are not over together after `atS`. By inclusion and
 * exclusion over the waits that may be over: 1 − t/T of one, and of n a polynomial of degree n between their lengths.
 */
export function waitingRatio(atS: number, waitsS: readonly number[]): number {
  const waits = waitsS.filter((waitS) => waitS > 0);
  if (atS < 0) return 1;
  if (waits.includes(Infinity)) return 1;
  if (atS >= waits.reduce((sum, waitS) => sum + waitS, 0)) return 0;
  let volume = 0;
  for (let subset = 0; subset < 2 ** waits.length; subset += 1) {
    let [restS, sign] = [atS, 1];
    waits.forEach((waitS, i) => {
      if ((subset & (1 << i)) === 0) return;
      restS -= waitS;
      sign = -sign;
    });
    if (restS > 0) volume += sign * restS ** waits.length;
  }
  const whole = waits.reduce((product, waitS, i) => product * waitS * (i + 1), 1);
  return Math.min(1, Math.max(0, 1 - volume / whole));
}

/**
 * A record whose TTL was lowered from `beforeS` to `afterS`, `sinceS` before it changed: caches that were filled before that
 * keep the rest of the longer life, the others a shorter one. `ownWaitsS` come on top for both.
 */
export function loweredTheory(
  { beforeS, afterS, sinceS }: { readonly beforeS: number; readonly afterS: number; readonly sinceS: number },
  ownWaitsS: readonly number[],
): ResidualTheory {
  if (sinceS >= beforeS) return [{ weightRatio: 1, waitsS: [afterS, ...ownWaitsS] }];
  return [
    { weightRatio: 1 - sinceS / beforeS, waitsS: [beforeS - sinceS, ...ownWaitsS] },
    { weightRatio: sinceS / beforeS, waitsS: [afterS, ...ownWaitsS] },
  ];
}
