/** Findings about what our own clients had in their memory when a change came. */
import type { Finding } from '../core/analysis.ts';
import { nameOfLane } from '../core/lane-name.ts';
import { durationText } from '../core/quantity-text.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import { movesEverybody } from './convergence.ts';
import { at, type FindingContext } from './finding-context.ts';
import type { LaneView } from './lane-view.ts';
import { isFresh } from './leaving.ts';

/** The longest that a browser keeps an answer by itself (domain facts, A.6). */
const warmNsMin = sToNs(60);

/**
 * A client in use for hours has an answer and a connection of any age; one that began a moment ago has new ones. It may
 * then leave sooner or later than users do: its whole life is still ahead, or it asks for the first time after the change.
 */
export function clientFindings(context: FindingContext): Finding[] {
  return context.contexts.flatMap(({ service, scenario, views, changes, lives }): Finding[] => {
    const [change, life] = [changes[0], lives[0]];
    if (change?.seen.isEvident !== true || !movesEverybody(scenario.change)) return [];
    const { usedAtNs } = change.seen;
    const neededNs = Math.max(warmNsMin, sToNs(life?.ttlS ?? 0));
    const cold = views.flatMap((view) => {
      if (!remembers(view)) return [];
      const warmSinceNs = firstAnswerNs(view);
      return warmSinceNs !== null && usedAtNs - warmSinceNs >= neededNs ? [] : [{ view, warmSinceNs }];
    });
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

function remembers({ lane, series }: LaneView): boolean {
  return lane.role === 'client' && lane.resolver !== null && series === 'raw' && !isFresh(lane);
}

/** Null: none before the end. */
function firstAnswerNs(view: LaneView): number | null {
  const slots = view.facts.flatMap((facts, sighting) => {
    const slot = view.tally.firstSlot[sighting] as number;
    return facts.hasAddress && facts.answer > 0 && slot >= 0 ? [slot] : [];
  });
  return slots.length === 0 ? null : view.dueNs(Math.min(...slots));
}
