/**
 * One frame of the live view: lines of at most `columns` columns, at most `rows` of them, and no colour but the name of one.
 * What was not seen is shown as such, a length as its bounds, and nothing looks well before something was seen.
 */
import { countText } from '../core/quantity-text.ts';
import { asciiText } from './ascii.ts';
import { titleLine, proberLine, verdictLines } from './live-head.ts';
import { helpLines, keyLine } from './live-keys.ts';
import { shownServices } from './live-lanes.ts';
import { clip, span, type Line, type Span } from './live-line.ts';
import { newsCount, newsLines } from './live-news.ts';
import { resolverLines } from './live-resolvers.ts';
import { serviceRows, type ServiceRows } from './live-services.ts';
import { targetLines } from './live-targets.ts';
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
  const body = view.isHelp && view.asking === null ? helpLines(snapshot.report, view.hasKeys) : bodyLines(snapshot, view, { columns, rows: rows - 1 });
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

interface Part {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Rows that it gets before any other gets more. */
  readonly least: number;
}

function bodyLines(snapshot: Snapshot, view: LiveView, { columns, rows }: Size): Line[] {
  const { report } = snapshot;
  const isLow = rows < 20;
  const own = proberLine(snapshot);
  const head = [
    titleLine(snapshot, view, columns),
    ...verdictLines(snapshot, { columns, rows: isLow ? 2 : 3 }),
    ...(own === null ? [] : [own]),
  ];
  const services = shownServices(report, view.filter);
  const parts: readonly Part[] = [
    { title: 'resolvers', lines: resolverLines(snapshot, services, view), least: 2 },
    { title: 'targets', lines: targetLines(report), least: 2 },
    { title: 'news', lines: newsLines(report, view.said, Math.min(newsCount(report, view.said), rows)), least: 2 },
  ];
  const spacing = isLow ? 0 : 1;
  // The axis, and a blank line before each part.
  const room = Math.max(0, rows - head.length - 1 - spacing);
  const all = serviceRows(snapshot, view, { columns, rowsMax: Number.POSITIVE_INFINITY });
  const shared = share(room, all.rows.length, parts, spacing);
  const table = serviceRows(snapshot, view, { columns, rowsMax: shared.services });
  const isExplained = table.rows.length + 1 < shared.services && spacing > 0;
  return [
    ...head,
    ...(spacing > 0 ? [[]] : []),
    table.axis,
    ...windowOf(table, view, shared.services),
    ...(isExplained ? [table.legend] : []),
    ...parts.flatMap((part, i) => partLines(part, shared.parts[i] ?? 0, { spacing, report: snapshot.report, said: view.said })),
  ];
}

/** Services come first; what they leave goes to the parts in their order, after each has its least. */
function share(
  room: number,
  serviceCount: number,
  parts: readonly Part[],
  spacing: number,
): { readonly services: number; readonly parts: readonly number[] } {
  const given = parts.map(() => 0);
  let left = room;
  const services = Math.min(serviceCount, 4, left);
  left -= services;
  for (const [i, { lines, least }] of parts.entries()) {
    const wanted = Math.min(lines.length, least);
    if (wanted === 0 || left <= spacing) continue;
    given[i] = Math.min(wanted, left - spacing);
    left -= (given[i] ?? 0) + spacing;
  }
  const more = Math.min(serviceCount + 2 - services, left);
  left -= Math.max(0, more);
  for (const [i, { lines }] of parts.entries()) {
    if (given[i] === 0) continue;
    const extra = Math.min(lines.length - (given[i] ?? 0), left);
    given[i] = (given[i] ?? 0) + extra;
    left -= extra;
  }
  return { services: services + Math.max(0, more), parts: given };
}

/** So many rows with the selected service in them; the last says how many are below. */
function windowOf({ rows, selected }: ServiceRows, view: LiveView, count: number): readonly Line[] {
  if (rows.length <= count || count <= 0) return rows.slice(0, Math.max(0, count));
  const shown = Math.max(1, count - 1);
  const [from, to] = selected;
  // As much of the selected service as there is room for, its own row at the least.
  const wanted = Math.max(0, Math.min(from, to - shown + 1)) + view.scroll;
  const start = Math.max(0, Math.min(wanted, rows.length - shown));
  const above = start;
  const below = rows.length - start - shown;
  const where = [...(above > 0 ? [`${countText(above)} above`] : []), ...(below > 0 ? [`${countText(below)} below`] : [])];
  const visible = rows.slice(start, start + shown);
  return count === 1 ? visible : [...visible, [span(`    … ${where.join(', ')}`, 'faint')]];
}

function partLines(
  part: Part,
  rows: number,
  { spacing, report, said }: { readonly spacing: number; readonly report: Snapshot['report']; readonly said: LiveView['said'] },
): Line[] {
  if (rows === 0) return [];
  // What is cut off of news is old; of the rest it is said how much there is.
  const isNews = part.title === 'news';
  const lines = isNews ? newsLines(report, said, rows) : part.lines.slice(0, rows);
  const more = part.lines.length - lines.length;
  const labelled = lines.map((line, i): Line => {
    const label = span((i === 0 ? part.title : '').padEnd(11), 'faint');
    const isCut = !isNews && more > 0 && i === lines.length - 1;
    return isCut ? [label, span(`… ${countText(more + 1)} more`, 'faint')] : [label, ...line];
  });
  return [...(spacing > 0 ? [[]] : []), ...labelled];
}
