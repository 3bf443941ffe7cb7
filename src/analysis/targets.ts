/**
 * The targets of load balancers, and what of the failures they explain: from what platforms said and what the probes met.
 * Without platforms there is suspicion at the most, and it costs a look at the failures near a rollout.
 */
import type { BlindSpot, Cause, Interval, ObserverAnalysis } from '../core/analysis.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import type { Proof, StaleSignature, StaleTarget, TargetAnalysis, TargetWatch } from '../core/stale-target.ts';
import { nsToMs, sToNs, toIso } from '../core/time.ts';
import { addressKey } from './address.ts';
import { drainExpiredOf, type DrainExpired } from './drain-expiry.ts';
import type { Definitions } from './gathered.ts';
import type { Journal } from './journal.ts';
import type { LaneView } from './lane-view.ts';
import { readPlatforms, type GroupSeen, type Platforms } from './platform-timeline.ts';
import type { ServiceContext } from './service-analysis.ts';
import {
  attribute,
  contextOf,
  lookOf,
  type Attribution,
  type EpisodeResult,
  type ExplainedSlot,
} from './stale-attribution.ts';
import { isStale } from './stale-doubt.ts';
import { readLogged } from './stale-log.ts';
import { suspicionsOf, type Suspicion } from './stale-suspicion.ts';
import { checkText, stateEvidence, suspicionText, textOf } from './stale-text.ts';
import { historyOf, type FaultSpan, type GroupHistory } from './targets-history.ts';
import { lagMaxNs } from './targets-owner.ts';
import { watchesOf } from './targets-watch.ts';
import { isOfDeadTarget } from './signatures.ts';

export interface TargetsOptions {
  readonly journal: Journal;
  readonly definitions: Definitions;
  readonly scenario: Scenario;
  readonly contexts: readonly ServiceContext[];
  readonly observers: readonly ObserverAnalysis[];
  readonly startedAtMs: number;
  readonly isDeploy: boolean;
  readonly endNs: number;
}

export interface TargetsRead {
  readonly targets: readonly TargetAnalysis[];
  readonly staleTargets: readonly StaleTarget[];
  readonly watch: readonly TargetWatch[];
  readonly drainExpired: readonly { readonly service: string; readonly expired: readonly DrainExpired[] }[];
  /** null: nothing better is known than what the failure itself tells. */
  causeAt(view: LaneView, slot: number): Extract<Cause, 'stale-target'> | null;
}

const sides: readonly Side[] = ['old', 'new'];

