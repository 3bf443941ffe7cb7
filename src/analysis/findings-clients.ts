/** Findings about our own clients: what they had in their memory when a change came, and what they never got. */
import type { Finding } from '../core/analysis.ts';
import { nameOfLane } from '../core/lane-name.ts';
import { durationText } from '../core/quantity-text.ts';
import { nsToMs } from '../core/time.ts';
import { movesEverybody } from './convergence.ts';
import { at, type FindingContext } from './finding-context.ts';
import type { LaneView } from './lane-view.ts';
import { coldLanes, warmNs } from './warmth.ts';

export function clientFindings(context: FindingContext): Finding[] {
  return [...coldFindings(context), ...refusedUpgrades(context)];
}

function coldFindings(context: FindingContext): Finding[] {
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

/** Where nothing ever answered, it is not known whether there is a WebSocket; an error of the server does not say it. */
function refusedUpgrades({ contexts }: FindingContext): Finding[] {
  return contexts.flatMap(({ service, views }): Finding[] => {
    const refused = views.flatMap((view) => {
      const statuses = statusesOfRefusal(view);
      return statuses.length === 0 ? [] : [`${nameOfLane(view.lane)}: ${statuses.join(', ')}`];
    });
    if (refused.length === 0) return [];
    return [
      {
        kind: 'no-websocket',
        service: service.name,
        severity: 'warn',
        text: 'This URL does not upgrade to WebSocket, so nothing is known of users who hold one. Give the service a check whose url is that of its WebSocket, beginning with ws: or wss:.',
        evidence: refused,
      },
    ];
  });
}

/** What it was answered instead of each 101; none where it got one, or asked for none. */
function statusesOfRefusal({ lane, facts, tally, series }: LaneView): readonly number[] {
  if (lane.archetype.connect.kind !== 'held' || series !== 'raw') return [];
  const met = facts.filter((_, i) => (tally.good[i] ?? 0) > 0 || (tally.failed[i] ?? 0) > 0);
  if (met.some(({ reading }) => reading === 'right')) return [];
  return [...new Set(met.flatMap(({ isAnswered, status }) => (isAnswered && status < 500 ? [status] : [])))];
}
