/** Time of the drawn timeline: zero at the first change, and straight, so that lengths compare. */
import { countText } from '../core/quantity-text.ts';
import { msBetween } from './instant-text.ts';
import type { ServiceView } from './service-view.ts';
import type { Instant } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import { lanesShown } from './timeline-columns.ts';
import { fixed, path, text } from './timeline-elements.ts';

export const plot = { left: 166, right: 796 } as const;

export interface Scale {
  /** ms since run start of the first change; null = none was seen, and zero is the start. */
  readonly zeroMs: number | null;
  /** What is before this is not drawn: no client that is shown failed in it, and nobody set a mark. */
  readonly fromMs: number;
  readonly x: (ms: number) => number;
  /** Of the whole run, so that one that is drawn is a pixel wide. */
  readonly columnCount: number;
}

export function scaleOf({ report, picture, nowMs }: Snapshot, views: readonly ServiceView[]): Scale {
  const atOf = (at: Instant): number => msBetween(report.run.startedAt, at);
  const changes = report.services.flatMap((service) => service.changes.map(({ usedAt }) => atOf(usedAt)));
  const zeroMs = changes.length === 0 ? null : Math.min(...changes);
  const endMs = Math.max(1, nowMs);
  const shown = new Set(views.flatMap((view) => [...lanesShown(view)]));
  const failedAtMs = picture.lanes.flatMap(({ name, failures: [first] }) =>
    first === undefined || !shown.has(name) ? [] : [first[0] * picture.binMs],
  );
  const firstMs = [...failedAtMs, ...report.marks.map(({ at }) => atOf(at))].reduce((a, b) => Math.min(a, b), Infinity);
  const baselineMs = Math.max(baselineMsMin, baselineShareMax * (endMs - (zeroMs ?? 0)));
  const leftOutMs = zeroMs === null ? 0 : Math.min(zeroMs - baselineMs, firstMs);
  const fromMs = leftOutMs < leftOutShareMin * endMs ? 0 : leftOutMs;
  const pixels = plot.right - plot.left;
  return {
    zeroMs,
    fromMs,
    x: (ms) => plot.left + (pixels * (Math.min(endMs, Math.max(fromMs, ms)) - fromMs)) / (endMs - fromMs),
    columnCount: Math.ceil((pixels * endMs) / (endMs - fromMs)),
  };
}

/** A baseline of an hour would leave no room for the minutes that count. */
const baselineShareMax = 0.5;
const baselineMsMin = 60_000;
/** Less is not worth the sentence that says so. */
const leftOutShareMin = 0.1;

const ticksMax = 9;
const minuteMs = 60_000;
const roundMs: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((s) => s * 1000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440].map((minutes) => minutes * minuteMs),
];

export function axisLines({ zeroMs, fromMs, x }: Scale, endMs: number, top: number, bottom: number): string[] {
  const zero = zeroMs ?? 0;
  const drawnMs = endMs - fromMs;
  const largest = roundMs.at(-1) ?? minuteMs;
  const step = roundMs.find((ms) => drawnMs / ms <= ticksMax) ?? largest * Math.ceil(drawnMs / largest / ticksMax);
  const lines: string[] = [];
  for (let tick = Math.ceil((fromMs - zero) / step); tick * step <= endMs - zero; tick += 1) {
    const at = x(zero + tick * step);
    const isZero = tick === 0;
    const label = isZero ? '0' : `${tick < 0 ? '−' : '+'}${roundText(Math.abs(tick) * step)}`;
    lines.push(
      path(isZero && zeroMs !== null ? 'ink' : 'line', `M${fixed(at)} ${String(top + 5)}V${String(bottom)}`),
      text(at, top, label, isZero ? 'ink' : 'faint', `text-anchor="middle"${isZero ? ' font-weight="600"' : ''}`),
    );
  }
  return lines;
}

/** `30 s`, `12 min`, `3 h`. */
function roundText(ms: number): string {
  if (ms % (60 * minuteMs) === 0) return `${countText(ms / 60 / minuteMs)} h`;
  return ms % minuteMs === 0 ? `${countText(ms / minuteMs)} min` : `${countText(ms / 1000)} s`;
}
