/**
 * Our own network, suspected: while nothing at all came back. Between two answers to any of our lanes there is a silence;
 * it is our network's where every lane that was due in it failed and so did all references, or, without references, every
 * DNS answer that was waited for. A wrong answer is an answer: it came through our network. Where a silence is so short
 * that not everybody was due in it, it is ours if in two places something failed and was well again. Failures in a silence
 * of ours are counted and listed, but are not certain: they leave every `min`.
 */
import type { EntryOf } from '../core/entry.ts';
import { outcomes } from '../core/outcome.ts';
import { intervalNs, slotsDueBefore } from '../core/schedule.ts';
import { nsPerS, nsPerUs } from '../core/time.ts';
import type { Journal } from './journal.ts';
import { isSeen, type LaneView } from './lane-view.ts';
import { cut, failedRuns, failedWithin, isAnswered, slotsInside, split, type FailedRun } from './silences.ts';
import { mergeSpans, Spans, type Span } from './spans.ts';

export interface OwnNetwork {
  readonly isEmpty: boolean;
  isSuspectAt(atNs: number): boolean;
  /** In order, apart. Due instants between the ends of one are suspect, the ends are not. */
  readonly spans: readonly Span[];
}

/** How far the failures of a reference speak for what is about them, where none of its good slots is nearer. */
const referenceReachNs = nsPerS;
/** Name servers are asked so often, and waited for so long: a question may be sent again and be answered late. */
const pollNs = nsPerS;
const pollAnsweredWithinNs = 4 * nsPerS;

