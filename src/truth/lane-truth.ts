/** One lane as it really was. */
import type { Lane } from '../core/scenario.ts';
import type { Difference } from './comparison.ts';
import type { Fate } from './fate.ts';
import type { TrueOutage } from './true-outages.ts';

export interface LaneTruth {
  readonly lane: Lane;
  /** In order of slots. */
  readonly fates: readonly Fate[];
  readonly outages: readonly TrueOutage[];
}

/** A difference of this lane. */
export type At = (fromNs: number, toNs: number, text: string) => Difference;

export function overlaps(outage: TrueOutage, fromNs: number, toNs: number): boolean {
  return outage.firstFailedAtNs <= toNs && fromNs <= outage.lastFailedAtNs;
}

export function failedIn(fates: readonly Fate[], fromNs: number, toNs: number): readonly Fate[] {
  return fates.filter(({ kind, attempt }) => kind === 'failed' && attempt.dueNs >= fromNs && attempt.dueNs <= toNs);
}

export function countText(reported: number, truth: number): string {
  return `${String(reported)} failures reported, ${String(truth)} there were`;
}

export function msText(ms: number): string {
  return ms.toFixed(1);
}
