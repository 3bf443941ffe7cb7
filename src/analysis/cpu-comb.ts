/**
 * Answers that end in step: a container that has used up its CPU quota stands still until the next period of the kernel's
 * bandwidth control begins (100 ms, `cpu.cfs_period_us`; kernel, Documentation/scheduler/sched-bwc.rst), so what waited
 * ends shortly after a period's begin, whenever it was sent. Seen from outside: the ends of slow answers gather at one
 * phase of 100 ms, though the requests were sent at all of them.
 */
import type { Side } from '../core/scenario.ts';
import { msToNs, nsPerMs, sToNs } from '../core/time.ts';
import { meanings, type LaneView } from './lane-view.ts';

export const quotaPeriodMs = 100;

export interface CpuComb {
  readonly side: Side;
  /** Slow answers that were looked at. */
  readonly count: number;
  /** How the ends, and how the sendings, gather at one phase: 0 = not at all, 1 = all at the same. */
  readonly endsGather: number;
  readonly sendsGather: number;
  /** Ends by tenths of the period, from five tenths before where they gather to five after it. */
  readonly tenths: readonly number[];
}

/** Two clocks drift apart by less than 5 ms in this time (50 parts in a million), so phases are compared within it. */
const windowNs = sToNs(100);
/** Fewer slow answers in a window gather by chance. */
const windowCountMin = 30;
const countMin = 100;
/** A quota of half a period makes 0.64, of three quarters 0.3; beyond, nobody sees it. */
const endsGatherMin = 0.5;
/** Our own schedule gathers too where few lanes probe: what ends in step must not just have been sent in step. */
const gatherMoreMin = 0.3;

/** @param slowUs answers that took longer may have waited; the median of the other side, twice. */
export function findCpuComb(views: readonly LaneView[], side: Side, slowUs: number): CpuComb | null {
  const windows = new Map<number, Window>();
  for (const view of views) addSlow(view, side, slowUs, windows);
  let count = 0;
  let ends = 0;
  let sends = 0;
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const window of windows.values()) {
    if (window.count < windowCountMin) continue;
    const end = gatheringOf(window.ends);
    count += window.count;
    ends += end.length;
    sends += gatheringOf(window.sends).length;
    window.ends.forEach((n, ms) => {
      const tenth = Math.floor((((ms - end.phaseMs + 1.5 * quotaPeriodMs) % quotaPeriodMs) / quotaPeriodMs) * 10);
      tenths[tenth] = (tenths[tenth] as number) + n;
    });
  }
  if (count < countMin) return null;
  const comb = { side, count, endsGather: ends / count, sendsGather: sends / count, tenths };
  return comb.endsGather >= endsGatherMin && comb.endsGather >= comb.sendsGather + gatherMoreMin ? comb : null;
}

interface Window {
  count: number;
  /** By ms of the period. */
  readonly ends: Uint32Array;
  readonly sends: Uint32Array;
}

function addSlow(view: LaneView, side: Side, slowUs: number, windows: Map<number, Window>): void {
  const isOf = view.facts.map((facts) => facts.side === side && facts.reading === 'right');
  if (!isOf.includes(true)) return;
  for (let slot = 0; slot < view.slotCount; slot += 1) {
    const meaning = view.meaning[slot];
    if (meaning !== meanings.good && meaning !== meanings.failed) continue;
    if (view.responseUsAt(slot) <= slowUs) continue;
    const facts = view.factsAt(slot);
    if (facts.side !== side || facts.reading !== 'right') continue;
    const dueNs = view.dueNs(slot);
    const number = Math.floor(dueNs / windowNs);
    let window = windows.get(number);
    if (window === undefined) {
      window = { count: 0, ends: new Uint32Array(quotaPeriodMs), sends: new Uint32Array(quotaPeriodMs) };
      windows.set(number, window);
    }
    window.count += 1;
    const [end, send] = [phaseMs(view.endedNs(slot)), phaseMs(dueNs)];
    window.ends[end] = (window.ends[end] as number) + 1;
    window.sends[send] = (window.sends[send] as number) + 1;
  }
}

function phaseMs(atNs: number): number {
  return Math.floor((atNs % msToNs(quotaPeriodMs)) / nsPerMs);
}

/** The resultant of all phases as arrows on a circle: its length, and where it points. */
function gatheringOf(counts: Uint32Array): { readonly length: number; readonly phaseMs: number } {
  let [x, y] = [0, 0];
  counts.forEach((count, ms) => {
    const angle = (2 * Math.PI * ms) / quotaPeriodMs;
    x += count * Math.cos(angle);
    y += count * Math.sin(angle);
  });
  const turn = Math.atan2(y, x) / (2 * Math.PI);
  return { length: Math.hypot(x, y), phaseMs: turn * quotaPeriodMs };
}
