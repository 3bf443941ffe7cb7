/** Where the verdict and the truth cannot both be right: a pass over a certain breach, a fail without a possible one. */
import type { Analysis, Interval, LaneAnalysis } from '../core/analysis.ts';
import { laneName } from '../core/lane-name.ts';
import type { Lane, Objectives } from '../core/scenario.ts';
import { nsToS } from '../core/time.ts';
import type { Reason, Verdict } from '../core/verdict.ts';
import type { Difference } from './comparison.ts';
import type { Fate } from './fate.ts';
import { movesEverybody, type History } from './history.ts';
import type { LaneTruth } from './lane-truth.ts';
import { expiryNs, trueValues, type TrueValues } from './true-values.ts';

/** A lane of which nothing good is known before the change is not judged. */
const qualifyingCount = 10;
/** Fewer failures are no share of failures. */
const failedCountMin = 3;
const convergenceSlackS = 10;

type LaneKey = Exclude<keyof TrueValues, 'failedCount'>;
const laneKeys: readonly LaneKey[] = [
  'outageMsMax',
  'downtimeMsMax',
  'failedRatioMax',
  'worstMinuteFailedRatioMax',
  'burst5xxCountMax',
  'flipBackCountMax',
];

export interface Judging {
  readonly analysis: Analysis;
  readonly verdict: Verdict;
  readonly history: History;
  /** Raw series. */
  readonly lanes: readonly (LaneTruth & { readonly seen: LaneAnalysis })[];
}

export function contradictionsOf(judging: Judging): Difference[] {
  const { analysis, verdict, history } = judging;
  const found: Difference[] = [];
  for (const service of analysis.scenario.services) {
    const seen = analysis.services.find(({ name }) => name === service.name);
    const from = judgedFrom(seen?.changes[0]?.usedAtNs ?? null, history);
    const lanes = judging.lanes.filter(
      ({ lane }) => lane.service === service.name && lane.role === 'client' && lane.judged,
    );
    const reasons = verdict.reasons.filter((reason) => reason.service === service.name && reason.severity === 'fail');
    if (from !== null) {
      const judged = lanes.map((lane) => ({ ...lane, values: trueValues(lane, history, from) }));
      found.push(...qualifications(judged, from));
      for (const key of laneKeys) found.push(...ofObjective(key, service.objectives, judged, reasons));
    }
    const hostname = service.checks[0]?.hostname ?? '';
    found.push(...ofConvergence(hostname, service.objectives, lanes, reasons, history));
    found.push(...ofWholeService(service.name, hostname, judging, reasons));
  }
  return found;
}

/** The operator's change, and where the analysis dates it: a poll or two earlier where nobody told it. */
function judgedFrom(usedAtNs: number | null, { changeAtNs }: History): Interval | null {
  if (usedAtNs === null && changeAtNs === null) return null;
  const instants = [usedAtNs ?? (changeAtNs as number), changeAtNs ?? (usedAtNs as number)];
  return { min: Math.min(...instants), max: Math.max(...instants) };
}

type JudgedTruth = LaneTruth & { readonly seen: LaneAnalysis; readonly values: TrueValues };

function qualifications(lanes: readonly JudgedTruth[], from: Interval): Difference[] {
  return lanes.flatMap(({ seen, fates }) => {
    const [early, late] = [isQualified(fates, from.min), isQualified(fates, from.max)];
    if (seen.qualified === early || seen.qualified === late) return [];
    const text = seen.qualified ? 'judged, but never ten times good in a row before' : 'not judged, but well before';
    return [{ lane: laneName(seen), fromAtNs: from.min, toAtNs: from.max, text }];
  });
}

function isQualified(fates: readonly Fate[], beforeNs: number): boolean {
  let count = 0;
  for (const { kind, attempt } of fates) {
    if (attempt.dueNs >= beforeNs) return false;
    count = kind === 'good' ? count + 1 : 0;
    if (count >= qualifyingCount) return true;
  }
  return false;
}

function ofObjective(
  key: LaneKey,
  objectives: Objectives,
  lanes: readonly JudgedTruth[],
  reasons: readonly Reason[],
): Difference[] {
  const limit = objectives[key];
  const own = reasons.filter((reason) => reason.objective === key);
  return lanes.flatMap(({ seen, values }) => {
    const value = values[key];
    const isTooFew = key === 'failedRatioMax' && values.failedCount.min < failedCountMin;
    const isBroken = value.min > limit && !isTooFew;
    const isPossible = value.max > limit && !(key === 'failedRatioMax' && values.failedCount.max < failedCountMin);
    const name = laneName(seen);
    const isFailed = own.some((reason) => reason.value === 'fail' && reason.lane === name);
    const isPassed = seen.qualified && own.length > 0 && own.every((reason) => reason.value === 'pass');
    const difference = (text: string): Difference => ({
      lane: name,
      fromAtNs: 0,
      toAtNs: 0,
      text: `${key}: ${text}; truly ${intervalText(value)}, limit ${String(limit)}`,
    });
    if (isFailed && !isPossible) return [difference('failed without a breach')];
    return isPassed && isBroken ? [difference('passed over a breach')] : [];
  });
}

