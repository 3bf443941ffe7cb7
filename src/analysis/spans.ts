/** Stretches of time, merged where they touch: stalls, blind spots. */
export interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

export class Spans {
  readonly #spans: readonly Span[];

  constructor(spans: readonly Span[]) {
    this.#spans = mergeSpans(spans);
  }

  get isEmpty(): boolean {
    return this.#spans.length === 0;
  }

  /** Strictly within one of them. */
  has(atNs: number): boolean {
    return (this.#spans[this.#firstEndingAfter(atNs)]?.fromNs ?? Infinity) < atNs;
  }

  /** How much of [fromNs, toNs] lies in the spans. */
  overlapNs(fromNs: number, toNs: number): number {
    let overlapNs = 0;
    for (let i = this.#firstEndingAfter(fromNs); i < this.#spans.length; i += 1) {
      const span = this.#spans[i] as Span;
      if (span.fromNs >= toNs) break;
      overlapNs += Math.min(toNs, span.toNs) - Math.max(fromNs, span.fromNs);
    }
    return overlapNs;
  }

  #firstEndingAfter(atNs: number): number {
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#spans[middle] as Span).toNs > atNs) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** In order of time; those that overlap or touch are one. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.filter((one) => one.toNs > one.fromNs).toSorted((a, b) => a.fromNs - b.fromNs)) {
    const last = merged.at(-1);
    if (last !== undefined && span.fromNs <= last.toNs) {
      merged[merged.length - 1] = { fromNs: last.fromNs, toNs: Math.max(last.toNs, span.toNs) };
    } else merged.push(span);
  }
  return merged;
}
