/** What is new: findings, the gravest first, then marks and what the run said, the newest first. */
import { span, type Line, type LiveEmphasis } from './live-line.ts';
import type { Said } from './live-view.ts';
import type { Report } from './shape.ts';

const severityWords = { fail: 'FAIL', warn: 'WARN', info: 'note' } as const;
const severityEmphasis = { fail: 'bad', warn: 'unsure', info: 'faint' } as const;
const order = ['fail', 'warn', 'info'] as const;

/** At most so many; half of them are kept for either kind where both have more. */
export function newsLines(report: Report, said: readonly Said[], rows: number): Line[] {
  const findings = order.flatMap((severity) =>
    report.findings
      .filter((finding) => finding.severity === severity)
      .map((finding): Line => labelled(severityWords[severity], severityEmphasis[severity], finding.text)),
  );
  const told = toldLines(report, said);
  const findingCount = Math.min(findings.length, Math.max(Math.ceil(rows / 2), rows - told.length));
  return [...findings.slice(0, findingCount), ...told.slice(0, Math.max(0, rows - findingCount))];
}

export function newsCount(report: Report, said: readonly Said[]): number {
  return report.findings.length + report.marks.length + said.length;
}

function toldLines({ marks, run }: Report, said: readonly Said[]): Line[] {
  const startedMs = Date.parse(run.startedAt);
  const all = [
    ...marks.map(({ at, text }) => ({ ms: Date.parse(at), line: labelled(at.slice(11, 19), 'strong', `mark: ${text}`) })),
    ...said.map(({ atMs, text }) => ({
      ms: startedMs + atMs,
      line: labelled(new Date(startedMs + atMs).toISOString().slice(11, 19), 'faint', text),
    })),
  ];
  return all.sort((a, b) => b.ms - a.ms).map(({ line }) => line);
}

const labelColumns = 8;

function labelled(label: string, emphasis: LiveEmphasis, text: string): Line {
  return [span(label.padEnd(labelColumns), emphasis), span(`  ${text}`)];
}
