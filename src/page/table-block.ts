/** The charts of a service as a table, for those who would rather read: each lane, in the stretch that is shown. */
import { countText, ratioText } from '../core/quantity-text.ts';
import type { ChartLane, Charts, ChartService } from '../report/charts.ts';
import { countsBetween, totalOf } from './columns.ts';
import { element } from './dom.ts';
import type { Range } from './range.ts';
import { markNarrowTables } from './narrow-tables.ts';
import { clockText } from './time-text.ts';

export interface TableOptions {
  readonly charts: () => Charts;
  readonly lanes: () => readonly ChartLane[];
}

/** Filled when opened, and again by `refreshTables`. */
export function tableBlock(service: ChartService, { charts, lanes }: TableOptions): HTMLElement {
  const block = element(
    'details',
    { class: 'as-table' },
    element('summary', {}, `As a table: ${service.name}, as far as shown`),
  );
  const holder = element('div', { class: 'wide' });
  block.append(holder);
  const fill = (): void => {
    const range = shownRange(block, charts());
    holder.replaceChildren(tableOf(lanes(), charts(), range));
    markNarrowTables(holder);
  };
  block.addEventListener('toggle', () => {
    if (block.open) fill();
  });
  block.addEventListener('refresh', () => {
    if (block.open) fill();
  });
  return block;
}

/** The range is written on the charts by whoever moves it. */
function shownRange(block: HTMLElement, charts: Charts): Range {
  const { fromMs, toMs } = block.closest<HTMLElement>('[data-from-ms]')?.dataset ?? {};
  return { fromMs: Number(fromMs ?? 0), toMs: Number(toMs ?? charts.untilMs) };
}

function tableOf(lanes: readonly ChartLane[], { binMs, startedAtMs, sides }: Charts, range: Range): HTMLTableElement {
  const heads = [
    'Lane',
    'Judged',
    `Good, ${sides.old}`,
    `Good, ${sides.new}`,
    'Good, side not known',
    'Failed',
    'Not seen',
  ];
  const rows = lanes.map((lane) => {
    const counts = countsBetween([lane], binMs, range);
    const total = totalOf(counts);
    const cell = (count: number): string => (count === 0 ? '0' : `${countText(count)} (${ratioText(count / total)})`);
    return [
      lane.name,
      lane.isJudged ? 'yes' : 'no',
      cell(counts.oldCount),
      cell(counts.newCount),
      cell(counts.otherCount),
      cell(counts.failedCount),
      cell(counts.unseenCount),
    ];
  });
  const caption = `Probes due from ${clockText(startedAtMs, range.fromMs)} to ${clockText(startedAtMs, range.toMs)} UTC`;
  return element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, ...rows.map((cells) => element('tr', {}, ...cells.map((text) => element('td', {}, text))))),
  );
}
