/** What befell one service: its change, its lanes, their outages and response times. */
import type { Interval, Percentiles } from '../core/analysis.ts';
import { countText, durationBoundsText, durationText, ratioText } from '../core/quantity-text.ts';
import { replicaSection } from './deployment-section.ts';
import { clockText, msBetween, secondsText } from './instant-text.ts';
import { residualSections } from './residual-section.ts';
import { safetySection } from './safety-text.ts';
import { msText, rowsMax, type Cell, type Section, type Strip, type Table } from './section.ts';
import type { ServiceView } from './service-view.ts';
import type { Instant, Report, ReportChange, ReportLane, ReportService } from './shape.ts';
import { classWords, phaseWords, stateWords, verdictWords } from './words.ts';

const stretchesMax = 12;
/** Of all services: with many of them each shows fewer. */
const outagesOfRunMax = 700;

export function serviceSections(report: Report, view: ServiceView): Section[] {
  const { service } = view;
  const verdict = verdictWords[service.verdict];
  // A check that has no name of its own has a number; its path is what people know.
  const urls = service.checks.map(({ name, url }) => (name === service.name ? url : `${name} is ${url}`)).join(', ');
  return [
    {
      title: `${service.name}: ${verdict}`,
      level: 2,
      paragraphs: [`${urls === '' ? '' : `${urls}. `}${changeText(report, view)}`],
      table: laneTable(report, view, view.lanes.filter(isHeld)),
    },
    ...unjudgedSection(report, view),
    ...safetySection(report, view),
    ...residualSections(report, view),
    ...replicaSection(report, service),
    ...outageSection(report, view),
    ...responseTimeSection(view),
  ];
}

/** A change that only the authorities told of was made somewhere after the last poll that did not show it. */
const countedFromWords: Readonly<Record<ReportChange['usedBy'], string>> = {
  command: 'the command started',
  mark: 'the mark',
  authority: 'the last poll that still showed the side left',
  identity: 'the first fresh answer of the other side',
  rollout: 'when a rollout may have begun',
  replicas: 'the last answer of a replica that was replaced',
};

function changeText(report: Report, { service }: ServiceView): string {
  if (service.changes.length === 0) return 'No change was seen.';
  const { startedAt, sides } = report.run;
  const texts = service.changes.map((change) => {
    const [from, to] =
      change.direction === 'old-to-new' ? [sides.old.title, sides.new.title] : [sides.new.title, sides.old.title];
    const seen: (readonly [string, string | null])[] = [
      ['command started', change.commandFromAt],
      ['command ended', change.commandToAt],
      ['marked', change.markedAt],
      ['first authoritative answer', change.authorityFirstAt],
      ['last authoritative server followed', change.authorityLastAt],
      ['first fresh connection there', change.identityAt],
    ];
    const instants = seen.flatMap(([what, at]) => (at === null ? [] : [`${what} ${clockText(startedAt, at)}`]));
    const what = report.run.mode === 'deploy' ? 'Deployment' : `Change from ${from} to ${to}`;
    if (instants.length === 0)
      return `${what}, counted from ${clockText(startedAt, change.usedAt)} UTC (${countedFromWords[change.usedBy]}).`;
    return `${what}, counted from ${clockText(startedAt, change.usedAt)} UTC (${countedFromWords[change.usedBy]}): ${instants.join(', ')}.`;
  });
  const { before, after } = service.ttlS;
  const lowered = before === null || before === after ? '' : ` (${durationText(before * 1000)} before it was lowered)`;
  const ttl = after === null ? '' : ` TTL ${durationText(after * 1000)}${lowered}.`;
  return `${texts.join(' ')}${ttl}`;
}

/** What the verdict is held against: the first thing to read. */
function isHeld({ judged, series }: ReportLane): boolean {
  return judged && series === 'raw';
}

