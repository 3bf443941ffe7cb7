/** Rows of the timeline: a name, and a strip on the shared time. */
import type { PictureResolver } from '../core/picture.ts';
import { countText, ratioText } from '../core/quantity-text.ts';
import type { ChartLane, ChartService } from '../report/charts.ts';
import { classWords } from '../report/words.ts';
import type { FailureClass } from '../core/analysis.ts';
import { countsBetween, totalOf } from './columns.ts';
import { element } from './dom.ts';
import { failureHeight, failuresByBin, failureStripSvg } from './failure-strip.ts';
import { laneHeight, laneStripSvg } from './lane-strip.ts';
import type { Panel } from './panel.ts';
import { lengthOf, type Range } from './range.ts';
import { stateStripSvg, textsAt, type StateSpan } from './state-strip.ts';

/** Pixels of a hover: what lies under them is told together. */
const hoverWidth = 3;

export interface RowOptions {
  readonly name: string;
  /** Read again when there is something new, for the numbers grow. */
  readonly note?: () => string;
  readonly height: number;
  readonly of?: Panel['of'];
  readonly svg: (range: Range, width: number) => string;
  readonly at: (ms: number, range: Range) => readonly string[];
}

export function rowOf({ name, note = () => '', height, of = null, svg, at }: RowOptions): Panel {
  const plot = element('div', { class: 'plot' });
  plot.style.height = `${String(height)}px`;
  const noteElement = element('span', { class: 'note' }, note());
  const label = element('div', { class: 'label' }, element('span', { class: 'name' }, name), noteElement);
  const drawing = element('div', { class: 'drawing' });
  plot.append(drawing);
  return {
    plot,
    row: element('div', { class: 'row' }, label, plot),
    label: name,
    of,
    draw: (range) => {
      // Escaped where it is made: src/page/drawing.ts.
      drawing.innerHTML = svg(range, Math.max(50, plot.clientWidth));
    },
    refresh: () => {
      noteElement.textContent = note();
    },
    at: (ms, range) => [name, ...at(ms, range)],
  };
}

export interface LaneRowOptions {
  readonly name: string;
  readonly note: () => string;
  readonly of: Panel['of'];
  readonly sides: { readonly old: string; readonly new: string };
  /** Read at each drawing, for the numbers grow. */
  readonly lanes: () => readonly ChartLane[];
  readonly binMs: () => number;
}

export function laneRow({ name, note, of, sides, lanes, binMs }: LaneRowOptions): Panel {
  return rowOf({
    name,
    note,
    height: laneHeight,
    of,
    svg: (range, width) =>
      laneStripSvg(
        { lanes: lanes(), binMs: binMs() },
        range,
        width,
        laneText(sides, lanes(), binMs(), range).join(', '),
      ),
    at: (ms, range) => laneText(sides, lanes(), binMs(), hoverRange(ms, range)),
  });
}

function hoverRange(ms: number, range: Range): Range {
  const half = (lengthOf(range) / 1000) * hoverWidth;
  return { fromMs: ms - half, toMs: ms + half };
}

function laneText(
  sides: LaneRowOptions['sides'],
  lanes: readonly ChartLane[],
  binMs: number,
  range: Range,
): readonly string[] {
  const counts = countsBetween(lanes, binMs, range);
  const total = totalOf(counts);
  if (total === 0) return ['nothing was due'];
  const say = (count: number, what: string): string[] =>
    count === 0 ? [] : [`${what}: ${countText(count)} (${ratioText(count / total)})`];
  const classes = new Map<FailureClass, number>();
  for (const { failures } of lanes) {
    for (const [bin, failure, , count] of failures) {
      if ((bin + 1) * binMs > range.fromMs && bin * binMs < range.toMs) {
        classes.set(failure, (classes.get(failure) ?? 0) + count);
      }
    }
  }
  return [
    ...say(counts.failedCount, 'FAILED'),
    ...[...classes].map(([failure, count]) => `  ${classWords[failure]} × ${countText(count)}`),
    ...say(counts.oldCount, `good from ${sides.old}`),
    ...say(counts.newCount, `good from ${sides.new}`),
    ...say(counts.otherCount, 'good, side not known'),
    ...say(counts.unseenCount, 'not seen'),
  ];
}

export function failureRow(
  failure: FailureClass,
  service: string,
  lanes: () => readonly ChartLane[],
  binMs: () => number,
): Panel {
  const own = () => failuresByBin(lanes().flatMap(({ failures }) => failures.filter(([, one]) => one === failure)));
  const total = (): string => countText(own().reduce((sum, [, count]) => sum + count, 0));
  return rowOf({
    name: classWords[failure],
    note: () => `× ${total()}`,
    height: failureHeight,
    of: { service, client: '', resolver: null },
    svg: (range, width) => failureStripSvg(own(), binMs(), range, width, `${classWords[failure]}: ${total()}`),
    at: (ms, range) => {
      const { fromMs, toMs } = hoverRange(ms, range);
      const count = own()
        .filter(([bin]) => (bin + 1) * binMs() > fromMs && bin * binMs() < toMs)
        .reduce((sum, [, one]) => sum + one, 0);
      return [`${countText(count)} failed so`];
    },
  });
}

export interface StateRowOptions {
  readonly name: string;
  readonly note?: string;
  readonly of?: Panel['of'];
  readonly isNamed?: boolean;
  readonly spans: () => readonly StateSpan[];
}

export function stateRow({ name, note = '', of = null, isNamed = false, spans }: StateRowOptions): Panel {
  return rowOf({
    name,
    note: () => note,
    height: isNamed ? 22 : 16,
    of,
    svg: (range, width) =>
      stateStripSvg(spans(), range, width, {
        height: isNamed ? 22 : 16,
        label: `${name}: ${[...new Set(spans().map(({ text }) => text))].slice(0, 12).join(', ')}`,
        isNamed,
      }),
    at: (ms, range) => {
      const texts = textsAt(spans(), hoverRange(ms, range));
      return texts.length === 0 ? ['nothing known'] : texts;
    },
  });
}

export function phaseSpans({ phases }: ChartService): readonly StateSpan[] {
  return phases.map(({ fromMs, toMs, text }) => ({ fromMs, toMs, text, className: `p-${text}` }));
}

const resolverText: Readonly<Record<PictureResolver['states'][number]['state'], string>> = {
  old: 'names the old side',
  new: 'names the new side',
  unknown: 'names neither side',
  conflict: 'addresses that both sides have',
  mixed: 'names both sides',
  failed: 'no answer, or an error',
};

export function resolverSpans({ states }: PictureResolver): readonly StateSpan[] {
  return states.map(({ state, fromMs, toMs, ttlS }) => {
    const ttl =
      ttlS === null ? '' : ttlS[0] === ttlS[1] ? `, TTL ${String(ttlS[0])} s` : `, TTL ${ttlS.join(' to ')} s`;
    return { fromMs, toMs, className: `r-${state}`, text: `${resolverText[state]}${ttl}` };
  });
}
