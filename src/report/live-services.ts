/** Services of the live view, each with its strip, and below it the lanes of clients. */
import { durationText } from '../core/quantity-text.ts';
import type { PictureLane } from '../core/picture.ts';
import { downSpan, shortName, shownServices, statesSpan, worstLane, type ShownService } from './live-lanes.ts';
import { clip, fit, lineColumns, span, type Line } from './live-line.ts';
import { legendOf, stripOf, stripScale, type StripScale } from './live-strip.ts';
import type { LiveView } from './live-view.ts';
import type { ReportLane } from './shape.ts';
import type { Snapshot } from './snapshot.ts';
import { columnsOf } from './text-width.ts';

export interface ServiceRows {
  /** Over the strips: how long ago they begin, and where changes were. */
  readonly axis: Line;
  readonly rows: readonly Line[];
  /** The first and the last row of the selected service, both included. */
  readonly selected: readonly [from: number, to: number];
  readonly legend: Line;
}

interface Columns {
  readonly name: number;
  readonly strip: number;
  readonly state: number;
  readonly down: number;
}

const gap = span(' ');

/** @param rowsMax judged lanes of every service are shown where they fit, else those of the selected one */
export function serviceRows(
  snapshot: Snapshot,
  view: LiveView,
  size: { columns: number; rowsMax: number },
): ServiceRows {
  const services = shownServices(snapshot.report, view.filter);
  const selectedIndex = Math.max(
    0,
    services.findIndex(({ service }) => service.name === view.selected),
  );
  const expandedCount = services.reduce((sum, { judged }) => sum + 1 + judged.length, 0);
  const isRoomy = expandedCount <= size.rowsMax;
  const lanesOf = (shown: ShownService, i: number): readonly ReportLane[] => {
    if (i === selectedIndex && view.isOpen) return shown.lanes;
    return isRoomy || i === selectedIndex ? shown.judged : [];
  };
  const listed = services.map((shown, i) => ({ shown, lanes: lanesOf(shown, i) }));
  // Where all ask the same, its name tells nobody anything.
  const isOneResolver =
    new Set(services.flatMap(({ lanes }) => lanes.flatMap(({ resolver }) => resolver ?? []))).size <= 1;
  const columns = columnsFor(listed, { all: size.columns, isOneResolver });
  const scale = stripScale(snapshot.picture, columns.strip, view.windowMs);
  const drawn = new Map(snapshot.picture.lanes.map((lane) => [lane.name, lane]));
  const strip = (lanes: readonly ReportLane[]): Line =>
    stripOf(
      lanes.flatMap((lane): PictureLane[] => {
        const found = drawn.get(lane.name);
        return found === undefined ? [] : [found];
      }),
      scale,
    );

  const rows: Line[] = [];
  let selected: readonly [number, number] = [0, 0];
  for (const [i, { shown, lanes }] of listed.entries()) {
    const isSelected = i === selectedIndex;
    const from = rows.length;
    rows.push(serviceRow(snapshot, shown, { columns, isSelected, strip: strip(shown.judged) }));
    for (const lane of lanes) rows.push(laneRow(snapshot, lane, { columns, isOneResolver, strip: strip([lane]) }));
    if (isSelected) selected = [from, rows.length - 1];
  }
  if (rows.length === 0)
    rows.push([span(view.filter === '' ? '  no service' : '  no lane has all these words', 'unsure')]);
  return {
    axis: axisLine(snapshot, services, { columns, scale }),
    rows,
    selected,
    legend: legendLine(snapshot, size.columns),
  };
}

interface RowParts {
  readonly columns: Columns;
  readonly strip: Line;
}

