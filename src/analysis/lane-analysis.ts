/** One lane, from its view to what the report says of it. */
import type { FailureClass, LaneAnalysis, PhaseName } from '../core/analysis.ts';
import type { SideSeen } from '../core/scenario.ts';
import { intervalNs, slotsDueBefore } from '../core/schedule.ts';
import { nsToMs } from '../core/time.ts';
import { causeOf, isFreshCheckGood, type CauseContext } from './causes.ts';
import { findClusters, findImpaired } from './clusters.ts';
import { oldReasons } from './convergence.ts';
import { downtimeOf, impairedMsOf, type Window } from './downtime.ts';
import type { Definitions } from './gathered.ts';
import { findGaps } from './gaps.ts';
import { percentilesMs } from './histogram.ts';
import { judgedPart } from './judged.ts';
import { countSlots, meanings, slotsOnSide, type LaneView } from './lane-view.ts';
import { leavesBy, type RecordLife, type WasStale } from './leaving.ts';
import { burstsOf, count, impairedOf, inOrder, outagesOf } from './outages.ts';
import { stretchesOf } from './stretches.ts';

export interface LaneContext extends CauseContext {
  readonly definitions: Definitions;
  /** Where what is judged begins; null = nothing is, yet. */
  readonly judgedFromNs: number | null;
  /** For each of `changes`. */
  readonly lives: readonly RecordLife[];
  readonly wasStale: WasStale;
  readonly isQualified: boolean;
  readonly phaseAt: (atNs: number) => PhaseName | 'before';
}

export function analyseLane(view: LaneView, context: LaneContext): LaneAnalysis {
  const { lane } = view;
  const { ownNetwork, changes, lives, definitions } = context;
  const isSuspect = ownNetwork.isEmpty ? null : (slot: number): boolean => ownNetwork.isSuspectAt(view.dueNs(slot));
  const gaps = findGaps(view.meaning, 0, view.slotCount, isSuspect);
  const clusters = findClusters(gaps, lane.ratePerSecond);
  const impaired = clusters.flatMap((cluster) => findImpaired(view, gaps, cluster));
  const window: Window = { view, gaps, fromSlot: 0, fromNs: view.dueNs(0), impaired };
  const failures = { definitions, causeOf: (slot: number) => causeOf(view, slot, context), phaseAt: context.phaseAt };
  const leaves = leavesBy(lane, lives.at(-1) ?? null);
  const [firstNew, lastOld] = [slotsOnSide(view, 'new')?.first, slotsOnSide(view, 'old')?.last];
  return {
    number: lane.number,
    role: lane.role,
    service: lane.service,
    check: lane.check.name,
    client: lane.client,
    resolver: lane.resolver?.name ?? null,
    address: lane.address,
    series: view.series,
    ratePerSecond: lane.ratePerSecond,
    judged: lane.judged && view.series === 'raw',
    qualified: context.isQualified,
    slots: countSlots(view, 0, view.slotCount),
    sides: sideCounts(view),
    firstNewAtNs: firstNew === undefined ? null : view.dueNs(firstNew),
    lastOldAtNs: lastOld === undefined ? null : view.dueNs(lastOld),
    oldAfterChange: oldReasons(view, changes, lives, context.wasStale),
    leavesOldByAtNs: leaves.atNs,
    leavesOldWhy: leaves.why,
    outages: outagesOf(window, failures),
    impaired: impairedOf(view, impaired, failures),
    bursts: burstsOf(window, clusters),
    downtimeMs: downtimeOf(window).total,
    impairedMs: impairedMsOf(window),
    resolutionMs: nsToMs(intervalNs(lane)),
    classes: classCounts(view),
    responseTimeMs: { old: percentilesMs(view.responsesUs.old), new: percentilesMs(view.responsesUs.new) },
    byAddress: addressCounts(view, definitions),
    stretches: stretchesOf(window),
    freshChecks: freshChecks(view),
    judgedPart:
      context.judgedFromNs === null
        ? null
        : judgedPart(view, context.judgedFromNs, { changes, lives, impaired, isSuspect }),
  };
}

/** Good slots in a row that a lane needs in baseline before it is judged. */
const qualifyingSlots = 10;

/** `usedAtNs`: when the first change began; null = no change yet. */
export function isQualified(view: LaneView, usedAtNs: number | null): boolean {
  const end = usedAtNs === null ? view.slotCount : Math.min(view.slotCount, slotsDueBefore(view.lane, usedAtNs));
  let inRow = 0;
  for (let slot = 0; slot < end && inRow < qualifyingSlots; slot += 1) {
    inRow = view.meaning[slot] === meanings.good ? inRow + 1 : 0;
  }
  return inRow >= qualifyingSlots;
}

/** Of good and failed slots that got as far as an address. */
function sideCounts(view: LaneView): Record<SideSeen, number> {
  const counts = { old: 0, new: 0, unknown: 0, conflict: 0 };
  view.facts.forEach((facts, sighting) => {
    if (facts.hasAddress) counts[facts.side] += seenCount(view, sighting);
  });
  return counts;
}

function seenCount({ tally }: LaneView, sighting: number): number {
  return (tally.good[sighting] as number) + (tally.failed[sighting] as number);
}

function classCounts(view: LaneView): Partial<Record<FailureClass, number>> {
  const counts: Partial<Record<FailureClass, number>> = {};
  view.facts.forEach((facts, sighting) => {
    const failed = view.tally.failed[sighting] as number;
    if (failed > 0) count(counts, facts.failureClass, failed);
  });
  return inOrder(counts);
}

function addressCounts(view: LaneView, definitions: Definitions): LaneAnalysis['byAddress'] {
  const byAddress = new Map<string, { slots: number; failed: number; sides: Set<SideSeen> }>();
  view.facts.forEach((facts, sighting) => {
    const slots = seenCount(view, sighting);
    if (!facts.hasAddress || slots === 0) return;
    const address = definitions.address[facts.address] ?? 'unknown';
    const counts = byAddress.get(address) ?? { slots: 0, failed: 0, sides: new Set() };
    byAddress.set(address, counts);
    counts.slots += slots;
    counts.failed += view.tally.failed[sighting] as number;
    counts.sides.add(facts.side);
  });
  return [...byAddress]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([address, { slots, failed, sides }]) => ({ address, side: theSide(sides), slots, failed }));
}

/** One address, seen with the faces of different sides, is a conflict; one that was known at times is known. */
function theSide(sides: ReadonlySet<SideSeen>): SideSeen {
  const known = [...sides].filter((side) => side !== 'unknown');
  if (known.length > 1) return 'conflict';
  return known[0] ?? 'unknown';
}

function freshChecks(view: LaneView): LaneAnalysis['freshChecks'] {
  const checks = [...view.store.freshChecks.values()];
  const good = checks.filter((check) => isFreshCheckGood(view, check.sighting)).length;
  return { good, failed: checks.length - good };
}
