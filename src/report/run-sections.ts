/** What is said of the run as a whole: the verdict's reasons, findings, DNS, the prober itself, and what the numbers mean. */
import { boundsText, countText, durationText } from '../core/quantity-text.ts';
import type { Reason } from '../core/verdict.ts';
import { rolloutSection } from './deployment-section.ts';
import { clockText, msBetween } from './instant-text.ts';
import { playbookSection } from './playbook-section.ts';
import { resolverSection } from './resolver-section.ts';
import { msText, rowsMax, type Cell, type Section } from './section.ts';
import type { Report } from './shape.ts';
import { targetSection } from './target-section.ts';
import { definitions, objectiveTitle } from './words.ts';

export function runSections(report: Report): Section[] {
  return [
    reasonSection(report),
    ...rolloutSection(report),
    ...targetSection(report),
    ...findingSection(report),
    ...playbookSection(report),
    ...markSection(report),
    ...dnsSection(report),
    ...resolverSection(report),
    proberSection(report),
    { title: 'What these numbers mean', level: 2, paragraphs: [probeText(report)], list: definitions },
  ];
}

function reasonSection(report: Report): Section {
  const mark = (reason: Reason): Cell => {
    if (reason.value === 'pass') return { text: '✓ pass', tone: 'good' };
    if (reason.severity === 'warn') return { text: '! warning', tone: 'unsure' };
    return reason.value === 'fail' ? { text: '✗ fail', tone: 'bad' } : { text: '? inconclusive', tone: 'unsure' };
  };
  const weight = (reason: Reason): number =>
    reason.value === 'pass' ? 3 : reason.severity === 'warn' ? 2 : reason.value === 'fail' ? 0 : 1;
  const reasons = report.verdict.reasons.toSorted((a, b) => weight(a) - weight(b));
  return {
    title: 'Reasons of the verdict',
    level: 2,
    paragraphs: [],
    table: {
      columns: [{ name: 'Says', kind: 'short' }, { name: 'Of' }, { name: 'About' }, { name: 'Reason' }],
      rows: reasons.map((reason) => [
        mark(reason),
        { text: reason.service ?? 'the run' },
        { text: objectiveTitle(reason.objective) },
        { text: reason.text },
      ]),
    },
  };
}

function findingSection(report: Report): Section[] {
  if (report.findings.length === 0) return [];
  return [
    {
      title: 'Findings',
      level: 2,
      paragraphs: [],
      table: {
        columns: [{ name: 'Severity', kind: 'short' }, { name: 'Of' }, { name: 'Finding' }, { name: 'Evidence' }],
        rows: report.findings.slice(0, rowsMax).map((finding): Cell[] => [
          {
            text: finding.severity,
            tone: finding.severity === 'fail' ? 'bad' : finding.severity === 'warn' ? 'unsure' : 'faint',
          },
          { text: finding.service ?? 'the run' },
          { text: finding.text },
          { text: finding.evidence.join('; '), items: finding.evidence },
        ]),
      },
    },
  ];
}

/** What people said while they made the change: their own notes stand beside what was seen. */
function markSection({ marks, run }: Report): Section[] {
  if (marks.length === 0) return [];
  return [
    {
      title: 'Marks',
      level: 2,
      paragraphs: [],
      table: {
        columns: [{ name: 'At', kind: 'short' }, { name: 'Mark' }],
        rows: marks.slice(0, rowsMax).map(({ at, text }): Cell[] => [{ text: clockText(run.startedAt, at) }, { text }]),
      },
    },
  ];
}

function authorityTrouble({ unreachableCount, lameCount }: Report['authorities'][number]): string {
  return [
    ...(unreachableCount === 0 ? [] : [`unreachable ${countText(unreachableCount)} times`]),
    ...(lameCount === 0 ? [] : [`without authority ${countText(lameCount)} times`]),
  ].join(', ');
}

function dnsSection(report: Report): Section[] {
  const { startedAt } = report.run;
  const rows = report.authorities.map((authority): Cell[] => [
    { text: `authority ${authority.address}` },
    { text: authority.hostname },
    { text: authority.ttlS === null ? '–' : String(authority.ttlS) },
    { text: clockText(startedAt, authority.firstNewAt) },
    { text: clockText(startedAt, authority.lastOldAt) },
    { text: authorityTrouble(authority) },
  ]);
  if (rows.length === 0) return [];
  return [
    {
      title: 'DNS',
      level: 2,
      paragraphs: [],
      table: {
        columns: [
          { name: 'Server' },
          { name: 'Name' },
          { name: 'TTL seen, s' },
          { name: 'First new answer', kind: 'short' },
          { name: 'Last old answer', kind: 'short' },
          { name: '' },
        ],
        rows: rows.slice(0, rowsMax),
      },
    },
  ];
}

function proberSection(report: Report): Section {
  const { prober, run } = report;
  const late = prober.latenessMs;
  const paragraphs = [
    `${countText(prober.dueCount)} probes were due, ${countText(prober.droppedCount)} were dropped. Late by ${msText(late.p50)} ms at the median, ${msText(late.p99)} ms at p99, ${msText(late.max)} ms at worst. The event loop of a probing thread stood still for at most ${msText(prober.eventLoopDelayMsMax)} ms, evidence was written at most ${msText(prober.writeDelayMsMax)} ms late, and the clocks moved by ${msText(prober.clockStepMs)} ms against each other.`,
    run.isWhole ? 'The log is whole.' : `The log is not whole. ${run.incompleteBecause.join(' ')}`.trim(),
  ];
  const rows = prober.blindSpots.map(({ fromAt, toAt, why }): Cell[] => [
    { text: clockText(run.startedAt, fromAt) },
    { text: durationText(msBetween(fromAt, toAt)) },
    { text: why },
  ]);
  return {
    title: 'The prober itself',
    level: 2,
    paragraphs,
    ...(rows.length === 0
      ? {}
      : {
          table: {
            columns: [{ name: 'Blind from', kind: 'short' }, { name: 'For' }, { name: 'Why' }],
            rows: rows.slice(0, rowsMax),
          },
        }),
  };
}

function probeText(report: Report): string {
  const checks = report.services.flatMap((service) => service.checks);
  const [first] = checks;
  const rates = [...new Set(report.lanes.map((lane) => lane.ratePerSecond))].sort((a, b) => a - b);
  const rate =
    rates.length === 0
      ? ''
      : ` Each lane sends ${boundsText({ min: rates[0] ?? 0, max: rates.at(-1) ?? 0 }, String)} probes per second, whether the one before was answered or not.`;
  if (first === undefined) return rate.trim();
  return `An answer is good when it is the expected one within ${durationText(first.goodWithinMs)}; a connection is given ${durationText(first.connectMs)}, a whole probe ${durationText(first.totalMs)}.${rate}`;
}
