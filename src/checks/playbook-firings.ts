/**
 * When a schedule would have started a job: Kubernetes' five fields, and AWS's `cron(…)` of six, `rate(…)` and `at(…)`. AWS
 * counts days of the week from 1 = Sunday, and asks for `?` in one of its two day fields.
 */
import { Cron } from 'croner';

export interface ScheduleText {
  readonly expression: string;
  /** null: UTC, as EventBridge has it and most controllers of Kubernetes. */
  readonly timeZone: string | null;
}

export type Firings =
  | { readonly kind: 'at'; readonly atMs: readonly number[] }
  /** Of a rate nobody knows where it began to count. */
  | { readonly kind: 'about'; readonly leastCount: number; /** At the most. */ readonly count: number }
  | { readonly kind: 'unreadable'; readonly why: string };

/** More of them are no list that anybody reads. */
const countMax = 1000;

/** After `fromMs`, and up to `toMs`. */
export function firingsBetween(
  { expression, timeZone }: ScheduleText,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Firings {
  const text = expression.trim();
  const everyMs = rateMs(text);
  if (everyMs !== null) {
    const times = Math.max(0, toMs - fromMs) / everyMs;
    return { kind: 'about', leastCount: Math.floor(times), count: Math.ceil(times) };
  }
  const pattern = patternOf(text);
  if (pattern === null) return { kind: 'unreadable', why: `"${expression}" is no schedule that can be read` };
  try {
    // Paused and without a function: it only counts.
    const cron = new Cron(pattern, { timezone: timeZone ?? 'UTC', paused: true });
    const atMs: number[] = [];
    // Croner gives what comes after the second that it is given.
    let at = cron.nextRun(new Date(Math.floor(fromMs / 1000) * 1000));
    while (at !== null && at.getTime() <= toMs && atMs.length < countMax) {
      // Where clocks go forward, Kubernetes and AWS leave out what would be in the hour that there is not; croner puts it off.
      if (cron.match(at)) atMs.push(at.getTime());
      at = cron.nextRun(at);
    }
    return { kind: 'at', atMs };
  } catch {
    return { kind: 'unreadable', why: `"${expression}" is no schedule that can be read` };
  }
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function rateMs(text: string): number | null {
  const [, count = '', unit = ''] = /^rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)$/.exec(text) ?? [];
  const everyMs = Number(count) * (unitMs[unit] ?? 0);
  return everyMs > 0 ? everyMs : null;
}

/** In croner's words, with seconds; null: not read. */
function patternOf(text: string): string | null {
  const [, once] = /^at\(\s*(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\s*\)$/.exec(text) ?? [];
  // An instant is taken as one where it stands in the time zone.
  if (once !== undefined) return once;
  const [, inside] = /^cron\((.*)\)$/.exec(text) ?? [];
  if (inside !== undefined) {
    const [minute, hour, day, month, weekday, year, ...more] = inside.trim().split(/\s+/);
    if (year === undefined || more.length > 0) return null;
    const onWeekday = weekdayOf(weekday ?? '');
    if (onWeekday === null || (day === '?') === (weekday === '?')) return null;
    return patternFrom([minute ?? '', hour ?? '', day === '?' ? '*' : (day ?? ''), month ?? '', onWeekday], year);
  }
  if (text.startsWith('@'))
    return /^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(text) ? text : null;
  const fields = text.split(/\s+/);
  if (fields.length !== 5) return null;
  // Of these Kubernetes knows nothing: what another reader makes of them is not what happens.
  if (fields.some((field) => /[LW#+]/i.test(field.replaceAll(/[a-z]{3}/gi, '')))) return null;
  return patternFrom(fields.map((field) => field.replaceAll('?', '*')));
}

/** Minute, hour, day, month, day of the week. */
const lasts = [59, 23, 31, 12, 6];

/** `5/15` is from 5 on to the last, which croner wants to be said. */
function patternFrom(fields: readonly string[], year = '*'): string {
  const whole = fields.map((field, i) => field.replaceAll(/(^|,)(\d+)\//g, `$1$2-${lasts[i]}/`));
  return ['0', ...whole, year].join(' ');
}

/** AWS's days from 1 = Sunday, as croner's from 0; null: not read. */
function weekdayOf(text: string): string | null {
  if (text === '?' || text === '*') return '*';
  if (text === 'L') return '6';
  const parts = text.split(',').map((part) => {
    const [, from, to, rest = ''] = /^([1-7]|[A-Z]{3})(?:-([1-7]|[A-Z]{3}))?(L|#[1-5]|\/[1-7])?$/i.exec(part) ?? [];
    if (from === undefined) return null;
    const day = (one: string): string => (/\d/.test(one) ? String(Number(one) - 1) : one.toUpperCase());
    return `${day(from)}${to === undefined ? '' : `-${day(to)}`}${rest}`;
  });
  return parts.includes(null) ? null : parts.join(',');
}
