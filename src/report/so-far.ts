/** The verdict while the run goes on: what was seen until now, and what is missing. Terminal, page and drawing say the same. */
import { countOf, countText, durationBoundsText, durationText, listText } from '../core/quantity-text.ts';
import type { VerdictValue } from '../core/verdict.ts';
import { headlineOf } from './headline.ts';
import { decisive, named, unique } from './pick.ts';
import { openWords } from './reason-advice.ts';
import { worstDowntimeMs, type ServiceView } from './service-view.ts';
import type { Report } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import { verdictWords } from './words.ts';

export interface SoFar {
  readonly word: string;
  readonly value: VerdictValue;
  readonly text: string;
}

export function verdictSoFar(
  { report, isRunning }: Pick<Snapshot, 'report' | 'isRunning'>,
  views: readonly ServiceView[],
): SoFar {
  const { value } = report.verdict;
  if (!isRunning) return { word: verdictWords[value], value, text: headlineOf(report, views) };
  if (value === 'fail') return { word: 'FAIL so far', value, text: headlineOf(report, views, true) };
  // Whatever it may become, it is no pass before the tail has been watched.
  return { word: 'NO VERDICT YET', value: 'inconclusive', text: soFarText(report, views) };
}

/** What was seen until now, and what is missing. That a run has no end is no news while it runs. */
function soFarText(report: Report, views: readonly ServiceView[]): string {
  const lanes = report.lanes.filter(({ judged, series }) => judged && series === 'raw');
  if (lanes.every(({ slots }) => slots.good + slots.failed === 0)) return 'Nothing was seen yet.';
  const open = decisive(report, 'inconclusive').filter(({ objective }) => objective !== 'whole-log');
  // Before the change everything is open, and says nothing.
  const isBefore = report.services.every(({ changes }) => changes.length === 0);
  const missing = isBefore ? [] : unique(open.map((reason) => openWords(report, reason)));
  const rest = missing.length === 0 ? '' : ` Open: ${listText(missing)}.`;
  return `${seenText(report, views)}${lostText(report)}${rest}`;
}

function seenText(report: Report, views: readonly ServiceView[]): string {
  const lanes = report.lanes.filter(({ judged, series }) => judged && series === 'raw');
  const qualified = lanes.filter((lane) => lane.qualified);
  const ready = `${countText(qualified.length)} of ${countOf(lanes.length, 'client')}`;
  if (report.services.every(({ changes }) => changes.length === 0)) {
    const failed = lanes.filter(({ slots }) => slots.failed > 0).map(({ name }) => name);
    const trouble = failed.length === 0 ? '' : ` Failures of ${named(failed)}.`;
    return `No change yet; ${ready} had ten good answers in a row.${trouble}`;
  }
  const worstMs = worstDowntimeMs(views);
  if (views.some(({ hit }) => hit.length > 0)) {
    return worstMs.max === 0
      ? 'Some requests failed since the change, within the limits so far.'
      : `The client hit worst was down for ${durationBoundsText(worstMs)}, within the limits so far.`;
  }
  const judged = views.flatMap((view) => view.judged);
  if (judged.length === 0) return `Nobody can say who is down: ${ready} had ten good answers in a row.`;
  const resolutionMs = Math.max(...judged.map((lane) => lane.judgedPart?.resolutionMs ?? lane.resolutionMs));
  return `No judged client was seen down since the change, of ${countText(judged.length)}: any outage over ${durationText(resolutionMs, 'up')} would show.`;
}

/** What the log should have and has not is worse than anything a probe may say. */
function lostText({ run }: Report): string {
  const [lost] = lostBecause(run);
  return lost === undefined ? '' : ` ${lost}`;
}

/** Why the log is not whole, other than that the run goes on. */
export function lostBecause(run: Report['run']): readonly string[] {
  return run.incompleteBecause.filter((text) => !text.startsWith('The log has no end'));
}
