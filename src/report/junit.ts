/**
 * The verdict for a CI server: a suite for the run and one for each service, and in it one case for each rule and objective,
 * under a name that stays from run to run: GitLab knows a case by class name and name, and drops the second of two alike.
 * What is inconclusive is `skipped`, the only word JUnit has for it; the exit status of the command says that it is no pass.
 */
import type { Interval } from '../core/analysis.ts';
import { boundsText, countOf, countText, durationBoundsText, ratioText } from '../core/quantity-text.ts';
import type { Reason } from '../core/verdict.ts';
import { markupText } from './escape.ts';
import { msBetween } from './instant-text.ts';
import { serviceViews, type ServiceView } from './service-view.ts';
import type { Report, ReportJudgedPart } from './shape.ts';

interface Suite {
  /** Of the service; no service is called so. */
  readonly name: string;
  readonly view: ServiceView | null;
  readonly cases: readonly (readonly [objective: string, reasons: readonly Reason[]])[];
}

const runSuite = 'the run';
/** GitLab reads files up to 30 MB: a run of any size stays far below. */
const lanesMax = 100;

export function junit(report: Report): string {
  const { scenario, startedAt, endedAt } = report.run;
  const views = serviceViews(report);
  const reasonsOf = (service: string | null): Suite['cases'] => [
    ...Map.groupBy(
      report.verdict.reasons.filter((reason) => reason.service === service),
      (reason) => reason.objective,
    ),
  ];
  const suites: Suite[] = [
    { name: runSuite, view: null, cases: reasonsOf(null) },
    ...views.map((view) => ({ name: view.service.name, view, cases: reasonsOf(view.service.name) })),
  ];
  const seconds = (msBetween(startedAt, endedAt) / 1000).toFixed(3);
  const counts = (cases: Suite['cases']): string => {
    const values = cases.map(([, reasons]) => deciding(reasons).value);
    const count = (value: Reason['value']): string => String(values.filter((one) => one === value).length);
    return `tests="${String(cases.length)}" failures="${count('fail')}" errors="0" skipped="${count('inconclusive')}" time="${seconds}"`;
  };
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${markupText(scenario)}" ${counts(suites.flatMap(({ cases }) => cases))}>`,
    ...suites.flatMap((suite) => [
      `  <testsuite name="${markupText(suite.name)}" timestamp="${startedAt.slice(0, 19)}" ${counts(suite.cases)}>`,
      ...suite.cases.flatMap(([objective, reasons]) => caseLines(suite, objective, reasons)),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function caseLines({ name, view }: Suite, objective: string, reasons: readonly Reason[]): string[] {
  const { value, texts } = deciding(reasons);
  const warnings = reasons
    .filter(({ severity, value: said, text }) => severity === 'warn' && said !== 'pass' && !texts.includes(text))
    .map(({ text }) => `warning: ${text}`);
  const beside = [...(value === 'fail' ? [] : texts), ...warnings, ...laneLines(view, objective)].map(markupText);
  const message = markupText(texts[0] ?? '');
  return [
    `    <testcase classname="${markupText(name)}" name="${markupText(objective)}" time="0">`,
    ...(value === 'fail'
      ? [
          `      <failure message="${message}" type="${markupText(objective)}">${texts.map(markupText).join('\n')}</failure>`,
        ]
      : []),
    ...(value === 'inconclusive' ? [`      <skipped message="${message}"/>`] : []),
    ...(beside.length === 0 ? [] : [`      <system-out>${beside.join('\n')}</system-out>`]),
    '    </testcase>',
  ];
}

/**
 * Warnings never fail a case; one that could not be answered is skipped. A command that failed is no verdict on the
 * service, but a CI server has to show red where the exit status is not 0.
 */
function deciding(reasons: readonly Reason[]): { readonly value: Reason['value']; readonly texts: readonly string[] } {
  const failed = reasons.filter(
    ({ objective, severity, value }) => value === 'fail' && (severity === 'fail' || objective === 'command-failed'),
  );
  if (failed.length > 0) return { value: 'fail', texts: failed.map(({ text }) => text) };
  const open = reasons.filter(({ severity, value }) => severity === 'fail' && value === 'inconclusive');
  if (open.length > 0) return { value: 'inconclusive', texts: open.map(({ text }) => text) };
  const answered = reasons.filter(({ severity, value }) => severity === 'fail' || value !== 'inconclusive');
  return answered.length === 0
    ? { value: 'inconclusive', texts: reasons.map(({ text }) => text) }
    : { value: 'pass', texts: answered.filter(({ value }) => value === 'pass').map(({ text }) => text) };
}

// ── lane by lane ─────────────────────────────────────────────────────────────────────────────────────────────────────

const ratio = (bounds: Interval): string => boundsText(bounds, ratioText);
const count = (bounds: Interval): string => boundsText(bounds, countText);

/** The objectives that each lane is held against, and what was seen of them. */
const seenOf: Readonly<Partial<Record<string, (part: ReportJudgedPart) => string>>> = {
  outageMsMax: (part) => durationBoundsText(part.longestOutageMs),
  downtimeMsMax: (part) => durationBoundsText(part.downtimeMs),
  failedRatioMax: (part) => ratio(part.failedRatio),
  worstMinuteFailedRatioMax: (part) => ratio(part.worstMinuteFailedRatio),
  burst5xxCountMax: (part) => count(part.burst5xxCount),
  flipBackCountMax: (part) => count(part.flipBackCount),
};

function laneLines(view: ServiceView | null, objective: string): string[] {
  const seen = seenOf[objective];
  if (view === null || seen === undefined) return [];
  const lines = view.judged.flatMap(({ name, judgedPart }) =>
    judgedPart === null ? [] : [`${name}: ${seen(judgedPart)}`],
  );
  const more = lines.length - lanesMax;
  return more > 0 ? [...lines.slice(0, lanesMax), `and ${countOf(more, 'more lane')} in report.json`] : lines;
}
