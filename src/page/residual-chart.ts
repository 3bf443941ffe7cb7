/** Who was still on the side left: what was seen, what may have been, and what was to be expected. */
import uPlot from 'uplot';
import { countOf, ratioText } from '../core/quantity-text.ts';
import type { ChartResidual } from '../report/charts.ts';
import { choice, element } from './dom.ts';
import { colour, lineChart } from './line-chart.ts';
import type { Panel } from './panel.ts';

export interface ResidualOptions {
  readonly service: string;
  readonly picks: Map<string, string>;
  readonly curves: () => readonly ChartResidual[];
  readonly zeroMs: () => number;
  readonly onPick: () => void;
}

export function residualPanel({ service, picks, curves, zeroMs, onPick }: ResidualOptions): Panel {
  const key = `residual ${service}`;
  const names = curves().map(({ name }, i) => [String(i), nameOf(curves(), name, i)] as const);
  const picked = (): ChartResidual | undefined => curves()[Number(picks.get(key) ?? 0)] ?? curves()[0];
  const why = element('p', { class: 'note' });
  const picker = choice('who', names, picks.get(key) ?? '0', (value) => {
    picks.set(key, value);
    onPick();
  });
  return lineChart({
    name: `Still on ${picked()?.title ?? 'the side left'}`,
    heightPx: 150,
    of: { service, client: '', resolver: null },
    series: [
      {
        stroke: () => colour('old-ink'),
        width: 1.75,
        fill: () => colour('old-wash'),
        paths: stepped,
        points: { show: false },
      },
      { stroke: () => colour('old-ink'), width: 0.5, paths: stepped, points: { show: false } },
      { stroke: () => colour('theory'), width: 1.75, dash: [6, 4], points: { show: false } },
    ],
    bands: [{ series: [2, 1], fill: () => colour('old-faint') }],
    yScale: { range: () => [0, 1.04] },
    yText: (value) => ratioText(value),
    zeroMs,
    data: () => {
      const curve = picked();
      why.textContent = curve === undefined ? '' : `in theory: ${curve.theoryWhy}`;
      return dataOf(curve);
    },
    at: (ms) => {
      const curve = picked();
      const point = curve?.points.find(
        ([afterMs, untilMs]) => ms - curve.fromMs >= afterMs && ms - curve.fromMs < untilMs,
      );
      if (curve === undefined || point === undefined) return ['nobody was there any more, or it was not watched'];
      const [, , min, max, theory, count] = point;
      return [
        `${curve.name}: ${ratioText(min)}${max > min ? ` to ${ratioText(max)}` : ''} of ${countOf(count, 'request')}`,
        theory === null ? 'theory: not known' : `in theory ${ratioText(theory)}`,
      ];
    },
    beside: [picker, why],
  });
}

/** From its own instant on, until the next: as bounds of stretches are. */
function stepped(
  ...args: Parameters<NonNullable<uPlot.Series['paths']>>
): ReturnType<NonNullable<uPlot.Series['paths']>> {
  const make = uPlot.paths.stepped?.({ align: 1 });
  return make === undefined ? null : make(...args);
}

function dataOf(curve: ChartResidual | undefined): uPlot.AlignedData {
  const [x, seen, most, theory]: [number[], (number | null)[], (number | null)[], (number | null)[]] = [[], [], [], []];
  const { points = [], fromMs = 0 } = curve ?? {};
  points.forEach(([afterMs, untilMs, min, max, theoryRatio], i) => {
    x.push(fromMs + afterMs);
    seen.push(min);
    most.push(max);
    theory.push(theoryRatio);
    const next = points[i + 1];
    if (next !== undefined && next[0] <= untilMs) return;
    // Where it ends nothing more is known, but of the last stretch the end is drawn.
    const isLast = next === undefined;
    x.push(fromMs + untilMs);
    seen.push(isLast ? min : null);
    most.push(isLast ? max : null);
    theory.push(isLast ? theoryRatio : null);
  });
  return [x, seen, most, theory];
}

/** After a rollback a client has two curves. */
function nameOf(curves: readonly ChartResidual[], name: string, i: number): string {
  const isTwice = curves.some((other, j) => j !== i && other.name === name);
  return isTwice ? `${name}, leaving ${curves[i]?.title ?? ''}` : name;
}
