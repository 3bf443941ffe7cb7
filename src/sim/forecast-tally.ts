/** Counts of users over time, and what they come to. */
import { nsToS, sToNs } from '../core/time.ts';
import { holders, type Holder } from './forecast-user.ts';

/** At each instant, how many users the side that is left still had, by what held them. */
export interface Tally {
  userCount: number;
  readonly counts: Readonly<Record<Holder, Uint32Array>>;
}

export function newTally(instantCount: number): Tally {
  const counts = Object.fromEntries(holders.map((holder) => [holder, new Uint32Array(instantCount)]));
  return { userCount: 0, counts: counts as Record<Holder, Uint32Array> };
}

/**
 * Instants to look at, from one to another, ns: evenly as long as the first caches empty, then further and further apart,
 * so that hours cost little and no instant is further off than a fiftieth of the time that has passed.
 */
export function instantsBetween(fromNs: number, toNs: number, stepNs: number): readonly number[] {
  const instants: number[] = [];
  for (let atNs = fromNs; atNs < toNs; atNs += Math.round(Math.max(stepNs, (atNs - fromNs) / 50))) instants.push(atNs);
  return [...instants, toNs];
}

/** How much of the whole stretch each instant stands for, s: the trapezoidal rule. */
export function weightsS(instants: readonly number[]): readonly number[] {
  return instants.map((atNs, i) => nsToS((instants[i + 1] ?? atNs) - (instants[i - 1] ?? atNs)) / 2);
}

/**
 * From when on no more than `ratio` of the users are there, s; linear between two instants. Null: more are there at the end.
 */
export function emptiedS(instants: readonly number[], shares: readonly number[], ratio: number): number | null {
  const last = shares.findLastIndex((share) => share > ratio);
  if (last === -1) return 0;
  const [fromNs, toNs] = [instants[last], instants[last + 1]];
  if (fromNs === undefined || toNs === undefined) return null;
  const [above = 0, below = 0] = [shares[last], shares[last + 1]];
  return nsToS(fromNs + ((toNs - fromNs) * (above - ratio)) / (above - below));
}

/** Mean and its standard error over independent draws. */
export interface Mean {
  readonly mean: number;
  readonly standardError: number;
}

export interface Sum {
  count: number;
  sum: number;
  squares: number;
}

export function meanOf({ count, sum, squares }: Sum): Mean {
  if (count === 0) return { mean: 0, standardError: 0 };
  const mean = sum / count;
  const variance = Math.max(0, squares / count - mean * mean);
  return { mean, standardError: Math.sqrt(variance / count) };
}

/** Independent parts of a whole, each with its share of it. */
export function weightedMean(parts: readonly (Mean & { readonly weightRatio: number })[]): Mean {
  let [mean, variance] = [0, 0];
  for (const part of parts) {
    mean += part.weightRatio * part.mean;
    variance += (part.weightRatio * part.standardError) ** 2;
  }
  return { mean, standardError: Math.sqrt(variance) };
}

export function sumOf(values: Iterable<number>): Sum {
  const total: Sum = { count: 0, sum: 0, squares: 0 };
  for (const value of values) {
    total.count += 1;
    total.sum += value;
    total.squares += value * value;
  }
  return total;
}

export const farNs: number = sToNs(365 * 86_400);
