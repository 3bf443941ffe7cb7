/**
 * Our own network, suspected: while nothing at all came back. Between two answers to any of our lanes there is a silence;
 * it is our network's where every lane that was due in it failed and so did all references, or, without references, every
 * DNS answer that was waited for. A wrong answer is an answer: it came through our network. Failures in such a silence are
 * counted and listed, but are not certain: they leave every `min`.
 */
import type { EntryOf } from '../core/entry.ts';
import { outcomes } from '../core/outcome.ts';
import { intervalNs, slotsDueBefore } from '../core/schedule.ts';
import { nsPerS, nsPerUs } from '../core/time.ts';
import type { Journal } from './journal.ts';
import { isSeen, meanings, type LaneView } from './lane-view.ts';
import { mergeSpans, Spans, type Span } from './spans.ts';

export interface OwnNetwork {
  readonly isEmpty: boolean;
  isSuspectAt(atNs: number): boolean;
  /** In order, apart. Due instants between the ends of one are suspect, the ends are not. */
  readonly spans: readonly Span[];
}

/** How far the failures of a reference speak for what is about them, where none of its good slots is nearer. */
const referenceReachNs = nsPerS;
/** Name servers are asked so often. */
const pollNs = nsPerS;

export function suspectSpans(views: readonly LaneView[], journal: Journal): OwnNetwork {
  const references = views.filter((view) => view.lane.role === 'reference');
  const lanes = views.filter((view) => view.lane.role !== 'reference' && view.slotCount > 0);
  const watch = dnsWatch(journal);
  const silences = silencesOf(lanes);
  const referenceRuns = references.map((view) => failedRuns(view, isGood));
  const suspect =
    references.length > 0
      ? silences.flatMap((silence) => partsAllDown(silence, referenceRuns))
      : silences
          .flatMap((silence) => withoutDns(silence, lanes, watch))
          .filter((silence) => hasDnsFailed(lanes, watch, silence));
  const spans = suspect.filter((span) => wereAllDue(lanes, span)).map((span) => untilAnswered(span, views));
  const merged = new Spans(spans);
  return { isEmpty: merged.isEmpty, isSuspectAt: (atNs) => merged.has(atNs), spans: mergeSpans(spans) };
}

// ── silences ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * From answer to answer, of all lanes together. A silence long enough to tell anything is one of the fastest lane as well,
 * so of its failures it begins, and the answers of the others cut it.
 */
function silencesOf(lanes: readonly LaneView[]): Span[] {
  const rateMax = Math.max(0, ...lanes.map((view) => view.lane.ratePerSecond));
  const failedCount = (view: LaneView): number => view.tally.failed.reduce((sum, count) => sum + count, 0);
  const [fastest] = lanes
    .filter((view) => view.lane.ratePerSecond === rateMax)
    .map((view) => ({ view, count: failedCount(view) }))
    .toSorted((a, b) => a.count - b.count);
  if (fastest === undefined || fastest.count === 0) return [];
  let silences = failedRuns(fastest.view, isAnswered).map(({ fromNs, toNs }) => ({ fromNs, toNs }));
  for (const view of lanes)
    if (view !== fastest.view) silences = silences.flatMap((span) => cut(span, view, isAnswered));
  return silences;
}

function isGood(view: LaneView, slot: number): boolean {
  return view.meaning[slot] === meanings.good;
}

/** Good or wrong. One that was right and came too late may have been late by our network. */
function isAnswered(view: LaneView, slot: number): boolean {
  if (!isSeen(view, slot)) return false;
  if (isGood(view, slot)) return true;
  const { isAnswered: isAny, reading } = view.factsAt(slot);
  return isAny && reading !== 'right';
}

function cut(span: Span, view: LaneView, isCut: (view: LaneView, slot: number) => boolean): Span[] {
  const dues: number[] = [];
  for (const slot of slotsInside(view, span)) if (isCut(view, slot)) dues.push(view.dueNs(slot));
  return split(span, dues);
}

function split({ fromNs, toNs }: Span, atNs: readonly number[]): Span[] {
  const ends = [fromNs, ...atNs.filter((one) => one > fromNs && one < toNs), toNs];
  return ends.slice(1).map((endNs, i) => ({ fromNs: ends[i] as number, toNs: endNs }));
}

function* slotsInside(view: LaneView, { fromNs, toNs }: Span): Generator<number> {
  const end = Math.min(view.slotCount, slotsDueBefore(view.lane, toNs));
  for (let slot = slotsDueBefore(view.lane, fromNs + 1); slot < end; slot += 1) yield slot;
}

/** Whoever probes often enough to be due in it was; who was not had answers at both its ends. And somebody was. */
function wereAllDue(lanes: readonly LaneView[], span: Span): boolean {
  const lengthNs = span.toNs - span.fromNs;
  const speaking = lanes.filter(
    ({ lane }) => intervalNs(lane) <= lengthNs + nsPerUs && lane.startAtNs + lane.staggerNs < span.toNs,
  );
  return speaking.length > 0 && speaking.every((view) => slotsInside(view, span).next().done !== true);
}

