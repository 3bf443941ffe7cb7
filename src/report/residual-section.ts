/** How the side that was left emptied: a curve and a few instants for each client and resolver, beside what theory says. */
import { residualRatio, type OldReason, type ResidualLevel } from '../core/analysis.ts';
import { countText, durationText } from '../core/quantity-text.ts';
import { clockText, msBetween } from './instant-text.ts';
import { rowsMax, type Cell, type Curve, type Section } from './section.ts';
import type { ServiceView } from './service-view.ts';
import type { Report, ReportChange, ReportResidual } from './shape.ts';
import { timeAt } from './time-axis.ts';
import { oldReasonWords } from './words.ts';

export function residualSections(report: Report, { service }: ServiceView): Section[] {
  const groups = Map.groupBy(service.residual, ({ changeIndex }) => changeIndex);
  return [...groups].map(([i, curves]) => sectionOf(report, service.changes[i], curves));
}

function sectionOf(report: Report, change: ReportChange | undefined, curves: readonly ReportResidual[]): Section {
  const { run } = report;
  const [{ side, fromAt, notBeforeAt }] = curves as [ReportResidual];
  const { title } = run.sides[side];
  const earlierMs = msBetween(notBeforeAt, fromAt);
  const earlier = earlierMs > 0 ? `, or up to ${durationText(earlierMs, 'up')} earlier` : '';
  const when =
    change?.authorityLastAt === fromAt
      ? `when the last authoritative server was heard to have changed${earlier}`
      : 'when the change began';
  const untilMs = Math.max(...curves.map(({ points }) => points.at(-1)?.untilMs ?? 0));
  return {
    title: `Who was still on ${title}`,
    level: 3,
    paragraphs: [
      `The share of requests that still went to ${title}, and of each resolver’s answers that still named it, in the ${durationText(untilMs)} since ${clockText(run.startedAt, fromAt)} UTC, ${when}. In theory is what to expect of many such, each with its cache at another age; one alone leaves in one step.`,
    ],
    table: {
      columns: [
        { name: 'Who' },
        { name: 'Share there, over time' },
        { name: '50 % left', kind: 'short' },
        { name: '90 % left', kind: 'short' },
        { name: '99 % left', kind: 'short' },
        { name: 'Last seen there', kind: 'short' },
        { name: 'In theory: 50 %, 90 %, last', kind: 'short' },
        { name: 'Reads as' },
      ],
      rows: curves
        .slice(0, rowsMax)
        .map((curve): Cell[] => [
          { text: residualName(curve) },
          { text: sparkline(curve, untilMs), curve: curveOf(curve, title, untilMs) },
          ...curve.levels.map((level) => ({ text: observedText(level) })),
          { text: lastText(curve) },
          { text: theoryText(curve) },
          readsAs(curve),
        ]),
    },
    list: [...Map.groupBy(curves, ({ theory }) => theory.why)].map(([why, own]) => [
      own.map(residualName).join(', '),
      why,
    ]),
  };
}

export function residualName({ kind, client, resolver }: ReportResidual): string {
  return kind === 'client' ? (client ?? '') : `resolver ${resolver ?? ''}`;
}

/** Since the change, ms; null = nobody was there. */
function lastMs({ lastLeavingAt, fromAt }: ReportResidual): number | null {
  return lastLeavingAt === null ? null : Math.max(0, msBetween(fromAt, lastLeavingAt));
}

function lastText(curve: ReportResidual): string {
  const ms = lastMs(curve);
  return ms === null ? 'never' : durationText(ms);
}

/** `2 s – 2.5 s`; `≤ 2.5 s`; `> 12 s` where the end of it was not seen. */
function observedText({ observedMs: { min, max } }: ResidualLevel): string {
  if (min === null) return 'not yet';
  if (max === null) return `> ${durationText(min, 'down')}`;
  if (max === 0) return 'at once';
  return min === 0 ? `≤ ${durationText(max, 'up')}` : `${durationText(min, 'down')} – ${durationText(max, 'up')}`;
}

