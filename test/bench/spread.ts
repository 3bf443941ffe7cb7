/** Percentiles, and how evenly requests arrived. */

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** null: there are no values. */
export function spreadOf(values: Float64Array): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted();
  const at = (ratio: number): number => sorted[Math.min(sorted.length - 1, Math.floor(ratio * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/**
 * How far each arrival is from an even beat of the same count and length, either way, in ms. The server's word, and so
 * the same measure for every tool; its log counts whole ms, below which nothing is known.
 */
export function spacingErrorsMs(arrivalsMs: Float64Array): Float64Array {
  const first = arrivalsMs[0] ?? 0;
  const periodMs = ((arrivalsMs.at(-1) ?? 0) - first) / Math.max(1, arrivalsMs.length - 1);
  const offsetsMs = arrivalsMs.map((atMs, i) => atMs - first - i * periodMs);
  const middleMs = spreadOf(offsetsMs)?.p50 ?? 0;
  return offsetsMs.map((offsetMs) => Math.abs(offsetMs - middleMs));
}
