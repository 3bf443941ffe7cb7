/** One lane's report against its truth. */
import type { Cause, Impaired, LaneAnalysis, Outage } from '../core/analysis.ts';
import type { Lane } from '../core/scenario.ts';
import { laneName } from '../core/lane-name.ts';
import { nsPerUs, nsToMs } from '../core/time.ts';
import { burstFailuresMin, clustersOf } from './clusters.ts';
import type { Difference } from './comparison.ts';
import { expectedCauses } from './expected-cause.ts';
import { fails, type Fate } from './fate.ts';
import type { History } from './history.ts';
import { matchCauses, sumOfRates, type CauseRates } from './match-causes.ts';
import type { TrueOutage } from './true-outages.ts';
import type { LaneTruth } from './true-values.ts';

export interface LaneResult {
  readonly name: string;
  readonly truth: LaneTruth;
  readonly seen: LaneAnalysis;
  readonly missed: Difference[];
  readonly falseOnes: Difference[];
  readonly outside: Difference[];
  readonly wrongCauses: Difference[];
  readonly lengthCount: number;
  readonly causeCount: number;
  readonly causeRightCount: number;
  readonly unattributedCount: number;
  readonly causeRates: CauseRates;
  /** Outages and impaired spans, and those of which most failures have a true cause. */
  readonly spanCount: number;
  readonly spanRightCount: number;
}

/** Sums of lengths in ms lose less than this. */
const roundingMs = 0.001;
/** Fewer runs of failures may have been outages, as far as anybody can tell. */
const impairmentRunsMin = 5;
/** Above, runs are so long that each is an outage. */
const drawnRatioMax = 0.6;
/** What chance does less often than this, it did not do. */
const chanceMin = 0.001;

export function compareLane(truth: LaneTruth, seen: LaneAnalysis, history: History): LaneResult {
  const name = laneName(seen);
  const placed = truth.outages.map((outage) => placeOf(outage, seen));
  const missed: Difference[] = [];
  const outside: Difference[] = [];
  const falseOnes: Difference[] = [];
  const at = (from: number, to: number, text: string): Difference => ({ lane: name, fromAtNs: from, toAtNs: to, text });

  truth.outages.forEach((outage, i) => {
    const place = placed[i];
    const ofIt = (text: string): Difference => at(outage.firstFailedAtNs, outage.lastFailedAtNs, text);
    if (place === undefined) missed.push(ofIt(`${failures(outage)} not reported`));
    else if (place.kind === 'outage') outside.push(...boundProblems(outage, place.outage).map(ofIt));
    else if (isNoChance(outage, place.impaired, truth, history)) {
      missed.push(ofIt(`${failures(outage)}, nothing worked, told as a part of an impairment`));
    }
  });
  for (const outage of seen.outages) {
    const inside = truth.outages.filter((one) => overlaps(one, outage.firstFailedAtNs, outage.lastFailedAtNs));
    const ofIt = (text: string): Difference => at(outage.firstFailedAtNs, outage.lastFailedAtNs, text);
    if (inside.length === 0) falseOnes.push(ofIt('an outage is reported, nothing failed'));
    else if (inside.length > 1) outside.push(ofIt(`${String(inside.length)} outages are told as one`));
    const failedCount = failedIn(truth.fates, outage.firstFailedAtNs, outage.lastFailedAtNs).length;
    if (failedCount !== outage.failedCount && inside.length > 0)
      outside.push(ofIt(countText(outage.failedCount, failedCount)));
  }
  outside.push(...impairedProblems(truth, seen, at));
  missed.push(...impairmentsMissed(truth, seen, history, at));
  for (const span of seen.impaired) {
    if (failedIn(truth.fates, span.fromAtNs, span.toAtNs).length > 0) continue;
    falseOnes.push(at(span.fromAtNs, span.toAtNs, 'an impairment is reported, nothing failed'));
  }
  const countProblem = slotProblem(truth.fates, seen);
  if (countProblem !== null) outside.push(at(0, 0, countProblem));
  return {
    name,
    truth,
    seen,
    missed,
    falseOnes,
    outside,
    lengthCount: truth.outages.length,
    ...causes(truth, seen, history, at),
  };
}

// ── outages ──────────────────────────────────────────────────────────────────────────────────────────────────────────

type Place =
  | { readonly kind: 'outage'; readonly outage: Outage }
  | { readonly kind: 'impaired'; readonly impaired: Impaired };

/** Where the report has it. */
function placeOf(outage: TrueOutage, seen: LaneAnalysis): Place | undefined {
  const own = seen.outages.find((one) => overlaps(outage, one.firstFailedAtNs, one.lastFailedAtNs));
  if (own !== undefined) return { kind: 'outage', outage: own };
  const span = seen.impaired.find(
    ({ fromAtNs, toAtNs }) => fromAtNs <= outage.firstFailedAtNs && outage.lastFailedAtNs <= toAtNs,
  );
  return span === undefined ? undefined : { kind: 'impaired', impaired: span };
}

