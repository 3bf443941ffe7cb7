/**
 * One frame of the live view: lines of at most `columns` columns, at most `rows` of them, and no colour but the name of one.
 * What was not seen is shown as such, a length as its bounds, and nothing looks well before something was seen.
 */
import { countText } from '../core/quantity-text.ts';
import { asciiText } from './ascii.ts';
import { downNowLine, proberLine, questionLines, titleLine, verdictLines, whyLine } from './live-head.ts';
import { helpLines, keyLine } from './live-keys.ts';
import { shownServices } from './live-lanes.ts';
import { clip, itemLines, span, type Line, type Span } from './live-line.ts';
import { newsCount, newsItems } from './live-news.ts';
import { resolverLines } from './live-resolvers.ts';
import { serviceRows, type ServiceRows } from './live-services.ts';
import { targetItems } from './live-targets.ts';
import type { LiveView, Size } from './live-view.ts';
import type { Snapshot } from './snapshot.ts';
import { inPlace } from './text-width.ts';

export interface Frame {
  readonly lines: readonly Line[];
  /** Where a line is being typed; null = hidden. */
  readonly cursor: { readonly row: number; readonly column: number } | null;
}

export function liveFrame(snapshot: Snapshot, view: LiveView, size: Size): Frame {
  const columns = Math.max(1, size.columns);
  const rows = Math.max(1, size.rows);
  const keys = keyLine(view, columns);
  const body =
    view.isHelp && view.asking === null
      ? helpLines(snapshot.report, view.hasKeys)
      : bodyLines(snapshot, view, { columns, rows: rows - 1 });
  const above = body.slice(0, rows - 1);
  const blank = Array.from({ length: rows - 1 - above.length }, (): Line => []);
  const lines = [...above, ...blank, keys.line].map((line) => finished(clip(line, columns), view.isAscii));
  const cursor = keys.cursorColumn === null ? null : { row: rows - 1, column: keys.cursorColumn };
  return { lines, cursor };
}

function finished(line: Line, isAscii: boolean): Line {
  return line.map(({ text, emphasis }): Span => ({ text: isAscii ? asciiText(text) : inPlace(text), emphasis }));
}

// ── which part gets which rows ───────────────────────────────────────────────────────────────────────────────────────

const titleColumns = 11;

interface Part {
  readonly title: string;
  /** Rows that it gets before any other gets more, and those that it can use. */
  readonly least: number;
  readonly most: number;
  /** At most so many lines. */
  readonly lines: (rows: number) => readonly Line[];
}

function bodyLines(snapshot: Snapshot, view: LiveView, { columns, rows }: Size): Line[] {
  const isLow = rows < 18;
  const spacing = isLow ? 0 : 1;
  const head = [
    titleLine(snapshot, view, columns),
    ...verdictLines(snapshot, { columns, rows: isLow ? 1 : 3 }),
    ...[downNowLine(snapshot)].filter((line) => line !== null),
    ...(isLow ? [] : [whyLine(snapshot)]).filter((line) => line !== null),
    ...questionLines(snapshot, { columns, rows: isLow ? 1 : 2 }),
    ...[proberLine(snapshot)].filter((line) => line !== null),
  ];
  const parts = partsOf(snapshot, view, columns - titleColumns).filter(({ most }) => most > 0);
  // The axis, and a blank line before each part.
  const room = Math.max(0, rows - head.length - 1 - spacing);
  const asked = serviceRows(snapshot, view, { columns, rowsMax: Infinity }).rows.length;
  const table = serviceRows(snapshot, view, { columns, rowsMax: share(room, asked, parts, spacing).services });
  // Lanes that found no room leave some; the legend may have a row of it.
  const shared = share(room, table.rows.length + spacing, parts, spacing);
  return [
    ...head,
    ...(spacing > 0 ? [[]] : []),
    table.axis,
    ...windowOf(table, view, shared.services),
    ...(table.rows.length < shared.services ? [table.legend] : []),
    ...parts.flatMap((part, i) => partLines(part, shared.parts[i] ?? 0, spacing)),
  ];
}

function partsOf(snapshot: Snapshot, view: LiveView, columns: number): Part[] {
  const { report } = snapshot;
  const resolvers = resolverLines(snapshot, shownServices(report, view.filter), { view, columns });
  const targets = targetItems(report);
  const count = newsCount(report, view.said);
  return [
    { title: 'resolvers', least: 2, most: resolvers.length, lines: (rows) => cut(resolvers, rows) },
    {
      title: 'targets',
      least: Math.min(2, targets.length),
      most: itemLines(targets, { columns, rows: targets.length + textRowsMax }).length,
      lines: (rows) => itemLines(targets, { columns, rows }),
    },
    {
      title: 'news',
      least: Math.min(2, count),
      most: itemLines(newsItems(report, view.said, count), { columns, rows: count + textRowsMax }).length,
      lines: (rows) => itemLines(newsItems(report, view.said, rows), { columns, rows }),
    },
  ];
}

/** So many rows more than one for each sentence are enough for anybody. */
const textRowsMax = 12;

/** The last row says how many there was no room for. */
function cut(lines: readonly Line[], rows: number): readonly Line[] {
  if (lines.length <= rows || rows <= 1) return lines.slice(0, rows);
  return [...lines.slice(0, rows - 1), [span(`… ${countText(lines.length - rows + 1)} more`, 'faint')]];
}

const servicesLeast = 6;

/** Services come first; what they leave goes to the parts in their order, after each has its least. */
function share(
  room: number,
  serviceCount: number,
  parts: readonly Part[],
  spacing: number,
): { readonly services: number; readonly parts: readonly number[] } {
  const given = parts.map(() => 0);
  const first = Math.min(serviceCount, servicesLeast, room);
  let left = room - first;
  for (const [i, { least, most }] of parts.entries()) {
    if (left <= spacing) continue;
    const rows = Math.min(least, most, left - spacing);
    given[i] = rows;
    left -= rows + spacing;
  }
  const services = first + Math.min(serviceCount - first, left);
  left -= services - first;
  for (const [i, { most }] of parts.entries()) {
    const rows = given[i] ?? 0;
    if (rows === 0) continue;
    given[i] = Math.min(most, rows + left);
    left -= given[i] - rows;
  }
  return { services, parts: given };
}

/** So many rows with the selected service in them; the last says how many are above and below. */
function windowOf({ rows, selected }: ServiceRows, view: LiveView, count: number): readonly Line[] {
  if (rows.length <= count) return rows;
  if (count <= 1) return rows.slice(selected[0], selected[0] + count);
  const shown = count - 1;
  const [from, to] = selected;
  // As much of the selected service as there is room for, its own row at the least.
  const wanted = Math.min(from, Math.max(0, to - shown + 1)) + view.scroll;
  const start = Math.max(0, Math.min(wanted, rows.length - shown));
  const below = rows.length - start - shown;
  const where = [
    ...(start > 0 ? [`${countText(start)} above`] : []),
    ...(below > 0 ? [`${countText(below)} below`] : []),
  ];
  return [...rows.slice(start, start + shown), [span(`    … ${where.join(', ')}`, 'faint')]];
}

function partLines(part: Part, rows: number, spacing: number): Line[] {
  if (rows === 0) return [];
  const lines = part.lines(rows);
  const labelled = lines.map((line, i): Line => [
    span((i === 0 ? part.title : '').padEnd(titleColumns), 'faint'),
    ...line,
  ]);
  return [...(spacing > 0 ? [[]] : []), ...labelled];
}
