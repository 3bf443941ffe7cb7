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
  /** Hold a connection there that breaks, of all users by weight. */
  readonly connectedRatio: number;
  /** Led there at that moment, by what they or their resolvers remember. */
  readonly hitRatio: number;
  /** Led there for ever: down until somebody restarts or mends them. */
  readonly stuckRatio: number;
  /** Expected downtime of a user who is not stuck, and its standard error. */
  readonly downS: Mean;
}

const minutes: readonly number[] = [0, 1, 2, 5, 10, 15, 30, 60];
/** Where answers live for seconds, so do the questions: parts of a life instead. */
const lives: readonly number[] = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3];

/** Within the horizon. None where names go on leading there: it would be down for ever. */
export function removalsAfterS(
  { removedAtNs, leadsAway }: ForecastPlan,
  {
    lifeS,
    horizonS,
    harmlessFromS,
  }: { readonly lifeS: number; readonly horizonS: number; readonly harmlessFromS: number | null },
): readonly number[] {
  if (!leadsAway) return [];
  const usual = lifeS < 30 ? lives.map((count) => count * lifeS) : minutes.map((count) => count * 60);
  const planned = removedAtNs === null || removedAtNs < 0 ? [] : [nsToS(removedAtNs)];
  const harmless = harmlessFromS === null ? [] : [harmlessFromS];
  return [...new Set([...usual, ...planned, ...harmless])]
    .filter((afterS) => afterS <= horizonS)
    .toSorted((a, b) => a - b);
}

export interface RemovalOptions {
  readonly population: Population;
  /** The same users, as they fare when nothing is removed. */
  readonly tallies: readonly Tally[];
  /** When these were counted. */
  readonly talliedAtNs: readonly number[];
  readonly afterS: number;
  /** How long they are followed afterwards: whoever is still down then is down for ever. */
  readonly followedNs: number;
  readonly stepNs: number;
}

export function removalOf(options: RemovalOptions): Removal {
  const { population, tallies, talliedAtNs, afterS, followedNs, stepNs } = options;
  const { leaving, removedAtNs: plannedAtNs } = population.plan;
  const removedAtNs = sToNs(afterS);
  const instants = instantsBetween(removedAtNs, removedAtNs + followedNs, stepNs);
  const weights = weightsS(instants);
  const tallied = talliedAtNs.findLastIndex((atNs) => atNs <= removedAtNs);
  const fates = tallies.map(({ group, userCount, freeFromNs, counts }) => {
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
    return {
      weightRatio,
      connectedRatio: (counts['kept-connection'][tallied] ?? 0) / userCount,
      hitRatio: hitCount / userCount,
      stuckRatio: stuckCount / userCount,
      downS: meanOf(downS),
    };
  });
  const sumOf = (of: (fate: (typeof fates)[number]) => number): number =>
    fates.reduce((sum, fate) => sum + fate.weightRatio * of(fate), 0);
  return {
    afterS,
    isPlanned: removedAtNs === plannedAtNs,
    connectedRatio: sumOf(({ connectedRatio }) => connectedRatio),
    hitRatio: sumOf(({ hitRatio }) => hitRatio),
    stuckRatio: sumOf(({ stuckRatio }) => stuckRatio),
    downS: weightedMean(
      fates.map(({ weightRatio, stuckRatio, downS }) => ({ ...downS, weightRatio: weightRatio * (1 - stuckRatio) })),
    ),
  };
}
