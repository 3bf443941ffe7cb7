/**
 * The changes of one service: when each began, by whose word, and whether DNS or an answering side confirmed it. Phases
 * begin at the earliest word, else when the leaving side was last confirmed, so that nothing that the change may have
 * broken counts as baseline: neither a record that was gone for a while nor a new side that refused at first.
 */
import type { ChangeSeen } from '../core/analysis.ts';
import type { RunMode } from '../core/entry.ts';
import { markMeaning, type MarkMeaning } from '../core/mark-meaning.ts';
import type { Direction, Scenario, Service, Side } from '../core/scenario.ts';
import { authorityBack, authorityMoved, backForGoodNs, noneMoved, type Moved } from './authority-moved.ts';
import type { AuthorityTrack } from './authority-tracks.ts';
import { findDeployment, type DeploymentEvidence } from './deployment.ts';
import { earliest } from './earliest.ts';
import type { Journal } from './journal.ts';
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
  /** Of a deployment, when the last replica of before had gone; null = not yet; left out: nobody can see replicas. */
  readonly doneAtNs?: number | null;
  /** Every authoritative server is back on the leaving side, and it is too early to call that a rollback. */
  readonly isTakenBack: boolean;
}

export interface ChangeEvidence {
  readonly service: Service;
  readonly scenario: Scenario;
  readonly mode: RunMode;
  readonly journal: Journal;
  readonly tracks: readonly AuthorityTrack[];
  /** The service's lanes that resolve and connect anew for each slot. */
  readonly fresh: readonly LaneView[];
  readonly endNs: number;
  /** What is known of replicas: a deployment is told by that. */
  readonly deployment: Pick<DeploymentEvidence, 'rollouts' | 'replicas' | 'probedFromNs'>;
}

/** A lane is back for good after this many slots, too. */
const backForGoodSlots = 10;

export function findChanges(evidence: ChangeEvidence): Change[] {
  const { direction, via } = evidence.scenario.change;
  if (via === 'deploy') return deployments(evidence);
  const leaving: Side = direction === 'old-to-new' ? 'old' : 'new';
  const first = assemble(evidence, leaving, {
    markedAtNs: firstMark(evidence, evidence.mode === 'rollback' ? ['change', 'rollback'] : ['change'], 0),
    command: commandEdges(evidence.journal),
    authority: authorityMoved(evidence.tracks, leaving),
    identity: firstOf(evidence.fresh.map((view) => identityMoved(view, leaving, evidence.mode))),
  });
  if (first === null) return [];
  const back = rolledBack(evidence, first);
  if (back === null) return [first];
  return [{ ...first, untilNs: back.seen.usedAtNs }, back];
}

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
      isEvident: authority.firstAtNs !== null || identity.firstAtNs !== null,
    },
    leaving,
    target: otherSide(leaving),
    untilNs: evidence.endNs,
    authorityNotBeforeNs: authority.notBeforeNs,
    authorityLastNotBeforeNs: authority.lastNotBeforeNs,
    isTakenBack: authority.areAllBack,
  };
}

function deployments(evidence: ChangeEvidence): Change[] {
  const { scenario, journal, endNs } = evidence;
  const found = findDeployment({
    scenario,
    markedAtNs: firstMark(evidence, ['change', 'rollback'], 0),
    command: commandEdges(journal),
    ...evidence.deployment,
  });
  if (found === null) return [];
  const leaving: Side = scenario.change.direction === 'old-to-new' ? 'old' : 'new';
  return [
    {
      ...found,
      leaving,
      target: otherSide(leaving),
      untilNs: endNs,
      authorityNotBeforeNs: null,
      authorityLastNotBeforeNs: null,
      isTakenBack: false,
    },
  ];
}

// ── marks and the command ────────────────────────────────────────────────────────────────────────────────────────────

function firstMark(evidence: ChangeEvidence, kinds: readonly MarkMeaning['kind'][], fromNs: number): number | null {
  const { services: all, change } = evidence.scenario;
  const about = { serviceNames: all.map(({ name }) => name), via: change.via };
  const isMeant = (text: string): boolean => {
    const { kind, services } = markMeaning(text, about);
    return kinds.includes(kind) && (services.length === 0 || services.includes(evidence.service.name));
  };
  return earliest(
    evidence.journal
      .of('marked')
      .filter((entry) => entry.atNs >= fromNs && isMeant(entry.text))
      .map((entry) => entry.atNs),
  );
}

function commandEdges(journal: Journal): Words['command'] {
  const at = (type: 'command-started' | 'command-ended'): number | null =>
    earliest(journal.of(type).map((entry) => entry.atNs));
  return { fromAtNs: at('command-started'), toAtNs: at('command-ended') };
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
  const authority = hasAuthority
    ? authorityBack(evidence.tracks, { leaving: first.leaving, sinceNs: first.seen.usedAtNs, endNs: evidence.endNs })
    : null;
  if (hasAuthority && authority === null) return null;
  const identity = identityBack(evidence.fresh, first);
  if (!hasAuthority && identity.firstAtNs === null) return null;
  const sinceNs = first.seen.usedAtNs + 1;
  return assemble(evidence, first.target, {
    markedAtNs: firstMark(evidence, ['rollback'], sinceNs),
    command: { fromAtNs: null, toAtNs: null },
    authority: authority ?? noneMoved,
    identity,
  });
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
