/** A preflight for people: what it comes to, then what does not pass, then what does. */
import { listText } from '../core/quantity-text.ts';
import { sentencesOf, type CheckKind, type CheckResult } from './check.ts';
import type { Preflight, SafeToSwitch } from './preflight.ts';

const titles: Readonly<Record<CheckKind, string>> = {
  'ttl-lowered': 'TTL lowered',
  'ttl-aged-out': 'old TTL aged out',
  resolver: 'resolvers',
  record: 'records',
  route53: 'Route 53',
  certificate: 'certificates',
  answer: 'answers',
  'plain-http': 'port 80',
  'unknown-path': 'unknown path',
  'slow-request': 'slow requests',
  http2: 'HTTP/2',
  'tls-versions': 'TLS versions',
  'no-server-name': 'without SNI',
  upload: 'upload',
  'header-size': 'large headers',
  forwarded: 'X-Forwarded-For',
  edges: 'edges',
  identity: 'sides told apart',
};

/** Of one check of a service; what is more is in the JSON. */
const sentencesMax = 6;
/** So many different things that were seen are shown of what passed. */
const observedMax = 3;
/** With more of them, what passes is only named. */
const servicesInFullMax = 2;
const titleWidth = 16;

// ── on top ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `SAFE TO SWITCH` (of a rollback `SAFE TO SWITCH BACK`), `NOT YET: safe at 14:32:10 UTC (in 4 min 12 s)`, `NO, because …`,
 * `UNKNOWN, because …`.
 */
