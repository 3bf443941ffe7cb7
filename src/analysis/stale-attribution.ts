/**
 * Which failed probes of a service were stale targets' (domain facts D.3). Proved by the load balancer's access log; else
 * strongly, where failures of fitting signatures came while targets were stale, in a share that these explain, and (almost)
 * none came while none was. Both are counted over all lanes that reached the side, its own among them.
 */
import type { Side } from '../core/scenario.ts';
import type { Proof, StaleCheck, StaleSignature } from '../core/stale-target.ts';
import { nsPerMs, nsPerUs, nsToMs, sToNs } from '../core/time.ts';
import { overlaps, wilson } from './binomial.ts';
import { newDrainExpiry, type DrainExpiry } from './drain-expiry.ts';
import { meanings, type LaneView } from './lane-view.ts';
import { isOfDeadTarget, signatureOf, type FailureLook } from './signatures.ts';
import { Spans, type Span } from './spans.ts';
import { doubtsOf, episodesOf, newExpected, type Episode } from './stale-doubt.ts';
import type { GroupHistory } from './targets-history.ts';
import { groupsOf } from './targets-of-service.ts';
import type { Logged, LogLine } from './stale-log.ts';

export interface AttributionOptions {
  readonly side: Side;
  /** Of one service: raw, of its clients and of the side itself. */
  readonly views: readonly LaneView[];
  /** Of the side; by ARN. */
  readonly histories: ReadonlyMap<string, GroupHistory>;
  readonly logged: Logged;
  readonly firstEpisode: number;
}

export interface ExplainedSlot {
  readonly view: LaneView;
  readonly slot: number;
  readonly signature: StaleSignature;
  readonly isProved: boolean;
  /** By the access log. */
  readonly target: string | null;
}

export interface EpisodeResult {
  readonly episode: Episode;
  /** null: nothing failed in it. */
  readonly proof: Proof | null;
  readonly check: StaleCheck;
  /** By the shares alone, whatever a log proves besides. */
  readonly isStrong: boolean;
  readonly slots: readonly ExplainedSlot[];
}

export interface Attribution {
  readonly side: Side;
  /** The groups that the service is behind. */
  readonly histories: readonly GroupHistory[];
  readonly episodes: readonly EpisodeResult[];
  /** What the access log proves outside of episodes: a target that was draining. */
  readonly proved: readonly ExplainedSlot[];
  /** Targets were seen, and it is known whether one may have been stale. */
  readonly isDoubtful: (atNs: number) => boolean;
}

/** Fewer failures are chance. */
const failedCountMin = 3;
/** "Almost none" outside: of the rate inside so much, and never half as many. */
const outsideRateMax = 0.05;
const outsideCountRatioMax = 0.5;

interface Tally {
  failed: number;
  probes: number;
  expectedMin: number;
  expectedMax: number;
  slots: ExplainedSlot[];
}

export function attribute(options: AttributionOptions): Attribution {
  const { side, views, histories, logged } = options;
  const groupsByCheck = new Map(
    views.map(({ lane }) => [
      lane.check.name,
      groupsOf(
        lane.check,
        [...histories.values()].map(({ group }) => group),
      ),
    ]),
  );
  const arns = new Set([...groupsByCheck.values()].flatMap((groups) => groups.map(({ arn }) => arn)));
  const own = [...histories].filter(([arn]) => arns.has(arn)).map(([, history]) => history);
  const episodes = episodesOf(own, options.firstEpisode);
  const doubts = own.flatMap((history) => [...doubtsOf(history), ...unseen(history)]);
  const grey = new Spans(doubts);
  const result = (tallies: readonly Tally[], outside: Outside, proved: readonly ExplainedSlot[]): Attribution => ({
    side,
    histories: own,
    episodes: episodes.map((episode, i) => resultOf(episode, tallies[i] as Tally, outside)),
    proved,
    isDoubtful: (atNs) => grey.has(atNs),
  });
  const outside = { failed: 0, probes: 0 };
  const tallies = episodes.map((): Tally => ({ failed: 0, probes: 0, expectedMin: 0, expectedMax: 0, slots: [] }));
  const proved: ExplainedSlot[] = [];
  if (episodes.length === 0 && logged.isEmpty) return result(tallies, outside, proved);

  const look: LookContext = { ...contextOf(own), isRolloutNear: true };
  const hasReused = episodes.map(({ spans }) => spans.some(({ span }) => span.fault === 'stale-reused'));
  for (const view of views) {
    const expectedAt = newExpected(groupsByCheck.get(view.lane.check.name) ?? [], histories);
    const lookups = newSpanLookup(episodes);
    for (let slot = 0; slot < view.slotCount; slot += 1) {
      const meaning = view.meaning[slot];
      if (meaning !== meanings.good && meaning !== meanings.failed) continue;
      const facts = view.factsAt(slot);
      if (facts.side !== side) continue;
      const dueNs = view.dueNs(slot);
      const at = lookups(dueNs);
      const tally = at === -1 ? undefined : tallies[at];
      const line = meaning === meanings.failed ? logged.at(view, slot) : null;
      const signature = meaning === meanings.failed ? lookOf(view, slot, look) : null;
      const isFit =
        signature !== null &&
        (isOfDeadTarget(signature) || signature === 'S11' || (signature === 'S8' && hasReused[at] === true));
      const word = line === null || !isFit ? 'silent' : wordOf(line, own, dueNs);
      const explained = (target: string | null): ExplainedSlot => ({
        view,
        slot,
        signature: signature as StaleSignature,
        isProved: target !== null,
        target,
      });
      if (typeof word !== 'string') {
        (tally?.slots ?? proved).push(explained(word.target));
      } else if (isFit && word === 'silent') tally?.slots.push(explained(null));
      const isCounted = isFit && word !== 'acquits';
      if (meaning === meanings.failed && !isCounted && tally !== undefined) continue;
      if (tally !== undefined) {
        const expected = expectedAt(dueNs);
        if (expected === null || expected.max === 0) continue;
        tally.probes += 1;
        tally.failed += isCounted ? 1 : 0;
        tally.expectedMin += expected.min;
        tally.expectedMax += expected.max;
      } else if (!grey.has(dueNs)) {
        outside.probes += 1;
        // What a short deregistration delay gives up has its own reason.
        outside.failed += isCounted && signature !== 'S5' ? 1 : 0;
      }
    }
  }
  return result(tallies, outside, proved);
}

