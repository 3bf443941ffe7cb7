/**
 * How far two runs of one world may be apart by chance alone: by when what was cached had begun, and by which of several
 * targets a request was sent to.
 */
import type { Analysis, Cause } from '../core/analysis.ts';
import { durationText } from '../core/quantity-text.ts';
import { nsToMs } from '../core/time.ts';
import type { LanePair } from './compare-match.ts';
import { isLucky, partOf, type Part } from './compare-part.ts';

export interface LaneRuns {
  readonly a: Analysis;
  readonly b: Analysis;
}

interface Luck {
  /** Of when what is cached, or kept open, had begun. */
  readonly heldMs: number;
  /**
   * Where good and failed probes mix, chance makes the runs of failures that count as outages, and where such a stretch
   * begins and ends is seen only at its next failure. How often it failed is compared by itself.
   */
  readonly mixedDownMs: number;
  readonly mixedImpairedMs: number;
}

/** Chance puts the first failure of a mixed stretch further in than ln(1000) ÷ share slots once in a thousand times. */
const edgeSlots = Math.log(1000);

export function luckOf(a: Part, b: Part): Luck {
  const isHeld = [a, b].some(({ outages }) => outages.some(isLucky)) && !areOtherWorlds(a, b);
  const heldMs = isHeld ? Math.max(a.lifeMs, b.lifeMs) : 0;
  const [mixedA, mixedB] = [mixedStretches(a), mixedStretches(b)];
  const edgesMs = [...mixedA, ...mixedB].reduce((sum, { edgeMs }) => sum + 2 * edgeMs, 0);
  if (edgesMs === 0) return { heldMs, mixedDownMs: 0, mixedImpairedMs: 0 };
  const lengthOf = (mixed: readonly Mixed[]): number => mixed.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  return {
    heldMs,
    mixedDownMs: edgesMs + Math.max(lengthOf(mixedA), lengthOf(mixedB)),
    mixedImpairedMs: edgesMs + Math.max(a.downtimeMs.max, b.downtimeMs.max),
  };
}

/** As long after the change as one was failed there, the other was still served there: that is not when a cache ended. */
function areOtherWorlds(a: Part, b: Part): boolean {
  const marginMs = a.marginMs + b.marginMs;
  const isBefore = (failed: Part, served: Part): boolean =>
    failed.failedThereMs !== null &&
    served.servedThereMs !== null &&
    failed.failedThereMs + marginMs < served.servedThereMs;
  return isBefore(a, b) || isBefore(b, a);
}

interface Mixed {
  readonly lengthMs: number;
  readonly edgeMs: number;
}

/** Where a part of a side fails, chance sends a request there or not. */
const partialCauses: readonly Cause[] = ['address-down', 'side-impaired', 'stale-target', 'target-failed'];

/** Impaired ones, and from the first to the last outage at a part of a side. */
function mixedStretches({ lane, outages }: Part): Mixed[] {
  const partial = outages.filter(({ causes }) => partialCauses.some((cause) => (causes[cause] ?? 0) > 0));
  const [first, last] = [partial[0], partial.at(-1)];
  const spans = lane.impaired.map(({ fromAtNs, toAtNs, failedShare }) => ({
    lengthMs: nsToMs(toAtNs - fromAtNs),
    failedShare,
  }));
  if (first !== undefined && last !== undefined) {
    const lengthMs = nsToMs(last.lastFailedAtNs - first.firstFailedAtNs) + lane.resolutionMs;
    const failedCount = partial.reduce((sum, outage) => sum + outage.failedCount, 0);
    spans.push({ lengthMs, failedShare: (failedCount * lane.resolutionMs) / lengthMs });
  }
  return spans.map(({ lengthMs, failedShare }) => ({
    lengthMs,
    edgeMs: (edgeSlots * lane.resolutionMs) / failedShare,
  }));
}

/** How far the downtime of two runs of one world may be apart, ms. */
export function downtimeLuckMs(pair: LanePair, runs: LaneRuns): number {
  const { heldMs, mixedDownMs } = luckOf(partOf(pair.a, runs.a), partOf(pair.b, runs.b));
  return heldMs + mixedDownMs;
}

export function luckText(luckMs: number): string {
  if (luckMs === 0) return '';
  return `; luck explains up to ${durationText(luckMs, 'up')}`;
}
