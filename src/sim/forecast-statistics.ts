/** Instants to look at, and what is made of what was seen there. */
import { nsToS } from '../core/time.ts';

/**
 * From one instant to another, ns: evenly at first, then further and further apart, so that hours cost little and none is
 * off by more than a hundredth of the time that has passed.
 */
export function instantsBetween(fromNs: number, toNs: number, stepNs: number): readonly number[] {
  const instants: number[] = [];
  for (let atNs = fromNs; atNs < toNs; atNs += Math.round(Math.max(stepNs, (atNs - fromNs) / 100))) instants.push(atNs);
  return [...instants, toNs];
}

/** How much of the whole stretch each instant stands for, s: the trapezoidal rule. */
export function weightsS(instants: readonly number[]): readonly number[] {
  return instants.map((atNs, i) => nsToS((instants[i + 1] ?? atNs) - (instants[i - 1] ?? atNs)) / 2);
}

/** From when on no share is above `ratio`, s; linear between two instants. Null: the last one is above it. */
export function emptiedS(instants: readonly number[], shares: readonly number[], ratio: number): number | null {
  const i = shares.findLastIndex((share) => share > ratio);
  if (i === -1) return 0;
  const [fromNs, toNs] = [instants[i], instants[i + 1]];
  if (fromNs === undefined || toNs === undefined) return null;
  const [above = 0, below = 0] = [shares[i], shares[i + 1]];
  return nsToS(fromNs + ((toNs - fromNs) * (above - ratio)) / (above - below));
}

/** Over independent draws. */
export interface Mean {
  readonly mean: number;
  readonly standardError: number;
}

export function meanOf(values: readonly number[]): Mean {
  if (values.length === 0) return { mean: 0, standardError: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, standardError: Math.sqrt(variance / values.length) };
}

/** Of independent parts, by their weights, whatever these add up to. */
export function weightedMean(parts: readonly (Mean & { readonly weightRatio: number })[]): Mean {
  const whole = parts.reduce((sum, { weightRatio }) => sum + weightRatio, 0);
  if (whole === 0) return { mean: 0, standardError: 0 };
  let [mean, variance] = [0, 0];
  for (const part of parts) {
    mean += (part.weightRatio / whole) * part.mean;
    variance += ((part.weightRatio / whole) * part.standardError) ** 2;
  }
  return { mean, standardError: Math.sqrt(variance) };
}
