/** What will happen by itself, in the order in which it comes due; of one instant, what was planned first. */
export interface Timeline {
  at(atNs: number, run: (nowNs: number) => void): void;
  /** Runs all that is due by now, each as of its own instant, also what is planned meanwhile. */
  advance(nowNs: number): void;
  nextNs(): number | null;
}

export function newTimeline(): Timeline {
  const planned: { readonly atNs: number; readonly run: (nowNs: number) => void }[] = [];
  return {
    at(atNs, run) {
      let place = planned.length;
      while (place > 0 && (planned[place - 1]?.atNs ?? 0) > atNs) place -= 1;
      planned.splice(place, 0, { atNs, run });
    },
    advance(nowNs) {
      for (let next = planned[0]; next !== undefined && next.atNs <= nowNs; next = planned[0]) {
        planned.shift();
        next.run(next.atNs);
      }
    },
    nextNs: () => planned[0]?.atNs ?? null,
  };
}
