/**
 * Where something failed, every slot a dot. Failures of one service at most 5 s apart are one stretch, whichever lane they
 * are in: first those with status 5xx, then those of judged lanes, then all others, so that a lane that fails to the end
 * does not swallow a burst. As many are made as a page has room for, those that matter most first, and no service gets its
 * second before all have their first.
 */
import { nameOfLane } from '../core/lane-name.ts';
import type { CloseUp, Dot } from '../core/picture.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { msToNs, nsToMs } from '../core/time.ts';
import type { Conclusion } from './analyse.ts';
import { newCauseAt, type CauseAt } from './cause-at.ts';
import { meanings, type LaneView } from './lane-view.ts';

const joinedMs = 5000;
const marginMs = 3000;
const wholeMsMax = 60_000;
/** In all; what is in one is such that every service may have one. */
const dotCountMax = 20_000;
const dotCountMaxOfOne = 4000;
const closeUpCountMax = 100;

interface Candidate {
  readonly service: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly part: CloseUp['part'];
  /** 0 matters most. */
  rank: number;
  /** How many of its service and rank matter more. */
  turn: number;
  failedCount: number;
  lanes: readonly Cut[];
}

/** The slots [from, to) of a lane that are in it. */
interface Cut {
  readonly view: LaneView;
  readonly from: number;
  readonly to: number;
}

export function drawCloseUps(
  conclusion: Conclusion,
  views: readonly LaneView[],
  untilMs: number,
): { readonly closeUps: CloseUp[]; readonly leftOutCount: number } {
  const ofServices = views.filter(({ lane }) => lane.role !== 'reference');
  const services = [...Map.groupBy(ofServices, ({ lane }) => lane.service).values()];
  const ofOneMax = Math.min(dotCountMaxOfOne, dotCountMax / services.length);
  const ranked = inOrder(services.flatMap((own) => candidatesOf(own, { untilMs, dotCountMax: ofOneMax })));
  const closeUps: CloseUp[] = [];
  const causeAt = newCauseAt(conclusion);
  let dotCount = 0;
  for (const candidate of ranked) {
    const ownCount = candidate.lanes.reduce((sum, { from, to }) => sum + to - from, 0);
    if (closeUps.length === closeUpCountMax || dotCount + ownCount > dotCountMax) continue;
    dotCount += ownCount;
    closeUps.push(drawn(candidate, causeAt));
  }
  return { closeUps, leftOutCount: ranked.length - closeUps.length };
}

/** What matters most of each service, then what matters next; the order of services is that of the scenario. */
function inOrder(candidates: readonly Candidate[]): Candidate[] {
  const turns = new Map<string, number>();
  const byWeight = candidates.toSorted(
    (a, b) => a.rank - b.rank || b.failedCount - a.failedCount || a.fromMs - b.fromMs,
  );
  for (const candidate of byWeight) {
    const key = `${String(candidate.rank)} ${candidate.service}`;
    candidate.turn = turns.get(key) ?? 0;
    turns.set(key, candidate.turn + 1);
  }
  return byWeight.toSorted((a, b) => a.rank - b.rank || a.turn - b.turn);
}

// ── where something failed ───────────────────────────────────────────────────────────────────────────────────────────

/** By rank: what counts for it. */
const ranks: readonly ((view: LaneView, slot: number) => boolean)[] = [
  (view, slot) => view.factsAt(slot).is5xx,
  (view) => view.lane.judged,
  () => true,
];

interface FailedSpan {
  readonly fromNs: number;
  toNs: number;
}

function candidatesOf(
  views: readonly LaneView[],
  room: { readonly untilMs: number; readonly dotCountMax: number },
): Candidate[] {
  const perSecond = views.reduce((sum, { lane }) => sum + lane.ratePerSecond, 0);
  const lengthMsMax = Math.min(wholeMsMax, (room.dotCountMax / perSecond) * 1000);
  const { service } = (views[0] as LaneView).lane;
  const windows = ranks.flatMap((counts, rank) =>
    joined(views.flatMap((view) => failedSpans(view, (slot) => counts(view, slot)))).flatMap((span) =>
      windowsOf(span, lengthMsMax, room.untilMs).map((window) => ({ ...window, rank })),
    ),
  );
  return withoutContained(windows).map((window): Candidate => {
    const lanes = views
      .map((view) => cutOf(view, window.fromMs, window.toMs))
      .map((cut) => ({ cut, failedCount: failedCountOf(cut) }))
      .filter(({ failedCount }) => failedCount > 0);
    const failedCount = lanes.reduce((sum, lane) => sum + lane.failedCount, 0);
    return { ...window, service, turn: 0, failedCount, lanes: lanes.map(({ cut }) => cut) };
  });
}