interface Outside {
  readonly failed: number;
  readonly probes: number;
}

function resultOf(episode: Episode, tally: Tally, outside: Outside): EpisodeResult {
  const { failed, probes, expectedMin, expectedMax, slots } = tally;
  const expectedRatio = probes === 0 ? { min: 0, max: 1 } : { min: expectedMin / probes, max: expectedMax / probes };
  const isFewOutside =
    outside.failed <= 1 ||
    (outside.failed * probes <= outsideRateMax * failed * outside.probes &&
      outside.failed <= outsideCountRatioMax * failed);
  const isStrong = failed >= failedCountMin && overlaps(wilson(failed, probes), expectedRatio) && isFewOutside;
  const isProved = slots.some((slot) => slot.isProved);
  return {
    episode,
    proof: slots.length === 0 ? null : isProved ? 'P3' : isStrong ? 'P2' : 'P1',
    check: {
      episode: episode.number,
      failedCount: failed,
      probeCount: probes,
      expectedRatio,
      outsideFailedCount: outside.failed,
      outsideProbeCount: outside.probes,
      togetherFailedCount: slots.filter(({ view }) => view.lane.judged).length,
    },
    isStrong,
    slots: isStrong ? slots : slots.filter((slot) => !isProved || slot.isProved),
  };
}

/** Nothing is known of it yet, or not while an observer was blind. */
function unseen({ shares, gaps }: GroupHistory): Span[] {
  const first = shares[0]?.fromNs ?? Infinity;
  return [{ fromNs: -1, toNs: first }, ...gaps.map(({ fromAtNs, toAtNs }) => ({ fromNs: fromAtNs, toNs: toAtNs }))];
}

/** Instants are asked in order of time. */
function newSpanLookup(spans: readonly Span[]): (atNs: number) => number {
  let at = 0;
  return (atNs) => {
    while (at < spans.length && (spans[at] as Span).toNs < atNs) at += 1;
    return at < spans.length && (spans[at] as Span).fromNs <= atNs ? at : -1;
  };
}

/** What is known of the load balancers themselves. */
export function contextOf(histories: readonly GroupHistory[]): Omit<LookContext, 'isRolloutNear'> {
  const idleTimeoutsS = histories.flatMap(({ group: { idleTimeoutS } }) =>
    idleTimeoutS === null ? [] : [idleTimeoutS],
  );
  return {
    isNetwork: histories.some(({ group }) => group.kind === 'network'),
    drainExpiry: newDrainExpiry(histories),
    ...(idleTimeoutsS.length === 0 ? {} : { idleTimeoutMs: nsToMs(sToNs(Math.min(...idleTimeoutsS))) }),
  };
}

interface LookContext {
  readonly isNetwork: boolean;
  /** Pages of its own were seen there. */
  readonly isNginx?: boolean;
  readonly isRolloutNear: boolean;
  /** Left out: nothing is known of deregistrations. */
  readonly drainExpiry?: DrainExpiry;
  /** Of the load balancers, the shortest, as they say. */
  readonly idleTimeoutMs?: number;
}

/** An ALB's, where it does not say. */
const idleTimeoutMsDefault = 60_000;

export function lookOf(
  view: LaneView,
  slot: number,
  { isNetwork, isNginx = false, isRolloutNear, drainExpiry, idleTimeoutMs = idleTimeoutMsDefault }: LookContext,
): StaleSignature | null {
  const { failureClass, status } = view.factsAt(slot);
  const look: FailureLook = {
    failureClass,
    status,
    tookMs: (view.responseUsAt(slot) * nsPerUs) / nsPerMs,
    front: isNetwork ? 'network' : isNginx ? 'nginx' : null,
    isRolloutNear,
    idleTimeoutMs,
    isDrainExpired: (drainExpiry?.(view.dueNs(slot), view.endedNs(slot)) ?? null) !== null,
  };
  return signatureOf(look);
}

/**
 * What the load balancer's own log says of a failed probe: the target it was sent to, if that was stale; or that it was
 * another's fault; or nothing.
 */
function wordOf(
  line: LogLine,
  histories: readonly GroupHistory[],
  atNs: number,
): { readonly target: string } | 'acquits' | 'silent' {
  const { target, elbStatus, targetStatus } = line;
  if (target === null) return 'silent';
  if (targetStatus !== null || (elbStatus !== 502 && elbStatus !== 504)) return 'acquits';
  const isIt = histories.some(({ spans }) =>
    spans.some(
      (span) =>
        span.target === target &&
        (span.isConfirmed || span.fault === 'drain-race') &&
        span.fault !== 'missing-target' &&
        span.fromNs <= atNs &&
        atNs <= span.toNs,
    ),
  );
  return isIt ? { target } : 'acquits';
}
