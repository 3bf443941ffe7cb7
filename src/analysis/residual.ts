/**
 * How the side that a change leaves emptied, for each kind of client and for each resolver, beside what was to be expected.
 * One pass over the slots since the change, by the number of their sighting.
 */
import type { OldReason, ResidualCurve } from '../core/analysis.ts';
import { intervalNs, slotsDueBefore } from '../core/schedule.ts';
import type { Change } from './change.ts';
import { movesEverybody } from './convergence.ts';
import { isSeen, meanings, type LaneView } from './lane-view.ts';
import { endSlackNs, isProof, leavesBy, reasonOf, sharedPollNs, type RecordLife, type WasStale } from './leaving.ts';
import { count } from './outages.ts';
import { curveOf, newCounts, type About, type Counts } from './residual-curve.ts';
import { stretchEdgesNs } from './residual-grid.ts';
import { expectedOfClient, expectedOfResolver, type Expected } from './residual-theory.ts';
import { lateAnswers } from './resolver-late.ts';
import { isStaleAt, storyKey, type ResolverStories, type ResolverStory } from './resolver-story.ts';
import type { ServiceContext } from './service-analysis.ts';
import { sightingBits } from './sightings.ts';

export interface ResidualEvidence {
  readonly context: ServiceContext;
  readonly stories: ResolverStories;
  readonly wasStale: WasStale;
}

export function residualOf({ context, stories, wasStale }: ResidualEvidence): ResidualCurve[] {
  const { service, scenario, views, changes, lives } = context;
  if (!movesEverybody(scenario.change)) return [];
  const clients = views.filter(({ lane }) => lane.role === 'client');
  return changes.flatMap((change, changeIndex) => {
    const about = aboutOf(change, changeIndex, lives[changeIndex] as RecordLife);
    if (about.lengthNs <= 0) return [];
    const slowestNs = Math.max(...clients.map(({ lane }) => intervalNs(lane)));
    const ofClients = [...Map.groupBy(clients, ({ lane }) => lane.client)].map(([client, own]) =>
      curveOfClient(client, own, { ...about, edgesNs: stretchEdgesNs(about.lengthNs, slowestNs), wasStale }),
    );
    const hostnames = [...new Set(service.checks.map((check) => check.hostname))];
    const ofResolvers = scenario.resolvers.flatMap(({ name, authority }) => {
      const own = hostnames.flatMap((hostname) => stories.get(storyKey(name, hostname)) ?? []);
      if (own.length === 0) return [];
      const expected = expectedOfResolver(about.life, about.fromNs, authority !== undefined);
      // Each is asked about once a second.
      const edgesNs = stretchEdgesNs(about.lengthNs, 2 * sharedPollNs);
      return [curveOfResolver(name, own, { ...about, edgesNs, expected })];
    });
    return [...ofClients, ...ofResolvers];
  });
}

function aboutOf(change: Change, changeIndex: number, life: RecordLife): About {
  const fromNs = change.seen.authorityLastAtNs ?? change.seen.usedAtNs;
  return { change, changeIndex, life, fromNs, lengthNs: change.untilNs - fromNs };
}

// ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────────

type ClientAbout = About & { readonly edgesNs: readonly number[]; readonly wasStale: WasStale };

function curveOfClient(client: string, views: readonly LaneView[], about: ClientAbout): ResidualCurve {
  const { change, life, fromNs } = about;
  const counts = newCounts(about.edgesNs);
  const lateReasons: Partial<Record<OldReason, number>> = {};
  for (const view of views) {
    countSlots(view, counts, about);
    countLate(view, lateReasons, about);
  }
  const expected = views.map((view) => expectedOfClient(view.lane, life, fromNs, isKeeping(view, change)));
  return curveOf({ kind: 'client', client, resolver: null }, counts, { ...about, expected, lateReasons });
}

/** What of a slot's sighting counts. */
const [unseen, leaving, target] = [0, 1, 2];

