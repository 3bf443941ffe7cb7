/** All services of a run at a glance: a row for each, with its lanes over time in one line of text. */
import { countText, durationBoundsText } from '../core/quantity-text.ts';
import { msBetween } from './instant-text.ts';
import { asksOfSides } from './safety-text.ts';
import type { Cell, Table } from './section.ts';
import { worstDowntimeMs, type ServiceView } from './service-view.ts';
import type { Instant, Report, ReportLane, Safety } from './shape.ts';
import { verdictWords } from './words.ts';

const signs = { pass: '✓', fail: '✗', inconclusive: '?' } as const;
const tones = { pass: 'good', fail: 'bad', inconclusive: 'unsure' } as const;
const safetyWords: Readonly<Record<Safety['safe'], string>> = { yes: 'yes', no: 'no', unknown: 'not known' };

export function serviceTable(report: Report, views: readonly ServiceView[]): Table {
  const hasSafety = asksOfSides(report);
  return {
    columns: [
      { name: 'Service' },
      { name: 'Verdict', kind: 'short' },
      { name: 'Clients down', kind: 'number' },
      { name: 'Hit worst' },
      { name: 'Down for' },
      { name: `Failing clients over time (${changeSign} the change)` },
      ...(hasSafety ? [{ name: 'Side left may go' }] : []),
    ],
    rows: views.map((view): Cell[] => {
      const { service, hit, judged } = view;
      const [worst] = hit;
      const { side, safe } = service.safeToRemoveOld;
      return [
        { text: service.name },
        { text: `${signs[service.verdict]} ${verdictWords[service.verdict]}`, tone: tones[service.verdict] },
        { text: judged.length === 0 ? 'none judged' : `${countText(hit.length)} of ${countText(judged.length)}` },
        { text: worst?.lane.name ?? '' },
        { text: worst === undefined ? '' : downText(view) },
        { text: failingText(report, view) },
        ...(hasSafety ? [{ text: side === null ? '' : safetyWords[safe] }] : []),
      ];
    }),
  };
}

function downText(view: ServiceView): string {
  const worstMs = worstDowntimeMs([view]);
  return worstMs.max === 0 ? 'in part' : durationBoundsText(worstMs);
}

const cellCount = 32;
const blocks = '▁▂▃▄▅▆▇█';
const changeSign = '│';

/** The share of judged clients that failed in each part of the run: `·` none, `░` nobody was seen. */
function failingText(report: Report, { judged, service }: ServiceView): string {
  if (judged.length === 0) return '';
  const { startedAt, endedAt } = report.run;
  const runMs = Math.max(1, msBetween(startedAt, endedAt));
  const position = (at: Instant): number => (msBetween(startedAt, at) / runMs) * cellCount;
  const failing = Array.from({ length: cellCount }, () => 0);
  const seen = Array.from({ length: cellCount }, () => 0);
  for (const lane of judged) {
    addCells(failing, lane, position, (state) => state === 'down' || state === 'impaired');
    addCells(seen, lane, position, (state) => state !== 'unseen');
  }
  const text = failing.map((count, i) => {
    if (count > 0) return blocks[Math.ceil((count / judged.length) * blocks.length) - 1] ?? '';
    return seen[i] === 0 ? '░' : '·';
  });
  const changes = service.changes.map(({ usedAt }) => Math.floor(position(usedAt)));
  return text.map((one, i) => (changes.includes(i) ? `${changeSign}${one}` : one)).join('');
}

/** Counts the lane once in every cell that one of its stretches of such a state touches. */
function addCells(
  counts: number[],
  { stretches }: ReportLane,
  position: (at: Instant) => number,
  isCounted: (state: ReportLane['stretches'][number]['state']) => boolean,
): void {
  const cells = new Set<number>();
  for (const { state, fromAt, toAt } of stretches) {
    if (!isCounted(state)) continue;
    const last = Math.min(cellCount, Math.ceil(position(toAt)));
    for (let i = Math.max(0, Math.floor(position(fromAt))); i < last; i += 1) cells.add(i);
  }
  for (const i of cells) counts[i] = (counts[i] ?? 0) + 1;
}
