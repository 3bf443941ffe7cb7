/** The truth log, the rows and the report, held against each other. */
import type { Analysis, LaneAnalysis } from '../core/analysis.ts';
import { nameOfLane } from '../core/lane-name.ts';
import type { RowBatch } from '../core/row.ts';
import type { Lane } from '../core/scenario.ts';
import type { TruthEntry } from '../core/truth.ts';
import type { Verdict } from '../core/verdict.ts';
import { readAttempts, type LaneAttempts } from './attempts.ts';
import { compareLane, type LaneResult } from './compare-lane.ts';
import type { Comparison, Difference } from './comparison.ts';
import { fateOf, fateOfRetry, type Fate } from './fate.ts';
import { historyOf, type History } from './history.ts';
import { sumOfRates } from './match-causes.ts';
import { trueOutagesOf } from './true-outages.ts';
import { contradictionsOf } from './verdict-check.ts';

export interface Compared {
  readonly truth: readonly TruthEntry[];
  readonly analysis: Analysis;
  readonly verdict: Verdict;
  /** All of the run, those that were added too. */
  readonly lanes: readonly Lane[];
  readonly batches: Iterable<RowBatch>;
}

export function compareWithTruth({ truth, analysis, verdict, lanes, batches }: Compared): Comparison {
  const history = historyOf(truth);
  const attempts = readAttempts(lanes, batches);
  const results: LaneResult[] = [];
  const oddRows: Difference[] = [];
  for (const seen of analysis.lanes) {
    const lane = lanes.find(({ number }) => number === seen.number);
    const own = attempts.get(seen.number);
    if (lane === undefined || own === undefined) continue;
    const fates = fatesOf(own, seen, lane, history);
    if (seen.series === 'raw') oddRows.push(...oddOnes(fates, lane));
    const outages = trueOutagesOf(fates, lane, history);
    results.push(compareLane({ lane, fates, outages }, seen, history));
  }
  const judged = results
    .filter(({ seen }) => seen.series === 'raw')
    .map(({ truth: laneTruth, seen }) => ({ ...laneTruth, seen }));
  return {
    lanes: results.map((result) => ({
      lane: result.name,
      slotCount: result.truth.fates.length,
      trueFailedCount: result.truth.fates.filter((fate) => fate.kind === 'failed').length,
      trueOutageCount: result.truth.outages.length,
      outageCount: result.seen.outages.length,
      impairedCount: result.seen.impaired.length,
      differenceCount:
        result.missed.length + result.falseOnes.length + result.outside.length + result.wrongCauses.length,
    })),
    missedOutages: results.flatMap(({ missed }) => missed),
    falseOutages: results.flatMap(({ falseOnes }) => falseOnes),
    lengthsOutside: results.flatMap(({ outside }) => outside),
    wrongCauses: results.flatMap(({ wrongCauses }) => wrongCauses),
    contradictions: contradictionsOf({ analysis, verdict, history, lanes: judged }),
    oddRows,
    counts: countsOf(results),
  };
}

/** Of each slot, in order; in the retried series of the retry, where there was one. */
function fatesOf(own: LaneAttempts, { series }: LaneAnalysis, lane: Lane, history: History): Fate[] {
  const fates: Fate[] = [];
  for (const attempt of own.slots) {
    if (attempt === undefined) continue;
    const fate = fateOf(attempt, lane, history, own.triedBefore.get(attempt.slot));
    const retried = series === 'retried' ? own.retried.get(attempt.slot) : undefined;
    fates.push(retried === undefined ? fate : fateOfRetry(retried, fate, lane, history));
  }
  return fates;
}

function oddOnes(fates: readonly Fate[], lane: Lane): Difference[] {
  return fates.flatMap(({ attempt, contradiction }) => {
    if (contradiction === null) return [];
    const text = `slot ${String(attempt.slot)} at ${attempt.address ?? 'no address'}: ${contradiction}`;
    return [{ lane: nameOfLane(lane), fromAtNs: attempt.dueNs, toAtNs: attempt.dueNs, text }];
  });
}

function countsOf(results: readonly LaneResult[]): Comparison['counts'] {
  const sum = (of: (result: LaneResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const trueOutages = sum(({ truth }) => truth.outages.length);
  const outside = new Set(
    results.flatMap((result) => result.outside.map((one) => `${result.name}|${String(one.fromAtNs)}`)),
  );
  return {
    trueOutages,
    reported: trueOutages - sum(({ missed }) => missed.length),
    lengths: trueOutages,
    lengthsInside: Math.max(0, trueOutages - outside.size),
    named: sum(({ spanCount }) => spanCount),
    causes: sum(({ causeCount }) => causeCount),
    causesRight: sum(({ causeRightCount }) => causeRightCount),
    byCause: sumOfRates(results.map(({ causeRates }) => causeRates)),
    namedRight: sum(({ spanRightCount }) => spanRightCount),
    unattributed: sum(({ unattributedCount }) => unattributedCount),
  };
}
