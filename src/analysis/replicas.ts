/**
 * Which replicas answered, by a header whose value names the pod, the task or the build (`change.replicaHeader`). Values
 * are what a server sends: they are cut by the prober, and here their number has a limit.
 */
import type { PhaseName, ReplicaAnalysis, ReplicasAnalysis } from '../core/analysis.ts';
import type { Definitions } from './gathered.ts';
import { meanings, type LaneView } from './lane-view.ts';
import { headerOf } from './sighting-facts.ts';

/** A header that is another each time (a request id) names no replica. */
const replicasMax = 200;

/** First and last instant at which each replica answered, in no order. */
export interface ReplicaSpan {
  readonly firstAtNs: number;
  readonly lastAtNs: number;
}

export function replicaSpans(
  views: readonly LaneView[],
  header: string,
  definitions: Definitions,
): ReadonlyMap<string, ReplicaSpan> {
  const spans = new Map<string, ReplicaSpan>();
  for (const view of views) {
    const { firstSlot, lastSlot } = view.tally;
    namesOf(view, header, definitions).forEach((name, sighting) => {
      if (name === null || lastSlot[sighting] === -1) return;
      const span = spans.get(name);
      spans.set(name, {
        firstAtNs: Math.min(span?.firstAtNs ?? Infinity, view.dueNs(firstSlot[sighting] as number)),
        lastAtNs: Math.max(span?.lastAtNs ?? 0, view.dueNs(lastSlot[sighting] as number)),
      });
    });
  }
  return spans;
}

/** By sighting; null = not answered, or by nobody who says. */
function namesOf(view: LaneView, header: string, definitions: Definitions): (string | null)[] {
  return view.facts.map((facts) => (facts.isAnswered ? headerOf(definitions.face[facts.face], header) : null));
}

export interface ReplicasOptions {
  readonly header: string;
  readonly definitions: Definitions;
  readonly phaseAt: (atNs: number) => PhaseName | 'before';
}

/** @param views of one service, of all roles; answers of each slot are counted once. */
export function analyseReplicas(views: readonly LaneView[], options: ReplicasOptions): ReplicasAnalysis {
  const { header, definitions, phaseAt } = options;
  const spans = [...replicaSpans(views, header, definitions)].toSorted(
    ([a, { firstAtNs: atNs }], [b, { firstAtNs: otherNs }]) => atNs - otherNs || (a < b ? -1 : 1),
  );
  const counts = new Map(
    spans.slice(0, replicasMax).map(([name]) => [name, { baseline: 0, switching: 0, tail: 0, failedCount: 0 }]),
  );
  let [otherCount, namelessCount, namelessFailedCount] = [0, 0, 0];
  for (const view of views) {
    const names = new Map(namesOf(view, header, definitions).map((name, sighting) => [view.facts[sighting], name]));
    for (let slot = 0; slot < view.slotCount; slot += 1) {
      const isFailed = view.meaning[slot] === meanings.failed;
      if (!isFailed && view.meaning[slot] !== meanings.good) continue;
      const facts = view.factsAt(slot);
      if (!facts.isAnswered) continue;
      const name = names.get(facts) ?? null;
      const count = name === null ? undefined : counts.get(name);
      if (name === null) {
        namelessCount += 1;
        if (isFailed) namelessFailedCount += 1;
      } else if (count === undefined) {
        otherCount += 1;
      } else {
        const phase = phaseAt(view.dueNs(slot));
        count[phase === 'before' ? 'baseline' : phase] += 1;
        if (isFailed) count.failedCount += 1;
      }
    }
  }
  const replicas = spans.slice(0, replicasMax).map(([name, span]): ReplicaAnalysis => {
    const { failedCount = 0, ...answered } = counts.get(name) ?? { baseline: 0, switching: 0, tail: 0 };
    return { name, ...span, answered, failedCount };
  });
  return { header, replicas, otherCount, namelessCount, namelessFailedCount };
}