function serviceRow(
  { report }: Snapshot,
  { service, judged }: ShownService,
  { columns, isSelected, strip }: RowParts & { readonly isSelected: boolean },
): Line {
  const worst = worstLane(judged);
  return [
    span(isSelected ? '▸ ' : '  ', 'strong'),
    ...fit([span(service.name, 'strong')], columns.name),
    gap,
    ...strip,
    gap,
    ...fit([statesSpan(judged, columns.state)], columns.state),
    gap,
    ...clip([worst === null ? span('no judged client', 'unsure') : downSpan(report, worst)], columns.down),
  ];
}

function laneRow(
  { report }: Snapshot,
  lane: ReportLane,
  { columns, strip, isOneResolver }: RowParts & { readonly isOneResolver: boolean },
): Line {
  return [
    span('  '),
    ...fit([span('  '), span(shortName(lane, isOneResolver), 'faint')], columns.name),
    gap,
    ...strip,
    gap,
    ...fit([statesSpan([lane], columns.state)], columns.state),
    gap,
    ...clip([downSpan(report, lane)], columns.down),
  ];
}

/** Names get what they need up to a third, states and downtimes what theirs need; the strip has the rest. */
function columnsFor(
  listed: readonly { readonly shown: ShownService; readonly lanes: readonly ReportLane[] }[],
  { all, isOneResolver }: { readonly all: number; readonly isOneResolver: boolean },
): Columns {
  const names = listed.flatMap(({ shown, lanes }) => [
    columnsOf(shown.service.name),
    ...lanes.map((lane) => columnsOf(shortName(lane, isOneResolver)) + 2),
  ]);
  const name = Math.min(Math.max(8, ...names), Math.floor(all / 3.3));
  const state = all < 70 ? 8 : all < 110 ? 10 : 20;
  const down = all < 70 ? 16 : 17;
  return { name, state, down, strip: Math.max(1, all - name - state - down - 5) };
}

/** `2 min 5 s ago        ▾ change            now`. */
function axisLine(
  { report, picture }: Snapshot,
  services: readonly ShownService[],
  { columns, scale }: { readonly columns: Columns; readonly scale: StripScale },
): Line {
  const letters = Array.from({ length: scale.cellCount }, () => ' ');
  const write = (text: string, at: number): void => {
    for (const [i, letter] of Array.from(text).entries())
      if (at + i >= 0 && at + i < letters.length) letters[at + i] = letter;
  };
  const startedMs = Date.parse(report.run.startedAt);
  const changes = services.flatMap(({ service }) =>
    service.changes.map(({ usedAt }) => Date.parse(usedAt) - startedMs),
  );
  const cells = [...new Set(changes.map((ms) => Math.floor((ms - scale.fromMs) / scale.cellMs)))];
  for (const cell of cells) write('▾', cell);
  // A word stands only where it covers nothing.
  const writeWord = (word: string, at: number): void => {
    const place = letters.slice(Math.max(0, at - 1), at + word.length + 1);
    if (at >= 0 && at + word.length <= letters.length && place.every((letter) => letter === ' ')) write(word, at);
  };
  writeWord('now', letters.length - 3);
  const shownMs = Math.floor((picture.untilMs - Math.max(0, scale.fromMs)) / 1000) * 1000;
  writeWord(`${durationText(shownMs)} ago`, Math.max(0, Math.ceil(-scale.fromMs / scale.cellMs)));
  const [first] = cells;
  if (first !== undefined) writeWord('change', first + 2);
  return [
    span('  '),
    ...fit([span('service', 'faint')], columns.name),
    gap,
    span(letters.join(''), 'faint'),
    gap,
    ...fit([span('state', 'faint')], columns.state),
    gap,
    ...clip([span('down for', 'faint')], columns.down),
  ];
}

function legendLine({ report }: Snapshot, columns: number): Line {
  const { sides } = report.run;
  const line: Line = legendOf({ old: sides.old.title, new: sides.new.title }).flatMap(
    ([[letter, emphasis], meaning]) => [span('  '), span(letter, emphasis), span(` ${meaning}`, 'faint')],
  );
  return lineColumns(line) <= columns ? line : clip(line, columns);
}
