/** Response times of one kind of client, old against new: median and p99 over time, and how they are spread. */
import type uPlot from 'uplot';
import type { PictureLatency } from '../core/picture.ts';
import { countOf } from '../core/quantity-text.ts';
import { msText } from '../report/section.ts';
import { distributionSvg } from './distribution.ts';
import { choice, element } from './dom.ts';
import { latencyAt, latencyData } from './latency-data.ts';
import { colour, lineChart } from './line-chart.ts';
import type { Panel } from './panel.ts';

export interface LatencyOptions {
  readonly service: string;
  readonly clients: readonly string[];
  readonly sides: { readonly old: string; readonly new: string };
  readonly picks: Map<string, string>;
  readonly latency: () => readonly PictureLatency[];
  readonly binMs: () => number;
  readonly zeroMs: () => number;
  readonly onPick: () => void;
}

const sideOrder = ['old', 'new'] as const;
/** A line is drawn over so much emptiness, and no more: a gap is a gap. */
const gapBinsMax = 6;
const gapMsMax = 2500;
/** With fewer pixels for each, points would hide the line. */
const pointPx = 6;

export function latencyPanels(options: LatencyOptions): { readonly panel: Panel; readonly spread: HTMLElement } {
  const { service, clients, sides, picks, binMs, zeroMs } = options;
  const key = `latency ${service}`;
  const client = (): string => picks.get(key) ?? clients[0] ?? '';
  const own = (side: 'old' | 'new'): PictureLatency | undefined =>
    options.latency().find((one) => one.service === service && one.client === client() && one.side === side);
  const spread = element('div', { class: 'spread' });
  const drawSpread = (): void => {
    const all = sideOrder.flatMap((side) => own(side) ?? []);
    // Escaped where it is made: src/page/distribution.ts.
    spread.innerHTML = distributionSvg(all, `How response times of ${client()} are spread, old and new`) ?? '';
  };
  const picker = choice(
    'client',
    clients.map((name) => [name, name]),
    client(),
    (value) => {
      picks.set(key, value);
      options.onPick();
    },
  );
  const seriesOf = (side: 'old' | 'new', isTail: boolean) => ({
    stroke: () => colour(side === 'old' ? 'old-ink' : 'new'),
    width: isTail ? 1.75 : 1,
    dash: side === 'old' ? [5, 3] : [],
    points: {
      show: (self: uPlot, _i: number, first: number, last: number) => (last - first) * pointPx < self.width,
      size: isTail ? 4 : 2,
      fill: () => colour(side === 'old' ? 'paper' : 'new'),
    },
    gaps: (self: uPlot, _i: number, _a: number, _b: number, gaps: [number, number][]) => {
      const most = self.valToPos(Math.max(gapMsMax, gapBinsMax * binMs()), 'x', true) - self.valToPos(0, 'x', true);
      return gaps.filter(([from, to]) => to - from > most);
    },
  });
  const panel = lineChart({
    name: 'Response times: median and p99',
    heightPx: 190,
    of: { service, client: '', resolver: null },
    series: [seriesOf('old', false), seriesOf('old', true), seriesOf('new', false), seriesOf('new', true)],
    yScale: { distr: 3, log: 10 },
    yText: (value) => `${String(value)} ms`,
    zeroMs,
    data: () => {
      drawSpread();
      const { atMs, oldP50, oldP99, newP50, newP99 } = latencyData(own('old'), own('new'), binMs());
      return [atMs, oldP50, oldP99, newP50, newP99];
    },
    at: (ms) =>
      sideOrder.flatMap((side) => {
        const bin = latencyAt(own(side), binMs(), ms);
        if (bin === undefined) return [`${sides[side]}: no good answer`];
        const [, count, p50, p99, max] = bin;
        return [
          `${sides[side]}: median ${msText(p50)}, p99 ${msText(p99)}, longest ${msText(max)} ms (${countOf(count, 'answer')})`,
        ];
      }),
    beside: [picker],
  });
  return { panel, spread };
}
