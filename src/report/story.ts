/**
 * What a stranger wants to know first: was anyone down, who, for how long, why, and what to do about it. Plain text;
 * whoever prints it escapes it.
 */
import type { Cause } from '../core/analysis.ts';
import { countOf, countText, durationBoundsText, durationText, listText } from '../core/quantity-text.ts';
import type { Reason, VerdictValue } from '../core/verdict.ts';
import { afterText, clockText } from './instant-text.ts';
import { keepAnswering } from './keep-answering.ts';
import { decisive, named, namedMax, unique } from './pick.ts';
import { asksOfSides, removalAnswer, switchAnswers } from './safety-text.ts';
import { causeCounts, serviceViews, worstDowntimeMs } from './service-view.ts';
import type { CauseCount, LaneTrouble, ServiceView } from './service-view.ts';
import { adviceOn } from './reason-advice.ts';
import { goneTooEarlyLines } from './side-gone.ts';
import { verdictSoFar } from './so-far.ts';
import type { Report } from './shape.ts';
import { targetAdvice, targetLines } from './target-section.ts';
import { standsForLines, whoLines } from './who.ts';
import { adviceWords, causeWords, type CauseContext } from './words.ts';

export interface Answer {
  readonly question: string;
  readonly lines: readonly string[];
}

export interface Story {
  readonly value: VerdictValue;
  /** The value as it stands: `FAIL`, `FAIL so far`. */
  readonly word: string;
  readonly headline: string;
  readonly answers: readonly Answer[];
}

/** Of a run that goes on: what is open is no reason, nothing has ended, and the verdict is so far. */
export function tell(report: Report, isRunning = false): Story {
  const views = serviceViews(report);
  const troubled = views.filter((view) => view.hit.length > 0);
  const answers: Answer[] = [
    {
      question: troubled.length > 0 ? 'Who was down' : 'Was anyone down',
      lines: [...whoLines(views), ...standsForLines(report, views)],
    },
    {
      question: 'For how long',
      lines: views.toSorted(byWorstDowntime).flatMap((view) => howLongLines(report, view, isRunning)),
    },
    {
      question: 'Why',
      lines: unique([
        ...failedCommand(report).map(({ text }) => text),
        ...whyLines(report, views),
        ...goneTooEarlyLines(report, views),
        ...targetLines(report),
        ...whyNotPass(report, isRunning),
      ]),
    },
    { question: 'What to do', lines: unique(adviceLines(report, views, isRunning)) },
    ...safetyAnswers(report, views),
  ];
  const { value, word, text } = verdictSoFar({ report, isRunning }, views);
  return {
    value,
    word,
    headline: text,
    answers: answers.filter(({ lines }) => lines.length > 0),
  };
}

function safetyAnswers(report: Report, views: readonly ServiceView[]): Answer[] {
  const removal = removalAnswer(report, views);
  return [
    ...(asksOfSides(report)
      ? switchAnswers(report, views).map(({ question, line }) => ({ question, lines: [line] }))
      : []),
    ...(removal === null ? [] : [{ question: removal.question, lines: [removal.line] }]),
  ];
}

// ── how long ────────────────────────────────────────────────────────────────────────────────────────────────────

function byWorstDowntime(a: ServiceView, b: ServiceView): number {
  return worstDowntimeMs([b]).max - worstDowntimeMs([a]).max;
}

function howLongLines(report: Report, view: ServiceView, isRunning: boolean): string[] {
  const { hit, change } = view;
  const started = report.run.startedAt;
  const lines = hit.slice(0, namedMax).map((trouble) => howLongLine(report, view, trouble, isRunning));
  if (hit.length > namedMax) {
    const more = hit.slice(namedMax);
    const longest = Math.max(...more.map(({ downtimeMs }) => downtimeMs.max));
    lines.push(`${countOf(more.length, 'more lane')}, each for at most ${durationText(longest, 'up')}.`);
  }
  for (const { lane, outages } of view.hitUnjudged.slice(0, namedMax)) {
    const open = outages.find((outage) => outage.openAtEnd);
    if (open === undefined) continue;
    const since = change === undefined ? '' : `, ${afterText(change.usedAt, open.firstFailedAt)}`;
    lines.push(
      `${lane.name} (not judged): from ${clockText(started, open.firstFailedAt)} UTC${since}, and ${stillText(isRunning)}.`,
    );
  }
  const weighted = view.service.impact.userWeightedMs;
  if (hit.length > 0 && weighted.max > 0) {
    const weights = view.service.impact.weightsAssumed ? ', every client counted as equally common' : '';
    lines.push(`For the average user of ${view.service.name}: ${durationBoundsText(weighted)}${weights}.`);
  }
  return lines;
}

