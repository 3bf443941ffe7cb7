/** With which TTLs the authoritative servers of a name served its records, and when: what a resolver is held against. */
import { sToNs } from '../core/time.ts';
import type { AuthorityTrack } from './authority-tracks.ts';

export interface AuthorityTtls {
  /** The largest that any of them served in that time; null = none is known. */
  largestS(fromNs: number, toNs: number): number | null;
  /** The smallest, where they know the chain to its end; null = not known. */
  smallestS(fromNs: number, toNs: number): number | null;
  /** The largest and the smallest of all of the run. */
  readonly everS: number | null;
  readonly leastS: number | null;
  /** Up to here every change of a TTL has been heard of. */
  readonly knownUntilNs: number;
}

interface Served {
  readonly fromNs: number;
  readonly toNs: number;
  readonly ttlS: number;
  readonly isWhole: boolean;
}

/** A TTL that changes by itself may be heard of so much later. */
const heardLateNs = sToNs(12);

/** @param tracks those of the name. */
export function authorityTtls(tracks: readonly AuthorityTrack[]): AuthorityTtls {
  const served = tracks.flatMap(({ steps }) =>
    steps.flatMap((step, i): Served[] => {
      if (step.side === 'none') return [];
      const fromNs = steps[i - 1]?.seenNs ?? -Infinity;
      return [{ fromNs, toNs: step.untilNs ?? Infinity, ttlS: step.ttlS, isWhole: step.addresses.length > 0 }];
    }),
  );
  const within = (fromNs: number, toNs: number): readonly Served[] =>
    served.filter((one) => one.fromNs <= toNs && one.toNs >= fromNs);
  const lastHeardNs = Math.max(-Infinity, ...tracks.flatMap(({ steps }) => steps.at(-1)?.lastSeenNs ?? []));
  return {
    largestS: (fromNs, toNs) => extreme(Math.max, within(fromNs - heardLateNs, toNs + heardLateNs)),
    smallestS(fromNs, toNs) {
      const those = within(fromNs - heardLateNs, toNs + heardLateNs);
      return those.every((one) => one.isWhole) ? extreme(Math.min, those) : null;
    },
    everS: extreme(Math.max, served),
    leastS: extreme(Math.min, served),
    knownUntilNs: lastHeardNs,
  };
}

function extreme(pick: (...values: number[]) => number, served: readonly Served[]): number | null {
  return served.length === 0 ? null : pick(...served.map(({ ttlS }) => ttlS));
}
