/** Which lane's slot is due next: a binary heap of lanes by the due instant of their next slot. */
import { dueAtNs } from '../core/schedule.ts';
import type { LaneRunner } from './lane-runner.ts';

interface Waiting {
  readonly runner: LaneRunner;
  slot: number;
  dueNs: number;
}

export interface Schedule {
  add(runner: LaneRunner): void;
  /** Due instant of the next slot of all; Infinity without lanes. */
  readonly nextDueNs: number;
  /** Hands over each slot due at or before `nowNs`, and before `untilNs`, in due order. */
  takeDue(nowNs: number, untilNs: number, fire: (runner: LaneRunner, slot: number) => void): void;
}

export function newSchedule(): Schedule {
  const heap: Waiting[] = [];

  function at(i: number): Waiting {
    return heap[i] as Waiting;
  }

  function up(from: number): void {
    const waiting = at(from);
    let i = from;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (at(parent).dueNs <= waiting.dueNs) break;
      heap[i] = at(parent);
      i = parent;
    }
    heap[i] = waiting;
  }

  function down(): void {
    const waiting = at(0);
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && at(child + 1).dueNs < at(child).dueNs) child += 1;
      if (at(child).dueNs >= waiting.dueNs) break;
      heap[i] = at(child);
      i = child;
    }
    heap[i] = waiting;
  }

  return {
    add(runner) {
      heap.push({ runner, slot: 0, dueNs: dueAtNs(runner.lane, 0) });
      up(heap.length - 1);
    },
    get nextDueNs() {
      return heap[0]?.dueNs ?? Infinity;
    },
    takeDue(nowNs, untilNs, fire) {
      for (;;) {
        const first = heap[0];
        if (first === undefined || first.dueNs > nowNs || first.dueNs >= untilNs) return;
        const { runner, slot } = first;
        first.slot += 1;
        first.dueNs = dueAtNs(runner.lane, first.slot);
        down();
        fire(runner, slot);
      }
    },
  };
}