function unjudgedSection(report: Report, view: ServiceView): Section[] {
  const lanes = view.lanes.filter((lane) => !isHeld(lane));
  if (lanes.length === 0) return [];
  return [
    {
      title: 'Shown, not judged',
      level: 3,
      paragraphs: [
        'Each side by its own addresses, without DNS; clients that stay for ever; and what a retry would have saved.',
      ],
      table: laneTable(report, view, lanes),
    },
  ];
}

function laneTable(report: Report, { service }: ServiceView, lanes: readonly ReportLane[]): Table {
  const limitMs =
    report.verdict.reasons.find((one) => one.service === service.name && one.objective === 'downtimeMsMax')?.limit ??
    null;
  const rows = lanes.map((lane): Cell[] => {
    const part = lane.judgedPart;
    const downtimeMs = lane.judged && part !== null ? part.downtimeMs : lane.downtimeMs;
    const isJudged = lane.judged && lane.qualified;
    return [
      { text: lane.name, lane },
      {
        text: isJudged ? 'yes' : lane.judged ? 'unqualified' : 'no',
        tone: isJudged ? 'good' : lane.judged ? 'unsure' : 'faint',
      },
      {
        text: stretchesText(lane),
        strip: stripOf(report, service, lane),
      },
      durationCell(downtimeMs, isJudged ? limitMs : null),
      { text: countText(lane.slots.good) },
      { text: countText(lane.slots.failed), ...(lane.slots.failed > 0 && isJudged ? { tone: 'bad' as const } : {}) },
      { text: countText(lane.slots.due - lane.slots.good - lane.slots.failed) },
      { text: durationText(part?.resolutionMs ?? lane.resolutionMs, 'up') },
    ];
  });
  return {
    columns: [
      { name: 'Lane' },
      { name: 'Judged', kind: 'short' },
      { name: 'States, in order' },
      { name: 'Downtime' },
      { name: 'Good', kind: 'number' },
      { name: 'Failed', kind: 'number' },
      { name: 'Unseen', kind: 'number' },
      { name: 'Resolution', kind: 'number' },
    ],
    rows,
  };
}

function stripOf(report: Report, service: ReportService, lane: ReportLane): Strip {
  const { startedAt, endedAt } = report.run;
  const runMs = Math.max(1, msBetween(startedAt, endedAt));
  const share = (at: Instant): number => Math.min(1, Math.max(0, msBetween(startedAt, at) / runMs));
  return {
    stretches: lane.stretches.map(({ state, fromAt, toAt }) => ({ state, from: share(fromAt), to: share(toAt) })),
    changesAt: service.changes.map(({ usedAt }) => share(usedAt)),
  };
}

function durationCell(bounds: Interval, limitMs: number | null): Cell {
  const text = durationBoundsText(bounds);
  if (limitMs === null) return { text, tone: 'faint' };
  // Down within the limit is no fault, and nothing to be proud of: another limit may have been missed by the same outage.
  if (bounds.max > 0 && bounds.max <= limitMs) return { text };
  return { text, tone: bounds.min > limitMs ? 'bad' : bounds.max <= limitMs ? 'good' : 'unsure' };
}

