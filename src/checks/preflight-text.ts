/** A preflight for people: what it comes to, then the checks. */
import { countText } from '../core/quantity-text.ts';
import { sentencesOf, type CheckKind, type CheckResult } from './check.ts';
import type { Preflight, SafeToSwitch } from './preflight.ts';

const titles: Readonly<Record<CheckKind, string>> = {
  'ttl-lowered': 'TTL lowered',
  'ttl-aged-out': 'old TTL aged out',
  resolver: 'resolvers',
  record: 'records',
  certificate: 'certificates',
  answer: 'answers',
  'plain-http': 'port 80',
  'unknown-path': 'unknown path',
  'slow-request': 'slow requests',
  http2: 'HTTP/2',
  edges: 'edges',
  identity: 'sides told apart',
};

const becauseMax = 3;
const rowsMax = 6;
/** So many different things that were seen are shown of what passed. */
const observedMax = 3;

/** `SAFE TO SWITCH` (of a rollback `SAFE TO SWITCH BACK`), `NOT YET: safe at 14:32:10 UTC (in 4 min 12 s)`, `NO, because …`, `UNKNOWN, because …`. */
export function headline({ atMs: nowMs, isRollback, safeToSwitch }: Preflight): string {
  const { safe, atMs, isEarliest } = safeToSwitch;
  if (safe === 'yes') return isRollback ? 'SAFE TO SWITCH BACK' : 'SAFE TO SWITCH';
  if (safe === 'unknown') return `UNKNOWN, because ${reasons(safeToSwitch)}`;
  if (atMs === null) return `NO, because ${reasons(safeToSwitch)}`;
  const left = `in ${leftText(Math.max(0, Math.ceil((atMs - nowMs) / 1000)))}`;
  return isEarliest
    ? `NOT YET: not before ${clockText(nowMs, atMs)} (${left}), because ${reasons(safeToSwitch)}`
    : `NOT YET: safe at ${clockText(nowMs, atMs)} (${left})`;
}

/** `4 min 12 s`: as people count down. */
function leftText(s: number): string {
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${s % 60} s` : `${s} s`;
}

/** The instant rounded up to the second: then it is safe. */
function clockText(nowMs: number, atMs: number): string {
  const at = new Date(Math.ceil(atMs / 1000) * 1000).toISOString();
  const isToday = at.slice(0, 10) === new Date(nowMs).toISOString().slice(0, 10);
  return `${isToday ? '' : `${at.slice(0, 10)} `}${at.slice(11, 19)} UTC`;
}

function reasons({ because }: SafeToSwitch): string {
  const shown = because.slice(0, becauseMax).join(' ');
  return because.length > becauseMax ? `${shown} (${because.length - becauseMax} more below)` : shown;
}

const marks = {
  pass: 'pass',
  fail: 'FAIL',
  unknown: '????',
  'not-applicable': 'n/a ',
  wait: 'wait',
  warn: 'warn',
  info: 'info',
} as const;

type Mark = keyof typeof marks;

function markOf({ result, decides, heals }: CheckResult): Mark {
  if (result === 'fail') return decides ? (heals === null ? 'fail' : 'wait') : 'warn';
  return result === 'unknown' && !decides ? 'info' : result;
}

/** What servers said may not steer a terminal. */
export type Plain = (text: string) => string;
export type Paint = (text: string, mark: Mark) => string;

/** Without a line break at its end. What passes is one line for each check; all else is shown. `plain`: of any one line. */
export function preflightText(
  found: Preflight,
  { paint = (text) => text, plain = (text) => text }: { readonly paint?: Paint; readonly plain?: Plain } = {},
): string {
  const lines = [plain(headline(found))];
  for (const [service, ofService] of Map.groupBy(found.checks, (check) => check.service)) {
    lines.push('', plain(service));
    for (const [kind, rows] of Map.groupBy(ofService, ({ check }) => check)) {
      lines.push(...kindLines(titles[kind], rows, { paint, plain }));
    }
  }
  return lines.join('\n');
}

function kindLines(
  title: string,
  rows: readonly CheckResult[],
  { paint, plain }: { readonly paint: Paint; readonly plain: Plain },
): readonly string[] {
  const line = (mark: Mark, text: string): string =>
    `  ${paint(marks[mark], mark)}  ${title.padEnd(16)}  ${plain(text)}`;
  const [passed, others] = [
    rows.filter(({ result }) => result === 'pass'),
    rows.filter(({ result }) => result !== 'pass'),
  ];
  const observed = [...new Set(passed.map((row) => row.observed))];
  const summary = observed.length <= observedMax ? observed.join('; ') : '';
  const count = passed.length === 1 ? (passed[0]?.subject ?? '') : `${passed.length} of ${rows.length}`;
  const told = [...Map.groupBy(others, markOf)].flatMap(([mark, all]) =>
    sentencesOf(all).map((text) => line(mark, text)),
  );
  return [
    ...(passed.length === 0 ? [] : [line('pass', summary === '' ? count : `${count}: ${summary}`)]),
    ...told.slice(0, rowsMax),
    ...(told.length > rowsMax
      ? [`        ${''.padEnd(16)}  and ${countText(told.length - rowsMax)} more: --json has all`]
      : []),
  ];
}
