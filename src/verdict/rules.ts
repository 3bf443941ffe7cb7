/**
 * When it may not say pass, whatever the numbers are: a clean run in which nothing changed, nothing was qualified or
 * nobody was watching proves nothing. Each rule gives its reason, also when it is satisfied.
 */
import type { Analysis, ChangeSeen, LaneAnalysis, ServiceAnalysis } from '../core/analysis.ts';
import { laneName } from '../core/lane-name.ts';
import { countOf, countText, durationText, listText } from '../core/quantity-text.ts';
import { nsToMs, sToNs, toIso } from '../core/time.ts';
import type { Reason, VerdictValue } from '../core/verdict.ts';
import { evidenceOfDeployment } from './deployment-evidence.ts';

/**
 * The monotonic clock, which dates every probe, stands still while a machine is suspended; the wall clock does not, so a
 * step between them is time in which nobody watched, and so are several short ones together. NTP alone moves a wall clock
 * by well under a second in a run.
 */
const clockStepMsMax = 1000;
const lanesNamedMax = 5;

export function runReasons(analysis: Analysis): Reason[] {
  const reasons: Reason[] = [];
  const add = (objective: string, value: VerdictValue, text: string, severity: 'fail' | 'warn' = 'fail'): void => {
    reasons.push({ objective, service: null, severity, value, limit: null, observed: null, text });
  };
  if (analysis.isWhole) add('whole-log', 'pass', 'The log is whole: it has its end, and every row it promises.');
  else {
    const why = analysis.incompleteBecause.join(' ');
    add('whole-log', 'inconclusive', `The log is not whole, so what it does not show may have happened. ${why}`.trim());
  }
  const stepMs = analysis.prober.clockStepMs;
  reasons.push({
    objective: 'clock',
    service: null,
    severity: 'fail',
    value: stepMs > clockStepMsMax ? 'inconclusive' : 'pass',
    limit: clockStepMsMax,
    observed: { min: stepMs, max: stepMs },
    text:
      stepMs > clockStepMsMax
        ? `The wall clock moved by ${durationText(stepMs)} in all against the monotonic clock (limit ${durationText(clockStepMsMax)}): the machine may have slept, and nobody watched then.`
        : stepMs === 0
          ? `The wall clock was not seen to step against the monotonic clock (limit ${durationText(clockStepMsMax)}).`
          : `The clocks agreed to within ${durationText(stepMs, 'up')} (limit ${durationText(clockStepMsMax)}).`,
  });
  if (analysis.commandWithheldBecause !== null) {
    add('command-withheld', 'inconclusive', `The command was not started: ${analysis.commandWithheldBecause}.`);
  }
  const { command } = analysis;
  if (command !== null && command.fromAtNs !== null && command.toAtNs === null) {
    add(
      'command-unfinished',
      'inconclusive',
      'The command had not ended when the watch did: what it still did is not known.',
    );
  }
  const failure = commandFailure(analysis);
  if (failure !== null) add('command-failed', 'fail', failure, 'warn');
  return reasons;
}

/** The verdict is about the service, whatever became of the command: that has an exit status of its own. */
function commandFailure({ command }: Analysis): string | null {
  if (command === null || command.toAtNs === null || command.exitCode === 0) return null;
  if (command.error !== '') return `The command ${command.error}.`;
  if (command.signal !== null) return `The command was ended by ${command.signal}.`;
  return `The command failed with exit status ${String(command.exitCode)}.`;
}

/** @param judgedLanes those of the service that objectives were held against. */
export function serviceRuleReasons(
  analysis: Analysis,
  service: ServiceAnalysis,
  judgedLanes: readonly LaneAnalysis[],
): Reason[] {
  const reasons: Reason[] = [];
  const add = (objective: string, value: VerdictValue, text: string, severity: 'fail' | 'warn' = 'fail'): void => {
    reasons.push({ objective, service: service.name, severity, value, limit: null, observed: null, text });
  };

  const [value, text] = evidenceOfChange(analysis, service);
  add('evidence-of-change', value, text);
  if (service.outcome === 'rolled-back') {
    const what = analysis.mode === 'rollback' ? 'rollback' : 'switch';
    add('rolled-back', 'fail', `The ${what} was taken back: the service ended on the side it came from.`);
  }

  const lanes = analysis.lanes.filter((lane) => lane.service === service.name && lane.judged && lane.series === 'raw');
  const unqualified = lanes.filter((lane) => !lane.qualified);
  const qualifiedCount = lanes.length - unqualified.length;
  if (lanes.length === 0) {
    add('no-judged-lane', 'inconclusive', 'No lane of this service is judged: give it a client that is.');
  } else if (analysis.mode === 'rollback') {
    add('qualified-lanes', 'pass', 'A rollback needs no clean baseline: every lane is judged.');
  } else if (qualifiedCount === 0) {
    const count = countOf(lanes.length, 'lane');
    add('qualified-lanes', 'inconclusive', `Not one of ${count} was ever good ten times in a row before the change.`);
  } else if (unqualified.length > 0) {
    add('qualified-lanes', 'pass', `${countText(qualifiedCount)} of ${countOf(lanes.length, 'lane')} qualified.`);
    const named = unqualified.slice(0, lanesNamedMax).map(laneName);
    const more = unqualified.length - named.length;
    const names = listText(more > 0 ? [...named, `${countText(more)} more`] : named);
    add(
      'qualified-lanes',
      'inconclusive',
      `Not judged, for want of ten good slots in a row before the change: ${names}.`,
      'warn',
    );
  } else {
    add('qualified-lanes', 'pass', `Every one of ${countOf(lanes.length, 'lane')} qualified before the change.`);
  }
  if (lanes.length > 0 && judgedLanes.length === 0) {
    add('no-judged-lane', 'inconclusive', 'No lane of this service was judged, so none of its objectives was.');
  }

  const { askedS, watchedS, isWhole } = service.tail;
  const [watchedText, askedText] = [durationText(watchedS * 1000, 'down'), durationText(askedS * 1000)];
  reasons.push({
    objective: 'tail-watched',
    service: service.name,
    severity: 'fail',
    value: isWhole ? 'pass' : 'inconclusive',
    limit: askedS,
    observed: { min: watchedS, max: watchedS },
    text: isWhole
      ? `The tail was watched for ${watchedText === askedText ? `${watchedText}, as asked` : `${watchedText}; ${askedText} were asked for`}.`
      : `The tail was watched for ${watchedText} of the ${askedText} asked for: what came later is not known.`,
  });
  return reasons;
}

