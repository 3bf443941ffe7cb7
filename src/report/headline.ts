/** The one sentence at the top of every report. */
import { countOf, countText, durationBoundsText, listText } from '../core/quantity-text.ts';
import { decisive, named, unique } from './pick.ts';
import { openWords } from './reason-advice.ts';
import { worstDowntimeMs, type ServiceView } from './service-view.ts';
import type { Report } from './shape.ts';
import { objectiveTitle } from './words.ts';

/** Of a run that goes on, what has failed: whatever moves is not yet there. */
export function headlineOf(report: Report, views: readonly ServiceView[], isRunning = false): string {
  const { commandWithheldBecause } = report.run;
  if (commandWithheldBecause !== null && report.verdict.value === 'inconclusive') {
    return `The switch was not started: ${commandWithheldBecause}.`;
  }
  const outcome = outcomeText(report, views, isRunning);
  const failed = report.verdict.reasons.find(({ objective }) => objective === 'command-failed')?.text;
  if (failed === undefined) return outcome;
  if (report.verdict.value !== 'pass') return `${outcome} ${failed}`;
  return `${outcome.replace(/\.$/, '')}, but ${failed.charAt(0).toLowerCase()}${failed.slice(1)}`;
}

function outcomeText(report: Report, views: readonly ServiceView[], isRunning: boolean): string {
  const [first] = views;
  if (first === undefined) return 'The scenario has no service.';
  const isOne = views.length === 1;
  const subject = isOne ? first.service.name : `All ${countText(views.length)} services`;
  const move = moveText(report, first, isOne ? 'it' : 'they', isRunning);
  const worstMs = worstDowntimeMs(views);
  const isAnyHit = views.some((view) => view.hit.length > 0);

  if (report.verdict.value === 'pass') {
    const moved = moveText(report, first, subject);
    const hit =
      worstMs.max === 0 ? 'Some requests failed' : `The client hit worst was down for ${durationBoundsText(worstMs)}`;
    const down = isAnyHit ? `. ${hit}, within the limits.` : ', and no judged client was down.';
    return `${moved}${down}${stayedText(report, views)}`;
  }
  if (report.verdict.value === 'fail') {
    const failed = views.filter((view) => view.service.verdict === 'fail').map((view) => view.service.name);
    const who = isOne
      ? subject
      : `${countText(failed.length)} of ${countText(views.length)} services (${named(failed)})`;
    if (isAnyHit && worstMs.max > 0) {
      return `Clients of ${who} were down while ${move}: the one hit worst for ${durationBoundsText(worstMs)}.`;
    }
    const missed = unique(decisive(report, 'fail').map(({ objective }) => objectiveTitle(objective)));
    return `${who} missed what was asked: ${listText(missed)}.`;
  }
  const because = unique(decisive(report, 'inconclusive').map((reason) => openWords(report, reason)));
  const what = report.run.mode === 'rollback' ? 'rollback' : report.run.mode === 'deploy' ? 'rollout' : 'cutover';
  return `Nobody can say whether this ${what} was clean: ${listText(because)}.`;
}

/** DNS has moved; whoever keeps a connection or an answer has not. */
function stayedText(report: Report, views: readonly ServiceView[]): string {
  const clients = views.flatMap((view) => view.judged);
  const stayed = views.flatMap((view) => view.stayed.filter((lane) => view.judged.includes(lane)));
  if (stayed.length === 0 || report.run.mode === 'deploy' || report.run.mode === 'weights') return '';
  const some = `${countText(stayed.length)} of ${countOf(clients.length, 'judged client')}`;
  return ` ${some} had not left ${views[0]?.leaving ?? 'the old side'} when the watch ended.`;
}

function moveText(report: Report, view: ServiceView, subject: string, isRunning = false): string {
  const verb = (singular: string, plural: string): string => (/^(All |they)/.test(subject) ? plural : singular);
  const between = `from ${view.leaving} to ${view.arriving}`;
  if (isRunning && view.service.outcome === 'partial') return `${subject} ${verb('is', 'are')} moving ${between}`;
  if (report.run.mode === 'deploy') return `${subject} ${verb('was', 'were')} rolled out`;
  if (report.run.mode === 'rollback') return `${subject} ${verb('was', 'were')} taken back ${between}`;
  switch (view.service.outcome) {
    case 'completed':
      return `${subject} moved ${between}`;
    case 'rolled-back':
      return `${subject} moved ${between} and back`;
    case 'partial':
      return `${subject} moved in part ${between}`;
    case 'none':
      return `${subject} ${verb('was', 'were')} to move ${between}`;
  }
}