export function headline({ atMs: nowMs, isRollback, safeToSwitch }: Preflight): string {
  const { safe, atMs, isEarliest } = safeToSwitch;
  if (safe === 'yes') return isRollback ? 'SAFE TO SWITCH BACK' : 'SAFE TO SWITCH';
  if (safe === 'unknown') return `UNKNOWN, because ${reason(safeToSwitch)}`;
  if (atMs === null) return `NO, because ${reason(safeToSwitch)}`;
  const left = `in ${leftText(Math.max(0, Math.ceil((atMs - nowMs) / 1000)))}`;
  return isEarliest
    ? `NOT YET: not before ${clockText(nowMs, atMs)} (${left}), because ${reason(safeToSwitch)}`
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

/** The first; all of them stand below. */
function reason({ because: [first = '', ...more] }: SafeToSwitch): string {
  return more.length === 0 ? first : `${first} (${more.length} more below)`;
}

/** What, how, and when it was looked at: it may be read hours later. */
function about({ scenario, from, to, atMs }: Preflight): string {
  return `${scenario}, from ${from} to ${to}, as of ${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const ofTtls: ReadonlySet<CheckKind> = new Set(['ttl-lowered', 'ttl-aged-out', 'resolver']);

/** What whoever has to go back now must know: a cache ends no sooner for our waiting. */
function urgency({ isRollback, from, checks, safeToSwitch: { safe } }: Preflight): readonly string[] {
  if (!isRollback || safe === 'yes') return [];
  const missing = checks.filter(({ result, decides }) => decides && (result === 'fail' || result === 'unknown'));
  if (!missing.every(({ check }) => ofTtls.has(check))) return [];
  return [
    `If ${from} is failing now, do not wait: caches end no sooner by it, and whoever asks anew is helped at once.`,
  ];
}

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────

const marks = {
  fail: 'FAIL',
  unknown: '????',
  wait: 'wait',
  warn: 'warn',
  info: 'info',
  'not-applicable': 'n/a ',
  pass: 'pass',
} as const;

type Mark = keyof typeof marks;

/** What has to be done stands first. */
const order = Object.keys(marks) as readonly Mark[];

/** null: it stands in no table. */
function markOf({ result, decides, heals }: CheckResult): Mark | null {
  switch (result) {
    case 'fail':
      // What somebody has to do first passes by itself as little as what cannot wait.
      return decides ? ((heals?.atMs ?? null) === null ? 'fail' : 'wait') : 'warn';
    case 'unknown':
      return decides ? 'unknown' : 'info';
    case 'pass':
    case 'not-applicable':
      return result;
    case 'not-asked':
      return null;
  }
}

/** What servers said may not steer a terminal. */
export type Plain = (text: string) => string;
export type Paint = (text: string, mark: Mark) => string;

interface TextOptions {
  readonly paint?: Paint;
  /** Of any one line. */
  readonly plain?: Plain;
  /** Of the terminal; left out: lines are not broken. */
  readonly columns?: number;
}

/** Without a line break at its end. What passes is one line for each check; all else is shown. */
export function preflightText(
  found: Preflight,
  { paint = (text) => text, plain = (text) => text, columns = Infinity }: TextOptions = {},
): string {
  const services = [...Map.groupBy(found.checks, ({ service }) => service)];
  const isInFull = services.length <= servicesInFullMax;
  const lines = [headline(found), about(found), ...urgency(found)].map(plain);
  const wholly: string[] = [];
  for (const [service, checks] of services) {
    const own = linesOf(checks, isInFull);
    if (!isInFull && own.every(({ mark }) => mark === 'pass' || mark === 'not-applicable')) {
      wholly.push(service);
      continue;
    }
    lines.push('', plain(service));
    for (const { mark, title, text } of own) {
      const start = `  ${paint(marks[mark], mark)}  ${title.padEnd(titleWidth)}  `;
      const indent = marks[mark].length + titleWidth + 6;
      lines.push(start + broken(plain(text), columns - indent).join(`\n${' '.repeat(indent)}`));
    }
  }
  if (wholly.length > 0) {
    lines.push('', ...broken(plain(`All that was looked at passes: ${listText(wholly)}.`), columns));
  }
  const notAsked = notAskedText(found);
  if (notAsked !== '') lines.push('', ...broken(plain(notAsked), columns));
  return lines.join('\n');
}

interface Line {
  readonly mark: Mark;
  readonly title: string;
  readonly text: string;
}

function linesOf(checks: readonly CheckResult[], isInFull: boolean): readonly Line[] {
  const lines = [...Map.groupBy(checks, ({ check }) => check)].flatMap(([kind, rows]) =>
    [...Map.groupBy(rows, markOf)].flatMap(([mark, all]) => {
      if (mark === null) return [];
      const texts = mark === 'pass' ? [passedText(all, rows.length)] : shortened(sentencesOf(all));
      return texts.map((text): Line => ({ mark, title: titles[kind], text }));
    }),
  );
  const inOrder = lines.toSorted((a, b) => order.indexOf(a.mark) - order.indexOf(b.mark));
  if (isInFull) return inOrder;
  const passed = inOrder.filter(({ mark }) => mark === 'pass');
  const others = inOrder.filter(({ mark }) => mark !== 'pass');
  const text = passed.map(({ title }) => title).join(', ');
  return passed.length === 0 ? others : [...others, { mark: 'pass', title: `${passed.length} checks`, text }];
}

function passedText(passed: readonly CheckResult[], rowCount: number): string {
  const [first] = passed;
  if (first?.check === 'edges') return `as before: ${passed.map(({ subject }) => subject).join(', ')}`;
  const observed = [...new Set(passed.map((row) => row.observed))];
  const count = passed.length === 1 ? (first?.subject ?? '') : `${passed.length} of ${rowCount}`;
  return observed.length > observedMax ? count : `${count}: ${observed.join('; ')}`;
}

function shortened(texts: readonly string[]): readonly string[] {
  if (texts.length <= sentencesMax) return texts;
  return [...texts.slice(0, sentencesMax), `and ${texts.length - sentencesMax} more: --json has all`];
}

/** One line for all services: it is the same for most of them. */
function notAskedText({ checks }: Preflight): string {
  const rows = checks.filter(({ result }) => result === 'not-asked');
  if (rows.length === 0) return '';
  const serviceCount = new Set(checks.map(({ service }) => service)).size;
  const what = [...Map.groupBy(rows, ({ check }) => check)].map(([kind, of]) =>
    of.length === serviceCount ? titles[kind] : `${titles[kind]} (${of.map(({ service }) => service).join(', ')})`,
  );
  return `Not asked: ${listText(what)}. A scenario asks for them under preflight: docs/preflight.md.`;
}

const columnsMin = 30;

/** Broken between words, so that no line is longer than that. */
export function broken(text: string, columns: number): readonly string[] {
  if (columns < columnsMin || text.length <= columns) return [text];
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
