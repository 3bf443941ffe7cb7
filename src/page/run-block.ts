/** What is not of one service: events, targets of load balancers, and when the prober itself was blind. */
import type { Charts, ChartTarget } from '../report/charts.ts';
import { countOf } from '../core/quantity-text.ts';
import { element } from './dom.ts';
import type { Panel } from './panel.ts';
import { stateRow } from './rows.ts';
import type { StateSpan } from './state-strip.ts';
import { clockText, offsetText } from './time-text.ts';

/** A target that was healthy all the time has nothing to show. */
const targetsMax = 60;

/** More than these, and the list opens when asked. */
const eventsShownMax = 8;

export function runBlock(
  charts: () => Charts,
  zeroMs: () => number,
): {
  readonly element: HTMLElement;
  readonly panels: readonly Panel[];
} {
  const strip = stateRow({ name: 'Events', spans: () => eventSpans(charts()) });
  const list = eventList(charts, zeroMs);
  const events: Panel = { ...strip, refresh: list.refresh };
  const panels: Panel[] = [events];
  if (charts().blindSpots.length > 0) {
    panels.push(
      stateRow({
        name: 'The prober was blind',
        spans: () => charts().blindSpots.map((spot) => ({ ...spot, className: 's-down' })),
      }),
    );
  }
  const moved = charts().targets.filter(({ stretches }) => stretches.length > 1);
  const targets = moved.slice(0, targetsMax).map(({ name }) =>
    stateRow({
      name,
      isNamed: true,
      spans: () => targetSpans(charts().targets.find((target) => target.name === name)),
    }),
  );
  const block = element('div', { class: 'block run-block' }, ...panels.map(({ row }) => row), list.element);
  if (targets.length > 0) {
    const more = moved.length > targetsMax ? `, the first ${String(targetsMax)} of ${String(moved.length)}` : '';
    block.append(
      element(
        'details',
        { class: 'targets', open: '' },
        element('summary', {}, `Targets of load balancers that changed${more}`),
        ...targets.map(({ row }) => row),
      ),
    );
  }
  return { element: block, panels: [...panels, ...targets] };
}

function eventList(
  charts: () => Charts,
  zeroMs: () => number,
): { readonly element: HTMLElement; readonly refresh: () => void } {
  const summary = element('summary', { class: 'note' });
  const items = element('ol', { class: 'events' });
  const list = element('details', {}, summary, items);
  let shown = '';
  const refresh = (): void => {
    const { events } = charts();
    const wanted = JSON.stringify([events, zeroMs()]);
    if (wanted === shown) return;
    if (shown === '') list.open = events.length <= eventsShownMax;
    shown = wanted;
    summary.textContent = countOf(events.length, 'event');
    items.replaceChildren(...eventItems(charts(), zeroMs()));
  };
  refresh();
  return { element: list, refresh };
}

function eventItems({ events, startedAtMs }: Charts, zeroMs: number): readonly HTMLElement[] {
  return events.map(({ fromMs, text }) =>
    element(
      'li',
      {},
      element('span', { class: 'when' }, offsetText(Math.round(fromMs - zeroMs))),
      element('span', {}, `${text} `, element('span', { class: 'note' }, clockText(startedAtMs, fromMs))),
    ),
  );
}

function eventSpans({ events }: Charts): readonly StateSpan[] {
  return events.map(({ kind, fromMs, toMs, text }) => ({
    fromMs,
    toMs: toMs ?? fromMs,
    className: `e-${kind}`,
    text,
  }));
}

function targetSpans(target: ChartTarget | undefined): readonly StateSpan[] {
  const stretches = target?.stretches ?? [];
  return stretches.map(({ state, fromMs, toMs }) => ({
    fromMs,
    toMs,
    className: `t-${state.replace('.', '-')}`,
    text: state,
  }));
}
