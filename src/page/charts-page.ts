/**
 * All charts: one time that they share, the blocks of services, and what is shown of them. It is given numbers as often as
 * there are new ones; what the reader chose stays.
 */
import type { Charts } from '../report/charts.ts';
import { axisRow, drawAxis } from './axis.ts';
import { closeUpList } from './close-up-list.ts';
import { element } from './dom.ts';
import { filterPage } from './filter-page.ts';
import { listenTo } from './gestures.ts';
import type { Panel } from './panel.ts';
import { positionIn, type Range } from './range.ts';
import { runBlock } from './run-block.ts';
import { rowsOf } from './rows-of.ts';
import { serviceBlock } from './service-block.ts';
import { tip } from './tip.ts';
import { toolbar, type Toolbar } from './toolbar.ts';
import { interestingRange, newView, passes, zeroOf, type View } from './view.ts';

/** More blocks than this are not open at once to begin with: the first with trouble, or the first of all. */
const openMax = 2;

export class ChartsPage {
  readonly #root: HTMLElement;
  readonly #view: View = newView();
  readonly #picks = new Map<string, string>();
  readonly #panelOf = new Map<Element, Panel>();
  readonly #stale = new Set<Panel>();
  readonly #seen = new Set<Panel>();
  readonly #watch: IntersectionObserver;
  readonly #axis = axisRow();
  readonly #tip = tip();
  #charts: Charts;
  #toolbar: Toolbar;
  #shape = '';

