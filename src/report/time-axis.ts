/** Time since a change, drawn so that its first seconds and its last hour can both be read: by its logarithm, nearly. */
import { durationText } from '../core/quantity-text.ts';

/** A twentieth of the whole has a fifth of the width. */
const straightPart = 1 / 20;

/** From 0 to 1. */
export function timePosition(atMs: number, untilMs: number): number {
  return Math.log1p(atMs / (straightPart * untilMs)) / Math.log1p(1 / straightPart);
}

/** The instant at a position. */
export function timeAt(position: number, untilMs: number): number {
  return straightPart * untilMs * Math.expm1(position * Math.log1p(1 / straightPart));
}

export interface Tick {
  readonly position: number;
  readonly text: string;
}

const roundS: readonly number[] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800];
const hourS = 3600;
const roundMs: readonly number[] = [
  100,
  200,
  500,
  ...roundS.map((s) => s * 1000),
  ...[1, 2, 5, 10, 20, 50, 100, 200].map((hours) => hours * hourS * 1000),
];
/** Of the width, from one to the next. */
const apart = 0.17;

/** Round times, as many as have room; the first is 0. */
export function timeTicks(untilMs: number): readonly Tick[] {
  const ticks: Tick[] = [{ position: 0, text: '0' }];
  for (const ms of roundMs) {
    const position = timePosition(ms, untilMs);
    if (position > 1 - apart / 3) break;
    if (position - (ticks.at(-1)?.position ?? 0) >= apart) ticks.push({ position, text: durationText(ms) });
  }
  return ticks;
}
