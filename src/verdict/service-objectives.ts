/** The objectives that a service is held against as a whole. */
import {
  latencyFloorMs,
  latencySamplesMin,
  type Analysis,
  type LaneAnalysis,
  type ServiceAnalysis,
} from '../core/analysis.ts';
import { laneName } from '../core/lane-name.ts';
import { boundsText, countOf, countText, durationText, listText } from '../core/quantity-text.ts';
import type { Objectives } from '../core/scenario.ts';
import { nsToS, sToNs } from '../core/time.ts';
import type { Reason } from '../core/verdict.ts';
import { compareWorst, judgeInterval } from './interval.ts';
import { staleTargets } from './stale-targets.ts';

export function serviceReasons(
  analysis: Analysis,
  service: ServiceAnalysis,
  judgedLanes: readonly LaneAnalysis[],
  objectives: Objectives,
): Reason[] {
  return [
    ...convergence(analysis, service, objectives),
    ...ttlViolations(analysis, service),
    ...(analysis.mode === 'rollback' ? recovery(analysis, service, judgedLanes, objectives) : []),
    latency(service, objectives),
    staleTargets(analysis, service, judgedLanes, objectives),
  ];
}

const secondsText = (s: number, rounding?: 'down' | 'nearest' | 'up'): string => durationText(s * 1000, rounding);

function convergence(analysis: Analysis, service: ServiceAnalysis, objectives: Objectives): Reason[] {
  if (service.convergenceS === null) return [];
  const limit = objectives.convergenceSMax ?? service.convergenceAutoS;
  const observed = service.convergenceS;
  const hasAuthority = (service.changes[0]?.authorityLastAtNs ?? null) !== null;
  const since = hasAuthority ? 'the last name server had changed' : 'the change';
  const isOfViolators = areAllViolators(analysis, service);
  const who = isOfViolators
    ? 'No resolver that was asked keeps to the TTL: the last client'
    : 'The last compliant client';
  const took = `${who} left the old answer ${boundsText(observed, secondsText)} after ${since}`;
  const { via } = analysis.scenario.change;
  const common = {
    objective: 'convergenceSMax',
    service: service.name,
    // Where weights or a deployment decide, clients may rightly stay with the side they were on. And a resolver that
    // ignores the TTL is no fault of this cutover.
    severity: (via === 'dns' || via === 'cdn') && !isOfViolators ? 'fail' : 'warn',
    limit,
    observed,
  } as const;
  if (limit === null) {
    return [
      {
        ...common,
        value: 'inconclusive',
        text: `${took}. No TTL is known, so there is no limit to hold it against: set change.ttlS or objectives.convergenceSMax.`,
      },
    ];
  }
  const value = judgeInterval(observed, limit);
  const origin = objectives.convergenceSMax === null ? ` (2 × TTL + 10 s${ownCacheText(service)})` : '';
  const narrowed = value === 'inconclusive' ? ' To know: a higher rate, or a tail that outlasts the limit.' : '';
  return [{ ...common, value, text: `${took}, limit ${secondsText(limit)}${origin}.${narrowed}` }];
}

function areAllViolators(analysis: Analysis, service: ServiceAnalysis): boolean {
  const leaving = analysis.lanes.filter(
    (lane) =>
      lane.service === service.name &&
      lane.series === 'raw' &&
      lane.judged &&
      lane.qualified &&
      lane.leavesOldByAtNs !== null,
  );
  return leaving.length > 0 && leaving.every((lane) => (lane.oldAfterChange['resolver-violates-ttl'] ?? 0) > 0);
}

function ownCacheText({ convergenceAutoS, ttlS }: ServiceAnalysis): string {
  const ownS = convergenceAutoS === null || ttlS.after === null ? 0 : convergenceAutoS - 2 * ttlS.after - 10;
  return ownS > 0 ? `, and ${secondsText(ownS)} for what clients cache themselves` : '';
}

/** A resolver that ignores the TTL is no fault of this cutover; the people behind it still waited. */
function ttlViolations(analysis: Analysis, service: ServiceAnalysis): Reason[] {
  const late = [
    { reason: 'resolver-violates-ttl', text: 'kept the old answer past its TTL', rest: 'not counted as late' },
    {
      reason: 'resolver-lags',
      text: 'gave the old answer after the end of its TTL',
      rest: 'no proof against it: the answer was called stale, or not every authoritative server was heard',
    },
  ] as const;
  return late.flatMap(({ reason, text, rest }): Reason[] => {
    const lanes = analysis.lanes.filter(
      (lane) => lane.service === service.name && (lane.oldAfterChange[reason] ?? 0) > 0,
    );
    if (lanes.length === 0) return [];
    const resolvers = [...new Set(lanes.map((lane) => lane.resolver ?? 'no resolver'))];
    return [
      {
        objective: 'convergenceSMax',
        service: service.name,
        severity: 'warn',
        value: 'fail',
        limit: null,
        observed: null,
        text: `${listText(resolvers)} ${text}, in ${countOf(lanes.length, 'lane')}; ${rest}.`,
      },
    ];
  });
}