  constructor(root: HTMLElement, charts: Charts) {
    this.#root = root;
    this.#charts = charts;
    this.#watch = new IntersectionObserver((entries) => this.#onSeen(entries), { rootMargin: '300px' });
    this.#toolbar = this.#newToolbar();
    this.#build();
    listenTo(root, {
      view: this.#view,
      whole: () => this.#whole(),
      range: () => this.#range(),
      zeroMs: () => this.#zeroMs(),
      panelAt: (target) => this.#panelAt(target),
      panels: () => [...this.#panelOf.values()].filter(({ plot }) => plot.offsetParent !== null),
      look: (range) => this.look(range),
      point: (atMs) => this.#point(atMs),
      startedAtMs: () => this.#charts.startedAtMs,
      tip: this.#tip,
    });
    new ResizeObserver(() => this.#drawAll()).observe(root);
    this.#drawWhenColoursChange();
  }

  /** New numbers of the same run. */
  show(charts: Charts): void {
    this.#charts = charts;
    if (rowsOf(charts) === this.#shape) {
      for (const panel of this.#panelOf.values()) panel.refresh?.();
      this.#drawAll();
    } else this.#build();
    // Tables and close-ups were made anew, with all that the filter hides.
    filterPage(this.#view.filter);
  }

  /** null = the whole run. */
  look(range: Range | null): void {
    this.#view.range = range;
    this.#drawAll();
  }

  #whole(): Range {
    return { fromMs: 0, toMs: this.#charts.untilMs };
  }

  #range(): Range {
    return this.#view.range ?? this.#whole();
  }

  #zeroMs(): number {
    return zeroOf(this.#charts.services, this.#view.filter) ?? 0;
  }

  #newToolbar(): Toolbar {
    return toolbar({
      charts: this.#charts,
      view: this.#view,
      range: () => this.#range(),
      whole: () => this.#whole(),
      zeroMs: () => this.#zeroMs(),
      look: (range) => this.look(range),
      lookAtChange: () => this.look(this.#interesting()),
      onFilter: () => {
        filterPage(this.#view.filter);
        this.#drawAll();
      },
    });
  }

  #interesting(): Range {
    const { services, lanes, binMs } = this.#charts;
    const { filter } = this.#view;
    const changes = services.flatMap(({ name, changedAtMs }) =>
      changedAtMs !== null && (filter.service === '' || filter.service === name) ? [changedAtMs] : [],
    );
    const shown = lanes.filter((lane) => lane.isJudged && passes(filter, lane));
    return interestingRange(this.#whole(), changes, shown, binMs);
  }

  #build(): void {
    const charts = this.#charts;
    const open = new Set(
      [...this.#root.querySelectorAll<HTMLElement>('details.service[open]')].map(({ dataset }) => dataset['service']),
    );
    const isFirst = this.#shape === '';
    this.#shape = rowsOf(charts);
    this.#watch.disconnect();
    this.#panelOf.clear();
    this.#seen.clear();
    this.#toolbar = this.#newToolbar();
    const troubled = charts.services.filter(({ downText, verdict }) => downText !== '' || verdict === 'fail');
    const first = (troubled.length > 0 ? troubled : charts.services).slice(0, openMax).map(({ name }) => name);
    const run = runBlock(
      () => this.#charts,
      () => this.#zeroMs(),
    );
    const blocks = charts.services.map((service) =>
      serviceBlock(service, {
        picks: this.#picks,
        isOpen: isFirst ? first.includes(service.name) : open.has(service.name),
        charts: () => this.#charts,
        zeroMs: () => this.#zeroMs(),
        lanes: () =>
          this.#charts.lanes.filter((lane) => lane.service === service.name && passes(this.#view.filter, lane)),
        onPick: () => this.#drawAll(),
        onOpen: (panels) => {
          this.#add(panels);
          filterPage(this.#view.filter);
          this.#drawAll();
        },
        closeUps: () =>
          closeUpList(
            () => this.#charts,
            service.name,
            () => ({
              startedAtMs: charts.startedAtMs,
              zeroMs: this.#zeroMs(),
              sides: charts.sides,
              lanes: charts.lanes,
              tell: this.#tip.tell,
              show: (closeUp) => this.#showCloseUp(closeUp, block?.element),
            }),
          ),
      }),
    );
    const block = blocks[0];
    const head = element('div', { class: 'head' }, this.#toolbar.element, this.#axis);
    this.#root.replaceChildren(head, run.element, ...blocks.map((one) => one.element), this.#tip.element);
    this.#add([...run.panels, ...blocks.map(({ summary }) => summary)]);
    filterPage(this.#view.filter);
    this.#drawAll();
  }

  #showCloseUp({ fromMs, toMs }: Range, block: HTMLElement | undefined): void {
    const margin = Math.max(500, toMs - fromMs) / 2;
    this.look({ fromMs: Math.max(0, fromMs - margin), toMs: Math.min(this.#charts.untilMs, toMs + margin) });
    block?.scrollIntoView({ block: 'start' });
  }

  #add(panels: readonly Panel[]): void {
    for (const panel of panels) {
      this.#panelOf.set(panel.plot, panel);
      this.#watch.observe(panel.plot);
    }
  }

  #panelAt(target: EventTarget | null): Panel | null {
    const plot = target instanceof Element ? target.closest('.plot') : null;
    return plot === null ? null : (this.#panelOf.get(plot) ?? null);
  }

  #onSeen(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const panel = this.#panelOf.get(target);
      if (panel === undefined) continue;
      if (!isIntersecting) {
        this.#seen.delete(panel);
        continue;
      }
      this.#seen.add(panel);
      if (this.#stale.delete(panel)) panel.draw(this.#range());
    }
  }

  /** What is out of sight is drawn when it comes into it. */
  #drawAll(isAll = false): void {
    const range = this.#range();
    const zeroMs = this.#zeroMs();
    const { filter } = this.#view;
    this.#root.dataset['fromMs'] = String(range.fromMs);
    this.#root.dataset['toMs'] = String(range.toMs);
    this.#root.style.setProperty('--zero', `${String(positionIn(range, zeroMs) * 100)}%`);
    drawAxis(
      this.#axis,
      range,
      zeroMs,
      this.#charts.services.some(({ changedAtMs }) => changedAtMs !== null),
    );
    this.#toolbar.refresh();
    for (const panel of this.#panelOf.values()) {
      const { of } = panel;
      panel.row.hidden = of !== null && of.client !== '' && !passes({ ...filter, service: '' }, of);
      if (of !== null && of.client === '' && of.resolver !== null) {
        panel.row.hidden = filter.resolver !== '' && filter.resolver !== of.resolver;
      }
      if (isAll || this.#seen.has(panel)) panel.draw(range);
      else this.#stale.add(panel);
    }
    for (const block of this.#root.querySelectorAll('.as-table, .close-ups')) block.dispatchEvent(new Event('refresh'));
    this.#point(this.#view.cursorMs);
  }

  #point(atMs: number | null): void {
    this.#view.cursorMs = atMs;
    const position = atMs === null ? -1 : positionIn(this.#range(), atMs);
    this.#root.classList.toggle('has-cursor', position >= 0 && position <= 1);
    this.#root.style.setProperty('--cursor', `${String(position * 100)}%`);
  }

  /** Canvases hold the colours they were drawn with. */
  #drawWhenColoursChange(): void {
    for (const query of ['(prefers-color-scheme: dark)', 'print']) {
      matchMedia(query).addEventListener('change', () => this.#drawAll(true));
    }
    addEventListener('beforeprint', () => {
      // What the columns mean is said once, at the end.
      for (const block of document.querySelectorAll('details')) block.open ||= !block.matches('.meaning, .as-table');
      this.#drawAll(true);
    });
  }
}
