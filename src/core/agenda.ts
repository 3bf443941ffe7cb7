/**
 * What is to be done when: a binary heap by instant, and of one instant in the order of asking. Most of what is on it is
 * deadlines that are cancelled long before they are due, so each knows its place and goes without a search.
 */
export interface Planned {
  readonly atNs: number;
  readonly run: () => void;
  /** Counts what was ever planned. */
  readonly turn: number;
  /** Its place in the heap; -1 once it has been taken off. */
  index: number;
}

export class Agenda {
  readonly #heap: Planned[] = [];
  #turn = 0;

  get first(): Planned | undefined {
    return this.#heap[0];
  }

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  add(atNs: number, run: () => void): Planned {
    const heap = this.#heap;
    const planned: Planned = { atNs, run, turn: this.#turn, index: heap.length };
    this.#turn += 1;
    heap.push(planned);
    siftUp(heap, planned);
    return planned;
  }

  /** Once it has been taken off, nothing. */
  remove(planned: Planned): void {
    if (planned.index === -1) return;
    const heap = this.#heap;
    const last = heap.pop();
    if (last !== undefined && last !== planned) {
      last.index = planned.index;
      heap[last.index] = last;
      siftUp(heap, last);
      siftDown(heap, last);
    }
    planned.index = -1;
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.atNs === other.atNs ? one.turn < other.turn : one.atNs < other.atNs;
}

function siftUp(heap: Planned[], planned: Planned): void {
  while (planned.index > 0) {
    const parent = heap[(planned.index - 1) >> 1] as Planned;
    if (isBefore(parent, planned)) return;
    swap(heap, planned, parent);
  }
}

function siftDown(heap: Planned[], planned: Planned): void {
  for (;;) {
    const left = heap[2 * planned.index + 1];
    if (left === undefined) return;
    const right = heap[2 * planned.index + 2];
    const child = right !== undefined && isBefore(right, left) ? right : left;
    if (isBefore(planned, child)) return;
    swap(heap, child, planned);
  }
}

function swap(heap: Planned[], up: Planned, down: Planned): void {
  const index = up.index;
  up.index = down.index;
  down.index = index;
  heap[up.index] = up;
  heap[down.index] = down;
}
