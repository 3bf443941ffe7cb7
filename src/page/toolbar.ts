/** Above the charts: what is shown of the time, and of whom. */
import type { Charts } from '../report/charts.ts';
import { button, choice, element } from './dom.ts';
import { lengthOf, moved, zoomed, type Range } from './range.ts';
import { clockText, offsetText } from './time-text.ts';
import type { Filter, View } from './view.ts';

export interface ToolbarOptions {
  readonly charts: Charts;
  readonly view: View;
  readonly range: () => Range;
  readonly whole: () => Range;
  readonly zeroMs: () => number;
  readonly look: (range: Range | null) => void;
  readonly lookAtChange: () => void;
  readonly onFilter: () => void;
}

export interface Toolbar {
  readonly element: HTMLElement;
  readonly refresh: () => void;
}

export function toolbar(options: ToolbarOptions): Toolbar {
  const { charts, view, range, whole, zeroMs, look, lookAtChange, onFilter } = options;
  const shown = element('output', { class: 'shown' });
  const middle = (): number => view.cursorMs ?? (range().fromMs + range().toMs) / 2;
  const zoom = (factor: number): void => look(zoomed(range(), whole(), factor, middle()));
  const move = (share: number): void => look(moved(range(), whole(), lengthOf(range()) * share));
  const filter = (key: keyof Filter, all: string, names: readonly (string | null)[]): HTMLElement => {
    const known = [...new Set(names.filter((name) => name !== null))];
    const pick = choice(key, [['', all], ...known.map((name) => [name, name] as const)], view.filter[key], (value) => {
      view.filter = { ...view.filter, [key]: value };
      onFilter();
    });
    pick.hidden = known.length < 2;
    return pick;
  };
  const made = element(
    'div',
    { class: 'toolbar', role: 'toolbar', 'aria-label': 'What the charts show' },
    element(
      'span',
      { class: 'buttons' },
      button('whole run', 'Show the whole run', () => look(null)),
      button('the change', 'Show the change and the trouble after it', lookAtChange),
      button('−', 'Zoom out', () => zoom(2)),
      button('+', 'Zoom in', () => zoom(0.5)),
      button('◂', 'Earlier', () => move(-0.5)),
      button('▸', 'Later', () => move(0.5)),
    ),
    filter(
      'service',
      'all services',
      charts.services.map(({ name }) => name),
    ),
    filter(
      'client',
      'all clients',
      charts.lanes.map(({ client }) => client),
    ),
    filter(
      'resolver',
      'all resolvers',
      charts.lanes.map(({ resolver }) => resolver),
    ),
    shown,
  );
  return {
    element: made,
    refresh: () => {
      const { fromMs, toMs } = range();
      const say = (ms: number): string => offsetText(Math.round((ms - zeroMs()) / 100) * 100);
      const clock = (ms: number): string => clockText(charts.startedAtMs, ms).slice(0, 8);
      shown.textContent = `${say(fromMs)} to ${say(toMs)} (${clock(fromMs)} to ${clock(toMs)} UTC)`;
    },
  };
}
