/** Failures that belong together (domain facts F.1): fewer good slots between them than `goodRunMin`. */
import type { Lane } from '../core/scenario.ts';
import type { Fate } from './fate.ts';

/** RFC 3611 (RTCP XR) ends a burst at 16 good packets in a row; of faster lanes, a second. */
const goodRunMinOf = (lane: Lane): number => Math.max(16, Math.ceil(lane.ratePerSecond));
/** Fewer failures are no burst. */
export const burstFailuresMin = 5;

/** Failed fates of each cluster, in order. */
export function clustersOf(fates: readonly Fate[], lane: Lane): readonly (readonly Fate[])[] {
  const goodRunMin = goodRunMinOf(lane);
  const clusters: Fate[][] = [];
  let goodCount = Infinity;
  for (const fate of fates) {
    if (fate.kind === 'good') goodCount += 1;
    if (fate.kind !== 'failed') continue;
    if (goodCount >= goodRunMin) clusters.push([]);
    clusters.at(-1)?.push(fate);
    goodCount = 0;
  }
  return clusters;
}