/** What is due before the answer that ends it is there may still have met it: that request may have waited for its answer. */
function untilAnswered({ fromNs, toNs }: Span, views: readonly LaneView[]): Span {
  let endNs = Infinity;
  for (const view of views) {
    const slot = slotsDueBefore(view.lane, toNs);
    if (slot < view.slotCount && view.dueNs(slot) === toNs && isAnswered(view, slot)) endNs = view.endedNs(slot);
  }
  if (endNs === Infinity) return { fromNs, toNs };
  for (const view of views) {
    for (const slot of slotsInside(view, { fromNs: toNs, toNs: endNs })) {
      if (isAnswered(view, slot)) endNs = Math.min(endNs, view.endedNs(slot));
    }
  }
  return { fromNs, toNs: endNs };
}

// ── references ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface FailedRun extends Span {
  readonly firstFailedNs: number;
  readonly lastFailedNs: number;
}

/** Runs of slots that do not count as up, with failures in them: from the one that does before to the one after. */
function failedRuns(view: LaneView, isUp: (view: LaneView, slot: number) => boolean): FailedRun[] {
  const runs: FailedRun[] = [];
  let upNs = 0;
  let first = -1;
  let last = -1;
  const close = (toNs: number): void => {
    if (first === -1) return;
    runs.push({ fromNs: upNs, toNs, firstFailedNs: view.dueNs(first), lastFailedNs: view.dueNs(last) });
    first = -1;
  };
  for (let slot = 0; slot < view.slotCount; slot += 1) {
    if (isUp(view, slot)) {
      if (first !== -1) close(view.dueNs(slot));
      upNs = view.dueNs(slot);
    } else if (view.meaning[slot] === meanings.failed) {
      if (first === -1) first = slot;
      last = slot;
    }
  }
  close(view.untilNs);
  return runs;
}

/** The parts of a silence in which every reference was down. A seldom one is down from failure to failure. */
function partsAllDown(silence: Span, references: readonly (readonly FailedRun[])[]): Span[] {
  let parts: Span[] = [silence];
  for (const runs of references) {
    parts = parts.flatMap((part) =>
      runs.flatMap((run) => {
        const fromNs = Math.max(part.fromNs, run.fromNs, run.firstFailedNs - referenceReachNs);
        const toNs = Math.min(part.toNs, run.toNs, run.lastFailedNs + referenceReachNs);
        return fromNs < toNs && run.firstFailedNs < toNs && run.lastFailedNs > fromNs ? [{ fromNs, toNs }] : [];
      }),
    );
  }
  return parts;
}

// ── DNS in the same silence ──────────────────────────────────────────────────────────────────────────────────────────

type DnsAnswered = EntryOf<'dns-answered'>;

/** Each watched server, name and question: its entries in order. Between two of them the polls said the same. */
function dnsWatch(journal: Journal): DnsAnswered[][] {
  const groups = Map.groupBy(
    journal.of('dns-answered'),
    (entry) => `${entry.watch} ${entry.server} ${entry.name} ${entry.question}`,
  );
  return [...groups.values()].map((group) => group.toSorted((a, b) => sinceNs(a) - sinceNs(b)));
}

/** A failed poll tells of the time since it was sent, an answered one of the moment it came. */
function sinceNs({ reply }: DnsAnswered): number {
  return reply.kind === 'failed' ? reply.sentAtNs : reply.endedAtNs;
}

/** Where DNS came back, the silence was none: what is left of it. */
function withoutDns(silence: Span, lanes: readonly LaneView[], watch: readonly DnsAnswered[][]): Span[] {
  let parts = [silence];
  for (const view of lanes) parts = parts.flatMap((part) => cut(part, view, wasResolved));
  for (const { reply } of watch.flat()) {
    if (reply.kind === 'answered') parts = parts.flatMap((part) => split(part, [reply.endedAtNs]));
  }
  return parts;
}

/** For this very slot, and when it was due: an answer that came too late may have waited for its resolver. */
function wasResolved(view: LaneView, slot: number): boolean {
  if (!isSeen(view, slot)) return false;
  const { answer, outcome, reading } = view.factsAt(slot);
  if (reading === 'right' && !isGood(view, slot)) return false;
  const isAnswer = answer !== 0 && outcomes[outcome] !== 'dns-timed-out' && outcomes[outcome] !== 'dns-failed';
  return isAnswer && view.store.slots.answerAgeMs(slot) === 0;
}

/** Something was asked of DNS in it, and nothing came back. */
function hasDnsFailed(lanes: readonly LaneView[], watch: readonly DnsAnswered[][], span: Span): boolean {
  let wasAsked = false;
  for (const entries of watch) {
    if (entries.some((entry) => sinceNs(entry) > span.fromNs && sinceNs(entry) < span.toNs)) wasAsked = true;
    const before = entries.findLast((entry) => sinceNs(entry) <= span.fromNs);
    // What is polled every second goes on as it was where no entry says otherwise.
    if (before?.watch !== 'authority' || span.toNs - span.fromNs < pollNs) continue;
    if (before.reply.kind === 'failed') wasAsked = true;
    else if (!entries.some((entry) => sinceNs(entry) > span.fromNs && sinceNs(entry) < span.toNs)) return false;
  }
  return wasAsked || lanes.some((view) => hasUnresolved(view, span));
}

function hasUnresolved(view: LaneView, span: Span): boolean {
  for (const slot of slotsInside(view, span)) {
    const outcome = outcomes[view.factsAt(slot).outcome];
    if (outcome === 'dns-timed-out' || outcome === 'dns-failed') return true;
  }
  return false;
}
