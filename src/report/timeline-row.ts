/** One service of the drawn timeline: its phases, who answered its judged clients, and what failed. */
import { durationBoundsText } from '../core/quantity-text.ts';
import type { VerdictValue } from '../core/verdict.ts';
import { msBetween } from './instant-text.ts';
import { worstDowntimeMs, type ServiceView } from './service-view.ts';
import type { Report, ReportService } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import type { Colour } from './timeline-colours.ts';
import { columnsOf, dueCount, lanesShown, type Column } from './timeline-columns.ts';
import { cut, fixed, path, rect, text } from './timeline-elements.ts';
import { plot, type Scale } from './timeline-scale.ts';
import { verdictWords } from './words.ts';

export const rowHeight = 52;
const strip = { top: 8, height: 22 } as const;
const failures = { top: 32, height: 10 } as const;
/** However short a failure was, and however few there were, it is seen. */
const least = { width: 2, height: 4 } as const;
const nameLengthMax = 22;

export const verdictColours: Readonly<Record<VerdictValue, Colour>> = {
  pass: 'good',
  fail: 'failed',
  inconclusive: 'unsure',
};
const verdictSigns = { pass: '✓', fail: '✗', inconclusive: '?' } as const;

export function serviceRow(snapshot: Snapshot, view: ServiceView, scale: Scale, top: number): string[] {
  const { report, picture } = snapshot;
  const { service, hit } = view;
  const columns = columnsOf(picture, lanesShown(view), scale.columnCount);
  const worstMs = worstDowntimeMs([view]);
  const down =
    hit.length === 0
      ? view.judged.length === 0
        ? 'not judged'
        : 'no probe failed'
      : worstMs.max === 0
        ? 'failed in part'
        : `down ${durationBoundsText(worstMs)}`;
  return [
    text(16, top + strip.top + 15, cut(service.name, nameLengthMax), 'ink', 'font-weight="600"'),
    ...phaseBars(report, service, scale, top),
    ...(['old', 'other', 'failed', 'new'] as const).map((part) => path(part, shares(columns, part, scale, top), true)),
    path('failed', failureBars(columns, scale, top), true),
    ...service.changes
      .map(({ usedAt }) => msBetween(report.run.startedAt, usedAt))
      .filter((ms) => ms !== scale.zeroMs)
      .map((ms) =>
        path('ink', `M${fixed(scale.x(ms))} ${String(top)}V${String(top + failures.top + failures.height)}`),
      ),
    text(
      plot.right + 12,
      top + strip.top + 8,
      `${verdictSigns[service.verdict]} ${verdictWords[service.verdict]}`,
      verdictColours[service.verdict],
      'font-weight="600"',
    ),
    text(plot.right + 12, top + strip.top + 24, down, 'faint', 'font-size="11"'),
  ].filter((line) => line !== '');
}

const phaseColours = { baseline: 'baseline', switching: 'ink', tail: 'tail' } as const satisfies Record<string, Colour>;

function phaseBars({ run }: Report, service: ReportService, { x }: Scale, top: number): string[] {
  return service.phases.map(({ name, fromAt, toAt }) => {
    const [from, to] = [x(msBetween(run.startedAt, fromAt)), x(msBetween(run.startedAt, toAt))];
    return rect(phaseColours[name], { x: from, y: top + 3, width: to - from, height: 3 });
  });
}

type Part = 'old' | 'other' | 'failed' | 'new';

/** From the bottom: old, answers of neither or of an unknown side, failed; new hangs from the top. What is blank was not seen. */
function shares(columns: readonly Column[], part: Part, { x }: Scale, top: number): string {
  const bars = columns.map((column) => {
    const unit = strip.height / dueCount(column);
    const bottom = top + strip.top + strip.height;
    const below = { old: 0, other: column.old, failed: column.old + column.other, new: 0 }[part] * unit;
    const height = column[part] * unit;
    return {
      from: x(column.fromMs),
      to: x(column.toMs),
      y: part === 'new' ? top + strip.top : bottom - below - height,
      height,
    };
  });
  return barsPath(bars);
}

function failureBars(columns: readonly Column[], { x }: Scale, top: number): string {
  const bars = columns.map((column) => {
    const [from, to] = [x(column.fromMs), x(column.toMs)];
    const height =
      column.failed === 0 ? 0 : Math.max(least.height, (failures.height * column.failed) / dueCount(column));
    return { from, to: Math.max(to, from + least.width), y: top + failures.top, height };
  });
  return barsPath(bars);
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly y: number;
  readonly height: number;
}

/** Neighbours of one height are one bar, so that a quiet hour costs a few bytes. */
function barsPath(bars: readonly Bar[]): string {
  const joined: { from: number; to: number; y: number; height: number }[] = [];
  for (const bar of bars) {
    if (bar.height <= 0) continue;
    const last = joined.at(-1);
    if (last !== undefined && last.to >= bar.from && last.y === bar.y && last.height === bar.height) last.to = bar.to;
    else joined.push({ ...bar });
  }
  return joined
    .map(({ from, to, y, height }) => `M${fixed(from)} ${fixed(y)}H${fixed(to)}v${fixed(height)}H${fixed(from)}z`)
    .join('');
}
