/** All charts of one service, in a block that opens; made when it first does. */
import type { FailureClass } from '../core/analysis.ts';
import type { ChartLane, Charts, ChartService } from '../report/charts.ts';
import { verdictWords } from '../report/words.ts';
import { element } from './dom.ts';
import { latencyPanels } from './latency-chart.ts';
import type { Panel } from './panel.ts';
import { residualPanel } from './residual-chart.ts';
import { failureRow, laneRow, phaseSpans, resolverSpans, stateRow } from './rows.ts';
import { tableBlock } from './table-block.ts';

export interface BlockOptions {
  readonly picks: Map<string, string>;
  readonly isOpen: boolean;
  readonly charts: () => Charts;
  readonly zeroMs: () => number;
  /** Its lanes that the filter lets pass. */
  readonly lanes: () => readonly ChartLane[];
  readonly onPick: () => void;
  readonly onOpen: (panels: readonly Panel[]) => void;
  readonly closeUps: () => HTMLElement | null;
}

export interface ServiceBlock {
  readonly element: HTMLDetailsElement;
  /** The strip of all its judged lanes together. */
  readonly summary: Panel;
}

export function serviceBlock(service: ChartService, options: BlockOptions): ServiceBlock {
  const { charts, isOpen } = options;
  const { sides } = charts();
  const binMs = (): number => charts().binMs;
  const judged = (): readonly ChartLane[] => {
    const lanes = options.lanes().filter(({ role }) => role === 'client');
    const some = lanes.filter(({ isJudged }) => isJudged);
    return some.length === 0 ? lanes : some;
  };
  const now = (): ChartService => charts().services.find(({ name }) => name === service.name) ?? service;
  const row = laneRow({
    name: service.name,
    note: () => now().downText,
    of: { service: service.name, client: '', resolver: null },
    sides,
    lanes: judged,
    binMs,
  });
  const chip = element('span', {});
  row.row.querySelector('.name')?.after(chip);
  const summary: Panel = {
    ...row,
    refresh: () => {
      const { verdict } = now();
      chip.className = `chip ${verdict}`;
      chip.textContent = verdictWords[verdict];
      row.refresh?.();
    },
  };
  summary.refresh?.();
  const body = element('div', { class: 'block' });
  const block = element(
    'details',
    { class: 'service', 'data-service': service.name },
    element('summary', {}, summary.row),
    body,
  );
  let isMade = false;
  block.addEventListener('toggle', () => {
    if (!block.open || isMade) return;
    isMade = true;
    options.onOpen(fill(body, service, options));
  });
  block.open = isOpen;
  return { element: block, summary };
}

function fill(body: HTMLElement, service: ChartService, options: BlockOptions): readonly Panel[] {
  const { charts, picks, zeroMs, lanes, onPick } = options;
  const { sides } = charts();
  const binMs = (): number => charts().binMs;
  const panels: Panel[] = [];
  const part = (title: string, own: readonly Panel[], ...more: readonly Node[]): void => {
    if (own.length + more.length === 0) return;
    if (title !== '') body.append(element('h4', {}, title));
    body.append(...own.map(({ row }) => row), ...more);
    panels.push(...own);
  };
  const index = charts().services.findIndex(({ name }) => name === service.name);
  const ofService = charts().lanes.filter((lane) => lane.service === service.name);
  const rowFor = (lane: ChartLane): Panel =>
    laneRow({
      name: lane.shortName,
      note: () => {
        const { downText } = charts().lanes.find(({ name }) => name === lane.name) ?? lane;
        return downText === '' ? '' : `down ${downText}`;
      },
      of: lane,
      sides,
      lanes: () => charts().lanes.filter(({ name }) => name === lane.name),
      binMs,
    });
  part('', [stateRow({ name: 'Phases', isNamed: true, spans: () => phaseSpans(charts().services[index] ?? service) })]);
  part('Which side answered', ofService.filter(({ isJudged }) => isJudged).map(rowFor));
  part('Shown, not judged', ofService.filter(({ isJudged }) => !isJudged).map(rowFor));
  part(
    'What failed, by kind',
    failureClasses(ofService).map((failure) => failureRow(failure, service.name, lanes, binMs)),
  );
  const asked = new Set(ofService.map(({ resolver }) => resolver));
  part(
    'What resolvers answered',
    charts().resolvers.flatMap(({ name, hostname }, i) =>
      service.hostnames.includes(hostname)
        ? [
            stateRow({
              name: service.hostnames.length > 1 ? `${name}, ${hostname}` : name,
              note: asked.has(name) ? '' : 'name server',
              of: { service: service.name, client: '', resolver: name },
              spans: () => resolverSpans(charts().resolvers[i] ?? { name, hostname, states: [] }),
            }),
          ]
        : [],
    ),
  );
  const clients = [...new Set(charts().latency.flatMap((one) => (one.service === service.name ? [one.client] : [])))];
  if (clients.length > 0) {
    const { panel, spread } = latencyPanels({
      service: service.name,
      clients,
      sides,
      picks,
      latency: () => charts().latency,
      binMs,
      zeroMs,
      onPick,
    });
    part(
      'How fast',
      [panel],
      element('div', { class: 'row' }, element('div', { class: 'label' }, 'How they are spread'), spread),
    );
  }
  const curves = () => charts().residual.filter((curve) => curve.service === service.name);
  if (curves().length > 0) {
    part('Who was still there', [residualPanel({ service: service.name, picks, curves, zeroMs, onPick })]);
  }
  const closeUps = options.closeUps();
  if (closeUps !== null) part('Close-ups: every probe a mark', [], closeUps);
  body.append(tableBlock(service, options));
  return panels;
}

/** The most frequent first. */
function failureClasses(lanes: readonly ChartLane[]): readonly FailureClass[] {
  const counts = new Map<FailureClass, number>();
  for (const { failures } of lanes) {
    for (const [, failure, , count] of failures) counts.set(failure, (counts.get(failure) ?? 0) + count);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([failure]) => failure);
}
