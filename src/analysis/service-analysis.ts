/** One service: its changes and phases, what they did to its users, and whether the end was watched. */
import {
  latencyFloorMs,
  latencySamplesMin,
  type ChangeSeen,
  type Interval,
  type LaneAnalysis,
  type Phase,
  type PhaseName,
  type ServiceAnalysis,
} from '../core/analysis.ts';
import type { Scenario, Service } from '../core/scenario.ts';
import { intervalNs, slotsDueBefore } from '../core/schedule.ts';
import { nsToS, sToNs } from '../core/time.ts';
import type { Change } from './change.ts';
import { isSeen, slotsOnSide, type LaneView } from './lane-view.ts';
import { isLedBackLate, movesEverybody, type Convergence } from './convergence.ts';
import { Histogram } from './histogram.ts';
import { mustLeave, stayOf, type RecordLife } from './leaving.ts';
import { mergeSpans, Spans, type Span } from './spans.ts';

export interface ServiceContext {
  readonly service: Service;
  readonly scenario: Scenario;
  /** Raw, of all roles. */
  readonly views: readonly LaneView[];
  readonly qualified: ReadonlySet<LaneView>;
  readonly changes: readonly Change[];
  /** For each change. */
  readonly lives: readonly RecordLife[];
  readonly convergences: readonly Convergence[];
  readonly phases: readonly Phase[];
  readonly endNs: number;
}

export function analyseService(
  context: ServiceContext,
  lanes: readonly LaneAnalysis[],
  parts: Pick<ServiceAnalysis, 'residual' | 'safeToSwitch' | 'safeToRemoveOld' | 'oldAnswers' | 'replicas'>,
): ServiceAnalysis {
  const { service, scenario, changes, lives, convergences } = context;
  const life = lives.at(-1);
  const ttlS = life?.ttlS ?? scenario.change.ttlS;
  return {
    name: service.name,
    outcome: outcomeOf(context),
    changes: changes.map((change): ChangeSeen => change.seen),
    phases: context.phases,
    ttlS: { before: scenario.change.ttlBeforeS, after: ttlS },
    impact: impactOf(context, lanes),
    // What nobody saw change did not converge late: the verdict has a reason of its own for that.
    convergenceS: changes.at(-1)?.seen.isEvident === true ? (convergences.at(-1)?.s ?? null) : null,
    convergenceAutoS: ttlS === null ? null : 2 * ttlS + 10 + ownCacheS(context),
    tail: tailOf(context, lanes),
    latencyP99: latencyP99(context.views),
    ...parts,
  };
}

/** What the caches inside clients may add to the record's TTL: such a client is not late, it is what it is. */
function ownCacheS({ views, qualified }: ServiceContext): number {
  const compliant = views.filter((view) => mustLeave(view.lane) && qualified.has(view));
  return Math.max(0, ...compliant.map((view) => stayOf(view.lane).s ?? 0));
}

export function phasesOf(
  changes: readonly Change[],
  convergences: readonly Convergence[],
  span: { fromNs: number; endNs: number },
): Phase[] {
  const phases: Phase[] = [];
  const add = (name: PhaseName, changeIndex: number | null, fromAtNs: number, toAtNs: number): void => {
    if (toAtNs > fromAtNs) phases.push({ name, changeIndex, fromAtNs, toAtNs });
  };
  add('baseline', changes.length > 0 ? 0 : null, span.fromNs, changes[0]?.seen.usedAtNs ?? span.endNs);
  changes.forEach((change, i) => {
    const convergedAtNs = Math.min(convergences[i]?.atNs ?? Infinity, change.untilNs);
    add('switching', i, change.seen.usedAtNs, convergedAtNs);
    add('tail', i, convergedAtNs, change.untilNs);
  });
  return phases;
}

export function phaseAt(phases: readonly Phase[], atNs: number): PhaseName | 'before' {
  const [first] = phases;
  if (first === undefined || atNs < first.fromAtNs) return 'before';
  return phases.findLast((phase) => phase.fromAtNs <= atNs)?.name ?? 'before';
}