function stillText(isRunning: boolean): string {
  return isRunning ? 'still now' : 'still when the run ended';
}

function howLongLine(report: Report, view: ServiceView, trouble: LaneTrouble, isRunning: boolean): string {
  const { lane, outages, impaired, downtimeMs } = trouble;
  const started = report.run.startedAt;
  const [first] = outages;
  const last = outages.at(-1);
  if (first === undefined || last === undefined) {
    const [span] = impaired;
    const share = span === undefined ? '' : ` ${Math.round(span.failedShare * 100).toString()} % failed`;
    const from =
      span === undefined ? '' : `, from ${clockText(started, span.fromAt)} to ${clockText(started, span.toAt)} UTC`;
    return `${lane.name}: in part,${share}${from}.`;
  }
  const count = outages.length === 1 ? '' : ` in ${countOf(outages.length, 'outage')}`;
  const after = view.change === undefined ? '' : `, beginning ${afterText(view.change.usedAt, first.firstFailedAt)}`;
  const end =
    last.firstGoodAt === null ? `and ${stillText(isRunning)}` : `to ${clockText(started, last.firstGoodAt)} UTC`;
  const bounds =
    last.firstGoodAt === null ? `${durationText(downtimeMs.min, 'down')} or more` : durationBoundsText(downtimeMs);
  return `${lane.name}: ${bounds}${count}, from ${clockText(started, first.firstFailedAt)} ${end}${after}.`;
}

// ── why, and what to do ──────────────────────────────────────────────────────────────────────────────────────────────

/** Each reason once, over all services, the most frequent first. */
export function whyLines(report: Report, views: readonly ServiceView[]): string[] {
  const counts = new Map<string, number>();
  for (const view of views) {
    for (const count of causeCounts(view.hit)) {
      const why = causeWords[count.cause](contextOf(report, view, count));
      counts.set(why, (counts.get(why) ?? 0) + count.count);
    }
  }
  const failedCount = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([why, count]) => `${countText(count)} of ${countOf(failedCount, 'failed probe')}: ${why}.`);
}

/** No verdict on the service, but the exit status is not 0 for it, and the reader must know why. */
function failedCommand(report: Report): Reason[] {
  return report.verdict.reasons.filter(({ objective }) => objective === 'command-failed');
}

/** What else decided: missed limits that no failed probe explains, and whatever forbids an answer. */
function whyNotPass(report: Report, isRunning: boolean): string[] {
  const views = serviceViews(report);
  const isAnyHit = views.some((view) => view.hit.length > 0);
  return [...decisive(report, 'fail'), ...(isRunning ? [] : decisive(report, 'inconclusive'))]
    .filter(({ objective }) => !isAnyHit || !isAboutFailedProbes(objective))
    .map(({ text }) => text)
    .slice(0, namedMax);
}

function adviceLines(report: Report, views: readonly ServiceView[], isRunning: boolean): string[] {
  const lines = causesOnce(report, views).map(({ cause, context }) => adviceWords[cause](context));
  const open = isRunning ? [] : decisive(report, 'inconclusive');
  const decided = [...failedCommand(report), ...decisive(report, 'fail'), ...open];
  lines.push(...adviceOn(report, decided), ...targetAdvice(report));
  for (const view of views) {
    if (!isRunning) lines.push(...stayedLines(report, view));
    const isPinned = view.hitUnjudged.some(({ outages }) =>
      outages.some((outage) => outage.causes.pinned !== undefined),
    );
    if (isPinned) lines.push(adviceWords.pinned(contextOf(report, view, undefined)));
  }
  if (report.verdict.value === 'pass' && lines.length === 0) lines.push(nothingToDo(report, views));
  return lines;
}