function overlaps(outage: TrueOutage, fromNs: number, toNs: number): boolean {
  return outage.firstFailedAtNs <= toNs && fromNs <= outage.lastFailedAtNs;
}

/** What is true may lie anywhere in its own interval, so the reported bounds must hold all of it. */
function boundProblems(truth: TrueOutage, seen: Outage): string[] {
  const problems: string[] = [];
  const atS = (ns: number | null): string => (ns === null ? 'never' : (ns / 1e9).toFixed(3));
  const { beginsNs, endsNs, lengthMs } = truth;
  const isInside = (lowNs: number | null, innerNs: { min: number; max: number }, highNs: number | null): boolean =>
    (lowNs ?? -Infinity) - nsPerUs <= innerNs.min && innerNs.max <= (highNs ?? Infinity) + nsPerUs;
  if (!isInside(seen.lastGoodAtNs, beginsNs, seen.firstFailedAtNs)) {
    problems.push(
      `began in (${atS(beginsNs.min)}, ${atS(beginsNs.max)}], reported (${atS(seen.lastGoodAtNs)}, ${atS(seen.firstFailedAtNs)}] s`,
    );
  }
  if (!isInside(seen.lastFailedAtNs, endsNs, seen.firstGoodAtNs)) {
    problems.push(
      `ended in (${atS(endsNs.min)}, ${atS(endsNs.max)}], reported (${atS(seen.lastFailedAtNs)}, ${atS(seen.firstGoodAtNs)}] s`,
    );
  }
  if (seen.openAtEnd !== (truth.firstGoodAtNs === null)) problems.push('open at the end for one of them only');
  // One that has no beginning or no end in the log is as long as the log tells.
  const max = Number.isFinite(lengthMs.max) ? lengthMs.max : 0;
  if (lengthMs.min < seen.downMsMin - roundingMs || max > seen.downMsMax + roundingMs) {
    problems.push(
      `${msText(lengthMs.min)} to ${msText(lengthMs.max)} ms long, reported ${msText(seen.downMsMin)} to ${msText(seen.downMsMax)}`,
    );
  }
  const { faultMs } = truth;
  if (faultMs !== null && (faultMs < seen.faultMsMin - roundingMs || faultMs > seen.faultMsMax + roundingMs)) {
    problems.push(
      `a fault of ${msText(faultMs)} ms, reported ${msText(seen.faultMsMin)} to ${msText(seen.faultMsMax)}`,
    );
  }
  return problems;
}

function failures({ failed }: TrueOutage): string {
  const faults = [...new Set(failed.map((fate) => fate.fault ?? 'nothing known'))].join(', ');
  return `${String(failed.length)} failed in a row (${faults})`;
}

/**
 * A run in which whatever the lane could reach was down, told as a part of an impairment: right only where so long a run
 * is what chance would make of the rest. Among n slots of which the share f fails, one of L is there with probability of
 * about n(1 − f)f^L.
 */
function isNoChance(outage: TrueOutage, span: Impaired, { fates, lane }: LaneTruth, history: History): boolean {
  const length = outage.failed.length;
  if (length < 2) return false;
  const reachable = new Set(
    fates
      .filter(({ attempt }) => attempt.dueNs >= span.fromAtNs && attempt.dueNs <= span.toAtNs)
      .flatMap(({ attempt }) => attempt.address ?? []),
  );
  const isTotal = [...reachable].every((address) =>
    history
      .conditions(address, lane.check.hostname)
      .isAllTheTime(outage.firstFailedAtNs, outage.lastFailedAtNs, (one) => fails(one, false, lane.check.goodWithinMs)),
  );
  if (!isTotal) return false;
  const slots = span.slotCount - length;
  const share = (span.failedCount - length) / slots;
  return slots * (1 - share) * share ** length < chanceMin;
}

// ── impairments, counts ──────────────────────────────────────────────────────────────────────────────────────────────

type At = (fromNs: number, toNs: number, text: string) => Difference;

function impairedProblems({ fates, outages }: LaneTruth, seen: LaneAnalysis, at: At): Difference[] {
  const problems: Difference[] = [];
  const total = { min: 0, max: 0 };
  for (const span of seen.impaired) {
    const inside = outages.filter((one) => overlaps(one, span.fromAtNs, span.toAtNs));
    const [first, last] = [inside[0], inside.at(-1)];
    if (first === undefined || last === undefined) continue;
    total.min += nsToMs(last.endsNs.min - first.beginsNs.max);
    total.max += nsToMs(last.endsNs.max - first.beginsNs.min);
    const ofIt = (text: string): number => problems.push(at(span.fromAtNs, span.toAtNs, text));
    if (first.firstFailedAtNs !== span.fromAtNs || last.lastFailedAtNs !== span.toAtNs)
      ofIt('an impairment with other ends');
    const failedCount = failedIn(fates, span.fromAtNs, span.toAtNs).length;
    if (failedCount !== span.failedCount) ofIt(countText(span.failedCount, failedCount));
    if (failedCount < burstFailuresMin) ofIt(`an impairment of ${String(failedCount)} failures`);
  }
  const max = Number.isFinite(total.max) ? total.max : 0;
  const { impairedMs } = seen;
  if (total.min < impairedMs.min - roundingMs || max > impairedMs.max + roundingMs) {
    const text = `impaired ${msText(total.min)} to ${msText(total.max)} ms, reported ${msText(impairedMs.min)} to ${msText(impairedMs.max)}`;
    problems.push(at(0, 0, text));
  }
  return problems;
}

