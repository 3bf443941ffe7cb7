/** Outages, impaired spans and bursts of one lane, as the report lists them. */
import type { Burst, Cause, FailureClass, Impaired, Outage, PhaseName } from '../core/analysis.ts';
import type { SideSeen } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import { burstFailuresMin, isInside, type Cluster, type ImpairedSpan } from './clusters.ts';
import { edgesOf, type Window } from './downtime.ts';
import type { Definitions } from './gathered.ts';
import { meanings, type LaneView } from './lane-view.ts';

export interface FailureContext {
  readonly definitions: Definitions;
  readonly causeOf: (slot: number) => Cause;
  readonly phaseAt: (atNs: number) => PhaseName | 'before';
}

/** One run of failed slots, whatever kinds of failure are in it; never cut by class or text. */
export function outagesOf(window: Window, context: FailureContext): Outage[] {
  const { gaps, impaired } = window;
  const outages: Outage[] = [];
  for (let gap = 0; gap < gaps.count; gap += 1) {
    if ((gaps.failedCount[gap] as number) > 0 && !isInside(impaired, gaps, gap))
      outages.push(outageOf(window, gap, context));
  }
  return outages;
}

function outageOf(window: Window, gap: number, context: FailureContext): Outage {
  const { view, gaps } = window;
  const first = gaps.firstFailed[gap] as number;
  const last = gaps.lastFailed[gap] as number;
  const edges = edgesOf(window, gap);
  const { lastGoodSlot, firstGoodSlot, fromNs } = edges;
  const faultEndNs = firstGoodSlot === null ? view.untilNs : view.endedNs(firstGoodSlot);
  return {
    firstFailedAtNs: view.dueNs(first),
    lastFailedAtNs: view.dueNs(last),
    lastGoodAtNs: lastGoodSlot === null ? null : view.dueNs(lastGoodSlot),
    firstGoodAtNs: firstGoodSlot === null ? null : view.dueNs(firstGoodSlot),
    downMsMin: nsToMs(view.dueNs(last) - view.dueNs(first)),
    downMsMax: nsToMs(edges.toNs - fromNs),
    faultMsMin: nsToMs(Math.max(0, view.dueNs(last) - view.endedNs(first))),
    faultMsMax: nsToMs(faultEndNs - fromNs),
    failedCount: gaps.failedCount[gap] as number,
    slotCount: last - first + 1,
    openAtEnd: firstGoodSlot === null,
    ...kindsOf(view, first, last, context),
    phase: context.phaseAt(view.dueNs(first)),
  };
}

export function impairedOf(view: LaneView, spans: readonly ImpairedSpan[], context: FailureContext): Impaired[] {
  return spans.map((span) => {
    const slotCount = span.lastSlot - span.firstSlot + 1;
    const { causes, classes } = kindsOf(view, span.firstSlot, span.lastSlot, context);
    const failedAddresses = span.deadAddresses.map((number) => context.definitions.address[number] ?? 'unknown');
    return {
      fromAtNs: view.dueNs(span.firstSlot),
      toAtNs: view.dueNs(span.lastSlot),
      failedCount: span.failedCount,
      slotCount,
      failedShare: span.failedCount / slotCount,
      causes: failedAddresses.length > 0 ? deadAddressCauses(causes) : causes,
      classes,
      failedAddresses: failedAddresses.toSorted(),
    };
  });
}

/** What nothing else explains, the dead address does. */
function deadAddressCauses({ unattributed, ...causes }: Counts<Cause>): Counts<Cause> {
  if (unattributed === undefined) return causes;
  return { ...causes, 'address-down': (causes['address-down'] ?? 0) + unattributed };
}

type Counts<K extends string> = Partial<Record<K, number>>;

interface Kinds {
  readonly side: SideSeen;
  readonly causes: Counts<Cause>;
  readonly classes: Counts<FailureClass>;
}

function kindsOf(view: LaneView, first: number, last: number, context: FailureContext): Kinds {
  const causes: Counts<Cause> = {};
  const classes: Counts<FailureClass> = {};
  const sides = new Set<SideSeen>();
  for (let slot = first; slot <= last; slot += 1) {
    if (view.meaning[slot] !== meanings.failed) continue;
    const facts = view.factsAt(slot);
    count(causes, context.causeOf(slot));
    count(classes, facts.failureClass);
    sides.add(facts.side);
  }
  const [side] = sides;
  return {
    side: sides.size === 1 && side !== undefined ? side : 'unknown',
    causes: inOrder(causes),
    classes: inOrder(classes),
  };
}

export function count<K extends string>(counts: Counts<K>, key: K, by = 1): void {
  counts[key] = (counts[key] ?? 0) + by;
}

/** The most frequent first, then by name: the same counts in the same order, whatever came first. */
export function inOrder<K extends string>(counts: Counts<K>): Counts<K> {
  const pairs = Object.entries(counts) as [K, number][];
  return Object.fromEntries(
    pairs.toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1)),
  ) as Counts<K>;
}

export function burstsOf({ view, gaps }: Window, clusters: readonly Cluster[]): Burst[] {
  return clusters
    .filter((cluster) => cluster.failedCount >= burstFailuresMin)
    .map((cluster) => {
      const first = gaps.firstFailed[cluster.first] as number;
      const last = gaps.lastFailed[cluster.last] as number;
      const statuses: Counts<string> = {};
      for (let slot = first; slot <= last; slot += 1) {
        if (view.meaning[slot] !== meanings.failed) continue;
        const facts = view.factsAt(slot);
        if (!facts.isAnswered) count(statuses, '0');
        else if (facts.is5xx) count(statuses, String(facts.status));
      }
      return {
        fromAtNs: view.dueNs(first),
        toAtNs: view.dueNs(last),
        failedCount: cluster.failedCount,
        slotCount: last - first + 1,
        statuses: statuses as Record<string, number>,
      };
    });
}
