/**
 * The verdict: every objective and every rule gives its reason, and the worst of them decides. Fail beats inconclusive
 * beats pass; a warning never decides.
 */
import type { Analysis, LaneAnalysis, ServiceAnalysis } from '../core/analysis.ts';
import type { Objectives } from '../core/scenario.ts';
import type { Reason, Verdict, VerdictValue } from '../core/verdict.ts';
import { worseOf } from './interval.ts';
import { laneReasons, type JudgedLane } from './lane-objectives.ts';
import { runReasons, serviceRuleReasons } from './rules.ts';
import { serviceReasons } from './service-objectives.ts';

/** @param override limits to judge by instead of the scenario's, for every service. */
export function judge(analysis: Analysis, override: Partial<Objectives> = {}): Verdict {
  const judged = analysis.services.map((service) => judgeService(analysis, service, override));
  const ofRun = runReasons(analysis);
  if (judged.every((service) => service.laneCount === 0)) {
    ofRun.push({
      objective: 'nothing-judged',
      service: null,
      severity: 'fail',
      value: 'inconclusive',
      limit: null,
      observed: null,
      text: 'Nothing was judged: no lane of any service has a part that objectives could be held against.',
    });
  }
  const runValue = valueOf(ofRun);
  const services = judged.map(({ name, reasons }) => ({ name, value: worseOf(runValue, valueOf(reasons)) }));
  return {
    value: services.reduce<VerdictValue>((value, service) => worseOf(value, service.value), runValue),
    reasons: [...ofRun, ...judged.flatMap((service) => service.reasons)],
    services,
  };
}

/** 0 pass, 3 objectives missed (also when the command failed), 5 the command failed, 4 inconclusive. */
export function exitCodeOf(verdict: Verdict, { commandFailed }: { readonly commandFailed: boolean }): 0 | 3 | 4 | 5 {
  if (verdict.value === 'fail') return 3;
  if (commandFailed) return 5;
  return verdict.value === 'pass' ? 0 : 4;
}

function judgeService(
  analysis: Analysis,
  service: ServiceAnalysis,
  override: Partial<Objectives>,
): { readonly name: string; readonly reasons: readonly Reason[]; readonly laneCount: number } {
  const own = analysis.scenario.services.find(({ name }) => name === service.name)?.objectives;
  const objectives = { ...(own ?? analysis.scenario.objectives), ...override };
  const lanes = analysis.lanes.filter(
    (lane): lane is JudgedLane => lane.service === service.name && isJudged(lane, analysis.mode === 'rollback'),
  );
  const isMoved = analysis.scenario.change.via !== 'deploy';
  const reasons = [
    ...serviceRuleReasons(analysis, service, lanes),
    ...laneReasons(service.name, lanes, objectives, analysis.scenario.references.length),
    ...serviceReasons(analysis, service, lanes, objectives),
  ].filter(({ objective }) => isMoved || !ofMoves.has(objective));
  return { name: service.name, reasons, laneCount: lanes.length };
}

/** Where nobody is moved, nobody comes back, nor is one side held against the other. */
const ofMoves: ReadonlySet<string> = new Set(['flipBackCountMax', 'convergenceSMax', 'latencyP99RatioMax']);

/** A rollback leaves a side that may never have been good, so its lanes need no baseline. */
function isJudged(lane: LaneAnalysis, isRollback: boolean): boolean {
  return lane.judged && lane.series === 'raw' && (lane.qualified || isRollback) && lane.judgedPart !== null;
}

function valueOf(reasons: readonly Reason[]): VerdictValue {
  return reasons
    .filter((reason) => reason.severity === 'fail')
    .reduce<VerdictValue>((value, reason) => worseOf(value, reason.value), 'pass');
}