/** Failures that were drawn, in so many runs that nobody could take them for outages, and no impairment is told. */
function impairmentsMissed(
  { fates, outages, lane }: LaneTruth,
  seen: LaneAnalysis,
  history: History,
  at: At,
): Difference[] {
  return clustersOf(fates, lane).flatMap((cluster) => {
    const [first, last] = [cluster[0] as Fate, cluster.at(-1) as Fate];
    const [fromNs, toNs] = [first.attempt.dueNs, last.attempt.dueNs];
    const runCount = outages.filter((one) => overlaps(one, fromNs, toNs)).length;
    if (runCount < impairmentRunsMin || !cluster.every((fate) => wasDrawn(fate, lane, history))) return [];
    if (seen.impaired.some((span) => span.fromAtNs <= toNs && fromNs <= span.toAtNs)) return [];
    return [
      at(fromNs, toNs, `${String(cluster.length)} failures in ${String(runCount)} runs, and no impairment is told`),
    ];
  });
}

/** What it met failed some requests and not others, by chance alone. */
function wasDrawn({ attempt, fault }: Fate, lane: Lane, history: History): boolean {
  if (attempt.address === null || fault === null) return false;
  const met = history.conditions(attempt.address, lane.check.hostname).during(attempt.sentNs, attempt.endedNs);
  return met.every(({ failedRatio }) => failedRatio > 0 && failedRatio <= drawnRatioMax);
}

function failedIn(fates: readonly Fate[], fromNs: number, toNs: number): readonly Fate[] {
  return fates.filter(({ kind, attempt }) => kind === 'failed' && attempt.dueNs >= fromNs && attempt.dueNs <= toNs);
}

function countText(reported: number, truth: number): string {
  return `${String(reported)} failures reported, ${String(truth)} there were`;
}

function slotProblem(fates: readonly Fate[], { slots }: LaneAnalysis): string | null {
  const count = (kind: Fate['kind']): number => fates.filter((fate) => fate.kind === kind).length;
  const [good, failed] = [count('good'), count('failed')];
  if (slots.good === good && slots.failed === failed) return null;
  return `${String(slots.good)} good and ${String(slots.failed)} failed slots reported, ${String(good)} and ${String(failed)} there were`;
}

function msText(ms: number): string {
  return ms.toFixed(1);
}

// ── causes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function causes(
  { fates, lane }: LaneTruth,
  seen: LaneAnalysis,
  history: History,
  at: At,
): Pick<
  LaneResult,
  'wrongCauses' | 'causeCount' | 'causeRightCount' | 'unattributedCount' | 'causeRates' | 'spanCount' | 'spanRightCount'
> {
  const wrongCauses: Difference[] = [];
  let [causeCount, causeRightCount, unattributedCount, spanRightCount] = [0, 0, 0, 0];
  const rates: CauseRates[] = [];
  const spans = [
    ...seen.outages.map((one) => ({ fromNs: one.firstFailedAtNs, toNs: one.lastFailedAtNs, causes: one.causes })),
    ...seen.impaired.map((one) => ({ fromNs: one.fromAtNs, toNs: one.toAtNs, causes: one.causes })),
  ];
  for (const span of spans) {
    const failed = failedIn(fates, span.fromNs, span.toNs);
    const match = matchCauses(
      span.causes,
      failed.map((fate) => expectedCauses(fate, lane, history)),
    );
    rates.push(match.byCause);
    causeCount += match.count;
    causeRightCount += match.right;
    unattributedCount += span.causes.unattributed ?? 0;
    if (2 * match.right > match.count) spanRightCount += 1;
    if (match.right === match.count) continue;
    const faults = [...new Set(failed.map((fate) => fate.fault ?? 'nothing known'))].join(', ');
    const wrong = (Object.entries(match.wrong) as [Cause, number][]).map(([cause, n]) => `${String(n)} × ${cause}`);
    const text = `${wrong.join(', ')} of ${String(match.count)}; was ${faults}: ${match.instead.join(', ') || 'no such cause'}`;
    wrongCauses.push(at(span.fromNs, span.toNs, text));
  }
  return {
    wrongCauses,
    causeCount,
    causeRightCount,
    unattributedCount,
    spanCount: spans.length,
    spanRightCount,
    causeRates: sumOfRates(rates),
  };
}