/** A side that may not go yet is something to do: nothing. */
function nothingToDo(report: Report, views: readonly ServiceView[]): string {
  const removal = removalAnswer(report, views);
  const staying = views.flatMap(({ service: { safeToRemoveOld } }) =>
    safeToRemoveOld.side === null || safeToRemoveOld.safe === 'yes'
      ? []
      : [report.run.sides[safeToRemoveOld.side].title],
  );
  if (removal !== null && staying.length > 0) {
    return `Nothing but to leave ${listText(unique(staying))} running for now: see “${removal.question}”.`;
  }
  return report.run.mode === 'deploy' && !isDeploymentSeen(report)
    ? 'Nothing. That something was rolled out is the word of whoever did it: from outside nothing shows it.'
    : 'Nothing.';
}

/** By platforms, or by replicas that answer and did not before. */
function isDeploymentSeen({ rollouts = [], services }: Report): boolean {
  return (
    rollouts.length > 0 ||
    services.every(({ replicas }) => replicas?.byReplica.some(({ answered }) => answered.baseline === 0) === true)
  );
}

/** Weights and deployments leave clients where they are. */
function stayedLines({ run }: Report, { stayed, leaving, service }: ServiceView): string[] {
  if (stayed.length === 0 || run.mode === 'deploy' || run.mode === 'weights') return [];
  const isSafe = service.safeToRemoveOld.safe === 'yes';
  // Each reason beside those whose it is.
  const groups = [...Map.groupBy(stayed, ({ leavesOldBy }) => leavesOldBy.why)];
  const clients = groups
    .map(([why, lanes]) => `${named(lanes.map(({ name }) => name))}${why === '' ? '' : ` (${why})`}`)
    .join('; ');
  return [
    isSafe
      ? `Before ${leaving} is turned off, restart or mend clients like ${clients}.`
      : `Leave ${leaving} running: at the end it still served ${clients}.`,
  ];
}

/** Each cause and side that failed, once: of several services the one whose old side must answer longest speaks for all. */
function causesOnce(
  report: Report,
  views: readonly ServiceView[],
): { readonly cause: Cause; readonly context: CauseContext }[] {
  const all = views.flatMap((view) =>
    causeCounts(view.hit).map((count) => ({
      cause: count.cause,
      context: contextOf(report, view, count),
      untilMs: keepAnswering(report, view)?.untilMs ?? 0,
    })),
  );
  const groups = Map.groupBy(
    all,
    ({ cause, context }) => `${cause} ${context.failing} ${context.failedAddresses.join()}`,
  );
  return [...groups.values()].map((group) => group.reduce((a, b) => (b.untilMs > a.untilMs ? b : a)));
}

function contextOf(report: Report, view: ServiceView, count: CauseCount | undefined): CauseContext {
  const { service, leaving, arriving } = view;
  const { sides } = report.run;
  const seen = count?.sides ?? [];
  const known = seen.flatMap((side) => (side === 'old' || side === 'new' ? [sides[side].title] : []));
  const failing = [...known, ...(known.length < seen.length ? ['a side that could not be told'] : [])];
  return {
    leaving,
    left: known.length === 1 && failing.length === 1 ? (known[0] ?? leaving) : leaving,
    arriving,
    failing: failing.length === 0 ? 'the side that answered' : listText(unique(failing)),
    goodWithinMs: Math.max(0, ...service.checks.map((check) => check.goodWithinMs)),
    ttlS: service.ttlS.after ?? service.ttlS.before,
    keepAnswering: keepAnswering(report, view)?.text ?? null,
    failedAddresses: count?.failedAddresses ?? [],
    referenceCount: report.run.referenceCount,
  };
}

function isAboutFailedProbes(objective: string): boolean {
  return ['outageMsMax', 'downtimeMsMax', 'failedRatioMax', 'worstMinuteFailedRatioMax', 'recovery'].includes(
    objective,
  );
}
