/**
 * What each resolver said of each name: when it was asked, how long it took, the TTL and which answer. Collected from rows,
 * so that judging a resolver costs no query of its own. 18 bytes an observation, one a second for each resolver and name:
 * 3 MB an hour for 14 names and 3 resolvers.
 */
import type { Answer } from '../core/row.ts';

/** 36 hours at one a second. */
const observationCountMax = 131_072;

/** One resolver and name. All columns are by index, in order of `askedNs` once `order()` was called. */
export class AnswerLedger {
  readonly server: string;
  readonly hostname: string;
  askedNs: Float64Array = new Float64Array(16);
  tookUs: Uint32Array = new Uint32Array(16);
  /** As received: the lowest along the chain; 0 where there was no address. */
  ttlS: Uint32Array = new Uint32Array(16);
  /** # `Answer`. */
  answer: Uint16Array = new Uint16Array(16);
  count = 0;
  /** Not kept, since there were too many. */
  omittedCount = 0;
  #orderedCount = 0;

  constructor(server: string, hostname: string) {
    this.server = server;
    this.hostname = hostname;
  }

  add(answer: number, ttlS: number, askedNs: number, tookUs: number): void {
    const at = this.count;
    if (at === observationCountMax) {
      this.omittedCount += 1;
      return;
    }
    if (at === this.askedNs.length) this.#grow();
    this.askedNs[at] = askedNs;
    this.tookUs[at] = tookUs;
    this.ttlS[at] = ttlS;
    this.answer[at] = answer;
    this.count += 1;
  }

  /** By time, and what is of the same instant by what it says, so that the order of arrival cannot show. */
  order(): void {
    if (this.#orderedCount === this.count) return;
    const from = this.#firstOutOfOrder();
    const indices = Array.from({ length: this.count - from }, (_, i) => from + i).toSorted((a, b) =>
      this.#compare(a, b),
    );
    for (const column of [this.askedNs, this.tookUs, this.ttlS, this.answer]) {
      column.set(
        indices.map((at) => column[at] as number),
        from,
      );
    }
    this.#orderedCount = this.count;
  }

  /** Rows come nearly in order, so that only the last few of those known before have to move. */
  #firstOutOfOrder(): number {
    let earliestNs = Infinity;
    for (let i = this.#orderedCount; i < this.count; i += 1)
      earliestNs = Math.min(earliestNs, this.askedNs[i] as number);
    let from = this.#orderedCount;
    while (from > 0 && (this.askedNs[from - 1] as number) >= earliestNs) from -= 1;
    return from;
  }

  #compare(a: number, b: number): number {
    return (
      (this.askedNs[a] as number) - (this.askedNs[b] as number) ||
      (this.answer[a] as number) - (this.answer[b] as number) ||
      (this.ttlS[a] as number) - (this.ttlS[b] as number) ||
      (this.tookUs[a] as number) - (this.tookUs[b] as number)
    );
  }

  #grow(): void {
    const length = this.askedNs.length * 2;
    this.askedNs = longer(this.askedNs, new Float64Array(length));
    this.tookUs = longer(this.tookUs, new Uint32Array(length));
    this.ttlS = longer(this.ttlS, new Uint32Array(length));
    this.answer = longer(this.answer, new Uint16Array(length));
  }
}

function longer<T extends Float64Array | Uint32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

interface Waiting {
  readonly ttlS: number;
  readonly askedNs: number;
  readonly tookUs: number;
}

export class AnswerLedgers {
  /** By server and name. */
  readonly #ledgers = new Map<string, AnswerLedger>();
  /** By answer number. */
  readonly #byAnswer: (AnswerLedger | undefined)[] = [];
  /** A row may come before the definition that says of whom its answer is. */
  readonly #waiting = new Map<number, Waiting[]>();

  define(number: number, { server, name }: Answer): void {
    const key = `${server} ${name}`;
    const ledger = this.#ledgers.get(key) ?? new AnswerLedger(server, name);
    this.#ledgers.set(key, ledger);
    this.#byAnswer[number] = ledger;
    for (const { ttlS, askedNs, tookUs } of this.#waiting.get(number) ?? []) ledger.add(number, ttlS, askedNs, tookUs);
    this.#waiting.delete(number);
  }

  observe(answer: number, ttlS: number, askedNs: number, tookUs: number): void {
    const ledger = this.#byAnswer[answer];
    if (ledger !== undefined) {
      ledger.add(answer, ttlS, askedNs, tookUs);
      return;
    }
    const waiting = this.#waiting.get(answer);
    if (waiting === undefined) this.#waiting.set(answer, [{ ttlS, askedNs, tookUs }]);
    else waiting.push({ ttlS, askedNs, tookUs });
  }

  /** Those of which anything was observed, each in order. */
  all(): readonly AnswerLedger[] {
    const used = [...this.#ledgers.values()].filter((ledger) => ledger.count > 0);
    for (const ledger of used) ledger.order();
    return used.toSorted((a, b) => (`${a.server} ${a.hostname}` < `${b.server} ${b.hostname}` ? -1 : 1));
  }
}