function outcomeOf({
  changes,
  lives,
  convergences,
  views,
  qualified,
  scenario,
}: ServiceContext): ServiceAnalysis['outcome'] {
  const last = changes.at(-1);
  if (last === undefined || !changes.some((change) => change.seen.isEvident)) return 'none';
  if (changes.length > 1) return 'rolled-back';
  if (scenario.change.via === 'deploy') return 'completed';
  const hasAuthority = last.seen.authorityFirstAtNs !== null;
  if (hasAuthority && (last.seen.authorityLastAtNs === null || last.isTakenBack)) return 'partial';
  const compliant = views.filter((view) => mustLeave(view.lane) && qualified.has(view));
  // Nobody was watched who must follow: that the others did not, or could, says nothing of it.
  if (compliant.length === 0 && movesEverybody(scenario.change)) return 'partial';
  // As for convergence: who asks a resolver that breaks the TTL is no sign of what became of the service, unless all do.
  const life = lives.at(-1);
  const kept = life === undefined ? compliant : compliant.filter((view) => !isLedBackLate(view, last, life));
  const isThere = (kept.length > 0 ? kept : compliant).every(
    (view) => (slotsOnSide(view, last.target)?.last ?? -1) > (slotsOnSide(view, last.leaving)?.last ?? -1),
  );
  return convergences.at(-1)?.atNs !== null && (isThere || !hasSides(compliant)) ? 'completed' : 'partial';
}

/** Where no lane ever told a side, lanes cannot say that they moved; then what the authorities say stands alone. */
function hasSides(views: readonly LaneView[]): boolean {
  return views.some((view) => slotsOnSide(view, 'old') !== null || slotsOnSide(view, 'new') !== null);
}

/** So long a lane may say nothing and still be watched; at low rates three of its intervals. */
const unseenMaxS = 5;

/**
 * Watched is what some judged lane knows something of: not what was dropped, blocked or lost by our own machine, and not
 * what our own network is suspected of, as far as the lanes' outages are given.
 */
export function tailOf(context: ServiceContext, lanes: readonly LaneAnalysis[]): ServiceAnalysis['tail'] {
  const { scenario, convergences, endNs } = context;
  const askedS = scenario.change.tailS;
  const fromNs = convergences.at(-1)?.atNs ?? null;
  if (fromNs === null) return { askedS, watchedS: 0, isWhole: false };
  const judged = context.views.filter(({ lane }) => lane.judged);
  const views = judged.length > 0 ? judged : context.views;
  const tail = { fromNs, toNs: endNs };
  const watchedNs = watchedWithin(tail, views, lanes);
  const shortestNs = Math.min(...views.map(({ lane }) => intervalNs(lane)));
  const isWhole = nsToS(endNs - fromNs) >= askedS && watchedNs + shortestNs >= sToNs(askedS);
  return { askedS, watchedS: nsToS(watchedNs), isWhole };
}

function watchedWithin(tail: Span, views: readonly LaneView[], lanes: readonly LaneAnalysis[]): number {
  const clip = ({ fromNs, toNs }: Span): Span => ({
    fromNs: Math.max(fromNs, tail.fromNs),
    toNs: Math.min(toNs, tail.toNs),
  });
  const watched = mergeSpans(views.flatMap((view) => seenRuns(view, tail)).map(clip));
  const suspect = new Spans(lanes.flatMap(suspectedOutages));
  return watched.reduce((sumNs, { fromNs, toNs }) => sumNs + toNs - fromNs - suspect.overlapNs(fromNs, toNs), 0);
}