function failedSpans(view: LaneView, counts: (slot: number) => boolean): FailedSpan[] {
  const spans: FailedSpan[] = [];
  const joinedNs = msToNs(joinedMs);
  for (let slot = view.meaning.indexOf(meanings.failed); slot !== -1;) {
    const dueNs = view.dueNs(slot);
    const last = spans.at(-1);
    if (counts(slot)) {
      if (last !== undefined && dueNs - last.toNs <= joinedNs) last.toNs = dueNs;
      else spans.push({ fromNs: dueNs, toNs: dueNs });
    }
    slot = view.meaning.indexOf(meanings.failed, slot + 1);
  }
  return spans;
}

function joined(spans: readonly FailedSpan[]): FailedSpan[] {
  const all: FailedSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.fromNs - b.fromNs)) {
    const last = all.at(-1);
    if (last !== undefined && span.fromNs - last.toNs <= msToNs(joinedMs)) last.toNs = Math.max(last.toNs, span.toNs);
    else all.push({ ...span });
  }
  return all;
}

type Window = Pick<Candidate, 'fromMs' | 'toMs' | 'part' | 'rank'>;

/** With a margin on both sides, so that it is seen how it began and ended. */
function windowsOf(span: FailedSpan, lengthMsMax: number, untilMs: number): Omit<Window, 'rank'>[] {
  const margin = Math.min(marginMs, lengthMsMax / 8);
  const fromMs = Math.max(0, Math.floor(nsToMs(span.fromNs) - margin));
  const toMs = Math.min(untilMs, Math.ceil(nsToMs(span.toNs) + margin));
  if (toMs - fromMs <= lengthMsMax) return [{ fromMs, toMs, part: 'whole' }];
  const halfMs = Math.floor(lengthMsMax / 2);
  return [
    { fromMs, toMs: fromMs + halfMs, part: 'beginning' },
    { fromMs: toMs - halfMs, toMs, part: 'end' },
  ];
}

/** What another window shows as well is not shown twice; that one then matters as much as either did. */
function withoutContained(windows: readonly Window[]): Window[] {
  const kept: { -readonly [K in keyof Window]: Window[K] }[] = [];
  for (const window of windows.toSorted((a, b) => a.fromMs - b.fromMs || b.toMs - a.toMs || a.rank - b.rank)) {
    // Ends rise among those kept, so that the last one reaches furthest.
    const last = kept.at(-1);
    if (last !== undefined && last.toMs >= window.toMs) last.rank = Math.min(last.rank, window.rank);
    else kept.push({ ...window });
  }
  return kept;
}

function cutOf(view: LaneView, fromMs: number, toMs: number): Cut {
  const from = Math.min(view.slotCount, slotsDueBefore(view.lane, msToNs(fromMs)));
  return { view, from, to: Math.min(view.slotCount, slotsDueBefore(view.lane, msToNs(toMs))) };
}

function failedCountOf({ view, from, to }: Cut): number {
  let count = 0;
  for (let slot = from; slot < to; slot += 1) if (view.meaning[slot] === meanings.failed) count += 1;
  return count;
}

// ── dots ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function drawn({ service, fromMs, toMs, part, lanes }: Candidate, causeAt: CauseAt): CloseUp {
  return {
    service,
    fromMs,
    toMs,
    part,
    lanes: lanes.map(({ view, from, to }) => ({
      name: nameOfLane(view.lane),
      dots: Array.from({ length: to - from }, (_, i) => dotOf(view, from + i, causeAt)),
    })),
  };
}

const unseen = { 0: 'pending', 1: 'good', 3: 'dropped', 4: 'blind', 5: 'blocked' } as const;

/** Due to a whole ms, response time to a tenth: a dot is no finer. */
function dotOf(view: LaneView, slot: number, causeAt: CauseAt): Dot {
  const { failureClass, side } = view.factsAt(slot);
  const meaning = view.meaning[slot] as 0 | 1 | 2 | 3 | 4 | 5;
  const isFailed = meaning === meanings.failed;
  return [
    Math.round(nsToMs(view.dueNs(slot))),
    Math.round(view.responseUsAt(slot) / 100) / 10,
    meaning === meanings.failed ? failureClass : unseen[meaning],
    side,
    isFailed ? causeAt(view, slot) : null,
  ];
}
