/** What authoritative servers answered, from the watch. */
import type { AuthorityAnalysis } from '../core/analysis.ts';
import type { AuthorityTrack, TrackStep } from './authority-tracks.ts';
import type { AnswerSide } from './sides.ts';

export function analyseAuthorities(tracks: readonly AuthorityTrack[]): AuthorityAnalysis[] {
  const groups = Map.groupBy(tracks, (track) => `${track.server} ${track.name}`);
  return [...groups.values()].map((group) => {
    const { server, name } = group[0] as AuthorityTrack;
    const steps = group.flatMap((track) => track.steps);
    return {
      address: server,
      hostname: name,
      ttlS: steps.toSorted((a, b) => a.seenNs - b.seenNs).findLast((step) => step.addresses.length > 0)?.ttlS ?? null,
      firstNewAtNs: extreme(Math.min, steps, 'new', (step) => step.seenNs),
      lastOldAtNs: extreme(Math.max, steps, 'old', (step) => step.lastSeenNs),
      unreachableCount: group.reduce((sum, track) => sum + track.unreachableCount, 0),
    };
  });
}

function extreme(
  pick: (...values: number[]) => number,
  steps: readonly TrackStep[],
  side: AnswerSide,
  value: (step: TrackStep) => number,
): number | null {
  const values = steps.filter((step) => step.side === side).map(value);
  return values.length === 0 ? null : pick(...values);
}
