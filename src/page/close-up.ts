/** A stretch with failures in it, every probe a mark: round is good, a cross failed, a dash was not seen. */
import type { CloseUp, Dot } from '../core/picture.ts';
import { fixed, svgOf } from './drawing.ts';
import type { Range } from './range.ts';
import { positionIn } from './range.ts';

export const dotHeight = 22;
const radius = 3;

export function rangeOf({ fromMs, toMs }: CloseUp): Range {
  const marginMs = Math.max(50, (toMs - fromMs) * 0.02);
  return { fromMs: fromMs - marginMs, toMs: toMs + marginMs };
}

/** Marks of one kind are one path: `good` of either side, `failed`, `unseen`. */
export function dotsSvg(dots: readonly Dot[], range: Range, width: number, label: string): string {
  const paths = new Map<string, string>();
  const y = dotHeight / 2;
  for (const [dueMs, , result, side] of dots) {
    const x = positionIn(range, dueMs) * width;
    const kind = result === 'good' ? `d-${side}` : isUnseen(result) ? 'd-unseen' : 'd-failed';
    paths.set(kind, `${paths.get(kind) ?? ''}${shapeOf(kind, x, y)}`);
  }
  const content = [...paths].map(([kind, path]) => `<path class="dot ${kind}" d="${path}"/>`).join('');
  return svgOf(content, width, dotHeight, label);
}

export function isUnseen(result: Dot[2]): boolean {
  return result === 'dropped' || result === 'blind' || result === 'blocked' || result === 'pending';
}

function shapeOf(kind: string, x: number, y: number): string {
  const r = String(radius);
  if (kind === 'd-failed') {
    const [left, right] = [fixed(x - radius), fixed(x + radius)];
    return `M${left} ${fixed(y - radius)}L${right} ${fixed(y + radius)}M${right} ${fixed(y - radius)}L${left} ${fixed(y + radius)}`;
  }
  if (kind === 'd-unseen') return `M${fixed(x - radius)} ${fixed(y)}h${fixed(2 * radius)}`;
  const d = fixed(2 * radius);
  return `M${fixed(x - radius)} ${fixed(y)}a${r} ${r} 0 1 0 ${d} 0a${r} ${r} 0 1 0 -${d} 0`;
}

/** The one due nearest; null = there is none. */
export function nearestDot(dots: readonly Dot[], atMs: number): Dot | null {
  return dots.reduce<Dot | null>(
    (best, dot) => (best === null || Math.abs(dot[0] - atMs) < Math.abs(best[0] - atMs) ? dot : best),
    null,
  );
}
