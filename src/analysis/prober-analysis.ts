/** How well we ourselves did: lateness, drops, and when we saw too little to say anything. */
import type { BlindSpot, ProberAnalysis } from '../core/analysis.ts';
import { outcomeNumber } from '../core/outcome.ts';
import { intervalNs } from '../core/schedule.ts';
import { nsToMs } from '../core/time.ts';
import { Histogram } from './histogram.ts';
import type { Journal } from './journal.ts';
import { meanings, type LaneView } from './lane-view.ts';
import { mergeSpans, type Span } from './spans.ts';

export function analyseProber(views: readonly LaneView[], journal: Journal, endedAtNs: number): ProberAnalysis {
  const lateness = new Histogram();
  let droppedCount = 0;
  for (const view of views) {
    lateness.add(view.store.latenessUs);
    for (const meaning of view.meaning) if (meaning === meanings.dropped) droppedCount += 1;
  }
  const stalls = journal.of('prober-stalled').map((entry) => ({ fromNs: entry.fromNs, toNs: entry.toNs }));
  return {
    dueCount: views.reduce((sum, view) => sum + view.slotCount, 0),
    droppedCount,
    latenessMs: {
      p50: lateness.percentile(0.5) / 1000,
      p99: lateness.percentile(0.99) / 1000,
      max: lateness.max / 1000,
    },
    eventLoopDelayMsMax: largest(stalls.map((stall) => nsToMs(stall.toNs - stall.fromNs))),
    writeDelayMsMax: largest(journal.of('write-delayed').map((entry) => entry.delayMs)),
    // Ten short suspends are as long unwatched as a long one, and a step back does not undo one forward.
    clockStepMs: journal.of('clock-stepped').reduce((sum, entry) => sum + Math.abs(entry.stepMs), 0),
    blindSpots: blindSpots(stalls, views, journal, endedAtNs),
  };
}

/** Of lengths; 0 of none. */
function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function blindSpots(
  stalls: readonly Span[],
  views: readonly LaneView[],
  journal: Journal,
  endedAtNs: number,
): BlindSpot[] {
  const unwritten = journal.of('write-failed').map((entry) => ({ fromNs: entry.atNs, toNs: endedAtNs }));
  const spots = [
    { spans: stalls, why: 'our probing thread stood still' },
    { spans: unwritten, why: 'evidence could not be written' },
    { spans: views.flatMap(ownTrouble), why: 'our machine had no port, file or buffer left' },
  ];
  return spots
    .flatMap(({ spans, why }) => mergeSpans(spans).map(({ fromNs, toNs }) => ({ fromAtNs: fromNs, toAtNs: toNs, why })))
    .toSorted((a, b) => a.fromAtNs - b.fromAtNs || a.toAtNs - b.toAtNs);
}

/** Slots that our machine could not send, each until the next is due. */
function ownTrouble(view: LaneView): Span[] {
  if (!view.facts.some((facts) => facts.outcome === outcomeNumber['own-trouble'])) return [];
  const spans: Span[] = [];
  for (let slot = 0; slot < view.slotCount; slot += 1) {
    if (view.factsAt(slot).outcome !== outcomeNumber['own-trouble']) continue;
    spans.push({ fromNs: view.dueNs(slot), toNs: view.dueNs(slot) + Math.ceil(intervalNs(view.lane)) });
  }
  return spans;
}