export function suspectSpans(views: readonly LaneView[], journal: Journal): OwnNetwork {
  const references = views.filter((view) => view.lane.role === 'reference');
  const lanes = views.filter((view) => view.lane.role !== 'reference' && view.slotCount > 0);
  const watch = dnsWatch(journal);
  const silences =
    references.length > 0
      ? [...withReferences(references, lanes), ...brief(views, null)]
      : [...withoutReferences(lanes, watch), ...brief(lanes, watch)];
  const spans = mergeSpans(silences.map((span) => untilAnswered(span, views)));
  const merged = new Spans(spans);
  return { isEmpty: merged.isEmpty, isSuspectAt: (atNs) => merged.has(atNs), spans };
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

/** Short silences, in which at two of the old side, the new one and the references something failed and was well again. */
function brief(views: readonly LaneView[], watch: DnsWatch | null): Span[] {
  const runs = views
    .flatMap((view) => failedRuns(view).map((run) => ({ ...run, view })))
    .filter(({ firstFailedNs, lastFailedNs }) => lastFailedNs - firstFailedNs < pollNs)
    .toSorted((a, b) => a.firstFailedNs - b.firstFailedNs);
  // What is short within a silence is one of these: lanes without one need not be asked, and most runs are alone.
  const failing = (span: Span): LaneView[] => {
    const at = (i: number): number => (runs[i] as (typeof runs)[number]).firstFailedNs;
    const first = firstAtLeast(runs.length, at, span.fromNs + 1);
    const within = runs.slice(first, firstAtLeast(runs.length, at, span.toNs));
    return [...new Set(within.map(({ view }) => view))];
  };
  const isShared = (span: Span): boolean => failing(span).length > 1;
  return runs
    .filter(isShared)
    .flatMap((run) => cut(run, views, isAnswered))
    .filter(isShared)
    .flatMap((silence) => (watch === null || watch.groups.length === 0 ? [silence] : withoutDns(silence, views, watch)))
    .filter(
      (silence) => silence.toNs - silence.fromNs < pollNs && placesFailedWithin(failing(silence), silence).size > 1,
    );
}

function placesFailedWithin(views: readonly LaneView[], silence: Span): Set<string> {
  const places = new Set<string>();
  for (const view of views) {
    const slot = failedWithin(view, silence);
    const facts = slot === null ? null : view.factsAt(slot);
    if (facts === null || facts.isAnswered) continue;
    if (view.lane.role === 'reference') places.add('references');
    else if (facts.side === 'old' || facts.side === 'new') places.add(facts.side);
  }
  return places;
}

// ── references ───────────────────────────────────────────────────────────────────────────────────────────────────────

function withReferences(references: readonly LaneView[], lanes: readonly LaneView[]): Span[] {
  const runs = references.map((view) => failedRuns(view));
  return partsAllDown({ fromNs: 0, toNs: Infinity }, runs)
    .flatMap((span) => cut(span, lanes, isAnswered))
    .flatMap((silence) => partsAllDown(silence, runs))
    .filter((silence) => wereAllDue(lanes, silence));
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

// ── without references ───────────────────────────────────────────────────────────────────────────────────────────────

function withoutReferences(lanes: readonly LaneView[], watch: DnsWatch): Span[] {
  return fewestRuns(lanes)
    .flatMap((run) => cut(run, lanes, isAnswered))
    .flatMap((silence) => withoutDns(silence, lanes, watch))
    .filter((silence) => wereAllDue(lanes, silence) && hasDnsFailed(lanes, watch, silence));
}

/** In a silence long enough for all, the fastest lane has failed as well: of those the one that did so least will do. */
function fewestRuns(lanes: readonly LaneView[]): Span[] {
  const rateMax = Math.max(0, ...lanes.map((view) => view.lane.ratePerSecond));
  const [fewest] = lanes
    .filter((view) => view.lane.ratePerSecond === rateMax)
    .map((view) => failedRuns(view))
    .toSorted((a, b) => a.length - b.length);
  return fewest ?? [];
}

type DnsAnswered = EntryOf<'dns-answered'>;

interface DnsWatch {
  /** Each watched server, name and question: its entries in order. Between two of them the polls said the same. */
  readonly groups: readonly (readonly DnsAnswered[])[];
  /** When something was heard of DNS, in order. */
  readonly heardNs: readonly number[];
}

function dnsWatch(journal: Journal): DnsWatch {
  const groups = Map.groupBy(
    journal.of('dns-answered'),
    (entry) => `${entry.watch} ${entry.server} ${entry.name} ${entry.question}`,
  );
  const heardNs = journal.of('dns-answered').flatMap(({ reply }) => {
    if (reply.kind !== 'answered') return [];
    // An answer that took long may have been asked for twice, and only its end is known to have been heard.
    const isQuick = reply.endedAtNs - reply.sentAtNs < pollNs;
    return isQuick ? [reply.sentAtNs, reply.endedAtNs] : [reply.endedAtNs];
  });
  return {
    groups: [...groups.values()].map((group) => group.toSorted((a, b) => sinceNs(a) - sinceNs(b))),
    heardNs: heardNs.toSorted((a, b) => a - b),
  };
}

/** A failed poll tells of the time since it was sent, an answered one of the moment it came. */
function sinceNs({ reply }: DnsAnswered): number {
  return reply.kind === 'failed' ? reply.sentAtNs : reply.endedAtNs;
}

/** Where DNS came back, the silence was none: what is left of it. */
function withoutDns(silence: Span, lanes: readonly LaneView[], { heardNs }: DnsWatch): Span[] {
  return cut(silence, lanes, wasResolved).flatMap((part) => {
    const first = firstAtLeast(heardNs.length, (i) => heardNs[i] as number, part.fromNs);
    const end = firstAtLeast(heardNs.length, (i) => heardNs[i] as number, part.toNs);
    return split(part, heardNs.slice(first, end));
  });
}

/** Of instants in order: the index of the first that is not before this one. */
function firstAtLeast(count: number, atNs: (i: number) => number, ns: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (atNs(middle) < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** For this very slot, and when it was due: an answer that came too late may have waited for its resolver. */
function wasResolved(view: LaneView, slot: number): boolean {
  if (!isSeen(view, slot)) return false;
  const { answer, outcome, reading } = view.factsAt(slot);
  if (reading === 'right' && !isAnswered(view, slot)) return false;
  const isAnswer = answer !== 0 && outcomes[outcome] !== 'dns-timed-out' && outcomes[outcome] !== 'dns-failed';
  return isAnswer && view.store.slots.answerAgeMs(slot) === 0;
}

/** Something was asked of DNS in it, and nothing came back. */
function hasDnsFailed(lanes: readonly LaneView[], { groups }: DnsWatch, span: Span): boolean {
  let wasAsked = false;
  for (const entries of groups) {
    const sinceOf = (i: number): number => sinceNs(entries[i] as DnsAnswered);
    const first = firstAtLeast(entries.length, sinceOf, span.fromNs + 1);
    const isAsked = first < firstAtLeast(entries.length, sinceOf, span.toNs);
    if (isAsked) wasAsked = true;
    const before = entries[first - 1];
    // What is polled every second, A alone, goes on as it was where no entry says otherwise.
    const isLong = span.toNs - span.fromNs >= pollNs + pollAnsweredWithinNs;
    if (before?.watch !== 'authority' || before.question !== 'A' || !isLong) continue;
    if (before.reply.kind === 'failed') wasAsked = true;
    else if (!isAsked) return false;
  }
  return wasAsked || lanes.some((view) => hasUnresolved(view, span));
}

/** It asked and was not told, or so late that its own answer came too late. */
function hasUnresolved(view: LaneView, span: Span): boolean {
  for (const slot of slotsInside(view, span)) {
    const { outcome, answer, reading } = view.factsAt(slot);
    if (outcomes[outcome] === 'dns-timed-out' || outcomes[outcome] === 'dns-failed') return true;
    if (reading === 'right' && answer !== 0 && view.store.slots.answerAgeMs(slot) === 0) return true;
  }
  return false;
}
