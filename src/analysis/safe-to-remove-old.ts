/**
 * Whether the side that a change left may be turned off, and since when: from the last answer of each name server, resolver
 * and cache that named it, the last probe of each lane that reached it, the connections that are still open to it, and what
 * TTLs and clients' own caches allow. Our resolvers are a sample of the world's, and our probes are no real traffic: both are
 * said. Clients that never leave by construction are named, and do not decide.
 */
import type { LaneAnalysis, OldAnswers, ServiceAnalysis } from '../core/analysis.ts';
import { nameOfLane } from '../core/lane-name.ts';
import { durationText, listText } from '../core/quantity-text.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { adviceOf, no, notBefore, said, unknown, yes, type Point } from './advice.ts';
import type { AuthorityReplies } from './authority-replies.ts';
import type { AuthorityTrack } from './authority-tracks.ts';
import type { Change } from './change.ts';
import { movesEverybody } from './convergence.ts';
import { isSeen, slotsOnSide, type LaneView } from './lane-view.ts';
import { endSlackNs, sharedPollNs, stayOf, stayOfResolve, type RecordLife } from './leaving.ts';
import { storyKey, type ResolverStories, type ResolverStory } from './resolver-story.ts';
import {
  deniedOrLame,
  drawnPoints,
  latePoints,
  otherRecordPoints,
  targetPoints,
  unroutedButHeard,
  watchPoints,
} from './safe-to-remove-end.ts';
import type { ServiceContext } from './service-analysis.ts';
import type { AnswerSide, Sides } from './sides.ts';
import { sightingBits } from './sightings.ts';

export interface RemovalEvidence {
  readonly stories: ResolverStories;
  readonly replies: AuthorityReplies;
  readonly sides: Pick<Sides, 'ofAddress' | 'ofAnswer'>;
  /** Those of the zones, each with its addresses, as far as they were looked up. */
  readonly nameServers: readonly { readonly addresses: readonly string[] }[];
  /** Those that tell when the service moved. */
  readonly tracks: readonly AuthorityTrack[];
  /** Of the last change; null without one. */
  readonly answers: OldAnswers | null;
  /** Of the service. */
  readonly lanes: readonly LaneAnalysis[];
  readonly tail: ServiceAnalysis['tail'];
  /** What the log should have and has not. */
  readonly lostBecause: readonly string[];
  /** No end of the run in the log. */
  readonly isGoingOn: boolean;
  readonly at: (atNs: number) => string;
}

export function safeToRemoveOld(
  context: ServiceContext,
  evidence: RemovalEvidence,
): ServiceAnalysis['safeToRemoveOld'] {
  const { changes, lives, scenario } = context;
  const [change, life] = [changes.at(-1), lives.at(-1)];
  const side = change?.leaving ?? null;
  const title = (one: Side): string => scenario.sides[one].title;
  if (change === undefined || life === undefined) {
    return { ...adviceOf([unknown(`No change of ${context.service.name} was seen, so no side was left.`)]), side };
  }
  const { via } = scenario.change;
  if (!movesEverybody(scenario.change)) {
    const text =
      via === 'deploy'
        ? 'A deployment moves nobody from one side to the other: none is left.'
        : `Weights send a share of users, and a small one may still go to ${title(change.leaving)} unseen: only its own traffic tells.`;
    return { ...adviceOf([unknown(text)]), side };
  }
  const removal: Removal = { ...evidence, context, change, life, left: title(change.leaving) };
  return {
    ...adviceOf([
      ...changePoints(removal),
      ...targetPoints(removal),
      ...watchPoints(removal),
      ...authorityPoints(removal),
      ...drawnPoints(removal),
      ...otherRecordPoints(removal),
      ...resolverPoints(removal),
      ...context.views.flatMap((view) => lanePoints(view, removal)),
      ...answerPoints(removal),
      ...tailPoints(removal),
      ...forEverPoints(removal),
      yes(`Every watched name server, resolver and client has left ${removal.left}, and what they may keep has ended.`),
      said(
        `Our resolvers are a sample of the world's, and what real traffic still reaches ${removal.left} was not looked at: ask its own log before it goes.`,
      ),
    ]),
    side,
  };
}

