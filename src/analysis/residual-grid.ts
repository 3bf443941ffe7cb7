/** Where a residual curve is cut into stretches: fine at first, later no finer than an eighth of the time since the change. */
import { sToNs } from '../core/time.ts';

export const stretchCountMax = 60;
const stretchesPerTime = 8;

/**
 * Edges from 0 to `lengthNs`, at least `leastNs` apart (where there is so much) and at most `stretchCountMax` stretches. The
 * finest stretch is 1, 2 or 5 times a power of ten of seconds, so that edges are round and the same evidence gives the same.
 */
export function stretchEdgesNs(lengthNs: number, leastNs: number): readonly number[] {
  for (let i = -3; ; i += 1) {
    const finestNs = sToNs(([1, 2, 5][((i % 3) + 3) % 3] as number) * 10 ** Math.floor(i / 3));
    if (finestNs < leastNs) continue;
    const edges = edgesOf(lengthNs, finestNs);
    if (edges !== null) return edges;
  }
}

/** null: too many. */
function edgesOf(lengthNs: number, finestNs: number): readonly number[] | null {
  const edges = [0];
  for (let atNs = 0; atNs < lengthNs;) {
    if (edges.length > stretchCountMax) return null;
    atNs += finestNs * Math.max(1, Math.round(atNs / stretchesPerTime / finestNs));
    // What is left over at the end may be too short to hold anything.
    if (lengthNs - atNs < finestNs) atNs = lengthNs;
    edges.push(atNs);
  }
  return edges;
}
