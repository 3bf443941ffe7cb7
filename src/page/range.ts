/** The stretch of time that is looked at, and how it is moved. Instants are ms since run start. */

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Shorter than this nothing more is to be seen. */
const leastMs = 200;

export function lengthOf({ fromMs, toMs }: Range): number {
  return toMs - fromMs;
}

/** From 0 to 1 within it, less or more outside. */
export function positionIn(range: Range, atMs: number): number {
  return (atMs - range.fromMs) / lengthOf(range);
}

export function instantAt(range: Range, position: number): number {
  return range.fromMs + position * lengthOf(range);
}

/** `factor` below 1 comes nearer; what is at `aroundMs` stays where it is. */
export function zoomed(range: Range, whole: Range, factor: number, aroundMs: number): Range {
  const position = Math.min(1, Math.max(0, positionIn(range, aroundMs)));
  const length = Math.min(lengthOf(whole), Math.max(leastMs, lengthOf(range) * factor));
  const fromMs = aroundMs - position * length;
  return within({ fromMs, toMs: fromMs + length }, whole);
}

export function moved(range: Range, whole: Range, byMs: number): Range {
  return within({ fromMs: range.fromMs + byMs, toMs: range.toMs + byMs }, whole);
}

/** Between two instants, in whichever order they were picked. */
export function between(whole: Range, aMs: number, bMs: number): Range {
  const [fromMs, toMs] = aMs < bMs ? [aMs, bMs] : [bMs, aMs];
  const middleMs = (fromMs + toMs) / 2;
  const half = Math.max(leastMs, toMs - fromMs) / 2;
  return within({ fromMs: middleMs - half, toMs: middleMs + half }, whole);
}

/** Moved so that it lies in the whole, and no longer than that. */
export function within(range: Range, whole: Range): Range {
  const length = Math.min(lengthOf(range), lengthOf(whole));
  const fromMs = Math.min(Math.max(range.fromMs, whole.fromMs), whole.toMs - length);
  return { fromMs, toMs: fromMs + length };
}
