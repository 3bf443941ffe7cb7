/**
 * Two runs side by side: rehearsal and production, switchover and rollback, before and after a tuning. Every quantity is an
 * interval in both; what is said to be worse or better is so for certain, and what may be luck is said to be noise.
 */
import type { Analysis, ServiceAnalysis } from '../core/analysis.ts';
import type { ComparedRun, Comparison, Difference } from '../core/comparison.ts';
import type { Side } from '../core/scenario.ts';
import type { Conclusion } from './analyse.ts';
import { caveats, checkOf, isSameCheck } from './compare-caveats.ts';
import { laneDifferences } from './compare-lanes.ts';
import { latencyDifferences, type LatencyPair } from './compare-latency.ts';
import { leavingSide, matchRuns, type Renames } from './compare-match.ts';
import { findingDifferences, resolverDifferences, serviceDifferences } from './compare-services.ts';
import { responseTimes, type ResponseTimes } from './latency.ts';
import { otherSide } from './sides.ts';

/** What is compared of a run. */
export interface Comparable {
  readonly analysis: Analysis;
  readonly responses: readonly ResponseTimes[];
}

export function comparable({ analysis, lanes }: Conclusion): Comparable {
  const views = lanes.flatMap(({ view }) => (view.series === 'raw' && view.lane.role !== 'reference' ? [view] : []));
  return { analysis, responses: responseTimes(views) };
}

export function compare(a: Comparable, b: Comparable, renames: Renames): Comparison {
  const runs = { a: a.analysis, b: b.analysis };
  const matched = matchRuns(runs.a, runs.b, renames);
  const lanes = matched.lanes.filter(
    (pair) =>
      isSameCheck(checkOf(runs.a, pair.a), checkOf(runs.b, pair.b)) &&
      (pair.a.judgedPart === null) === (pair.b.judgedPart === null),
  );
  const nameInB = (name: string): string => [...renames].find(([, inA]) => inA === name)?.[0] ?? name;
  const services = matched.services.flatMap((name): { a: ServiceAnalysis; b: ServiceAnalysis }[] => {
    const inA = runs.a.services.find((service) => service.name === name);
    const inB = runs.b.services.find((service) => service.name === nameInB(name));
    return inA === undefined || inB === undefined ? [] : [{ a: inA, b: inB }];
  });
  const differences = [
    ...services.flatMap((pair) =>
      serviceDifferences(
        pair,
        runs,
        lanes.filter(({ a: lane }) => lane.service === pair.a.name && lane.judged),
      ),
    ),
    ...lanes.flatMap((pair) => laneDifferences(pair, runs, lanes.length)),
    ...latencyPairs(a, b, renames).flatMap(latencyDifferences),
    ...resolverDifferences(runs, renames),
  ];
  const order = new Map(matched.services.map((name, i) => [name, i]));
  const said = [...matched.caveats, ...caveats(runs.a, runs.b, matched.lanes, renames)];
  const findings = findingDifferences(runs, renames);
  const results = [...differences, ...findings].filter(({ decides }) => decides).map(({ result }) => result);
  const isUnclear = said.some(({ isObstacle }) => isObstacle) || results.includes('unclear') || !hasJudged(differences);
  return {
    schemaVersion: 1,
    a: runOf(runs.a),
    b: runOf(runs.b),
    result: results.includes('worse') ? 'worse' : isUnclear ? 'unclear' : 'not-worse',
    caveats: said.toSorted((x, y) => Number(y.isObstacle) - Number(x.isObstacle)),
    differences: differences.toSorted((x, y) => (order.get(x.service) ?? 0) - (order.get(y.service) ?? 0)),
    findings,
  };
}

/** Nothing compared is nothing found. */
function hasJudged(differences: readonly Difference[]): boolean {
  return differences.some(({ quantity, decides }) => quantity === 'downtimeMs' && decides);
}

function runOf({ runId, scenario, mode, startedAtMs, isWhole }: Analysis): ComparedRun {
  return { runId, scenario: scenario.name, mode, startedAtMs, isWhole };
}

/** The side left with the side left, the side moved to with the side moved to. */
function latencyPairs(a: Comparable, b: Comparable, renames: Renames): LatencyPair[] {
  const inA = (name: string): string => renames.get(name) ?? name;
  const checkIndex = ({ analysis }: Comparable, { service, check }: ResponseTimes): number =>
    analysis.scenario.services.find(({ name }) => name === service)?.checks.findIndex(({ name }) => name === check) ??
    -1;
  const usOf = ({ oldUs, newUs }: ResponseTimes, side: Side): ResponseTimes['oldUs'] =>
    side === 'old' ? oldUs : newUs;
  return a.responses.flatMap((ofA): LatencyPair[] => {
    const ofB = b.responses.find(
      (one) =>
        inA(one.service) === ofA.service && inA(one.client) === ofA.client && checkIndex(b, one) === checkIndex(a, ofA),
    );
    if (ofB === undefined) return [];
    const leaving = { a: leavingSide(a.analysis, ofA.service), b: leavingSide(b.analysis, ofB.service) };
    return (['left', 'moved to'] as const).map((which) => {
      const of = (side: Side): Side => (which === 'left' ? side : otherSide(side));
      return {
        service: ofA.service,
        subject: `${ofA.check} ${ofA.client}, side ${which}`,
        aUs: usOf(ofA, of(leaving.a)),
        bUs: usOf(ofB, of(leaving.b)),
      };
    });
  });
}
