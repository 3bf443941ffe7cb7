/**
 * HdrHistogram's buckets for 2 significant digits: values below 256 exactly, above it 128 to a power of two, so that a
 * percentile is right to within 1 %. A plain array of counts: recording takes a few ns, where the library takes 70, and
 * the analysis records every slot again at each result. A test holds it against hdr-histogram-js.
 */
import type { Percentiles } from '../core/analysis.ts';

const exactBits = 8;
const half = 1 << (exactBits - 1);
/** Values are whole and below 2³². */
const bucketCount = (32 - exactBits + 2) * half;
/** Of a distribution: a class is so many of them. */
const classBuckets = 8;

export class Histogram {
  readonly #counts = new Uint32Array(bucketCount);
  #count = 0;
  #max = 0;

  record(value: number): void {
    const shift = Math.max(0, 32 - exactBits - Math.clz32(value));
    const at = shift * half + (value >>> shift);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count += 1;
    if (value > this.#max) this.#max = value;
  }

  add(other: Histogram): void {
    for (let i = 0; i < bucketCount; i += 1)
      this.#counts[i] = (this.#counts[i] as number) + (other.#counts[i] as number);
    this.#count += other.#count;
    this.#max = Math.max(this.#max, other.#max);
  }

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /**
   * Mann and Whitney's rank test of another's values against these, ties counted half: the share of all pairs in which the
   * other's is the higher one, and how many standard deviations that is from a half. Null where either is empty.
   */
  rank(other: Histogram): { readonly higherRatio: number; readonly deviations: number } | null {
    const [own, others] = [this.#count, other.#count];
    if (own === 0 || others === 0) return null;
    let below = 0;
    let higher = 0;
    let ties = 0;
    for (let i = 0; i < bucketCount; i += 1) {
      const [a, b] = [this.#counts[i] as number, other.#counts[i] as number];
      higher += b * (below + a / 2);
      below += a;
      ties += (a + b) ** 3 - (a + b);
    }
    const pairs = own * others;
    const all = own + others;
    const variance = (pairs / 12) * (all + 1 - ties / (all * (all - 1)));
    const deviations = variance > 0 ? (higher - pairs / 2) / Math.sqrt(variance) : 0;
    return { higherRatio: higher / pairs, deviations };
  }

  /** Classes with values in them, [from, to), rising. Each is at most a sixteenth wider than it begins, or 1. */
  distribution(): [from: number, to: number, count: number][] {
    const classes: [number, number, number][] = [];
    for (let i = 0; i < bucketCount; i += 1) {
      const count = this.#counts[i] as number;
      if (count === 0) continue;
      const first = i < half ? i : i - (i % classBuckets);
      const end = i < half ? i + 1 : first + classBuckets;
      const from = first === 0 ? 0 : highestIn(first - 1) + 1;
      const last = classes.at(-1);
      if (last?.[0] === from) last[2] += count;
      else classes.push([from, highestIn(end - 1) + 1, count]);
    }
    return classes;
  }

  /** The highest value of the bucket in which the share of all values is reached, 0 when there are none. */
  percentile(ratio: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * ratio));
    let seen = 0;
    for (let i = 0; i < bucketCount; i += 1) {
      seen += this.#counts[i] as number;
      if (seen >= wanted) return Math.min(this.#max, highestIn(i));
    }
    return 0;
  }
}

function highestIn(bucket: number): number {
  if (bucket < 2 * half) return bucket;
  const shift = Math.floor(bucket / half) - 1;
  return (bucket - shift * half + 1) * 2 ** shift - 1;
}

/** In ms, of values recorded in µs; null when there are none. */
export function percentilesMs(histogram: Histogram): Percentiles | null {
  if (histogram.count === 0) return null;
  const ms = (ratio: number): number => histogram.percentile(ratio) / 1000;
  return {
    count: histogram.count,
    p50: ms(0.5),
    p90: ms(0.9),
    p99: ms(0.99),
    p999: ms(0.999),
    max: histogram.max / 1000,
  };
}
