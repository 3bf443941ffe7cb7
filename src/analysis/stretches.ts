/** A lane as a sequence of states, for people: `old 34.0 s · new 3.4 s · DOWN 358.9 s`. */
import type { Stretch } from '../core/analysis.ts';
import { sToNs } from '../core/time.ts';
import type { ImpairedSpan } from './clusters.ts';
import type { Window } from './downtime.ts';
import { meanings } from './lane-view.ts';

/** A lane of which nothing is seen for less than this stays in the state in which it was. */
const unseenNsMin = sToNs(2);
const unseenSlotsMin = 3;
/** More than this nobody reads; then short turns of the side are left out. */
const stretchCountMax = 200;

export function stretchesOf(window: Window): Stretch[] {
  let stretches = allStretches(window);
  for (let leastNs = sToNs(1); stretches.length > stretchCountMax && leastNs < window.view.untilNs; leastNs *= 2) {
    stretches = withoutShort(stretches, leastNs);
  }
  return stretches;
}

function allStretches({ view, gaps, impaired }: Window): Stretch[] {
  const stretches: Stretch[] = [];
  const push = (state: Stretch['state'], fromAtNs: number): void => {
    if (stretches.at(-1)?.state === state) return;
    close(stretches, fromAtNs);
    stretches.push({ state, fromAtNs, toAtNs: view.untilNs });
  };
  let gap = 0;
  let span = 0;
  for (let slot = 0; slot < view.slotCount; slot += 1) {
    while ((gaps.last[gap] ?? Infinity) < slot) gap += 1;
    while ((impaired[span]?.lastSlot ?? Infinity) < slot) span += 1;
    const state = isIn(impaired[span], slot) ? 'impaired' : stateAt(slot);
    if (state !== null) push(state, view.dueNs(slot));
    else if (stretches.length === 0) push('unseen', view.dueNs(slot));
  }
  return stretches;

  /** null = as before. */
  function stateAt(slot: number): Stretch['state'] | null {
    if (view.meaning[slot] === meanings.good) return view.factsAt(slot).side;
    const firstFailed = gaps.firstFailed[gap] as number;
    // After an impaired span its last gap is over too: what follows is unseen, not down.
    if (
      firstFailed !== -1 &&
      !(impaired[span - 1] !== undefined && firstFailed <= (impaired[span - 1] as ImpairedSpan).lastSlot)
    ) {
      return slot >= firstFailed ? 'down' : null;
    }
    const slotCount = (gaps.last[gap] as number) - (gaps.first[gap] as number) + 1;
    const lengthNs = view.dueNs(gaps.last[gap] as number) - view.dueNs(gaps.first[gap] as number);
    return slotCount >= unseenSlotsMin && lengthNs >= unseenNsMin ? 'unseen' : null;
  }
}

function isIn(span: ImpairedSpan | undefined, slot: number): boolean {
  return span !== undefined && span.firstSlot <= slot && slot <= span.lastSlot;
}

function close(stretches: Stretch[], toAtNs: number): void {
  const last = stretches.at(-1);
  if (last !== undefined) stretches[stretches.length - 1] = { ...last, toAtNs };
}

/** A short stretch of a side goes into another side's before it; what was down, impaired or unseen stays as it was. */
function withoutShort(stretches: readonly Stretch[], leastNs: number): Stretch[] {
  const kept: Stretch[] = [];
  for (const stretch of stretches) {
    const before = kept.at(-1);
    const isShort = isOfSide(stretch) && stretch.toAtNs - stretch.fromAtNs < leastNs;
    const joins = before !== undefined && (before.state === stretch.state || (isShort && isOfSide(before)));
    if (joins) close(kept, stretch.toAtNs);
    else kept.push(stretch);
  }
  return kept;
}

function isOfSide({ state }: Stretch): boolean {
  return state !== 'down' && state !== 'impaired' && state !== 'unseen';
}