export function analyseTargets(options: TargetsOptions): TargetsRead {
  const { journal, contexts, observers, endNs, startedAtMs } = options;
  const platforms = readPlatforms(journal, endNs);
  const logged = readLogged(journal);
  const blind = new Map(observers.map(({ name, gaps }) => [name, gaps]));
  const histories = platforms === null ? new Map<string, GroupHistory>() : historiesOf(platforms, { endNs, blind });
  const at = (ns: number): string => toIso(startedAtMs, ns);
  const attributed: (Attribution & { readonly service: string })[] = [];
  const staleTargets: StaleTarget[] = [];
  const suspected: { readonly service: string; readonly suspicion: Suspicion; readonly isWatched: boolean }[] = [];
  const drainExpired: { readonly service: string; readonly expired: readonly DrainExpired[] }[] = [];
  for (const context of contexts) {
    const service = context.service.name;
    const eventsNs = eventsOf(options, context, platforms);
    const views = context.views.filter(({ lane }) => lane.role !== 'reference');
    const reached = histories.size === 0 ? new Set<string>() : addressesReached(views, options.definitions);
    for (const side of sides) {
      const own = new Map([...histories].filter(([, { group }]) => isOf(group, side, reached)));
      const firstEpisode = attributed.reduce((sum, { episodes }) => sum + episodes.length, 0);
      const attribution = attribute({ side, views, histories: own, logged, firstEpisode });
      attributed.push({ ...attribution, service });
      const taken = new Set(
        [...attribution.episodes.flatMap(({ slots }) => slots), ...attribution.proved].map(keyOfSlot),
      );
      const isWatched = attribution.histories.some(({ isOwnerKnown }) => isOwnerKnown);
      const { histories: behind } = attribution;
      const look = contextOf(behind);
      const signatureAt = (view: LaneView, slot: number): StaleSignature | null =>
        lookOf(view, slot, { ...look, isRolloutNear: true });
      drainExpired.push({ service, expired: drainExpiredOf({ side, views, histories: behind, signatureAt }) });
      const suspicions = suspicionsOf({
        side,
        views,
        eventsNs,
        look,
        // Of targets that were seen to be well nobody has to be suspicious.
        isTaken: (view, slot, dueNs) =>
          taken.has(keyOfSlot({ view, slot })) || (isWatched && !attribution.isDoubtful(dueNs)),
      });
      suspected.push(...suspicions.map((suspicion) => ({ service, suspicion, isWatched })));
    }
  }
  for (const history of histories.values()) {
    staleTargets.push(...staleTargetsOf(history, attributed, at));
  }
  staleTargets.push(...suspected.map(suspectedTarget));
  const explained = explainedSlots(attributed);
  return {
    targets: [...histories.values()].flatMap(({ group, targets }) =>
      targets.map(({ target, owner, stretches }): TargetAnalysis => {
        return { side: group.side, group: group.name, target, owner, stretches };
      }),
    ),
    staleTargets: staleTargets.toSorted(
      (a, b) => a.fromAtNs - b.fromAtNs || compare(a.group, b.group) || compare(a.target ?? '', b.target ?? ''),
    ),
    drainExpired: drainExpired.filter(({ expired }) => expired.length > 0),
    watch: watchesOf({ scenario: options.scenario, attributed, observers, endNs }),
    causeAt: (view, slot) => (explained.has(view, slot) ? 'stale-target' : null),
  };
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function historiesOf(
  platforms: Platforms,
  { endNs, blind }: { readonly endNs: number; readonly blind: ReadonlyMap<string, readonly BlindSpot[]> },
): Map<string, GroupHistory> {
  const histories = new Map<string, GroupHistory>();
  for (const [arn, group] of platforms.groups) {
    const timeline = platforms.targets.get(arn);
    // A group that no rule leads to gets no requests, whatever is in it.
    if (timeline === undefined || group.rules.length === 0) continue;
    histories.set(arn, historyOf(group, timeline, { platforms, endNs, blind }));
  }
  return histories;
}

/** Of several load balancers of a side, those that the service's probes reached, where their addresses are known. */
function isOf({ side, addresses }: GroupSeen, asked: Side, reached: ReadonlySet<string>): boolean {
  return side === asked && (addresses.length === 0 || addresses.some((address) => reached.has(addressKey(address))));
}

function addressesReached(views: readonly LaneView[], definitions: Definitions): ReadonlySet<string> {
  const numbers = new Set(views.flatMap(({ facts }) => facts.map(({ address }) => address)));
  return new Set([...numbers].flatMap((number) => definitions.address[number] ?? []).map(addressKey));
}

function eventsOf(
  { journal, isDeploy }: TargetsOptions,
  context: ServiceContext,
  platforms: Platforms | null,
): number[] {
  // Steps of a playbook are called after what they look at, and are not it.
  const marks = journal.of('marked').filter(({ text }) => !text.startsWith('playbook: '));
  const made = isDeploy
    ? [
        ...context.changes.map(({ seen }) => seen.usedAtNs),
        ...journal.of('command-started').map(({ atNs }) => atNs),
        ...marks.map(({ atNs }) => atNs),
      ]
    : marks.flatMap(({ text, atNs }) => (/deploy|roll(?!\s*back)|restart|upgrade/i.test(text) ? [atNs] : []));
  const seen = platforms === null ? [] : platforms.eventsAtNs;
  return [...new Set([...made, ...seen])].toSorted((a, b) => a - b);
}

// ── what became of targets ───────────────────────────────────────────────────────────────────────────────────────────

type Attributed = Attribution & { readonly service: string };

function staleTargetsOf(
  history: GroupHistory,
  attributed: readonly Attributed[],
  at: (ns: number) => string,
): StaleTarget[] {
  const { group } = history;
  const behind = attributed.filter(({ histories }) => histories.includes(history));
  return history.spans.flatMap((span): StaleTarget[] => {
    const results = behind.flatMap(({ episodes }) =>
      episodes.filter(({ episode }) => episode.spans.some((one) => one.span === span)),
    );
    const slots = [
      ...results.flatMap((result) => result.slots),
      ...behind.flatMap(({ proved }) => proved.filter(({ target }) => target === span.target)),
    ].filter((slot) => isIn(slot, span));
    const proof = proofOf(span, results, slots);
    if (!isReported(span, proof)) return [];
    const failedCount = slots.filter(({ view }) => view.lane.judged).length;
    const windowMs = windowOf(span);
    const expectedWindowMs =
      span.fault === 'missing-target' || span.fault === 'no-target' ? null : expectedWindow(group);
    const isAlone = results.every(({ episode }) => episode.spans.length === 1);
    const check = results.toSorted((a, b) => b.check.failedCount - a.check.failedCount)[0]?.check ?? null;
    return [
      {
        services: [...new Set(behind.map(({ service }) => service))],
        side: group.side,
        group: group.name,
        target: span.target,
        owner: span.owner,
        fault: span.fault,
        fromAtNs: span.fromNs,
        toAtNs: span.toNs,
        isOpenAtEnd: span.isOpenAtEnd,
        windowMs,
        expectedWindowMs,
        proof,
        failedCount,
        check: slots.length === 0 ? null : check,
        signatures: countsOf(slots),
        text: textOf(span, { group: group.name, windowMs, expectedWindowMs, proof, failedCount, isAlone }),
        evidence: [
          ...stateEvidence(history, span, at),
          ...(check === null || slots.length === 0 ? [] : checkText(check)),
        ],
      },
    ];
  });
}

function isIn({ view, slot, target }: ExplainedSlot, span: FaultSpan): boolean {
  if (target !== null) return target === span.target;
  const dueNs = view.dueNs(slot);
  return span.fromNs <= dueNs && dueNs <= span.toNs;
}

function proofOf(span: FaultSpan, results: readonly EpisodeResult[], slots: readonly ExplainedSlot[]): Proof | null {
  if (slots.length === 0) return null;
  if (slots.some(({ isProved }) => isProved)) return 'P3';
  return isStale(span) && results.some(({ proof, isStrong }) => proof !== null && isStrong) ? 'P2' : 'P1';
}

/** A target that drains after its pod has gone is every deployment's: only what fails by it is worth a word. */
function isReported({ fault, isConfirmed, firstSeenNs, lastSeenNs }: FaultSpan, proof: Proof | null): boolean {
  if (fault === 'drain-race') return proof === 'P3';
  // Whoever is new is registered within the controller's lag.
  if (fault === 'missing-target') return isConfirmed && lastSeenNs - firstSeenNs > lagMaxNs;
  return isConfirmed;
}

function windowOf({ fromNs, toNs, firstSeenNs, lastSeenNs }: FaultSpan): Interval {
  return { min: nsToMs(lastSeenNs - firstSeenNs), max: nsToMs(toNs - fromNs) };
}

/** As soon as the controller deregisters it, or at the latest when health checks find it dead. */
function expectedWindow({ healthCheck: { unhealthyCount, intervalS, timeoutS } }: GroupSeen): Interval {
  const detectionMs = nsToMs(sToNs(unhealthyCount * intervalS + timeoutS));
  return { min: Math.min(nsToMs(lagMaxNs), detectionMs), max: detectionMs };
}

function countsOf(slots: readonly ExplainedSlot[]): StaleTarget['signatures'] {
  const counts: Partial<Record<StaleSignature, number>> = {};
  for (const { signature } of slots) counts[signature] = (counts[signature] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => compare(a, b)));
}

