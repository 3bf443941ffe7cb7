/** One lane's report against its truth. */
import type { Impaired, LaneAnalysis, Outage } from '../core/analysis.ts';
import { laneName } from '../core/lane-name.ts';
import { nsPerUs } from '../core/time.ts';
import { compareCauses, type CauseResult } from './compare-causes.ts';
import { impairedProblems, impairmentsMissed, isNoChance, roundingMs } from './compare-impairments.ts';
import type { Difference } from './comparison.ts';
import type { Fate } from './fate.ts';
import type { History } from './history.ts';
import { countText, failedIn, msText, overlaps, type At, type LaneTruth } from './lane-truth.ts';
import type { TrueOutage } from './true-outages.ts';

export interface LaneResult extends CauseResult {
  readonly name: string;
  readonly truth: LaneTruth;
  readonly seen: LaneAnalysis;
  readonly missed: readonly Difference[];
  readonly falseOnes: readonly Difference[];
  readonly outside: readonly Difference[];
}

export function compareLane(truth: LaneTruth, seen: LaneAnalysis, history: History): LaneResult {
  const name = laneName(seen);
  const placed = truth.outages.map((outage) => placeOf(outage, seen));
  const missed: Difference[] = [];
  const outside: Difference[] = [];
  const falseOnes: Difference[] = [];
  const at: At = (from, to, text) => ({ lane: name, fromAtNs: from, toAtNs: to, text });

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

    ...compareCauses(truth, seen, history, at),
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

function slotProblem(fates: readonly Fate[], { slots }: LaneAnalysis): string | null {
  const count = (kind: Fate['kind']): number => fates.filter((fate) => fate.kind === kind).length;
  const [good, failed] = [count('good'), count('failed')];
  if (slots.good === good && slots.failed === failed) return null;
  return `${String(slots.good)} good and ${String(slots.failed)} failed slots reported, ${String(good)} and ${String(failed)} there were`;
}
