/**
 * How numbers are said to people, the same way in every reason and every report. A lower bound is rounded down and an
 * upper bound up, so that a sentence never claims a narrower interval than was measured.
 */
import type { Interval } from './analysis.ts';

export type Rounding = 'down' | 'nearest' | 'up';

/** `430 ms`, `18.5 s`, `12 min 3 s`, `2 h 5 min`. */
export function durationText(ms: number, rounding: Rounding = 'nearest'): string {
  if (ms < 1000) {
    const whole = round(ms, 1, rounding);
    if (whole === 0) return '0 s';
    if (whole < 1000) return `${String(whole)} ms`;
  }
  const tenths = round(ms, 100, rounding);
  if (tenths < 600_000) return `${plain(tenths / 1000)} s`;
  const wholeS = round(ms, 1000, rounding) / 1000;
  if (wholeS < 7200) return pair(wholeS, 60, ['min', 's']);
  return pair(round(ms, 60_000, rounding) / 60_000, 60, ['h', 'min']);
}

/** `between 18.5 s and 19.5 s`, `at most 500 ms`, `18.5 s`. */
export function durationBoundsText(bounds: Interval): string {
  return boundsText(bounds, durationText);
}

/** `1,234`. */
export function countText(count: number): string {
  return plain(count);
}

/** `1 lane`, `1,234 lanes`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** `0.1 %`; three significant digits. */
export function ratioText(ratio: number, rounding: Rounding = 'nearest'): string {
  if (ratio === 0) return '0 %';
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(ratio) * 100)) - 2);
  return `${plain(Number(round(ratio * 100, unit, rounding).toPrecision(6)))} %`;
}

export function boundsText(bounds: Interval, say: (value: number, rounding?: Rounding) => string): string {
  if (bounds.min === bounds.max) return say(bounds.min);
  const [low, high] = [say(bounds.min, 'down'), say(bounds.max, 'up')];
  if (bounds.min === 0) return `at most ${high}`;
  return low === high ? low : `between ${low} and ${high}`;
}

/** `a, b and c`. */
export function listText(items: readonly string[]): string {
  if (items.length <= 1) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

/** A thousandth of the unit is forgiven, so that what floating point adds does not push a bound to the next step. */
function round(value: number, unit: number, rounding: Rounding): number {
  const units = value / unit;
  if (rounding === 'down') return Math.floor(units + 0.001) * unit;
  if (rounding === 'up') return Math.ceil(units - 0.001) * unit;
  return Math.round(units) * unit;
}

function pair(count: number, base: number, [large, small]: readonly [string, string]): string {
  const rest = count % base;
  const whole = `${countText((count - rest) / base)} ${large}`;
  return rest === 0 ? whole : `${whole} ${String(rest)} ${small}`;
}

/** Own grouping of thousands: what Intl prints may change with the ICU data of a Node version, and with it a report's bytes. */
function plain(value: number): string {
  const [whole = '', fraction] = String(value).split('.');
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