function suspectedTarget({
  service,
  suspicion,
  isWatched,
}: {
  readonly service: string;
  readonly suspicion: Suspicion;
  readonly isWatched: boolean;
}): StaleTarget {
  const { side, fromNs, toNs, judgedFailedCount, signatures } = suspicion;
  const lengthMs = nsToMs(toNs - fromNs);
  return {
    services: [service],
    side,
    group: '',
    target: null,
    owner: null,
    fault: 'stale-gone',
    fromAtNs: fromNs,
    toAtNs: toNs,
    isOpenAtEnd: false,
    windowMs: { min: lengthMs, max: lengthMs },
    expectedWindowMs: null,
    proof: 'P1',
    failedCount: judgedFailedCount,
    check: null,
    signatures: Object.fromEntries([...signatures].toSorted(([a], [b]) => compare(a, b))),
    text: suspicionText(suspicion, isWatched),
    evidence: [],
  };
}

// ── causes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function keyOfSlot({ view, slot }: Pick<ExplainedSlot, 'view' | 'slot'>): string {
  return `${String(view.lane.number)} ${String(slot)}`;
}

/** A second try of the same slot is judged by when it was, as it has no line of its own. */
function explainedSlots(attributed: readonly Attributed[]): { has: (view: LaneView, slot: number) => boolean } {
  const raw = new Set(
    attributed.flatMap(({ episodes, proved }) =>
      [...proved, ...episodes.flatMap(({ slots, proof }) => (proof === 'P1' ? [] : slots))].map(keyOfSlot),
    ),
  );
  return {
    has(view, slot) {
      if (raw.size === 0) return false;
      if (view.series === 'raw') return raw.has(keyOfSlot({ view, slot }));
      if (!isOfDeadTarget(lookOf(view, slot, { isNetwork: false, isRolloutNear: true }))) return false;
      const dueNs = view.dueNs(slot);
      return attributed.some(
        ({ service, side, episodes }) =>
          service === view.lane.service &&
          side === view.factsAt(slot).side &&
          episodes.some(({ proof, episode }) => proof === 'P2' && episode.fromNs <= dueNs && dueNs <= episode.toNs),
      );
    },
  };
}
