/**
 * Bounds of outages and of downtime. What is certain runs from due to due of failed slots; what may have been runs from
 * the last good slot before to the first good one after. Everything unseen is harmless for `min` and bad for `max`.
 */
import type { Interval } from '../core/analysis.ts';
import { nsToMs } from '../core/time.ts';
import { isInside, type ImpairedSpan } from './clusters.ts';
import type { Gaps } from './gaps.ts';
import { meanings, type LaneView } from './lane-view.ts';

/** A part of a lane: slots from `fromSlot` on, judged from `fromNs` on. */
export interface Window {
  readonly view: LaneView;
  readonly gaps: Gaps;
  readonly fromSlot: number;
  readonly fromNs: number;
  readonly impaired: readonly ImpairedSpan[];
}

/** The good slots around a gap; null = none there. */
export interface GapEdges {
  readonly lastGoodSlot: number | null;
  readonly firstGoodSlot: number | null;
  /** Due instants of these, or where the window begins and probing ends. */
  readonly fromNs: number;
  readonly toNs: number;
}

export function edgesOf({ view, gaps, fromNs }: Window, gap: number): GapEdges {
  const before = (gaps.first[gap] as number) - 1;
  const after = (gaps.last[gap] as number) + 1;
  // A window may begin in the middle of a gap: what was before is not its concern.
  const lastGoodSlot = before >= 0 && view.meaning[before] === meanings.good ? before : null;
  const firstGoodSlot = after < view.slotCount ? after : null;
  return {
    lastGoodSlot,
    firstGoodSlot,
    fromNs: lastGoodSlot === null ? fromNs : view.dueNs(lastGoodSlot),
    toNs: firstGoodSlot === null ? view.untilNs : view.dueNs(firstGoodSlot),
  };
}

export interface Downtime {
  readonly total: Interval;
  readonly longest: Interval;
}

/**
 * Impaired spans are not in it: theirs is `impairedOf`. But what was not seen in one, or at its edges, may have been an
 * outage: had it all failed, its gap would be too long for chance. So such a gap counts to `max`, all of it.
 */
export function downtimeOf(window: Window): Downtime {
  const { view, gaps, impaired } = window;
  const total = { min: 0, max: 0 };
  const longest = { min: 0, max: 0 };
  for (let gap = 0; gap < gaps.count; gap += 1) {
    const isImpaired = isInside(impaired, gaps, gap);
    if (isImpaired && !hasUnseen(gaps, gap)) continue;
    const edges = edgesOf(window, gap);
    const maxMs = nsToMs(edges.toNs - edges.fromNs);
    const isSure = !isImpaired && (gaps.sureCount[gap] as number) > 0;
    const minMs = isSure
      ? nsToMs(view.dueNs(gaps.lastSure[gap] as number) - view.dueNs(gaps.firstSure[gap] as number))
      : 0;
    total.min += minMs;
    total.max += maxMs;
    longest.min = Math.max(longest.min, minMs);
    longest.max = Math.max(longest.max, maxMs);
  }
  return { total, longest };
}

function hasUnseen(gaps: Gaps, gap: number): boolean {
  return (gaps.failedCount[gap] as number) <= (gaps.last[gap] as number) - (gaps.first[gap] as number);
}

export function impairedMsOf(window: Window): Interval {
  const total = { min: 0, max: 0 };
  for (const span of window.impaired) {
    if (span.lastSlot < window.fromSlot) continue;
    const { view } = window;
    const firstNs = Math.max(window.fromNs, view.dueNs(span.firstSlot));
    total.min += nsToMs(view.dueNs(span.lastSlot) - firstNs);
    const [before, after] = [goodBefore(view, span.firstSlot), goodAfter(view, span.lastSlot)];
    const fromNs = before === null ? window.fromNs : Math.max(window.fromNs, view.dueNs(before));
    total.max += nsToMs((after === null ? view.untilNs : view.dueNs(after)) - fromNs);
  }
  return total;
}

function goodBefore(view: LaneView, slot: number): number | null {
  const at = view.meaning.lastIndexOf(meanings.good, slot);
  return at === -1 ? null : at;
}

function goodAfter(view: LaneView, slot: number): number | null {
  const at = view.meaning.indexOf(meanings.good, slot);
  return at === -1 ? null : at;
}