export interface Removal extends RemovalEvidence {
  readonly context: ServiceContext;
  readonly change: Change;
  readonly life: RecordLife;
  /** The title of the side left. */
  readonly left: string;
}

function nowNs({ context }: Removal): number {
  return context.endNs;
}

// ── the change and its watch ─────────────────────────────────────────────────────────────────────────────────────────

function changePoints({ change, lostBecause, left }: Removal): readonly Point[] {
  return [
    ...lostBecause.slice(0, 1).map((why) => unknown(`The log is not whole. ${why}`)),
    ...(change.seen.isEvident ? [] : [unknown(`Neither DNS nor an answer showed that ${left} was left.`)]),
    ...(change.isTakenBack ? [no(`Every name server leads back to ${left}.`)] : []),
  ];
}

function tailPoints({ context, tail, isGoingOn, at }: Removal): readonly Point[] {
  if (tail.isWhole) return [yes()];
  const asked = durationText(tail.askedS * 1000);
  const convergedAtNs = context.convergences.at(-1)?.atNs ?? null;
  if (isGoingOn && convergedAtNs !== null) {
    const endsNs = convergedAtNs + sToNs(tail.askedS);
    return [{ weight: 'no', fromNs: endsNs, text: `The tail of ${asked} is watched until ${at(endsNs)}.` }];
  }
  if (isGoingOn) return [no('Not everybody who must leave was seen to have left.')];
  const watched = durationText(tail.watchedS * 1000, 'down');
  return [unknown(`Of the tail of ${asked} only ${watched} were watched.`)];
}

/** What TTLs and clients' own caches allow, and whatever was seen to last longer. */
function answerPoints(removal: Removal): readonly Point[] {
  const { answers, at, left } = removal;
  if (answers === null || answers.untilNs === null) {
    return [unknown(`No TTL is known, so for how long caches may lead to ${left} is not.`)];
  }
  if (answers.isOpen) return [no(`${listText(answers.keptLongerBy)} still gave answers of ${left} when last asked.`)];
  const text = `Caches may lead to ${left} until ${at(answers.untilNs)}.`;
  return [notBefore(answers.untilNs, nowNs(removal), text)];
}

// ── name servers ─────────────────────────────────────────────────────────────────────────────────────────────────────

function authorityPoints(removal: Removal): readonly Point[] {
  const { change, life, tracks, left } = removal;
  const { authorityFirstAtNs, authorityLastAtNs } = change.seen;
  if (authorityFirstAtNs === null) {
    return [unknown(`No name server was heard to leave ${left}, so when its last answer was given is not known.`)];
  }
  const isLeaving = (side: AnswerSide | undefined): boolean => side === change.leaving || side === 'mixed';
  const still = tracks.filter(
    ({ steps, isUnreachable, isLame }) => isLeaving(steps.at(-1)?.side) && !isUnreachable && !isLame,
  );
  const servers = [...new Set(still.map(({ server }) => server))];
  const unrouted = unroutedButHeard(removal);
  const silent = tracks.filter(
    ({ steps, isUnreachable, server }) => steps.length === 0 && isUnreachable && !unrouted.has(server),
  );
  const unheard = [...new Set([...life.unheard, ...silent.map(({ server }) => server)])];
  const denying = [...new Set(deniedOrLame(removal))];
  return [
    ...(servers.length > 0
      ? [no(`${listText(servers)} still ${servers.length === 1 ? 'names' : 'name'} ${left}.`)]
      : []),
    ...(servers.length === 0 && authorityLastAtNs === null
      ? [no(`Not every name server was heard to leave ${left}.`)]
      : []),
    ...(unheard.length > 0
      ? [unknown(`${listText(unheard)} did not answer when last asked: resolvers may still hear ${left} from there.`)]
      : []),
    ...(denying.length > 0
      ? [
          unknown(
            `${listText(denying)} named ${left} and then gave no address: resolvers may still hear ${left} from there.`,
          ),
        ]
      : []),
    ...(unrouted.size > 0
      ? [said(`From here there is no way to ${listText([...unrouted])}; the same name servers were heard over IPv4.`)]
      : []),
    ...(authorityLastAtNs === null ? [] : [yes('', authorityLastAtNs)]),
  ];
}

