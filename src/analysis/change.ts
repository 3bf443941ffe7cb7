/**
 * The changes of one service: when each began, by whose word, and whether DNS or an answering side confirmed it. Phases
 * begin at the earliest word, so that nothing that the change may have broken counts as baseline.
 */
import type { ChangeSeen } from '../core/analysis.ts';
import type { Entry, EntryOf, RunMode } from '../core/entry.ts';
import type { ChangeSpec, Direction, Scenario, Service, Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { AuthorityTrack, TrackStep } from './authority-tracks.ts';
import { isSeen, slotsOnSide, type LaneView } from './lane-view.ts';
import { otherSide } from './sides.ts';

export interface Change {
  readonly seen: ChangeSeen;
  readonly leaving: Side;
  readonly target: Side;
  /** The next change, or the end of probing. */
  readonly untilNs: number;
  /** The last poll before an authoritative server was first heard to answer with the target side: not changed before. */
  readonly authorityNotBeforeNs: number | null;
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
    identityAtNs: earliest(evidence.fresh.map((view) => identityMoved(view, leaving))),
  });
  if (first === null) return [];
  const back = rolledBack(evidence, first);
  if (back === null) return [first];
  return [{ ...first, untilNs: back.seen.usedAtNs }, back];
}

interface Moved {
  /** The first change lies between the poll before and the first answer that showed it. */
  readonly notBeforeNs: number | null;
  readonly firstAtNs: number | null;
  /** Null while a server that answers has not moved. */
  readonly lastAtNs: number | null;
}

interface Words {
  readonly markedAtNs: number | null;
  readonly command: { readonly fromAtNs: number | null; readonly toAtNs: number | null };
  readonly authority: Moved;
  readonly identityAtNs: number | null;
}

function assemble(evidence: ChangeEvidence, leaving: Side, words: Words): Change | null {
  const { markedAtNs, command, authority, identityAtNs } = words;
  const said = [
    ['command', command.fromAtNs],
    ['mark', markedAtNs],
    ['identity', identityAtNs],
  ] as const;
  const saidAtNs = earliest(said.map(([, atNs]) => atNs));
  // DNS changed somewhere between two polls: where nothing else says when, from the first of them on.
  const isSaidInTime = saidAtNs !== null && saidAtNs <= (authority.firstAtNs ?? Infinity);
  const usedAtNs = isSaidInTime ? saidAtNs : authority.notBeforeNs;
  const usedBy = isSaidInTime ? said.find(([, atNs]) => atNs === saidAtNs)?.[0] : 'authority';
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
      identityAtNs,
      usedAtNs,
      usedBy,
      isEvident: isEvident(evidence.scenario.change, { ...words, wasAnnounced }),
    },
    leaving,
    target: otherSide(leaving),
    untilNs: evidence.endNs,
    authorityNotBeforeNs: authority.notBeforeNs,
  };
}

/** A deployment moves nothing from one side to the other: that it was begun is all that can be known of it from outside. */
function isEvident(change: ChangeSpec, words: Words & { readonly wasAnnounced: boolean }): boolean {
  if (change.via === 'deploy' && words.wasAnnounced) return true;
  return words.authority.firstAtNs !== null || words.identityAtNs !== null;
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
  const begun: TrackStep[] = [];
  const stayed: (number | null)[] = [];
  const left = tracks.filter(({ steps }) => steps.some((step) => step.side === leaving));
  const areAllBack = left.every(({ steps }) => steps.at(-1)?.side === leaving);
  for (const { steps, isUnreachable } of left) {
    const since = steps.findIndex((step) => step.side === leaving);
    const first = steps.slice(since).find((step) => step.side === target || step.side === 'mixed');
    if (first !== undefined) begun.push(first);
    const stays = areAllBack || steps.at(-1)?.side === target ? lastRun(steps, target) : null;
    if (stays !== null) stayed.push(stays.seenNs);
    // Nobody knows what a server that does not answer would say; a name without addresses left the leaving side too.
    else if (!isUnreachable && steps.at(-1)?.side !== 'none') stayed.push(null);
  }
  if (begun.length === 0) return { notBeforeNs: null, firstAtNs: null, lastAtNs: null };
  return {
    notBeforeNs: Math.min(...begun.map((step) => step.sinceNs ?? step.seenNs)),
    firstAtNs: Math.min(...begun.map((step) => step.seenNs)),
    lastAtNs: stayed.length === 0 || stayed.includes(null) ? null : Math.max(...stayed.map(Number)),
  };
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

/** When the lane first reached the other side after it had been on the leaving one. */
function identityMoved(view: LaneView, leaving: Side): number | null {
  const target = otherSide(leaving);
  const onLeaving = slotsOnSide(view, leaving);
  const onTarget = slotsOnSide(view, target);
  if (onLeaving === null || onTarget === null) return null;
  for (let slot = Math.max(onLeaving.first, onTarget.first); slot <= onTarget.last; slot += 1) {
    if (isSeen(view, slot) && view.factsAt(slot).side === target) return view.dueNs(slot);
  }
  return null;
}

// ── rollback ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The second change: back to where the first came from, for good. What authorities say counts before what lanes see. */
function rolledBack(evidence: ChangeEvidence, first: Change): Change | null {
  const hasAuthority = first.seen.authorityFirstAtNs !== null;
  const authority = hasAuthority ? authorityBack(evidence, first) : null;
  if (hasAuthority && authority === null) return null;
  const identityAtNs = identityBack(evidence.fresh, first);
  if (!hasAuthority && identityAtNs === null) return null;
  const sinceNs = first.seen.usedAtNs + 1;
  return assemble(evidence, first.target, {
    markedAtNs: firstMark(evidence, rollback, sinceNs),
    command: { fromAtNs: null, toAtNs: null },
    authority: authority ?? { notBeforeNs: null, firstAtNs: null, lastAtNs: null },
    identityAtNs,
  });
}

function authorityBack(evidence: ChangeEvidence, { leaving, target }: Change): Moved | null {
  const back: TrackStep[] = [];
  for (const { steps } of evidence.tracks) {
    if (!steps.some((step) => step.side === leaving || step.side === target)) continue;
    if (steps.at(-1)?.side !== leaving) return null;
    const step = lastRun(steps, leaving);
    const wasAway = steps.slice(0, steps.indexOf(step as TrackStep)).some((before) => before.side !== leaving);
    if (step !== null && wasAway) back.push(step);
  }
  if (back.length === 0) return null;
  const lastAtNs = Math.max(...back.map((step) => step.seenNs));
  if (evidence.endNs - lastAtNs < backForGoodNs) return null;
  return {
    notBeforeNs: Math.min(...back.map((step) => step.sinceNs ?? step.seenNs)),
    firstAtNs: Math.min(...back.map((step) => step.seenNs)),
    lastAtNs,
  };
}

/** All lanes that had moved are back, each for some slots at least. */
function identityBack(fresh: readonly LaneView[], { leaving, target }: Change): number | null {
  const backAt: number[] = [];
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
    if (firstAtNs === null || count < backForGoodSlots || view.untilNs - firstAtNs < backForGoodNs) return null;
    backAt.push(firstAtNs);
  }
  return earliest(backAt);
}

export function earliest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((atNs) => atNs !== null);
  return known.length === 0 ? null : Math.min(...known);
}
