/**
 * The guard of a run: at most so many probes a second for a service, whatever its sides' names resolve to. A load balancer
 * with many addresses, or a zone with many name servers, must not get us above it: such lanes beyond it are left out, and
 * that is said.
 */
import type { Lane } from '../core/scenario.ts';
import { nameOfLane } from '../core/lane-name.ts';

export interface Admitted {
  /** Numbered from `firstNumber` on, without gaps. */
  readonly lanes: readonly Lane[];
  /** A sentence for each lane that was left out. */
  readonly notes: readonly string[];
}

export interface Guard {
  admit(lanes: readonly Lane[], firstNumber: number): Admitted;
}

export function newGuard(ratePerSecondMax: number): Guard {
  const rateByService = new Map<string, number>();
  return {
    admit(lanes, firstNumber) {
      const left = new Set<Lane>();
      // Client lanes are what the run is about: `plan` has refused a scenario whose client lanes alone are too many.
      for (const lane of lanes.toSorted((a, b) => Number(isLookedUp(a)) - Number(isLookedUp(b)))) {
        const rate = (rateByService.get(lane.service) ?? 0) + lane.ratePerSecond;
        if (isLookedUp(lane) && rate > ratePerSecondMax) left.add(lane);
        else rateByService.set(lane.service, rate);
      }
      return {
        lanes: lanes.filter((lane) => !left.has(lane)).map((lane, i) => ({ ...lane, number: firstNumber + i })),
        notes: [...left].map(
          (lane) => `${nameOfLane(lane)} is not probed: it would exceed the guard of ${ratePerSecondMax} probes/s`,
        ),
      };
    },
  };
}

/** How many there are, nobody knows before the run. */
function isLookedUp({ role, resolver }: Lane): boolean {
  return role === 'side' || resolver?.authority !== undefined;
}
