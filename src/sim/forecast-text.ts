/** A forecast for people: a table of clients, the curve, what removal costs, how long to keep the side, what is assumed. */
import type { Forecast, ServiceForecast } from './forecast.ts';
import type { Emptying, Held } from './forecast-emptying.ts';
import type { Measured, MeasuredClient } from './forecast-measured.ts';
import { adviceOf, assumptionsOf, holderWords, leavingText, secondsText, shareText } from './forecast-words.ts';

export interface ForecastTextOptions {
  /** For each service of the forecast, in its order; null where there is nothing to show beside it. */
  readonly measured: readonly (Measured | null)[];
  /** No character beyond ASCII. */
  readonly isAscii: boolean;
  /** A name as it may be printed: whoever wrote the scenario must not steer the terminal. */
  readonly plain: (name: string) => string;
  readonly style: (text: string, emphasis: 'strong' | 'faint') => string;
  /** Where lines are broken, between words. */
  readonly columns: number;
}

const barColumns = 40;
/** Durations that people think in, s. */
const roundSeconds: readonly number[] = [0, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45];
const roundMinutes: readonly number[] = [1, 1.5, 2, 3, 5, 10, 15, 30, 45, 60, 90, 120, 180, 240, 360, 720, 1440, 2880];
const rowsMax = 18;

/** Without a line break after the last line. */
export function forecastText(given: Forecast, options: ForecastTextOptions): string {
  const forecast = withPlainNames(given, options.plain);
  const { style, columns } = options;
  const title = leavingText(forecast);
  const lines = [style(`Users still at ${title} after the switch of ${forecast.scenario}`, 'strong')];
  for (const [i, service] of forecast.services.entries()) {
    const measured = options.measured[i] ?? null;
    lines.push(...headingOf(forecast, service, columns).map((line) => style(line, 'strong')));
    const [recommended = '', ...reasons] = adviceOf(forecast, service);
    lines.push('', ...broken(recommended, columns).map((line) => style(line, 'strong')));
    for (const reason of reasons) lines.push(...broken(reason, columns));
    lines.push('', ...clientTable(service, measured));
    lines.push('', ...curveRows(service, measured, options));
    if (service.removals.length > 0) {
      lines.push('', style(`When ${title} is removed`, 'strong'), ...removalTable(service));
    }
  }
  lines.push('', style('Assumed', 'strong'));
  for (const line of assumptionsOf(forecast)) lines.push(...broken(line, columns).map((part) => style(part, 'faint')));
  const text = lines.join('\n');
  return options.isAscii ? inAscii(text) : text;
}

/** None where there is but one service. */
function headingOf({ services }: Forecast, { names, differsBy }: ServiceForecast, columns: number): readonly string[] {
  if (services.length === 1 && names.length === 1) return [];
  const heading = differsBy === null ? names.join(', ') : `${names.join(', ')}: ${differsBy}`;
  return ['', ...broken(heading, columns).map((line, i) => (i === 0 ? line.trimStart() : line))];
}

// ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A column for those who leave after the horizon, where there are any. */
function clientTable({ clients, all, horizonS }: ServiceForecast, measured: Measured | null): readonly string[] {
  const later = all.laterRatio > 0 ? [`there at ${secondsText(horizonS)}`] : [];
  const head = ['client', 'users', '50 % left', '90 % left', '99 % left', 'last', ...later, 'stay', 'held last by'];
  const cellsOf = (one: Emptying): readonly string[] => [
    ...emptyingCells(one, horizonS),
    ...later.map(() => shareText(one.laterRatio)),
    shareText(one.stayRatio),
    heldText(one.heldLast),
  ];
  const rows = clients.map((one) => {
    const seen = measured?.clients.find(({ client }) => client === one.client);
    return [one.client, shareText(one.weightRatio), ...cellsOf(one), ...measuredCells(measured, seen)];
  });
  const whole = ['all', '100 %', ...cellsOf(all), ...measuredCells(measured, undefined)];
  const withMeasured = measured === null ? head : [...head, 'measured last'];
  return table([withMeasured, ...rows, ...(clients.length > 1 ? [whole] : [])]);
}

/** What does not come by the horizon comes never only where too many stay for it. */
function emptyingCells(
  { t50S, t90S, t99S, lastS, stayRatio, laterRatio }: Emptying,
  horizonS: number,
): readonly string[] {
  const at = (s: number | null, isNever: boolean): string =>
    s !== null ? secondsText(s) : isNever ? 'never' : `> ${secondsText(horizonS)}`;
  return [
    at(t50S, stayRatio > 0.5),
    at(t90S, stayRatio > 0.1),
    at(t99S, stayRatio > 0.01),
    at(lastS, laterRatio === 0),
  ];
}

function heldText(held: readonly Held[]): string {
  return held.length === 1
    ? held.map(({ by }) => holderWords[by]).join()
    : held
        .filter(({ ratio }) => ratio >= 0.05)
        .map(({ by, ratio }) => `${holderWords[by]} ${shareText(ratio)}`)
        .join(', ');
}

