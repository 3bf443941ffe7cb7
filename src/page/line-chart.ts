/** Lines over the shared time, drawn by uPlot; pointing, zooming and telling are the page's own, as for every other row. */
import uPlot from 'uplot';
import { element } from './dom.ts';
import type { Panel } from './panel.ts';
import type { Range } from './range.ts';
import { ticksOf } from './time-text.ts';

export interface LineChartOptions {
  readonly name: string;
  readonly heightPx: number;
  readonly of: Panel['of'];
  readonly series: readonly uPlot.Series[];
  readonly bands?: readonly uPlot.Band[];
  readonly yScale: uPlot.Scale;
  readonly zeroMs: () => number;
  readonly yText: (value: number) => string;
  readonly data: () => uPlot.AlignedData;
  readonly at: (ms: number, range: Range) => readonly string[];
  /** Beside the name: choices, words. */
  readonly beside: readonly Node[];
}

const tickPx = 110;
/** Of the left axis where names stand above the charts. */
const narrowAxisPx = 52;

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function lineChart(options: LineChartOptions): Panel {
  const { name, heightPx, of, series, bands, yScale, zeroMs, yText, data, at, beside } = options;
  const holder = element('div', { class: 'lines', role: 'img', 'aria-label': name });
  const label = element('div', { class: 'label' }, element('span', { class: 'name' }, name), ...beside);
  const row = element('div', { class: 'row chart' }, label, holder);
  let range: Range = { fromMs: 0, toMs: 1 };
  const line = { stroke: () => colour('line'), width: 1 };
  const font = '11px system-ui, sans-serif';
  const plot = new uPlot(
    {
      width: 600,
      height: heightPx,
      padding: [8, 0, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false, range: () => [range.fromMs, range.toMs] }, y: yScale },
      axes: [
        {
          size: 24,
          gap: 2,
          font,
          stroke: () => colour('faint'),
          grid: line,
          ticks: line,
          splits: (self) => ticksOf(range, zeroMs(), self.width / tickPx).map(({ atMs }) => atMs),
          values: (self) => ticksOf(range, zeroMs(), self.width / tickPx).map(({ text }) => text),
        },
        {
          size: () => gutterOf(row),
          gap: 4,
          font,
          stroke: () => colour('faint'),
          grid: line,
          ticks: { show: false },
          values: (_self, splits) => splits.map((value) => (value === null ? '' : yText(value))),
        },
      ],
      series: [{}, ...series],
      ...(bands === undefined ? {} : { bands: [...bands] }),
    },
    data(),
    holder,
  );
  plot.over.classList.add('plot');
  return {
    plot: plot.over,
    row,
    label: name,
    of,
    draw: (next) => {
      range = next;
      plot.batch(() => {
        plot.setSize({ width: Math.max(200, row.clientWidth), height: heightPx });
        plot.setData(data());
      });
    },
    at: (ms, now) => [name, ...at(ms, now)],
  };
}

/** As wide as the names of rows, so that one instant is at one place in all of them. */
function gutterOf(row: HTMLElement): number {
  const columns = getComputedStyle(row).gridTemplateColumns.split(' ');
  return columns.length > 1 ? Number.parseFloat(columns[0] ?? '') : narrowAxisPx;
}
