/**
 * What GitHub Actions shows of a run: a page under the job (step summary), annotations beside it, and outputs for later
 * steps. Text only; whoever calls writes it to where GitHub says. Limits: 10 annotations of a kind for each step, a summary
 * of 1 MiB for each step, above which all of it is refused.
 */
import { countOf } from '../core/quantity-text.ts';
import type { Reason } from '../core/verdict.ts';
import { plainText } from './escape.ts';
import { markdownWithin } from './markdown.ts';
import { serviceViews, type ServiceView } from './service-view.ts';
import type { Report } from './shape.ts';
import { tell } from './story.ts';
import { objectiveTitle, verdictWords } from './words.ts';

export const annotationsMax = 10;
/** With room for what other programs of the step write. */
export const summaryBytesMax = 900_000;

/** @param bytesWritten of other summaries of the same step */
export function stepSummary(report: Report, bytesWritten = 0): string {
  return markdownWithin(report, summaryBytesMax - bytesWritten);
}

// ── annotations ──────────────────────────────────────────────────────────────────────────────────────────────────────

type Level = 'error' | 'warning' | 'notice';

/**
 * Workflow commands, one a line, the weightiest first: what came of it, then why. Where the exit status is 0 nothing is an
 * error, a failed rehearsal that was to fail among them.
 */
export function annotations(report: Report, exitCode: number): string[] {
  const { value, headline } = tell(report);
  const first = command(levelOf(value === 'pass' ? 'notice' : 'error', exitCode), verdictWords[value], headline);
  const reasons = report.verdict.reasons
    .filter((reason) => reason.value !== 'pass')
    .map((reason) => ({ reason, rank: rankOf(reason) }))
    .toSorted((a, b) => a.rank - b.rank);
  const room = annotationsMax - 1;
  const shown = reasons.length > room ? reasons.slice(0, room - 1) : reasons;
  const more = reasons.length - shown.length;
  return [
    first,
    ...shown.map(({ reason, rank }) =>
      command(levelOf(rank < 2 ? 'error' : 'warning', exitCode), titleOf(reason), reason.text),
    ),
    ...(more > 0
      ? [command('notice', 'more', `${countOf(more, 'more reason')} in the summary and in the report.`)]
      : []),
  ];
}

/** What failed, what left it open, what only warns. */
function rankOf({ objective, severity, value }: Reason): number {
  if (objective === 'command-failed') return 0;
  if (severity === 'warn') return value === 'fail' ? 2 : 3;
  return value === 'fail' ? 0 : 1;
}

function levelOf(level: Level, exitCode: number): Level {
  return exitCode === 0 && level === 'error' ? 'notice' : level;
}

function titleOf({ objective, service }: Reason): string {
  return service === null ? objectiveTitle(objective) : `${service}, ${objectiveTitle(objective)}`;
}

function command(level: Level, title: string, text: string): string {
  return `::${level} title=${property(`cutwatch: ${title}`)}::${data(text)}`;
}

/** As the runner unescapes it. */
function data(text: string): string {
  return plainText(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * Whatever stands at the beginning of a line of a step's output may be a command to the runner, and names and error texts
 * came from somebody else's server. Between these two lines nothing is one. @param token that nobody can guess
 */
export function withoutCommands(text: string, token: string): string {
  return `::stop-commands::${token}\n${text}\n::${token}::\n`;
}

// ── outputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface OutputFacts {
  readonly exitCode: number;
  /** The run folder. */
  readonly runPath: string;
  /** The reports in it are of this verdict. */
  readonly isWritten: boolean;
}

/** Lines `name=value`; a value is one line, so no value can begin another output. */
export function outputs(report: Report, { exitCode, runPath, isWritten }: OutputFacts): string {
  const downtimeMs = judgedDowntimeMs(serviceViews(report));
  const values: Readonly<Record<string, string | number>> = {
    verdict: report.verdict.value,
    'exit-status': exitCode,
    headline: tell(report).headline,
    'downtime-ms-min': downtimeMs.min ?? '',
    'downtime-ms-max': downtimeMs.max ?? '',
    'run-path': runPath,
    ...(isWritten
      ? {
          'report-path': `${runPath}/report.html`,
          'summary-path': `${runPath}/report.md`,
          'junit-path': `${runPath}/junit.xml`,
        }
      : {}),
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${plainText(String(value))}\n`)
    .join('');
}

/** Of the judged client hit worst, whole ms; a service of which nothing was judged leaves the upper bound open. */
function judgedDowntimeMs(views: readonly ServiceView[]): { readonly min: number | null; readonly max: number | null } {
  const ofJudged = views.map(({ judged }) => judged.flatMap(({ judgedPart }) => judgedPart?.downtimeMs ?? []));
  const all = ofJudged.flat();
  const isAnyUnjudged = ofJudged.length === 0 || ofJudged.some((bounds) => bounds.length === 0);
  return {
    min: all.length === 0 ? null : Math.max(...all.map(({ min }) => Math.floor(min))),
    max: isAnyUnjudged ? null : Math.max(...all.map(({ max }) => Math.ceil(max))),
  };
}
