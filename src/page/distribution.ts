/** How response times are spread, old against new: outlines over the logarithm of the time, each scaled to its own most. */
import type { PictureLatency } from '../core/picture.ts';
import { durationText } from '../core/quantity-text.ts';
import { markupText } from '../report/escape.ts';
import { fixed } from './drawing.ts';

type Distribution = PictureLatency['distribution'];

export const distributionSize = { width: 420, height: 150 } as const;
const plot = { left: 6, right: 414, top: 8, bottom: 126 } as const;
const roundMs = [0.1, 1, 10, 100, 1000, 10_000].flatMap((unit) =>
  [1, 1.5, 2, 3, 4, 5, 7].map((n) => Math.round(n * unit * 100) / 100),
);

/** null = there is nothing to draw. */
export function distributionSvg(
  sides: readonly { readonly side: 'old' | 'new'; readonly distribution: Distribution }[],
  label: string,
): string | null {
  const all = sides.flatMap(({ distribution }) => distribution);
  if (all.length === 0) return null;
  const leastMs = Math.max(0.05, Math.min(...all.map(([fromMs]) => Math.max(0.05, fromMs))));
  const mostMs = Math.max(leastMs * 1.5, ...all.map(([, toMs]) => toMs));
  const x = (ms: number): number =>
    plot.left + ((plot.right - plot.left) * Math.log(Math.max(ms, leastMs) / leastMs)) / Math.log(mostMs / leastMs);
  const outlines = sides.map(({ side, distribution }) => {
    const density = ([fromMs, toMs, count]: Distribution[number]): number => count / Math.max(1, x(toMs) - x(fromMs));
    const most = Math.max(...distribution.map(density));
    const steps = distribution.map((bin, i) => {
      const y = plot.bottom - ((plot.bottom - plot.top) * density(bin)) / most;
      const isEnd = distribution[i + 1]?.[0] !== bin[1];
      return `H${fixed(x(bin[0]))}V${fixed(y)}H${fixed(x(bin[1]))}${isEnd ? `V${String(plot.bottom)}` : ''}`;
    });
    const [first] = distribution;
    if (first === undefined) return '';
    const d = `M${fixed(x(first[0]))} ${String(plot.bottom)}${steps.join('')}`;
    return `<path class="h-${side}" d="${d}"/>`;
  });
  const ticks = roundMs
    .filter((ms) => ms >= leastMs && ms <= mostMs)
    .filter((_, i, some) => i % Math.ceil(some.length / 6) === 0)
    .map((ms) => {
      const at = fixed(x(ms));
      const text = ms < 1 ? `${String(ms)} ms` : durationText(ms);
      return `<path class="c-axis" d="M${at} ${String(plot.bottom)}v4"/><text class="c-tick" x="${at}" y="${String(plot.bottom + 16)}" text-anchor="middle">${text}</text>`;
    });
  return [
    `<svg class="distribution" viewBox="0 0 ${String(distributionSize.width)} ${String(distributionSize.height)}" role="img" aria-label="${markupText(label)}">`,
    ...outlines,
    `<path class="c-axis" d="M${String(plot.left)} ${String(plot.bottom)}H${String(plot.right)}"/>`,
    ...ticks,
    '</svg>',
  ].join('');
}
