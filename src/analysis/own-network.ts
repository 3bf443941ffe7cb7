/**
 * Our own network, suspected. With references: a second in which every one of them failed. Without: a second in which
 * every lane that has a result failed, and every DNS answer that was waited for failed too. Not where a lane got an
 * answer, were it a 503: it came through our network. Failures in such a second are counted and listed, but are not
 * certain: they leave every `min`.
 */
import type { EntryOf } from '../core/entry.ts';
import { outcomes } from '../core/outcome.ts';
import { slotsDueBefore } from '../core/schedule.ts';
import { nsPerMs, nsPerS } from '../core/time.ts';
import type { Journal } from './journal.ts';
import { isSeen, meanings, type LaneView } from './lane-view.ts';

export interface OwnNetwork {
  readonly isEmpty: boolean;
  isSuspectAt(atNs: number): boolean;
  /** In whole seconds since run start, in order. */
  readonly seconds: readonly number[];
}

export function suspectSeconds(views: readonly LaneView[], journal: Journal): OwnNetwork {
  const references = views.filter((view) => view.lane.role === 'reference');
  const lanes = views.filter((view) => view.lane.role !== 'reference');
  const watch = dnsWatch(journal);
  const isSuspect =
    references.length > 0
      ? (second: number): boolean => references.every((view) => wasReferenceDown(view, second))
      : (second: number): boolean =>
          lanes.every((view) => !hasGood(view, second)) && hasDnsFailed(lanes, watch, second);
  const seconds = failedSeconds(lanes).filter(
    (second) => isSuspect(second) && !lanes.some((view) => hasAnswered(view, second)),
  );
  const suspect = new Set(seconds);
  return {
    isEmpty: seconds.length === 0,
    isSuspectAt: (atNs) => suspect.has(Math.floor(atNs / nsPerS)),
    seconds,
  };
}

/** Seconds in which some lane has a failure. */
function failedSeconds(views: readonly LaneView[]): number[] {
  const seconds = new Set<number>();
  for (const view of views) {
    if (view.tally.failed.every((count) => count === 0)) continue;
    let slot = view.meaning.indexOf(meanings.failed);
    while (slot !== -1) {
      const second = Math.floor(view.dueNs(slot) / nsPerS);
      seconds.add(second);
      slot = view.meaning.indexOf(meanings.failed, Math.max(slot + 1, firstSlotOf(view, second + 1)));
    }
  }
  return [...seconds].toSorted((a, b) => a - b);
}

function firstSlotOf(view: LaneView, second: number): number {
  return slotsDueBefore(view.lane, second * nsPerS);
}

function slotsOfSecond(view: LaneView, second: number): Uint8Array {
  return view.meaning.subarray(firstSlotOf(view, second), firstSlotOf(view, second + 1));
}

function hasGood(view: LaneView, second: number): boolean {
  return slotsOfSecond(view, second).includes(meanings.good);
}

/** Good or wrong. One that was right and came too late may have been late by our network. */
function hasAnswered(view: LaneView, second: number): boolean {
  const to = Math.min(view.slotCount, firstSlotOf(view, second + 1));
  for (let slot = firstSlotOf(view, second); slot < to; slot += 1) {
    if (!isSeen(view, slot)) continue;
    const { isAnswered, reading } = view.factsAt(slot);
    if (view.meaning[slot] === meanings.good || (isAnswered && reading !== 'right')) return true;
  }
  return false;
}

/** A reference that is probed less than once a second is down as long as the results on both sides of the second are. */
function wasReferenceDown(view: LaneView, second: number): boolean {
  const slots = slotsOfSecond(view, second);
  if (slots.includes(meanings.good)) return false;
  if (slots.includes(meanings.failed)) return true;
  const before = lastSeen(view, firstSlotOf(view, second) - 1, -1);
  const after = lastSeen(view, firstSlotOf(view, second + 1), 1);
  return before !== meanings.good && after !== meanings.good && (before ?? after) === meanings.failed;
}

function lastSeen(view: LaneView, from: number, step: 1 | -1): number | null {
  for (let slot = from; slot >= 0 && slot < view.slotCount; slot += step) {
    const meaning = view.meaning[slot] as number;
    if (meaning === meanings.good || meaning === meanings.failed) return meaning;
  }
  return null;
}

// ── DNS in the same second ───────────────────────────────────────────────────────────────────────────────────────────

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

/** Something was asked of DNS about then, and nothing came back. */
function hasDnsFailed(lanes: readonly LaneView[], watch: readonly DnsAnswered[][], second: number): boolean {
  let wasAsked = false;
  for (const entries of watch) {
    const inSecond = entries.filter((entry) => Math.floor(sinceNs(entry) / nsPerS) === second);
    const before = entries.findLast((entry) => sinceNs(entry) < second * nsPerS);
    const states = inSecond.length > 0 ? inSecond : before === undefined ? [] : [before];
    if (states.some((entry) => entry.reply.kind === 'answered')) return false;
    if (states.length > 0) wasAsked = true;
  }
  for (const view of lanes) {
    const to = Math.min(view.slotCount, firstSlotOf(view, second + 1));
    for (let slot = firstSlotOf(view, second); slot < to; slot += 1) {
      const facts = view.factsAt(slot);
      const outcome = outcomes[facts.outcome];
      if (outcome === 'dns-timed-out' || outcome === 'dns-failed') wasAsked = true;
      else if (facts.answer !== 0 && wasAnsweredIn(view, slot, second)) return false;
    }
  }
  return wasAsked;
}

/** The slot's answer came from its resolver within this second. */
function wasAnsweredIn(view: LaneView, slot: number, second: number): boolean {
  const receivedNs = view.dueNs(slot) - view.store.slots.answerAgeMs(slot) * nsPerMs;
  return receivedNs >= second * nsPerS;
}
