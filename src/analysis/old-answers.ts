/**
 * For how long cached answers may lead to the side that a change leaves: until the record has expired and, after it, the
 * answer that a client keeps for itself. A client that keeps its connection open leaves at no certain instant, but is back at
 * its own cache as soon as that connection breaks: it counts as well.
 */
import type { LaneAnalysis, OldAnswers } from '../core/analysis.ts';
import { ownCacheS } from '../core/own-cache.ts';
import { sToNs } from '../core/time.ts';
import type { Change } from './change.ts';
import { leavesBy, type RecordLife } from './leaving.ts';
import type { ServiceContext } from './service-analysis.ts';

/** @param lanes of the service. */
export function oldAnswers(
  { views, scenario, qualified }: ServiceContext,
  {
    change,
    life,
    lanes,
  }: { readonly change: Change; readonly life: RecordLife; readonly lanes: readonly LaneAnalysis[] },
): OldAnswers {
  const judged = views.filter((view) => view.lane.judged && qualified.has(view)).map(({ lane }) => lane);
  const clients = new Set(judged.map(({ client }) => client));
  const ownCaches = scenario.clients
    .flatMap(({ name, archetype }) => {
      const s = ownCacheS(archetype.resolve);
      return clients.has(name) && s !== null && s > 0 ? [{ client: name, s }] : [];
    })
    .toSorted((a, b) => b.s - a.s);
  const ttlS = life.ttlS ?? scenario.change.ttlBeforeS;
  const leastS = ttlS === null ? null : ttlS + (ownCaches[0]?.s ?? 0);
  const switchedNs = change.seen.authorityLastAtNs ?? change.seen.usedAtNs;
  const dueNs = Math.max(
    leastS === null ? -Infinity : switchedNs + sToNs(leastS),
    ...judged.map((lane) => leavesBy(lane, life).atNs ?? -Infinity),
  );
  if (dueNs === -Infinity) return { untilNs: null, leastS, ownCaches, keptLongerBy: [], isOpen: false };
  const late = outlived(lanes, change, dueNs);
  return {
    untilNs: Math.max(dueNs, ...late.map(({ untilNs }) => untilNs)),
    leastS,
    ownCaches,
    keptLongerBy: [...new Set(late.flatMap(({ resolver }) => (resolver === null ? [] : [resolver])))].toSorted(),
    isOpen: late.some(({ isOpen }) => isOpen),
  };
}

/** Answers that failed somebody after they should have been gone: the law of TTLs is not kept by everybody. */
function outlived(
  lanes: readonly LaneAnalysis[],
  { untilNs: changeUntilNs }: Change,
  dueNs: number,
): readonly { readonly untilNs: number; readonly isOpen: boolean; readonly resolver: string | null }[] {
  return lanes
    .filter((lane) => lane.judged && lane.qualified)
    .flatMap(({ outages, resolver }) =>
      outages
        .filter(
          ({ causes, firstFailedAtNs, lastFailedAtNs }) =>
            causes['stale-answer'] !== undefined && lastFailedAtNs > dueNs && firstFailedAtNs < changeUntilNs,
        )
        .map(({ firstGoodAtNs, lastFailedAtNs }) => ({
          untilNs: firstGoodAtNs ?? lastFailedAtNs,
          isOpen: firstGoodAtNs === null,
          resolver,
        })),
    );
}
