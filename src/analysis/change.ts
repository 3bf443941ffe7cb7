/**
 * The changes of one service: when each began, by whose word, and whether DNS or an answering side confirmed it. Phases
 * begin at the earliest word, else when the leaving side was last confirmed, so that nothing that the change may have
 * broken counts as baseline: neither a record that was gone for a while nor a new side that refused at first.
 */
import type { ChangeSeen } from '../core/analysis.ts';
import type { Entry, EntryOf, RunMode } from '../core/entry.ts';
import type { ChangeSpec, Direction, Scenario, Service, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { AuthorityTrack, TrackStep } from './authority-tracks.ts';
import { isSeen, meanings, slotsOnSide, type LaneView } from './lane-view.ts';
import { otherSide } from './sides.ts';

export interface Change {
  readonly seen: ChangeSeen;
  readonly leaving: Side;
  readonly target: Side;
  /** The next change, or the end of probing. */
  readonly untilNs: number;
  /** When an authoritative server last answered with the leaving side before one was heard with the target: not changed before. */
  readonly authorityNotBeforeNs: number | null;
  /** The same of the last server to change: `authorityLastAtNs` is when that was heard. */
  readonly authorityLastNotBeforeNs: number | null;
  /** Every authoritative server is back on the leaving side, and it is too early to call that a rollback. */
  readonly isTakenBack: boolean;
}

export interface ChangeEvidence {
  readonly service: Service;
  readonly scenario: Scenario;
  readonly mode: RunMode;
  readonly entries: readonly Entry[];
  readonly tracks: readonly AuthorityTrack[];
  /** The service's lanes that resolve and connect anew for each slot. */
  readonly fresh: readonly LaneView[];
  readonly endNs: number;
}

/** Back for less than this is flapping at the switch, not a rollback. */
const backForGoodNs = sToNs(10);
const backForGoodSlots = 10;

export function findChanges(evidence: ChangeEvidence): Change[] {
  const { direction } = evidence.scenario.change;
  const leaving: Side = direction === 'old-to-new' ? 'old' : 'new';
  const first = assemble(evidence, leaving, {
    markedAtNs: firstMark(evidence, evidence.mode === 'rollback' ? anyChange : notRollback, 0),
    command: commandEdges(evidence.entries),
    authority: authorityMoved(evidence.tracks, leaving),
    identity: firstOf(evidence.fresh.map((view) => identityMoved(view, leaving, evidence.mode))),
  });
  if (first === null) return [];
  const back = rolledBack(evidence, first);
  if (back === null) return [first];
  return [{ ...first, untilNs: back.seen.usedAtNs }, back];
}

interface Moved {
  /** The first change lies between the last answer with the leaving side and the first with the target. */
  readonly notBeforeNs: number | null;
  readonly firstAtNs: number | null;
  /** Null while a server that answers has not moved. */
  readonly lastAtNs: number | null;
  /** The last change lies between this and `lastAtNs`. */
  readonly lastNotBeforeNs: number | null;
  /** Every server ended where it came from. */
  readonly areAllBack: boolean;
}

const noneMoved: Moved = {
  notBeforeNs: null,
  firstAtNs: null,
  lastAtNs: null,
  lastNotBeforeNs: null,
  areAllBack: false,
};

/** What fresh lanes saw: the same of the slots that reached a side. */
interface IdentityMoved {
  readonly notBeforeNs: number | null;
  readonly firstAtNs: number | null;
}

interface Words {
  readonly markedAtNs: number | null;
  readonly command: { readonly fromAtNs: number | null; readonly toAtNs: number | null };
  readonly authority: Moved;
  readonly identity: IdentityMoved;
}

function assemble(evidence: ChangeEvidence, leaving: Side, words: Words): Change | null {
  const { markedAtNs, command, authority, identity } = words;
  const said = [
    ['command', command.fromAtNs],
    ['mark', markedAtNs],
  ] as const;
  const seen = [
    ['authority', authority.notBeforeNs],
    ['identity', identity.notBeforeNs],
  ] as const;
  const saidAtNs = earliest(said.map(([, atNs]) => atNs));
  const seenAtNs = earliest([authority.firstAtNs, identity.firstAtNs]);
  // It changed somewhere between two answers: where nobody says when, from the first of them on.
  const begun = saidAtNs !== null && saidAtNs <= (seenAtNs ?? Infinity) ? said : seen;
  const usedAtNs = earliest(begun.map(([, atNs]) => atNs));
  const usedBy = begun.find(([, atNs]) => atNs === usedAtNs)?.[0];
  if (usedAtNs === null || usedBy === undefined) return null;
  const direction: Direction = leaving === 'old' ? 'old-to-new' : 'new-to-old';
  const wasAnnounced = markedAtNs !== null || command.fromAtNs !== null;
  return {
    seen: {
      direction,
      markedAtNs,
      commandFromAtNs: command.fromAtNs,
      commandToAtNs: command.toAtNs,
      authorityFirstAtNs: authority.firstAtNs,
      authorityLastAtNs: authority.lastAtNs,
      identityAtNs: identity.firstAtNs,
      usedAtNs,
      usedBy,
      isEvident: isEvident(evidence.scenario.change, { ...words, wasAnnounced }),
    },
    leaving,
    target: otherSide(leaving),
    untilNs: evidence.endNs,
    authorityNotBeforeNs: authority.notBeforeNs,
    authorityLastNotBeforeNs: authority.lastNotBeforeNs,
    isTakenBack: authority.areAllBack,
  };
}

/** A deployment moves nothing from one side to the other: that it was begun is all that can be known of it from outside. */
function isEvident(change: ChangeSpec, words: Words & { readonly wasAnnounced: boolean }): boolean {
  if (change.via === 'deploy' && words.wasAnnounced) return true;
  return words.authority.firstAtNs !== null || words.identity.firstAtNs !== null;
}

// ── marks and the command ────────────────────────────────────────────────────────────────────────────────────────────

const anyChange = /^\s*(switch|cutover|change|rollback)/i;
const notRollback = /^\s*(switch|cutover|change)/i;
const rollback = /^\s*rollback/i;

/** A mark that names services concerns these; one that names none concerns all. */
function firstMark(evidence: ChangeEvidence, pattern: RegExp, fromNs: number): number | null {
  const names = evidence.scenario.services.map((service) => service.name);
  const concerns = (text: string): boolean => {
    const named = names.filter((name) => isNamed(text, name));
    return named.length === 0 || named.includes(evidence.service.name);
  };
  return earliest(
    evidence.entries
      .filter((entry): entry is EntryOf<'marked'> => entry.type === 'marked' && entry.atNs >= fromNs)
      .filter((entry) => pattern.test(entry.text) && concerns(entry.text))
      .map((entry) => entry.atNs),
  );
}

function isNamed(text: string, name: string): boolean {
  const from = text.indexOf(name);
  if (from === -1) return false;
  const isInWord = (character: string | undefined): boolean => character !== undefined && /[\w-]/.test(character);
  if (!isInWord(text[from - 1]) && !isInWord(text[from + name.length])) return true;
  return isNamed(text.slice(from + name.length), name);
}

function commandEdges(entries: readonly Entry[]): Words['command'] {
  const at = (type: 'command-started' | 'command-ended'): number | null =>
    earliest(entries.filter((entry) => entry.type === type).map((entry) => entry.atNs));
  return { fromAtNs: at('command-started'), toAtNs: at('command-ended') };
}

// ── authorities ──────────────────────────────────────────────────────────────────────────────────────────────────────

function authorityMoved(tracks: readonly AuthorityTrack[], leaving: Side): Moved {
  const target = otherSide(leaving);
  const begun: Bracket[] = [];
  const stayed: (Bracket | null)[] = [];
  const left = tracks.filter(({ steps }) => steps.some((step) => step.side === leaving));
  const areAllBack = left.every(({ steps }) => steps.at(-1)?.side === leaving);
  for (const { steps, isUnreachable } of left) {
    const since = steps.findIndex((step) => step.side === leaving);
    const first = steps.findIndex((step, i) => i > since && (step.side === target || step.side === 'mixed'));
    if (first !== -1) begun.push(bracketOf(steps, first, (step) => step.side === leaving));
    const stays = areAllBack || steps.at(-1)?.side === target ? lastRun(steps, target) : null;
    if (stays !== null) stayed.push(bracketOf(steps, steps.indexOf(stays), (step) => step.side !== target));
    // Nobody knows what a server that does not answer would say; a name without addresses left the leaving side too.
    else if (!isUnreachable && steps.at(-1)?.side !== 'none') stayed.push(null);
  }
  if (begun.length === 0) return noneMoved;
  const moved = stayed.filter((bracket) => bracket !== null);
  const haveAllMoved = moved.length > 0 && moved.length === stayed.length;
  return {
    notBeforeNs: Math.min(...begun.map((bracket) => bracket.notBeforeNs)),
    firstAtNs: Math.min(...begun.map((bracket) => bracket.seenNs)),
    lastAtNs: haveAllMoved ? Math.max(...moved.map((bracket) => bracket.seenNs)) : null,
    lastNotBeforeNs: haveAllMoved ? Math.max(...moved.map((bracket) => bracket.notBeforeNs)) : null,
    areAllBack,
  };
}

interface Bracket {
  readonly notBeforeNs: number;
  readonly seenNs: number;
}

/** A failed poll confirms nothing, nor does an answer of neither side: the change may be as old as the last `before`. */
function bracketOf(steps: readonly TrackStep[], i: number, before: (step: TrackStep) => boolean): Bracket {
  const { sinceNs, seenNs } = steps[i] as TrackStep;
  return { notBeforeNs: steps.slice(0, i).findLast(before)?.lastSentNs ?? sinceNs ?? seenNs, seenNs };
}

/** The first step of the last unbroken run of answers with this side, wherever it is. */
function lastRun(steps: readonly TrackStep[], side: Side): TrackStep | null {
  const last = steps.findLastIndex((step) => step.side === side);
  if (last === -1) return null;
  let first = last;
  while (steps[first - 1]?.side === side) first -= 1;
  return steps[first] ?? null;
}

// ── identity ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const notMoved: IdentityMoved = { notBeforeNs: null, firstAtNs: null };

function firstOf(lanes: readonly IdentityMoved[]): IdentityMoved {
  return {
    notBeforeNs: earliest(lanes.map((lane) => lane.notBeforeNs)),
    firstAtNs: earliest(lanes.map((lane) => lane.firstAtNs)),
  };
}

/**
 * When the lane first reached the other side after it had been on the leaving one, and when it was last served there: what
 * failed between belongs to the change. Of a rollback it does not, for the side that it leaves may have been down for long.
 */
function identityMoved(view: LaneView, leaving: Side, mode: RunMode): IdentityMoved {
  const target = otherSide(leaving);
  const onLeaving = slotsOnSide(view, leaving);
  const onTarget = slotsOnSide(view, target);
  if (onLeaving === null || onTarget === null) return notMoved;
  for (let slot = Math.max(onLeaving.first, onTarget.first); slot <= onTarget.last; slot += 1) {
    if (!isSeen(view, slot) || view.factsAt(slot).side !== target) continue;
    const servedNs = mode === 'rollback' ? null : lastOnSideNs(view, leaving, slot, isGood);
    return { notBeforeNs: servedNs ?? lastOnSideNs(view, leaving, slot, isSeen), firstAtNs: view.dueNs(slot) };
  }
  return notMoved;
}

function isGood(view: LaneView, slot: number): boolean {
  return view.meaning[slot] === meanings.good;
}

/** Just after it was due, for that slot itself was before the change. */
function lastOnSideNs(view: LaneView, side: Side, beforeSlot: number, counts: typeof isSeen): number | null {
  for (let slot = beforeSlot - 1; slot >= 0; slot -= 1) {
    if (counts(view, slot) && view.factsAt(slot).side === side) return view.dueNs(slot) + 1;
  }
  return null;
}

// ── rollback ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The second change: back to where the first came from, for good. What authorities say counts before what lanes see. */
function rolledBack(evidence: ChangeEvidence, first: Change): Change | null {
  const hasAuthority = first.seen.authorityFirstAtNs !== null;
  const authority = hasAuthority ? authorityBack(evidence, first) : null;
  if (hasAuthority && authority === null) return null;
  const identity = identityBack(evidence.fresh, first);
  if (!hasAuthority && identity.firstAtNs === null) return null;
  const sinceNs = first.seen.usedAtNs + 1;
  return assemble(evidence, first.target, {
    markedAtNs: firstMark(evidence, rollback, sinceNs),
    command: { fromAtNs: null, toAtNs: null },
    authority: authority ?? noneMoved,
    identity,
  });
}

function authorityBack(evidence: ChangeEvidence, { leaving, target, seen }: Change): Moved | null {
  const back: Bracket[] = [];
  for (const { steps } of evidence.tracks) {
    if (!steps.some((step) => step.side === leaving || step.side === target)) continue;
    if (steps.at(-1)?.side !== leaving) return null;
    const at = steps.indexOf(lastRun(steps, leaving) as TrackStep);
    const wasAway = steps.slice(0, at).some((before) => before.side !== leaving);
    if (wasAway) back.push(bracketOf(steps, at, (step) => step.side === target || step.side === 'mixed'));
  }
  if (back.length === 0) return null;
  const lastAtNs = Math.max(...back.map((step) => step.seenNs));
  if (evidence.endNs - lastAtNs < backForGoodNs) return null;
  return {
    notBeforeNs: Math.max(seen.usedAtNs, Math.min(...back.map((bracket) => bracket.notBeforeNs))),
    firstAtNs: Math.min(...back.map((bracket) => bracket.seenNs)),
    lastAtNs,
    lastNotBeforeNs: Math.max(...back.map((bracket) => bracket.notBeforeNs)),
    areAllBack: false,
  };
}

/** All lanes that had moved are back, each for some slots at least. */
function identityBack(fresh: readonly LaneView[], { leaving, target, seen }: Change): IdentityMoved {
  const back: IdentityMoved[] = [];
  for (const view of fresh) {
    const onTarget = slotsOnSide(view, target);
    if (onTarget === null) continue;
    let count = 0;
    let firstAtNs: number | null = null;
    for (let slot = onTarget.last + 1; slot < view.slotCount; slot += 1) {
      if (count >= backForGoodSlots && view.dueNs(slot) - (firstAtNs ?? 0) >= backForGoodNs) break;
      if (!isSeen(view, slot) || view.factsAt(slot).side !== leaving) continue;
      firstAtNs ??= view.dueNs(slot);
      count += 1;
    }
    if (firstAtNs === null || count < backForGoodSlots || view.untilNs - firstAtNs < backForGoodNs) return notMoved;
    back.push({ notBeforeNs: Math.max(seen.usedAtNs, view.dueNs(onTarget.last) + 1), firstAtNs });
  }
  return firstOf(back);
}

export function earliest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((atNs) => atNs !== null);
  return known.length === 0 ? null : Math.min(...known);
}
