/** When each DNS answer that probes used was received, and with which TTLs. */
import { definitionCountMax, definitionFirst } from '../core/row.ts';

const length = definitionFirst + definitionCountMax.answer;

export class AnswersUsed {
  /** All by answer number. */
  readonly #firstNs = new Float64Array(length).fill(Infinity);
  readonly #lastNs = new Float64Array(length).fill(-Infinity);
  readonly #ttlSMin = new Float64Array(length).fill(Infinity);
  readonly #ttlSMax = new Float64Array(length).fill(-Infinity);

  use(answer: number, ttlS: number, receivedAtNs: number): void {
    if (receivedAtNs < (this.#firstNs[answer] as number)) this.#firstNs[answer] = receivedAtNs;
    if (receivedAtNs > (this.#lastNs[answer] as number)) this.#lastNs[answer] = receivedAtNs;
    if (ttlS < (this.#ttlSMin[answer] as number)) this.#ttlSMin[answer] = ttlS;
    if (ttlS > (this.#ttlSMax[answer] as number)) this.#ttlSMax[answer] = ttlS;
  }

  /** null if no row used it. */
  of(answer: number): AnswerUse | null {
    const firstNs = this.#firstNs[answer] ?? Infinity;
    if (firstNs === Infinity) return null;
    return {
      firstNs,
      lastNs: this.#lastNs[answer] as number,
      ttlSMin: this.#ttlSMin[answer] as number,
      ttlSMax: this.#ttlSMax[answer] as number,
    };
  }
}

export interface AnswerUse {
  readonly firstNs: number;
  readonly lastNs: number;
  readonly ttlSMin: number;
  readonly ttlSMax: number;
}
