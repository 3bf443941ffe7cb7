/**
 * Where in a chain of aliases the answers of two sides part. A cache keeps each record set of a chain by itself (domain
 * facts A.1): whoever has the set at which they part goes on to the side left for as long as that one lives, however short
 * the life of what it leads to.
 */
import { isSideName, type RecordSet } from '../core/record-set.ts';
import type { Scenario } from '../core/scenario.ts';
import type { AuthorityTrack, TrackStep } from './authority-tracks.ts';
import type { Change } from './change.ts';

/** The TTL of what a step served, as it counts for how long the side left is met. */
export type StepTtlS = (track: AuthorityTrack, step: TrackStep) => number;

export function stepTtlS(tracks: readonly AuthorityTrack[], change: Change, scenario: Scenario): StepTtlS {
  const key = ({ name, question }: AuthorityTrack): string => `${name} ${question}`;
  const targetSteps = new Map<string, TrackStep>();
  for (const track of tracks) {
    const step = track.steps.findLast(({ side }) => side === change.target);
    if (step !== undefined) targetSteps.set(key(track), step);
  }
  return (track, step) => {
    if (step.sets.length === 0) return step.ttlS;
    const after = targetSteps.get(key(track))?.sets;
    if (after === undefined) {
      const own = step.sets.filter(({ name }) => !isSideName(scenario, name));
      return own.length === 0 ? step.ttlS : Math.max(...own.map(({ ttlS }) => ttlS));
    }
    return step.sets.find((set) => !after.some((other) => isSame(set, other)))?.ttlS ?? step.ttlS;
  };
}

function isSame(one: RecordSet, other: RecordSet): boolean {
  return (
    one.name === other.name &&
    one.type === other.type &&
    one.data.length === other.data.length &&
    one.data.every((data) => other.data.includes(data))
  );
}
