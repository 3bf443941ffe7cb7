/** Time on a chart: counted from the cutover, and by the clock. */
import { countText, durationText } from '../core/quantity-text.ts';
import { lengthOf, positionIn, type Range } from './range.ts';

const roundMs: readonly number[] = [
  10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
];

export interface Tick {
  /** From 0 to 1. */
  readonly position: number;
  readonly atMs: number;
  readonly text: string;
}

/** At round times before and after `zeroMs`, as many as have room. */
export function ticksOf(range: Range, zeroMs: number, countMax: number): readonly Tick[] {
  const leastStepMs = lengthOf(range) / Math.max(1, countMax);
  const stepMs = roundMs.find((ms) => ms >= leastStepMs) ?? Math.ceil(leastStepMs / 86_400_000) * 86_400_000;
  const first = Math.ceil((range.fromMs - zeroMs) / stepMs);
  const last = Math.floor((range.toMs - zeroMs) / stepMs);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const offsetMs = (first + i) * stepMs;
    const atMs = zeroMs + offsetMs;
    // One unit for all: `+1 min` between `+50 s` and `+70 s` is hard to read.
    const text = stepMs % 60_000 === 0 ? offsetText(offsetMs) : plainOffsetText(offsetMs);
    return { position: positionIn(range, atMs), atMs, text };
  });
}

/** `0`, `+2.5 s`, `−3 min`, `+1 h 30 min`. */
export function offsetText(ms: number): string {
  const wholeMs = Math.round(Math.abs(ms));
  if (wholeMs < 60_000 || wholeMs >= 7_200_000 || wholeMs % 60_000 !== 0) return plainOffsetText(ms);
  return `${signOf(ms)}${countText(wholeMs / 60_000)} min`;
}

function plainOffsetText(ms: number): string {
  return Math.round(ms) === 0 ? '0' : `${signOf(ms)}${durationText(Math.abs(ms))}`;
}

function signOf(ms: number): string {
  return ms < 0 ? '−' : '+';
}

/** `08:30:08.673`. */
export function clockText(startedAtMs: number, atMs: number): string {
  return new Date(startedAtMs + Math.round(atMs)).toISOString().slice(11, 23);
}
