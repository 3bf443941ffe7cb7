/** Verdict and reports of an analysis: files beside the evidence, a summary for people, JSON for machines, exit status. */
import type { Analysis } from '../core/analysis.ts';
import type { Objectives } from '../core/scenario.ts';
import { html } from '../report/html.ts';
import { junit } from '../report/junit.ts';
import { markdown } from '../report/markdown.ts';
import { reportJsonText, toReport, type Report } from '../report/report-json.ts';
import { summaryText } from '../report/text.ts';
import { exitCodeOf, judge } from '../verdict/judge.ts';

export const formats = ['json', 'md', 'html', 'junit'] as const;
export type Format = (typeof formats)[number];

const render: Readonly<Record<Format, { readonly file: string; readonly text: (report: Report) => string }>> = {
  json: { file: 'report.json', text: reportJsonText },
  md: { file: 'report.md', text: markdown },
  html: { file: 'report.html', text: html },
  junit: { file: 'junit.xml', text: junit },
};

export function renderAs(format: Format, report: Report): string {
  return render[format].text(report);
}

export interface FinishOptions {
  readonly path: string;
  readonly writeReport: (name: string, text: string) => void;
  readonly json: boolean;
  readonly objectives?: Partial<Objectives>;
}

/** Returns the exit status. */
export function finish(analysis: Analysis, options: FinishOptions): number {
  const verdict = judge(analysis, options.objectives);
  const report = toReport(analysis, verdict);
  let unwritten: Error | null = null;
  for (const format of formats) {
    try {
      options.writeReport(render[format].file, render[format].text(report));
    } catch (error) {
      unwritten = error as Error;
    }
  }
  process.stderr.write(`${summaryText(report, { runPath: options.path })}\n`);
  if (unwritten !== null) process.stderr.write(`a report could not be written: ${unwritten.message}\n`);
  if (options.json) process.stdout.write(reportJsonText(report));
  const exitCode = exitCodeOf(verdict, {
    commandFailed: analysis.command !== null && analysis.command.exitCode !== 0 && analysis.command.toAtNs !== null,
  });
  return exitCode === 0 && unwritten !== null ? 4 : exitCode;
}
