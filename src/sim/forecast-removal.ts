/**
 * What it costs to remove the side that is left while users are still led there. Connections to it break; whoever held one
 * connects anew, by what he remembers of DNS, and is down only as long as that leads him to a side that is no more.
 */
import { nsToS, sToNs } from '../core/time.ts';
import type { Tally } from './forecast-emptying.ts';
import type { ForecastPlan } from './forecast-plan.ts';
import { live, type Population } from './forecast-population.ts';
import { instantsBetween, meanOf, weightedMean, weightsS, type Mean } from './forecast-statistics.ts';

export interface Removal {
  /** Since the switch. */
  readonly afterS: number;
  /** The script of the scenario does it then. */
  readonly isPlanned: boolean;
  /** Led there at that moment, of all users by weight. */
  readonly hitRatio: number;
  /** Led there for ever: down until somebody restarts or mends them. */
  readonly stuckRatio: number;
  /** Expected downtime of a user who is not stuck, and its standard error. */
  readonly downS: Mean;
}

const minutes: readonly number[] = [0, 1, 2, 5, 10, 15, 30, 60];
/** Where answers live for seconds, so do the questions: parts of a life instead. */
const lives: readonly number[] = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3];

/** None where names go on leading there: it would be down for ever. */
export function removalsAfterS(
  { removedAtNs, settled, leaving }: ForecastPlan,
  { lifeS, horizonS }: { readonly lifeS: number; readonly horizonS: number },
): readonly number[] {
  if (settled === null || settled.side === leaving) return [];
  const usual = lifeS < 30 ? lives.map((count) => count * lifeS) : minutes.map((count) => count * 60);
  const planned = removedAtNs === null || removedAtNs < 0 ? [] : [nsToS(removedAtNs)];
  return [...new Set([...usual.filter((afterS) => afterS <= horizonS), ...planned])].toSorted((a, b) => a - b);
}

export interface RemovalOptions {
  readonly population: Population;
  /** The same users, as they fare when nothing is removed. */
  readonly tallies: readonly Tally[];
  readonly afterS: number;
  /** How long they are followed afterwards. */
  readonly horizonNs: number;
  readonly stepNs: number;
}

export function removalOf(options: RemovalOptions): Removal {
  const { population, tallies, afterS, horizonNs, stepNs } = options;
  const { leaving, removedAtNs: plannedAtNs } = population.plan;
  const removedAtNs = sToNs(afterS);
  const instants = instantsBetween(removedAtNs, removedAtNs + horizonNs, stepNs);
  const weights = weightsS(instants);
  const fates = tallies.map(({ group, userCount, freeFromNs }) => {
    const downS: number[] = [];
    let [hitCount, stuckCount] = [0, 0];
    for (let number = 0; number < userCount; number += 1) {
      let ownS = 0;
      let isStuck = false;
      if ((freeFromNs[number] ?? Infinity) > removedAtNs) {
        live({ population, group, number, removedAtNs, instants }, (i, { side }) => {
          if (side !== leaving) return;
          ownS += weights[i] ?? 0;
          if (i === 0) hitCount += 1;
          if (i === instants.length - 1) isStuck = true;
        });
      }
      if (isStuck) stuckCount += 1;
      else downS.push(ownS);
    }
    const { weightRatio } = group;
    return { weightRatio, hitRatio: hitCount / userCount, stuckRatio: stuckCount / userCount, downS: meanOf(downS) };
  });
  const sumOf = (of: (fate: (typeof fates)[number]) => number): number =>
    fates.reduce((sum, fate) => sum + fate.weightRatio * of(fate), 0);
  return {
    afterS,
    isPlanned: removedAtNs === plannedAtNs,
    hitRatio: sumOf(({ hitRatio }) => hitRatio),
    stuckRatio: sumOf(({ stuckRatio }) => stuckRatio),
    downS: weightedMean(
      fates.map(({ weightRatio, stuckRatio, downS }) => ({ ...downS, weightRatio: weightRatio * (1 - stuckRatio) })),
    ),
  };
}