/** How long after a rollback began a judged lane still failed; it is given the time that convergence is given. */
function recovery(
  analysis: Analysis,
  service: ServiceAnalysis,
  lanes: readonly LaneAnalysis[],
  objectives: Objectives,
): Reason[] {
  const limit = objectives.convergenceSMax ?? service.convergenceAutoS;
  const change = service.changes.at(-1);
  // From what nobody saw taken back nobody recovered; that has a reason of its own.
  if (change === undefined || !change.isEvident) return [];
  const { usedAtNs } = change;
  if (limit === null) {
    const text = 'No TTL is known, so recovery has no limit: set convergenceSMax.';
    const common = {
      objective: 'recovery',
      service: service.name,
      severity: 'fail',
      limit: null,
      observed: null,
    } as const;
    return [{ ...common, value: 'inconclusive', text }];
  }
  const tailFromNs = service.phases.findLast((phase) => phase.name === 'tail')?.fromAtNs ?? Infinity;
  const afterS = (atNs: number): number => Math.max(0, nsToS(atNs - usedAtNs));
  const [worst] = lanes
    .map((lane) => {
      const last = lane.outages.findLast(
        (outage) => outage.lastFailedAtNs >= usedAtNs && outage.firstFailedAtNs < tailFromNs,
      );
      // Who fails in part has not recovered either; the first good answer after it is within the distance of two slots.
      const part = lane.impaired.findLast((span) => span.toAtNs >= usedAtNs && span.fromAtNs < tailFromNs);
      const isOpen = last !== undefined && last.firstGoodAtNs === null;
      const lastFailedAtNs = Math.max(last?.lastFailedAtNs ?? 0, part?.toAtNs ?? 0);
      const upAgainAtNs = Math.max(
        last === undefined ? 0 : (last.firstGoodAtNs ?? analysis.endedAtNs),
        part === undefined ? 0 : part.toAtNs + sToNs(1 / lane.ratePerSecond),
      );
      const observed = { min: afterS(lastFailedAtNs), max: afterS(upAgainAtNs) };
      const value = judgeInterval(observed, limit);
      return { lane, observed, isOpen, value: isOpen && value === 'pass' ? ('inconclusive' as const) : value };
    })
    .sort(compareWorst);
  if (worst === undefined) return [];
  const name = laneName(worst.lane);
  const took = worst.isOpen
    ? `${name} had not recovered when the run ended, ${secondsText(worst.observed.max, 'down')} after the rollback began`
    : `${name} had recovered ${boundsText(worst.observed, secondsText)} after the rollback began`;
  return [
    {
      objective: 'recovery',
      service: service.name,
      severity: 'fail',
      value: worst.value,
      lane: name,
      limit,
      observed: worst.observed,
      text: `${took}, limit ${secondsText(limit)}. The slowest of ${countOf(lanes.length, 'judged lane')}.`,
    },
  ];
}

function latency(service: ServiceAnalysis, objectives: Objectives): Reason {
  const limit = objectives.latencyP99RatioMax;
  const common = { objective: 'latencyP99RatioMax', service: service.name, severity: 'warn', limit } as const;
  const seen = service.latencyP99;
  if (seen === null || seen.sampleCount < latencySamplesMin) {
    const count = seen === null ? 'too few' : `only ${countText(seen.sampleCount)}`;
    return {
      ...common,
      value: 'inconclusive',
      observed: null,
      text: `The sides' response times were not compared: ${count} answers on the side lanes, ${countText(latencySamplesMin)} are needed. To know: a longer run or a higher rate.`,
    };
  }
  const ratio = Math.max(seen.newMs, latencyFloorMs) / Math.max(seen.oldMs, latencyFloorMs);
  const observed = { min: ratio, max: ratio };
  return {
    ...common,
    value: judgeInterval(observed, limit),
    observed,
    text: `p99 of the new side ${durationText(seen.newMs)}, of the old ${durationText(seen.oldMs)}: ${ratio.toFixed(2)} times, limit ${String(limit)} (below ${String(latencyFloorMs)} ms counts as ${String(latencyFloorMs)} ms).`,
  };
}
