/** What is new: failures and warnings found, then marks and what the run said, the newest first, then what is only to know. */
import type { Finding } from '../core/analysis.ts';
import { span, type Item, type LiveEmphasis, type Span } from './live-line.ts';
import type { Said } from './live-view.ts';
import { unique } from './pick.ts';
import type { Report } from './shape.ts';

const severityWords = { fail: 'FAIL', warn: 'WARN', info: 'note' } as const;
const severityEmphasis = { fail: 'bad', warn: 'unsure', info: 'faint' } as const;

/** At most so many; half of them are kept for what was found and for what happened, where both have more. */
export function newsItems(report: Report, said: readonly Said[], count: number): Item[] {
  const grave = findingItems(report, ['fail', 'warn']);
  const told = toldItems(report, said);
  const graveCount = Math.min(grave.length, Math.max(Math.ceil(count / 2), count - told.length));
  return [...grave.slice(0, graveCount), ...told, ...findingItems(report, ['info'])].slice(0, count);
}

export function newsCount(report: Report, said: readonly Said[]): number {
  const isCommandOver = report.run.command !== null && report.run.command.toAt !== null;
  return report.findings.length + report.marks.length + said.length + Number(isCommandOver);
}

function findingItems({ findings, staleTargets }: Report, severities: readonly Finding['severity'][]): Item[] {
  // Those of targets stand where targets are.
  const told = new Set(staleTargets.map(({ text }) => text));
  // Of several services the same may be found.
  return severities.flatMap((severity) =>
    unique(findings.filter((finding) => finding.severity === severity).map(({ text }) => text))
      .filter((text) => !told.has(text))
      .map((text) => ({ label: label(severityWords[severity], severityEmphasis[severity]), text })),
  );
}

function toldItems({ marks, run }: Report, said: readonly Said[]): Item[] {
  const startedMs = Date.parse(run.startedAt);
  const { command } = run;
  const all = [
    ...(command === null || command.toAt === null
      ? []
      : [{ ms: Date.parse(command.toAt), emphasis: 'faint', text: commandText(command) } as const]),
    ...marks.map(({ at, text }) => ({ ms: Date.parse(at), emphasis: 'strong', text: `mark: ${text}` }) as const),
    ...said.map(({ atMs, text }) => ({ ms: startedMs + atMs, emphasis: 'faint', text }) as const),
  ];
  return all
    .sort((a, b) => b.ms - a.ms)
    .map(({ ms, emphasis, text }) => ({ label: label(new Date(ms).toISOString().slice(11, 19), emphasis), text }));
}

function commandText({ program, exitCode, signal, error }: NonNullable<Report['run']['command']>): string {
  const how = error === '' ? (signal ?? `exit status ${String(exitCode)}`) : error;
  return `${program.split('/').at(-1) ?? ''} ended: ${how}`;
}

function label(text: string, emphasis: LiveEmphasis): Span {
  return span(text.padEnd(10), emphasis);
}