// ── resolvers ────────────────────────────────────────────────────────────────────────────────────────────────────────

function resolverPoints(removal: Removal): readonly Point[] {
  const { service } = removal.context;
  const hostnames = new Set(service.checks.map(({ hostname }) => hostname));
  return [...hostnames].flatMap((hostname) =>
    service.resolvers.flatMap((resolver) => {
      const story = removal.stories.get(storyKey(resolver, hostname));
      return story === undefined ? [] : resolverPoint(story, removal);
    }),
  );
}

function resolverPoint(story: ResolverStory, removal: Removal): readonly Point[] {
  const { change, left, at } = removal;
  const { reading } = story;
  const lastNs = { old: reading.lastOldNs, new: reading.lastNewNs };
  const leftNs = lastNs[change.leaving];
  const cameNs = lastNs[change.target];
  if (cameNs === null || (leftNs !== null && leftNs > cameNs)) {
    const last = leftNs === null ? '' : `: its last answer named ${left}, at ${at(leftNs)}`;
    return [no(`${reading.ledger.server} was not seen to follow for ${reading.ledger.hostname}${last}.`)];
  }
  const late = latePoints(story, removal);
  const untilNs = heldUntilNs(story, removal);
  if (untilNs === -Infinity) return late;
  const text = `What ${reading.ledger.server} gave for ${reading.ledger.hostname} may be kept until ${at(untilNs)}.`;
  return [...late, notBefore(untilNs, nowNs(removal), text)];
}

/** Until when an answer of the side left may be kept that this resolver gave, or that one of its caches still has. */
function heldUntilNs({ reading, conduct }: ResolverStory, { change }: Removal): number {
  const seenNs = reading.heldUntilNs[change.leaving];
  if (seenNs === -Infinity) return seenNs;
  const { authorityLastAtNs } = change.seen;
  const raisedNs =
    conduct.kind === 'raises-ttl' && conduct.clampS !== null && authorityLastAtNs !== null
      ? authorityLastAtNs + sToNs(conduct.clampS)
      : -Infinity;
  return Math.max(seenNs, raisedNs) + endSlackNs;
}

// ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** They never leave by construction, and nobody judges them by it. */
function isForEver({ lane }: LaneView): boolean {
  const { kind } = lane.archetype.resolve;
  return lane.role === 'client' && !lane.judged && (kind === 'once' || kind === 'pinned');
}

function isStillThere(view: LaneView, { leaving, target }: Change): boolean {
  return (slotsOnSide(view, leaving)?.last ?? -1) > (slotsOnSide(view, target)?.last ?? -1);
}

function forEverPoints({ context, change, left }: Removal): readonly Point[] {
  const there = context.views.filter((view) => isForEver(view) && isStillThere(view, change));
  const clients = [...new Set(there.map(({ lane }) => lane.client))];
  if (clients.length === 0) return [];
  const verb = clients.length === 1 ? 'leaves' : 'leave';
  return [said(`${listText(clients)} never ${verb} by itself: restart or mend such clients before ${left} goes.`)];
}

function lanePoints(view: LaneView, removal: Removal): readonly Point[] {
  if (!view.lane.judged || view.series !== 'raw') return [];
  const { change } = removal;
  const name = nameOfLane(view.lane);
  const onLeft = slotsOnSide(view, change.leaving);
  const onTarget = slotsOnSide(view, change.target);
  if (isStillThere(view, change)) return [stillThere(view, onLeft?.last ?? 0, removal)];
  if (onTarget === null) {
    return removal.context.qualified.has(view) ? [unknown(`${name} was seen on neither side.`)] : [];
  }
  const untoldSlot = lastUntold(view);
  if (untoldSlot > onTarget.last) return [unknown(`The side of the last answers of ${name} is not known.`)];
  return [...answersGone(view, removal), ...(onLeft === null ? [] : wentAway(view, onLeft.last, removal))];
}

/** An answer came, and whose it was cannot be said. */
function lastUntold(view: LaneView): number {
  return view.facts.reduce((last, { isAnswered, side }, sighting) => {
    const isUntold = isAnswered && side !== 'old' && side !== 'new';
    return isUntold ? Math.max(last, view.tally.lastSlot[sighting] as number) : last;
  }, -1);
}

