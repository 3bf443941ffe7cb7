/** Verdict and reports of an analysis: files beside the evidence, a summary for people, JSON for machines, exit status. */
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import type { Drawn } from '../analysis/fold.ts';
import type { Objectives } from '../core/scenario.ts';
import { nsToMs } from '../core/time.ts';
import type { Verdict } from '../core/verdict.ts';
import { html } from '../report/html.ts';
import { junit } from '../report/junit.ts';
import { markdown } from '../report/markdown.ts';
import { postmortem } from '../report/postmortem.ts';
import { reportJsonText, toReport } from '../report/report-json.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { summaryText, type Style } from '../report/text.ts';
import { timelineSvg } from '../report/timeline-svg.ts';
import type { RunResult } from '../run/run.ts';
import { exitCodeOf, judge } from '../verdict/judge.ts';
import { forPeople } from './ci-system.ts';

export const formats = ['json', 'md', 'html', 'junit', 'svg', 'postmortem'] as const;
export type Format = (typeof formats)[number];

interface Rendering {
  /** In the run folder; null: only printed, for people go on writing where it ends. */
  readonly file: string | null;
  readonly text: (snapshot: Snapshot) => string;
}

const render: Readonly<Record<Format, Rendering>> = {
  json: { file: 'report.json', text: ({ report }) => reportJsonText(report) },
  md: { file: 'report.md', text: ({ report }) => markdown(report) },
  html: { file: 'report.html', text: html },
  junit: { file: 'junit.xml', text: ({ report }) => junit(report) },
  svg: { file: 'timeline.svg', text: timelineSvg },
  postmortem: { file: null, text: ({ report }) => postmortem(report) },
};

export function renderAs(format: Format, snapshot: Snapshot): string {
  return render[format].text(snapshot);
}

/** Of a run that has ended. Where no report draws it, the picture is not drawn. */
export function snapshotOf(drawn: Drawn, verdict: Verdict = judge(drawn.analysis)): Snapshot {
  const { analysis } = drawn;
  return {
    report: toReport(analysis, verdict),
    get picture() {
      return drawn.picture;
    },
    nowMs: nsToMs(analysis.endedAtNs),
    isRunning: false,
  };
}

export interface FinishOptions {
  readonly path: string;
  /** Says why a report could not be written; null when it was. Null itself: nothing is to be written. */
  readonly writeReport: ((name: string, text: string) => string | null) | null;
  /** What else could not be. */
  readonly unwritten?: readonly Unwritten[];
  readonly json: boolean;
  /** Limits that are not the run's own, and the file they are from. */
  readonly other?: { readonly objectives: Partial<Objectives>; readonly file: string };
}

export interface Unwritten {
  readonly file: string;
  readonly reason: string;
}

const colours = { good: 'green', bad: 'red', unsure: 'yellow', strong: 'bold', faint: 'dim' } as const;

/** Honours NO_COLOR, FORCE_COLOR and what the terminal can. */
const style: Style = (text, emphasis) => styleText(colours[emphasis], text, { stream: process.stderr });

/** A log file has no width: lines as people like to read them. */
function columnsOf(stream: WriteStream): number {
  return stream.isTTY ? Math.max(60, stream.columns) : 120;
}

/** As `finish`, of a run that has just ended: 1 where the live analysis was another than that of the log. */
export function finishRun(result: RunResult, options: FinishOptions): number {
  const exitCode = finish(result, options);
  if (!result.differsFromLive) return exitCode;
  process.stderr.write(
    `cutwatch is wrong about itself: the log, read again, gives another analysis than the live one did.\n` +
      `The report is of the log. Please keep ${options.path} and report this.\n`,
  );
  return 1;
}

/** Returns the exit status. */
export function finish(drawn: Drawn, options: FinishOptions): number {
  const { path, writeReport, json, other } = options;
  const verdict = judge(drawn.analysis, other?.objectives);
  const snapshot = snapshotOf(drawn, verdict);
  const { report } = snapshot;
  const unwritten = [...(options.unwritten ?? [])];
  for (const { file, text } of Object.values(render)) {
    if (file === null || writeReport === null) continue;
    const reason = writeReport(file, text(snapshot));
    if (reason !== null) unwritten.push({ file, reason });
  }
  const hasPage = unwritten.every(({ file }) => file !== render.html.file);
  const summary = summaryText(report, {
    runPath: hasPage ? path : null,
    style,
    columns: columnsOf(process.stderr),
    ...(other === undefined ? {} : { judgedBy: other.file }),
  });
  process.stderr.write(forPeople(summary));
  const [first] = unwritten;
  if (first !== undefined) {
    const files = unwritten.map(({ file }) => file).join(', ');
    process.stderr.write(`not written, or not whole: ${files} in ${path}: ${first.reason}\n`);
  }
  if (json) process.stdout.write(reportJsonText(report));
  const { command } = drawn.analysis;
  const commandFailed = command !== null && command.toAtNs !== null && command.exitCode !== 0;
  const exitCode = exitCodeOf(verdict, { commandFailed });
  return exitCode === 0 && unwritten.length > 0 ? 4 : exitCode;
}