/** Within a stretch nothing is looked up but a byte by the number of the slot's sighting. */
function countSlots(view: LaneView, counts: Counts, { change, fromNs, edgesNs }: ClientAbout): void {
  const { lane, meaning, facts, store } = view;
  const placeOf = Uint8Array.from(facts, ({ side }) =>
    side === change.leaving ? leaving : side === change.target ? target : unseen,
  );
  let lastSlot = -1;
  let slot = slotsDueBefore(lane, fromNs);
  for (let i = 0; i < edgesNs.length - 1; i += 1) {
    const end = Math.min(view.slotCount, slotsDueBefore(lane, fromNs + (edgesNs[i + 1] as number)));
    let [leavingCount, targetCount] = [0, 0];
    const dueCount = Math.max(0, end - slot);
    for (; slot < end; slot += 1) {
      const what = meaning[slot];
      if (what !== meanings.good && what !== meanings.failed) continue;
      const place = placeOf[store.slots.sighting(slot)];
      if (place === leaving) {
        leavingCount += 1;
        lastSlot = slot;
      } else if (place === target) targetCount += 1;
    }
    counts.leaving[i] = (counts.leaving[i] as number) + leavingCount;
    counts.target[i] = (counts.target[i] as number) + targetCount;
    counts.unseen[i] = (counts.unseen[i] as number) + dueCount - leavingCount - targetCount;
  }
  if (lastSlot >= 0) counts.lastLeavingNs = Math.max(counts.lastLeavingNs, view.dueNs(lastSlot));
}

/** Who must have left by then, and why they had not. */
function countLate(view: LaneView, reasons: Partial<Record<OldReason, number>>, about: ClientAbout): void {
  const { change, life, wasStale } = about;
  const leavesByNs = leavesBy(view.lane, life).atNs;
  if (leavesByNs === null) return;
  const last = lastSlotAt(view, change);
  for (let slot = slotsDueBefore(view.lane, leavesByNs + endSlackNs); slot <= last; slot += 1) {
    if (!isSeen(view, slot) || view.factsAt(slot).side !== change.leaving) continue;
    count(reasons, reasonOf(view, slot, { change, life, wasStale }));
  }
}

function lastSlotAt(view: LaneView, change: Change): number {
  const { tally, facts } = view;
  let last = -1;
  facts.forEach(({ side }, sighting) => {
    if (side === change.leaving) last = Math.max(last, tally.lastSlot[sighting] as number);
  });
  return Math.min(last, view.slotCount - 1, slotsDueBefore(view.lane, change.untilNs) - 1);
}

function isKeeping({ facts, tally }: LaneView, change: Change): boolean {
  return facts.some(
    ({ bits, side }, sighting) =>
      (bits & sightingBits.kept) !== 0 && side === change.leaving && tally.firstSlot[sighting] !== -1,
  );
}

// ── resolvers ────────────────────────────────────────────────────────────────────────────────────────────────────────

type ResolverAbout = About & { readonly edgesNs: readonly number[]; readonly expected: Expected };

function curveOfResolver(resolver: string, stories: readonly ResolverStory[], about: ResolverAbout): ResidualCurve {
  const counts = newCounts(about.edgesNs);
  const lateReasons: Partial<Record<OldReason, number>> = {};
  for (const story of stories) {
    countAnswers(story, counts, about);
    for (const late of lateAnswers(story.reading, about.change, about.life)) {
      const isViolation = isProof(about.life) && !isStaleAt(story, late);
      count(lateReasons, isViolation ? 'resolver-violates-ttl' : 'resolver-lags');
    }
  }
  const { expected } = about;
  return curveOf({ kind: 'resolver', client: null, resolver }, counts, { ...about, expected: [expected], lateReasons });
}

function countAnswers({ reading }: ResolverStory, counts: Counts, { change, fromNs, edgesNs }: ResolverAbout): void {
  const { ledger, factsOf } = reading;
  let stretch = 0;
  for (let i = firstAskedFrom(ledger, fromNs); i < ledger.count; i += 1) {
    const askedNs = ledger.askedNs[i] as number;
    if (askedNs >= change.untilNs) return;
    while (askedNs - fromNs >= (edgesNs[stretch + 1] as number)) stretch += 1;
    const { side } = factsOf(ledger.answer[i] as number);
    const column = side === change.leaving ? counts.leaving : side === change.target ? counts.target : counts.unseen;
    column[stretch] = (column[stretch] as number) + 1;
    if (side === change.leaving) counts.lastLeavingNs = Math.max(counts.lastLeavingNs, askedNs);
  }
}

function firstAskedFrom({ askedNs, count: length }: ResolverStory['reading']['ledger'], fromNs: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((askedNs[middle] as number) < fromNs) low = middle + 1;
    else high = middle;
  }
  return low;
}