function ofWholeService(
  name: string,
  hostname: string,
  { analysis, verdict, history }: Judging,
  reasons: readonly Reason[],
): Difference[] {
  const moves = history.moves(hostname);
  const difference = (text: string): Difference => ({ lane: name, fromAtNs: 0, toAtNs: 0, text });
  const found: Difference[] = [];
  const last = moves.at(-1);
  // One that caches still hide when the watch ends is not seen by anybody.
  const isOver = last !== undefined && expiryNs(hostname, last.from, last.lastAtNs, history) < analysis.endedAtNs;
  const isBack = moves.length > 1 && last?.to === moves[0]?.from;
  const saysBack = reasons.some(({ objective, value }) => objective === 'rolled-back' && value === 'fail');
  if (saysBack && !isBack) found.push(difference('said to be rolled back, and was not'));
  const value = verdict.services.find((service) => service.name === name)?.value;
  if (value !== 'pass') return found;
  if (isBack && isOver && analysis.mode !== 'rollback') found.push(difference('passed, and was rolled back'));
  const isMoved = moves.length > 0 || analysis.scenario.change.via !== 'dns';
  if (!isMoved && history.world?.zone.record !== 'weighted') found.push(difference('passed, and nothing changed'));
  return found;
}

// ── convergence ──────────────────────────────────────────────────────────────────────────────────────────────────────

function ofConvergence(
  hostname: string,
  objectives: Objectives,
  lanes: readonly (LaneTruth & { readonly seen: LaneAnalysis })[],
  reasons: readonly Reason[],
  history: History,
): Difference[] {
  const moves = history.moves(hostname);
  const [move] = moves;
  if (move === undefined || moves.length > 1 || move.lastAtNs === null || !movesEverybody(history)) return [];
  const lastAtNs = move.lastAtNs;
  const leaving = lanes.filter(
    ({ lane, seen }) => seen.qualified && ownCacheS(lane) !== null && isCorrect(lane, history),
  );
  if (leaving.length === 0) return [];
  const stays = leaving.map(({ fates }) => lastStay(fates, move.from, history));
  const took: Interval = {
    min: Math.max(...stays.map((stay) => Math.max(0, nsToS(stay.min - lastAtNs)))),
    max: Math.max(...stays.map((stay) => Math.max(0, nsToS(stay.max - move.firstAtNs)))),
  };
  const ttlS = nsToS(expiryNs(hostname, move.from, lastAtNs, history) - lastAtNs);
  const ownS = Math.max(...leaving.map(({ lane }) => ownCacheS(lane) ?? 0));
  const limit = objectives.convergenceSMax ?? 2 * ttlS + convergenceSlackS + ownS;
  return reasons
    .filter(({ objective, value }) => objective === 'convergenceSMax' && value !== 'inconclusive')
    .flatMap(({ value }) => {
      const isWrong = value === 'pass' ? took.min > limit : took.max <= limit;
      const text = `convergenceSMax: ${value}; truly ${intervalText(took)}, limit ${String(limit)}`;
      return isWrong ? [{ lane: hostname, fromAtNs: move.firstAtNs, toAtNs: lastAtNs, text }] : [];
    });
}

/** Due instants of the last slot on that side, and of the next one. */
function lastStay(fates: readonly Fate[], side: string, history: History): Interval {
  const last = fates.findLastIndex(
    ({ attempt }) => attempt.address !== null && history.sideOf(attempt.address) === side,
  );
  return { min: fates[last]?.attempt.dueNs ?? 0, max: fates[last + 1]?.attempt.dueNs ?? (last < 0 ? 0 : Infinity) };
}

/** What the client itself keeps beyond the record's TTL; null = it need not leave by itself. */
function ownCacheS({ archetype: { resolve, connect }, ratePerSecond }: Lane): number | null {
  const isIdleClosed = connect.kind === 'keep-alive' && connect.idleS > 0 && 1 / ratePerSecond > connect.idleS;
  const connectS =
    connect.kind === 'new' || isIdleClosed
      ? 0
      : (connect.kind === 'keep-alive' || connect.kind === 'held') && connect.maxAgeS > 0
        ? connect.maxAgeS
        : null;
  if (connectS === null) return null;
  switch (resolve.kind) {
    case 'per-connection':
      return connectS;
    case 'ttl':
      return connectS + resolve.minS + (resolve.graceS ?? 0);
    case 'fixed':
      return connectS + resolve.s + resolve.graceS;
    case 'refresh':
      return connectS + resolve.s;
    case 'once':
    case 'on-break':
    case 'pinned':
      return null;
  }
}

/** Its resolver keeps no answer longer than it may. */
function isCorrect(lane: Lane, history: History): boolean {
  const conduct = lane.resolver === null ? undefined : history.world?.resolvers[lane.resolver.name];
  if (conduct === undefined) return false;
  return conduct.minTtlS === 0 && conduct.countsDown && conduct.serveStale === null;
}

function intervalText({ min, max }: Interval): string {
  const text = (value: number): string => String(Math.round(value * 1000) / 1000);
  return min === max ? text(min) : `${text(min)} to ${text(max)}`;
}
