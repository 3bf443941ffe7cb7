/** A value that holds from each instant on until the next one. Instants must be added in order. */
export class Steps<T> {
  readonly #atNs: number[] = [];
  readonly #values: T[] = [];

  add(atNs: number, value: T): void {
    if (this.#atNs.at(-1) === atNs) this.#values[this.#values.length - 1] = value;
    else {
      this.#atNs.push(atNs);
      this.#values.push(value);
    }
  }

  /** Null before the first. */
  at(atNs: number): T | null {
    return this.#values[this.#indexAt(atNs)] ?? null;
  }

  /** Every value that held at some instant of [fromNs, toNs], in order. */
  during(fromNs: number, toNs: number): readonly T[] {
    return this.#values.slice(Math.max(0, this.#indexAt(fromNs)), this.#indexAt(toNs) + 1);
  }

  /** Whether `test` held of each value from `fromNs` to `toNs`; false where there was none. */
  isAllTheTime(fromNs: number, toNs: number, test: (value: T) => boolean): boolean {
    return this.#indexAt(fromNs) >= 0 && this.during(fromNs, toNs).every(test);
  }

  /** When `test` began to hold or ceased to, within [fromNs, toNs]. */
  edges(fromNs: number, toNs: number, test: (value: T) => boolean): readonly { atNs: number; begins: boolean }[] {
    const found: { atNs: number; begins: boolean }[] = [];
    for (let i = Math.max(1, this.#indexAt(fromNs)); i < this.#atNs.length; i += 1) {
      const atNs = this.#atNs[i] as number;
      if (atNs > toNs) break;
      const [before, now] = [test(this.#values[i - 1] as T), test(this.#values[i] as T)];
      if (atNs >= fromNs && before !== now) found.push({ atNs, begins: now });
    }
    return found;
  }

  /** When each value came, in order. */
  all(): readonly { readonly atNs: number; readonly value: T }[] {
    return this.#atNs.map((atNs, i) => ({ atNs, value: this.#values[i] as T }));
  }

  /** Of the value that holds then; -1 = none does. */
  #indexAt(atNs: number): number {
    let [low, high] = [0, this.#atNs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#atNs[middle] as number) <= atNs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