function measuredCells(measured: Measured | null, seen: MeasuredClient | undefined): readonly string[] {
  if (measured === null) return [];
  if (seen === undefined) return ['–'];
  const { lastS, stayedCount, laneCount } = seen;
  if (stayedCount > 0) return [`${String(stayedCount)} of ${String(laneCount)} stayed`];
  return [lastS.min === lastS.max ? secondsText(lastS.max) : `${secondsText(lastS.min)} to ${secondsText(lastS.max)}`];
}

/** Once it hits nobody more, waiting longer changes nothing. */
function removalTable({ removals }: ServiceForecast): readonly string[] {
  const harmless = removals.findIndex(({ hitRatio, stuckRatio }) => hitRatio <= stuckRatio);
  const shown = removals.filter(({ isPlanned }, i) => isPlanned || harmless === -1 || i <= harmless);
  const isAnyConnected = shown.some(({ connectedRatio }) => connectedRatio > 0);
  const isAnyStuck = shown.some(({ stuckRatio }) => stuckRatio > 0);
  return table([
    [
      'after',
      ...(isAnyConnected ? ['connections that break'] : []),
      'led there then',
      ...(isAnyStuck ? ['for ever', 'the others are down on average'] : ['down on average']),
    ],
    ...shown.map(({ afterS, isPlanned, connectedRatio, hitRatio, stuckRatio, downS }) => [
      `${afterS === 0 ? 'at once' : secondsText(afterS)}${isPlanned ? ' (as planned)' : ''}`,
      ...(isAnyConnected ? [shareText(connectedRatio)] : []),
      shareText(hitRatio),
      ...(isAnyStuck ? [shareText(stuckRatio)] : []),
      downS.mean === 0 ? '0 s' : `${secondsText(downS.mean)} ± ${secondsText(downS.standardError)}`,
    ]),
  ]);
}

/** The first column flush left, the last as it is, the others flush right. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   ')}`.trimEnd(),
  );
}

// ── the curve ────────────────────────────────────────────────────────────────────────────────────────────────────────

function curveRows(
  service: ServiceForecast,
  measured: Measured | null,
  options: ForecastTextOptions,
): readonly string[] {
  const rows = rowsS(service).map((atS) => {
    const ratio = valueAt(service.curve, atS) ?? 0;
    const seen = measured === null ? null : valueAt(measured.curve, atS);
    const text = seen === null ? '' : `   measured ${shareText(seen)}`;
    return { label: secondsText(atS), line: `${bar(ratio, options.isAscii)} ${shareText(ratio).padStart(6)}${text}` };
  });
  const width = Math.max(...rows.map(({ label }) => label.length));
  return rows.map(({ label, line }) => `  ${label.padStart(width)}  ${line}`);
}

/** Round instants from the switch to when nothing happens any more, the closer the earlier. */
function rowsS({ all, curve, horizonS }: ServiceForecast): readonly number[] {
  const last = curve.findLast(({ ratio }) => Math.abs(ratio - all.stayRatio) > 0.001);
  const untilS = Math.min(1.2 * (last?.atS ?? 0), horizonS);
  const stepS = curve[1]?.atS ?? 1;
  const round = [...roundSeconds, ...roundMinutes.map((minutes) => minutes * 60)];
  const rows = round.filter((atS) => atS === 0 || (atS >= 3 * stepS && atS <= untilS));
  return rows.length <= rowsMax ? rows : [0, ...rows.slice(rows.length - rowsMax + 1)];
}

/** Linear between two points; null beyond the last, or where there is nothing. */
function valueAt(
  curve: readonly { readonly atS: number; readonly ratio: number | null }[],
  atS: number,
): number | null {
  const i = curve.findIndex((point) => point.atS >= atS);
  const [before, after] = [curve[Math.max(0, i - 1)], curve[i]];
  if (before === undefined || after === undefined || before.ratio === null || after.ratio === null) return null;
  if (after.atS === before.atS) return after.ratio;
  return before.ratio + ((after.ratio - before.ratio) * (atS - before.atS)) / (after.atS - before.atS);
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function bar(ratio: number, isAscii: boolean): string {
  const units = Math.ceil(ratio * barColumns * 8);
  const text = isAscii
    ? '#'.repeat(Math.ceil(units / 8))
    : `${'█'.repeat(Math.floor(units / 8))}${eighths[units % 8] ?? ''}`;
  return text.padEnd(barColumns);
}

function withPlainNames(forecast: Forecast, plain: (name: string) => string): Forecast {
  const { scenario, leaving, services } = forecast;
  return {
    ...forecast,
    scenario: plain(scenario),
    leaving: { ...leaving, title: plain(leaving.title) },
    services: services.map((service) => ({
      ...service,
      names: service.names.map(plain),
      differsBy: service.differsBy === null ? null : plain(service.differsBy),
      clients: service.clients.map((one) => ({ ...one, client: plain(one.client) })),
    })),
  };
}

// ── characters ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Lines of at most `columns` characters, broken between words; a longer word stays whole. */
function broken(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns - 2) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((one) => `  ${one}`);
}

/** Titles and names may hold anything. */
function inAscii(text: string): string {
  return text
    .replaceAll('±', '+/-')
    .replaceAll('–', '-')
    .replaceAll(/[^\p{Cc} -~]/gu, '?');
}
