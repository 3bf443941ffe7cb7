/**
 * A residual curve as a drawing without script: steps are what was seen, the band what may have been, the dashed line what
 * was to be expected. Line, area and dashes tell them apart without colour.
 */
import { markupText } from './escape.ts';
import type { Curve } from './section.ts';
import { timePosition, timeTicks } from './time-axis.ts';

const width = 320;
const height = 62;
const plot = { left: 34, right: 317, top: 4, bottom: 44 } as const;
/** However few there were, they are seen. */
const leastHeight = 2;

export function curveSvg({ steps, untilMs, lastMs, label }: Curve): string {
  const x = (ms: number): number => plot.left + (plot.right - plot.left) * timePosition(Math.min(ms, untilMs), untilMs);
  const y = (ratio: number): number => {
    const full = plot.bottom - plot.top;
    return plot.bottom - (ratio === 0 ? 0 : Math.max(leastHeight, ratio * full));
  };
  // All areas of one kind are one path: a report has hundreds of curves.
  const area = (
    name: string,
    boundsOf: (step: Curve['steps'][number]) => readonly [low: number, high: number],
  ): string => {
    const pieces = steps.flatMap((step) => {
      const [low, high] = boundsOf(step);
      if (high === low) return [];
      const w = fixed(x(step.toMs) - x(step.fromMs));
      return [`M${point(x(step.fromMs), y(high))}h${w}v${fixed(y(low) - y(high))}h-${w}z`];
    });
    return pieces.length === 0 ? '' : `<path class="${name}" d="${pieces.join('')}"/>`;
  };
  const areas = [area('c-seen', ({ min }) => [0, min]), area('c-unseen', ({ min, max }) => [min, max])];
  const outline = steps.map(({ fromMs, toMs, min }, i) => {
    const isJoined = steps[i - 1]?.toMs === fromMs;
    return `${isJoined ? 'L' : 'M'}${point(x(fromMs), y(min))}L${point(x(toMs), y(min))}`;
  });
  const expected = steps.flatMap(({ fromMs, toMs, theory }) =>
    theory === null ? [] : [point(x((fromMs + toMs) / 2), y(theory))],
  );
  const [first] = steps;
  const begin = first === undefined || first.theory === null ? [] : [point(x(first.fromMs), y(first.theory))];
  const ticks = timeTicks(untilMs).map(({ position, text }) => {
    const at = fixed(plot.left + (plot.right - plot.left) * position);
    const anchor = position === 0 ? 'start' : 'middle';
    return `<path class="c-axis" d="M${at} ${String(plot.bottom)}v3"/><text class="c-tick" x="${at}" y="${String(height - 3)}" text-anchor="${anchor}">${markupText(text)}</text>`;
  });
  const shares = [
    [1, '100 %'],
    [0.5, '50 %'],
    [0, '0 %'],
  ] as const;
  const levels = shares.map(
    ([ratio, text]) =>
      `<text class="c-tick" x="${String(plot.left - 4)}" y="${fixed(y(ratio) + 3)}" text-anchor="end">${text}</text>`,
  );
  const last =
    lastMs === null ? '' : `<circle class="c-last" cx="${fixed(x(lastMs))}" cy="${String(plot.bottom)}" r="2.5"/>`;
  return [
    `<svg class="curve" viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-label="${markupText(label)}">`,
    ...areas,
    `<path class="c-axis" d="M${String(plot.left)} ${String(plot.bottom)}H${String(plot.right)}"/>`,
    ...ticks,
    ...levels,
    expected.length === 0 ? '' : `<path class="c-theory" d="M${[...begin, ...expected].join('L')}"/>`,
    `<path class="c-steps" d="${outline.join('')}"/>`,
    last,
    '</svg>',
  ].join('');
}

function point(x: number, y: number): string {
  return `${fixed(x)} ${fixed(y)}`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
