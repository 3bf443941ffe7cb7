/** Findings about what our own clients had in their memory when a change came. */
import type { Finding } from '../core/analysis.ts';
import { nameOfLane } from '../core/lane-name.ts';
import { durationText } from '../core/quantity-text.ts';
import { nsToMs } from '../core/time.ts';
import { movesEverybody } from './convergence.ts';
import { at, type FindingContext } from './finding-context.ts';
import { coldLanes, warmNs } from './warmth.ts';

export function clientFindings(context: FindingContext): Finding[] {
  return context.contexts.flatMap(({ service, scenario, views, changes, lives }): Finding[] => {
    const [change, life] = [changes[0], lives[0]];
    if (change?.seen.isEvident !== true || !movesEverybody(scenario.change)) return [];
    const neededNs = warmNs(life?.ttlS ?? 0);
    const cold = coldLanes(views, change.seen.usedAtNs, neededNs);
    if (cold.length === 0) return [];
    return [
      {
        kind: 'cold-lanes',
        service: service.name,
        severity: 'info',
        text: `When the change began, clients that keep answers or connections had them for less than ${durationText(nsToMs(neededNs))}, so when they left is not when such users do. A longer baselineS makes them warm.`,
        evidence: cold.map(({ view, warmSinceNs }) => {
          const since = warmSinceNs === null ? 'had no answer at all' : `first answer ${at(context, warmSinceNs)}`;
          return `${nameOfLane(view.lane)}: ${since}`;
        }),
      },
    ];
  });
}
