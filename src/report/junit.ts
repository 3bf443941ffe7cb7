/**
 * The verdict for a CI server: a suite for the run and one for each service, a case for each rule and objective. What is
 * inconclusive is `skipped`, the only word JUnit has for it; the exit status of the command says that it is no pass.
 */
import type { Reason } from '../core/verdict.ts';
import { markupText } from './escape.ts';
import { msBetween } from './instant-text.ts';
import type { Report } from './shape.ts';
import { objectiveTitle } from './words.ts';

interface Suite {
  readonly name: string;
  readonly className: string;
  readonly cases: readonly (readonly [objective: string, reasons: readonly Reason[]])[];
}

export function junit(report: Report): string {
  const { scenario, startedAt, endedAt } = report.run;
  const reasonsOf = (service: string | null): Suite['cases'] => [
    ...Map.groupBy(
      report.verdict.reasons.filter((reason) => reason.service === service),
      (reason) => reason.objective,
    ),
  ];
  const suites: Suite[] = [
    { name: 'run', className: `${scenario}.run`, cases: reasonsOf(null) },
    ...report.services.map(({ name }) => ({
      name,
      className: `${scenario}.service.${name}`,
      cases: reasonsOf(name),
    })),
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
      ...suite.cases.flatMap(([objective, reasons]) => caseLines(suite.className, objective, reasons)),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function caseLines(className: string, objective: string, reasons: readonly Reason[]): string[] {
  const { value, texts } = deciding(reasons);
  const name = `${objective}: ${objectiveTitle(objective)}`;
  const open = `    <testcase classname="${markupText(className)}" name="${markupText(name)}" time="0">`;
  const beside = (value === 'pass' ? reasons : reasons.filter(({ text }) => !texts.includes(text))).map((reason) =>
    markupText(reason.severity === 'warn' && reason.value !== 'pass' ? `warning: ${reason.text}` : reason.text),
  );
  const message = markupText(texts[0] ?? '');
  return [
    open,
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
  const isAnswered = reasons.some(({ severity, value }) => severity === 'fail' || value !== 'inconclusive');
  return { value: isAnswered ? 'pass' : 'inconclusive', texts: reasons.map(({ text }) => text) };
}