function outageSection(report: Report, { lanes }: ServiceView): Section[] {
  const { startedAt } = report.run;
  const rows: Cell[][] = [];
  for (const lane of [...lanes.filter(isHeld), ...lanes.filter((one) => !isHeld(one))]) {
    for (const outage of lane.outages) {
      rows.push([
        { text: lane.name, lane },
        { text: `down, ${phaseWords[outage.phase]}`, ...(lane.judged ? { tone: 'bad' as const } : {}) },
        { text: clockText(startedAt, outage.firstFailedAt) },
        { text: outage.openAtEnd ? 'still open at the end' : clockText(startedAt, outage.firstGoodAt) },
        { text: durationBoundsText({ min: outage.downMsMin, max: outage.downMsMax }) },
        { text: durationBoundsText({ min: outage.faultMsMin, max: outage.faultMsMax }) },
        { text: `${countText(outage.failedCount)} of ${countText(outage.slotCount)}` },
        { text: tally(outage.causes, (cause) => cause) },
        { text: tally(outage.classes, (name) => classWords[name]) },
      ]);
    }
    for (const span of lane.impaired) {
      const at = span.failedAddresses.length === 0 ? '' : `, all at ${span.failedAddresses.join(', ')}`;
      rows.push([
        { text: lane.name, lane },
        { text: 'impaired', ...(lane.judged ? { tone: 'bad' as const } : {}) },
        { text: clockText(startedAt, span.fromAt) },
        { text: clockText(startedAt, span.toAt) },
        { text: `${ratioText(span.failedShare)} failed${at}` },
        { text: '' },
        { text: `${countText(span.failedCount)} of ${countText(span.slotCount)}` },
        { text: tally(span.causes, (cause) => cause) },
        { text: tally(span.classes, (name) => classWords[name]) },
      ]);
    }
  }
  if (rows.length === 0) return [];
  const shown = rows.slice(0, Math.min(rowsMax, Math.ceil(outagesOfRunMax / report.services.length)));
  const cut =
    rows.length > shown.length
      ? [`The first ${countText(shown.length)} of ${countText(rows.length)}, judged lanes first; report.json has all.`]
      : [];
  return [
    {
      title: 'Outages',
      level: 3,
      paragraphs: cut,
      table: {
        columns: [
          { name: 'Lane' },
          { name: 'What' },
          { name: 'First failed', kind: 'short' },
          { name: 'Good again', kind: 'short' },
          { name: 'Down' },
          { name: 'Fault' },
          { name: 'Failed', kind: 'number' },
          { name: 'Cause' },
          { name: 'Seen as' },
        ],
        rows: shown,
      },
    },
  ];
}

function responseTimeSection({ lanes }: ServiceView): Section[] {
  const cells = (side: 'old' | 'new', seen: Percentiles | null): Cell[] =>
    seen === null
      ? []
      : [
          { text: side },
          { text: countText(seen.count) },
          ...[seen.p50, seen.p90, seen.p99, seen.p999, seen.max].map((ms) => ({ text: msText(ms) })),
        ];
  const rows = lanes.flatMap((lane) =>
    [cells('old', lane.responseTimeMs.old), cells('new', lane.responseTimeMs.new)]
      .filter((row) => row.length > 0)
      .map((row): Cell[] => [{ text: lane.name, lane }, ...row]),
  );
  if (rows.length === 0) return [];
  const numbers = ['Answers', 'p50', 'p90', 'p99', 'p99.9', 'Longest'].map((name) => ({
    name,
    kind: 'number' as const,
  }));
  return [
    {
      title: 'Response times, ms',
      level: 3,
      paragraphs: [],
      table: { columns: [{ name: 'Lane' }, { name: 'Side', kind: 'short' }, ...numbers], rows: rows.slice(0, rowsMax) },
    },
  ];
}

/** `old 34.0 s · new 3.4 s · DOWN 358.9 s`; the middle of a long one is left out and counted. */
export function stretchesText(lane: ReportLane): string {
  const texts = lane.stretches.map(
    ({ state, fromAt, toAt }) => `${stateWords[state]} ${secondsText(msBetween(fromAt, toAt))}`,
  );
  if (texts.length <= stretchesMax) return texts.join(' · ');
  const half = stretchesMax / 2;
  const left = texts.length - stretchesMax;
  return [...texts.slice(0, half), `… ${countText(left)} more …`, ...texts.slice(-half)].join(' · ');
}

function tally<K extends string>(counts: Readonly<Partial<Record<K, number>>>, word: (key: K) => string): string {
  return (Object.entries(counts) as [K, number][])
    .sort(([, a], [, b]) => b - a)
    .map(([key, count]) => `${word(key)} × ${countText(count)}`)
    .join(', ');
}
