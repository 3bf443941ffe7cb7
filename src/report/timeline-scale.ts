/** Time of the drawn timeline: zero at the first change, and straight, so that lengths compare. */
import { countText } from '../core/quantity-text.ts';
import { msBetween } from './instant-text.ts';
import type { Snapshot } from './snapshot.ts';
import { fixed, path, text } from './timeline-elements.ts';

export const plot = { left: 166, right: 796 } as const;

export interface Scale {
  /** ms since run start of the first change; null = none was seen, and zero is the start. */
  readonly zeroMs: number | null;
  readonly endMs: number;
  readonly x: (ms: number) => number;
}

export function scaleOf({ report, nowMs }: Snapshot): Scale {
  const changes = report.services.flatMap((service) => service.changes.map(({ usedAt }) => usedAt)).toSorted();
  const [first] = changes;
  const endMs = Math.max(1, nowMs);
  const x = (ms: number): number => plot.left + ((plot.right - plot.left) * Math.min(endMs, Math.max(0, ms))) / endMs;
  return { zeroMs: first === undefined ? null : msBetween(report.run.startedAt, first), endMs, x };
}

const ticksMax = 9;
const minuteMs = 60_000;
const roundMs: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((s) => s * 1000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440].map((minutes) => minutes * minuteMs),
];

export function axisLines({ zeroMs, endMs, x }: Scale, top: number, bottom: number): string[] {
  const zero = zeroMs ?? 0;
  const largest = roundMs.at(-1) ?? minuteMs;
  const step = roundMs.find((ms) => endMs / ms <= ticksMax) ?? largest * Math.ceil(endMs / largest / ticksMax);
  const lines: string[] = [];
  for (let tick = Math.ceil(-zero / step); tick * step <= endMs - zero; tick += 1) {
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