function stillThere(view: LaneView, slot: number, removal: Removal): Point {
  const { left, life, at } = removal;
  const name = nameOfLane(view.lane);
  const isKept = (view.factsAt(slot).bits & sightingBits.kept) !== 0;
  const ageMs = view.store.slots.connectionAgeMs(slot);
  const by = isKept ? ` by a connection opened ${durationText(ageMs)} before` : '';
  const text = `${name} was still on ${left} at ${at(view.dueNs(slot))}${by}`;
  const { s, why } = stayOf(view.lane);
  if (s === null) return no(`${text}; it leaves ${why}.`);
  if (life.expiresAtNs === null) return no(`${text}.`);
  const byNs = baseNs(view, removal) + sToNs(s) + sharedPollNs;
  if (byNs <= nowNs(removal)) return no(`${text}, although it should have left by ${at(byNs)}.`);
  return { weight: 'no', fromNs: byNs, text: `${text}; it must have left by ${at(byNs)}.` };
}

/** From here on none of its resolver's caches holds an answer of the side left. */
function baseNs({ lane }: LaneView, removal: Removal): number {
  const { stories, life } = removal;
  const story = stories.get(storyKey(lane.resolver?.name ?? '', lane.check.hostname));
  const heldNs = story === undefined ? -Infinity : heldUntilNs(story, removal);
  return Math.max(life.expiresAtNs ?? -Infinity, heldNs);
}

/** Its own cache holds none either; what asks again only when something breaks has left, and nothing leads it back. */
function answersGone(view: LaneView, removal: Removal): readonly Point[] {
  const { s } = stayOfResolve(view.lane);
  const fromNs = baseNs(view, removal);
  if (s === null || fromNs === -Infinity) return [];
  const goneNs = fromNs + sToNs(s) + sharedPollNs;
  const text = `${nameOfLane(view.lane)} may keep an answer of ${removal.left} until ${removal.at(goneNs)}.`;
  return [notBefore(goneNs, nowNs(removal), text)];
}

/** Its last request there is over, it was seen elsewhere, and it has no connection left that it might use again. */
function wentAway(view: LaneView, lastSlot: number, removal: Removal): readonly Point[] {
  const { left, at, change } = removal;
  const name = nameOfLane(view.lane);
  const { connect } = view.lane.archetype;
  let next = lastSlot + 1;
  while (next < view.slotCount && !isSeen(view, next)) next += 1;
  const off = yes('', Math.max(view.endedNs(lastSlot), view.dueNs(next)));
  if (connect.kind === 'new' || connect.kind === 'held') return [off];
  const idleSinceNs = maybeIdleSinceNs(view, lastSlot, change.leaving);
  if (idleSinceNs === null) return [off];
  if (connect.idleS === 0) return [off, unknown(`${name} may have kept a connection to ${left} that it does not use.`)];
  const idleNs = idleSinceNs + sToNs(connect.idleS);
  return [
    off,
    notBefore(idleNs, nowNs(removal), `${name} may keep an idle connection to ${left} until ${at(idleNs)}.`),
  ];
}

/**
 * A client opens a connection only when none of its own is idle. So where it opened one after its last request there, what may
 * be left is what was in use just then. Null = nothing is.
 */
function maybeIdleSinceNs(view: LaneView, lastSlot: number, leaving: Side): number | null {
  const isOpening = (slot: number): boolean => {
    const { bits, hasAddress } = view.factsAt(slot);
    return isSeen(view, slot) && hasAddress && (bits & sightingBits.kept) === 0;
  };
  let opening = lastSlot + 1;
  while (opening < view.slotCount && !isOpening(opening)) opening += 1;
  if (opening >= view.slotCount) return view.endedNs(lastSlot);
  let sinceNs: number | null = null;
  for (let slot = lastSlot; slot >= Math.max(0, opening - view.lane.inFlightMax); slot -= 1) {
    const endedNs = view.endedNs(slot);
    if (view.factsAt(slot).side === leaving && endedNs > view.dueNs(opening)) sinceNs = Math.max(sinceNs ?? 0, endedNs);
  }
  return sinceNs;
}
