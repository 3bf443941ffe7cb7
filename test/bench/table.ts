/** The figures as Markdown. */
import type { Exported } from './measure-export.ts';
import type { Judged } from './measure-judge.ts';
import type { Simulated } from './measure-simulation.ts';
import type { Measured } from './measure.ts';
import type { Spread } from './spread.ts';

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Three digits that count. */
function short(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-GB');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function spread(value: Spread | null): string {
  return value === null ? '–' : `${short(value.p50)} / ${short(value.p99)} / ${short(value.max)}`;
}

function whole(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en-GB');
}

export function loadTable(rows: readonly Measured[]): string {
  return table(
    [
      'tool',
      'asked/s',
      'sent/s',
      'late, ms: p50 / p99 / max',
      'off the beat, ms: p50 / p99 / max',
      'CPU µs/probe',
      'peak MB',
      'dropped',
      'failed',
      'elsewhere',
      'end, s',
    ],
    rows.map((row) => [
      row.tool,
      row.load.ratePerSecond === null ? '–' : whole(row.load.ratePerSecond),
      whole(Math.round(row.achievedPerSecond)),
      spread(row.latenessMs),
      spread(row.spacingMs),
      short(row.cpuUsPerProbe),
      short(row.peakMemoryMb),
      whole(row.droppedCount),
      whole(row.failedCount),
      row.elsewhere.toFixed(2),
      row.endedAfterS.toFixed(1),
    ]),
  );
}

const recordings: Readonly<Record<Judged['kind'], string>> = {
  fast: 'fast, ended in order',
  'cut-off': 'at 100/s, cut off',
  cutover: 'a cutover: 14 services, 280 lanes, 2 h',
};

export function judgeTable(rows: readonly Judged[]): string {
  return table(
    ['recorded', 'rows', 'probes.arrows, MB', 'judged in, s', 'CPU, s', 'peak MB', 'report.html, MB'],
    rows.map((row) => [
      recordings[row.kind],
      whole(row.rowCount),
      short(row.fileMb),
      row.judgedAfterS.toFixed(1),
      row.cpuS.toFixed(1),
      short(row.peakMemoryMb),
      short(row.pageMb),
    ]),
  );
}

export function exportTable(rows: readonly Exported[]): string {
  return table(
    ['format', 'rows', 'file, MB', 'exported in, s', 'CPU, s', 'peak MB'],
    rows.map((row) => [
      row.format,
      whole(row.rowCount),
      short(row.fileMb),
      row.tookS.toFixed(1),
      row.cpuS.toFixed(1),
      short(row.peakMemoryMb),
    ]),
  );
}

export function simulationTable(rows: readonly Simulated[]): string {
  return table(
    ['played, s', 'probes', 'took, s', 'CPU, s'],
    rows.map((row) => [whole(Math.round(row.playedS)), whole(row.probeCount), short(row.tookS), short(row.cpuS)]),
  );
}