function evidenceOfChange(analysis: Analysis, service: ServiceAnalysis): readonly [VerdictValue, string] {
  const { via } = analysis.scenario.change;
  if (via === 'deploy') return evidenceOfDeployment(analysis, service);
  const isInterrupted = analysis.endedBecause === 'interrupted';
  const isSeen = service.changes.some(({ isEvident }) => isEvident);
  if (analysis.mode === 'rollback' && !isSeen && isThereAlready(analysis, service)) {
    const { direction } = analysis.scenario.change;
    const { title } = analysis.scenario.sides[direction === 'old-to-new' ? 'new' : 'old'];
    return [
      'inconclusive',
      `There was nothing to take back: every answer came from ${title} all the time. The switch was never made, or was taken back before.`,
    ];
  }
  if (service.changes.length === 0) {
    if (isInterrupted) return ['inconclusive', 'The watch was stopped before anything changed.'];
    return [
      'inconclusive',
      'Nothing changed: neither a DNS answer nor an answer of the service came from another side.',
    ];
  }
  const evident = service.changes.findLast((change) => change.isEvident);
  if (evident === undefined) {
    const ran = analysis.command?.error === '' ? 'A command ran' : 'A command could not be started';
    const what = service.changes[0]?.usedBy === 'command' ? ran : 'A mark was set';
    return ['inconclusive', `${what}, but neither DNS nor the answers of the service ever showed the other side.`];
  }
  if (service.outcome === 'none') {
    return ['inconclusive', 'No lasting change was seen: the service stayed on the side it was on.'];
  }
  // Weights may be meant to move only a part.
  if (service.outcome === 'partial' && via !== 'weights') {
    const stopped = isInterrupted ? stoppedText(analysis, service, evident) : null;
    if (stopped !== null) return ['inconclusive', `${stopped} ${changeText(analysis, evident)}`];
    return ['inconclusive', `Only a part of the service moved. ${changeText(analysis, evident)}`];
  }
  return ['pass', changeText(analysis, evident)];
}

/** Nobody was on the side that the change leaves. */
function isThereAlready(analysis: Analysis, { name }: ServiceAnalysis): boolean {
  const [leaving, target] =
    analysis.scenario.change.direction === 'old-to-new' ? (['old', 'new'] as const) : (['new', 'old'] as const);
  const lanes = analysis.lanes.filter((lane) => lane.service === name && lane.role === 'client' && lane.judged);
  return lanes.some(({ sides }) => sides[target] > 0) && lanes.every(({ sides }) => sides[leaving] === 0);
}

/** Null when every cached answer had expired, so that whoever had not followed was late. */
function stoppedText(analysis: Analysis, service: ServiceAnalysis, change: ChangeSeen): string | null {
  const { endedAtNs, lanes } = analysis;
  const recordEndsNs = (change.authorityLastAtNs ?? change.usedAtNs) + sToNs(service.ttlS.after ?? 0);
  const judged = lanes.filter((lane) => lane.service === service.name && lane.judged && lane.qualified);
  const cachedUntilNs = Math.max(recordEndsNs, ...judged.map((lane) => lane.leavesOldByAtNs ?? 0));
  if (endedAtNs >= cachedUntilNs) return null;
  const after = durationText(nsToMs(endedAtNs - change.usedAtNs));
  const more = durationText(nsToMs(cachedUntilNs - endedAtNs), 'up');
  return `The watch was stopped ${after} after the change, before every client had followed (answers may be cached for ${more} more).`;
}

function changeText(analysis: Analysis, change: ChangeSeen): string {
  const at = (atNs: number): string => toIso(analysis.startedAtMs, atNs);
  const seen: string[] = [];
  if (change.authorityFirstAtNs !== null) {
    seen.push(`an authoritative server answered with the other side at ${at(change.authorityFirstAtNs)}`);
  }
  if (change.identityAtNs !== null) seen.push(`a fresh connection reached it at ${at(change.identityAtNs)}`);
  if (seen.length === 0) return `The change of ${at(change.usedAtNs)} was confirmed.`;
  const text = listText(seen);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
