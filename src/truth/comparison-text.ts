import { nsToS } from '../core/time.ts';
import { differencesOf, type Comparison } from './comparison.ts';

/** Lines are few: lanes that agree with the truth in all are one line, and of each kind of difference the first speak. */
const lanesShownMax = 7;
const shownOfEachMax = 2;

/** For people, up to 40 lines. */
export function comparisonText(comparison: Comparison): string {
  const { counts, lanes } = comparison;
  const ratio = (part: number, whole: number): string =>
    whole === 0 ? 'none' : `${String(part)} of ${String(whole)} (${((100 * part) / whole).toFixed(1)} %)`;
  const lines = [
    'The report, held against the truth',
    `  true outages reported   ${ratio(counts.reported, counts.trueOutages)}`,
    `  lengths inside bounds   ${ratio(counts.lengthsInside, counts.lengths)}`,
    `  outages that were none  ${String(comparison.falseOutages.length)} of ${String(counts.named)} reported`,
    `  causes true             ${ratio(counts.causesRight, counts.causes)}`,
    `  contradicted verdicts   ${String(comparison.contradictions.length)}`,
    ...laneLines(lanes),
  ];
  for (const [title, list] of differencesOf(comparison)) {
    if (list.length === 0) continue;
    lines.push(`${title}:`);
    for (const { lane, fromAtNs, toAtNs, text } of list.slice(0, shownOfEachMax)) {
      const when = toAtNs === 0 ? '' : ` ${nsToS(fromAtNs).toFixed(3)}–${nsToS(toAtNs).toFixed(3)} s`;
      lines.push(`  ${lane}${when}: ${text}`);
    }
    if (list.length > shownOfEachMax) lines.push(`  and ${String(list.length - shownOfEachMax)} more`);
  }
  return `${lines.join('\n')}\n`;
}

/** Of lanes in which anything failed; the others agree by having nothing to say. */
function laneLines(lanes: Comparison['lanes']): string[] {
  const shown = lanes
    .filter((lane) => lane.trueFailedCount > 0 || lane.differenceCount > 0)
    .toSorted((a, b) => b.differenceCount - a.differenceCount)
    .slice(0, lanesShownMax);
  if (shown.length === 0) return [`  nothing failed in any of ${String(lanes.length)} lanes, and nothing is reported`];
  const width = Math.max(...shown.map(({ lane }) => lane.length), 'lane'.length);
  const row = (cells: readonly string[]): string =>
    `  ${(cells[0] ?? '').padEnd(width)}${cells
      .slice(1)
      .map((cell) => cell.padStart(13))
      .join('')}`;
  const rows = shown.map((lane) =>
    row([
      lane.lane,
      `${String(lane.trueFailedCount)}/${String(lane.slotCount)}`,
      String(lane.trueOutageCount),
      `${String(lane.outageCount)} + ${String(lane.impairedCount)}`,
      lane.differenceCount === 0 ? 'agree' : String(lane.differenceCount),
    ]),
  );
  const rest = lanes.length - shown.length;
  return [
    row(['lane', 'failed/slots', 'true runs', 'out + impaired', 'differences']),
    ...rows,
    ...(rest > 0 ? [`  and ${String(rest)} more lanes`] : []),
  ];
}