/** A slot speaks until the next one is due. */
function seenRuns(view: LaneView, { fromNs, toNs }: Span): Span[] {
  const everyNs = intervalNs(view.lane);
  const bridgedNs = Math.max(sToNs(unseenMaxS), 3 * everyNs);
  const runs: Span[] = [];
  const end = Math.min(view.slotCount, slotsDueBefore(view.lane, toNs));
  for (let slot = slotsDueBefore(view.lane, fromNs - bridgedNs); slot < end; slot += 1) {
    if (!isSeen(view, slot)) continue;
    const dueNs = view.dueNs(slot);
    const last = runs.at(-1);
    const goesOn = last !== undefined && dueNs - last.toNs <= bridgedNs;
    if (goesOn) runs[runs.length - 1] = { fromNs: last.fromNs, toNs: dueNs + everyNs };
    else runs.push({ fromNs: dueNs, toNs: dueNs + everyNs });
  }
  return runs;
}

/** In a silence of our own network every lane failed: one lane's outage tells it of all. */
function suspectedOutages({ outages }: LaneAnalysis): Span[] {
  return outages
    .filter(({ causes, failedCount }) => 2 * (causes['own-network-suspected'] ?? 0) > failedCount)
    .map(({ firstFailedAtNs, firstGoodAtNs }) => ({ fromNs: firstFailedAtNs, toNs: firstGoodAtNs ?? Infinity }));
}

// ── impact ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** From the change on where there is one; else of the whole run. */
function impactOf({ scenario }: ServiceContext, lanes: readonly LaneAnalysis[]): ServiceAnalysis['impact'] {
  const raw = lanes.filter((lane) => lane.series === 'raw' && lane.role === 'client');
  const judged = raw.filter((lane) => lane.judged && lane.qualified);
  return {
    downtimeMs: worst(judged.map(downtimeMs)),
    impairedMs: worst(judged.map((lane) => lane.impairedMs)),
    userWeightedMs: userWeighted(scenario, raw),
    weightsAssumed: !scenario.weightsGiven,
  };
}

function downtimeMs(lane: LaneAnalysis): Interval {
  return lane.judgedPart?.downtimeMs ?? lane.downtimeMs;
}

function worst(intervals: readonly Interval[]): Interval {
  return {
    min: Math.max(0, ...intervals.map((interval) => interval.min)),
    max: Math.max(0, ...intervals.map((interval) => interval.max)),
  };
}

/**
 * Each client's mean over its lanes, by its share of users. Clients that fail for ever by construction count only where
 * somebody said how many they are.
 */
function userWeighted(scenario: Scenario, lanes: readonly LaneAnalysis[]): Interval {
  const sum = { min: 0, max: 0 };
  let weights = 0;
  for (const client of scenario.clients) {
    const own = lanes.filter((lane) => lane.client === client.name).map(downtimeMs);
    if (own.length === 0 || !(client.archetype.judged || scenario.weightsGiven)) continue;
    weights += client.weightRatio;
    for (const interval of own) {
      sum.min += (client.weightRatio * interval.min) / own.length;
      sum.max += (client.weightRatio * interval.max) / own.length;
    }
  }
  return weights === 0 ? { min: 0, max: 0 } : { min: sum.min / weights, max: sum.max / weights };
}

// ── latency ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Side lanes only: they ask the two sides the same, all the time, and no cache decides which. */
function latencyP99(views: readonly LaneView[]): ServiceAnalysis['latencyP99'] {
  const sides = { old: new Histogram(), new: new Histogram() };
  for (const view of views) {
    if (view.lane.client === 'side:old') sides.old.add(view.responsesUs.old);
    if (view.lane.client === 'side:new') sides.new.add(view.responsesUs.new);
  }
  const sampleCount = Math.min(sides.old.count, sides.new.count);
  if (sampleCount < latencySamplesMin) return null;
  const oldMs = sides.old.percentile(0.99) / 1000;
  const newMs = sides.new.percentile(0.99) / 1000;
  return { oldMs, newMs, ratio: Math.max(newMs, latencyFloorMs) / Math.max(oldMs, latencyFloorMs), sampleCount };
}