function theoryText({ theory, levels, points }: ReportResidual): string {
  if (!isKnown({ points })) return 'not known';
  const [half, tenth] = levels;
  const say = (ms: number | null): string => (ms === null ? 'not by itself' : ms === 0 ? 'at once' : durationText(ms));
  const texts = [half?.theoryMs ?? null, tenth?.theoryMs ?? null, theory.endMs].map(say);
  return new Set(texts).size === 1 ? (texts[0] ?? '') : texts.join(', ');
}

function isKnown({ points }: Pick<ReportResidual, 'points'>): boolean {
  return points.every(({ theoryRatio }) => theoryRatio !== null);
}

/** How many were later than anybody who keeps to the rules. */
function lateCount({ lateReasons }: ReportResidual): number {
  return Object.values(lateReasons).reduce((sum, count) => sum + count, 0);
}

function readsAs(curve: ReportResidual): Cell {
  const late = lateCount(curve);
  if (late > 0) {
    const isProved = curve.lateReasons['resolver-violates-ttl'] !== undefined;
    return { text: `${countText(late)} too late: ${lateText(curve)}`, tone: isProved ? 'bad' : 'unsure' };
  }
  const { min, max } = curve.levels.at(-1)?.observedMs ?? { min: 0, max: 0 };
  const isThere = min === null;
  if (!isKnown(curve)) return { text: 'nothing to hold it against', tone: 'faint' };
  if (curve.lastLeavingAt === null) return { text: 'was not there' };
  if (max === null && !isThere) return { text: 'how it ended was not seen', tone: 'unsure' };
  if (curve.theory.endMs === null) return { text: isThere ? 'stays, as such do' : 'left: what held it there ended' };
  return { text: isThere ? 'may be there so long' : 'as in theory', tone: isThere ? 'faint' : 'good' };
}

function lateText({ lateReasons }: ReportResidual): string {
  return (Object.entries(lateReasons) as [OldReason, number][])
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${oldReasonWords[reason]} × ${countText(count)}`)
    .join(', ');
}

/** The one that outlasted its theory by most, for those who read one line; null where all kept to it. */
export function lateLine({ services, run }: Report): string | null {
  const late = services
    .flatMap(({ name, residual }) => residual.map((curve) => ({ name, curve, atMs: lastMs(curve) ?? 0 })))
    .filter(({ curve }) => lateCount(curve) > 0)
    .toSorted((a, b) => b.atMs - (b.curve.theory.endMs ?? 0) - (a.atMs - (a.curve.theory.endMs ?? 0)));
  const [first] = late;
  if (first === undefined) return null;
  const { name, curve, atMs } = first;
  const more = late.length > 1 ? `; ${countText(late.length - 1)} more in the report` : '';
  const end = curve.theory.endMs === null ? '' : `, in theory ${durationText(curve.theory.endMs)} at most`;
  return `${name}, ${residualName(curve)}: still on ${run.sides[curve.side].title} after ${durationText(atMs)}${end} (${lateText(curve)})${more}`;
}

function curveOf(curve: ReportResidual, title: string, untilMs: number): Curve {
  return {
    steps: curve.points.map((point) => {
      const { min, max } = residualRatio(point);
      return { fromMs: point.afterMs, toMs: point.untilMs, min, max, theory: point.theoryRatio };
    }),
    untilMs,
    lastMs: lastMs(curve),
    label: `${residualName(curve)}: share on ${title}, over time`,
  };
}

const sparkLength = 24;
const sparks = '▁▂▃▄▅▆▇█';

/** The most in each part of the axis, so that one among thousands shows; `·` none, `░` not known. */
function sparkline({ points }: ReportResidual, untilMs: number): string {
  return Array.from({ length: sparkLength }, (_, i) => {
    const [fromMs, toMs] = [timeAt(i / sparkLength, untilMs), timeAt((i + 1) / sparkLength, untilMs)];
    const within = points.filter((point) => point.untilMs > fromMs && point.afterMs < toMs).map(residualRatio);
    const most = Math.max(0, ...within.map(({ min }) => min));
    if (most > 0) return sparks[Math.ceil(most * sparks.length) - 1] ?? '';
    return within.some(({ max }) => max > 0) ? '░' : '·';
  }).join('');
}
