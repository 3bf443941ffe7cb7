/** When schedules would have started jobs: Kubernetes' words and AWS's. */
import { expect, test } from 'vitest';
import { bothOffSpans, bothOnTimes, isNamesake } from '../../src/checks/playbook-exclusion.ts';
import { firingsBetween } from '../../src/checks/playbook-firings.ts';
import { job, reading } from './playbook-kit.ts';

// A Tuesday.
const fromMs = Date.UTC(2026, 10, 24, 8, 30);

function firings(expression: string, days: number, timeZone: string | null = null): string {
  const found = firingsBetween({ expression, timeZone }, { fromMs, toMs: fromMs + days * 86_400_000 });
  switch (found.kind) {
    case 'at':
      return found.atMs.map((ms) => new Date(ms).toISOString().slice(5, 16)).join(' ');
    case 'about':
      return `about ${found.count}`;
    case 'unreadable':
      return 'unreadable';
  }
}

test.for<readonly [expression: string, days: number, firings: string]>([
  ['7 */6 * * *', 1, '11-24T12:07 11-24T18:07 11-25T00:07 11-25T06:07'],
  ['30 8 * * *', 1, '11-25T08:30'],
  ['17/20 9 * * *', 1, '11-24T09:17 11-24T09:37 11-24T09:57'],
  // Where both day fields are given, either will do.
  ['0 3 27 * mon', 7, '11-27T03:00 11-30T03:00'],
  ['0 3 * * 0', 7, '11-29T03:00'],
  ['@daily', 2, '11-25T00:00 11-26T00:00'],
  ['cron(7 12 * * ? *)', 2, '11-24T12:07 11-25T12:07'],
  // 1 is Sunday.
  ['cron(0 3 ? * 1 *)', 7, '11-29T03:00'],
  ['cron(0 3 ? * SUN *)', 7, '11-29T03:00'],
  ['cron(0 3 ? * 2-3 *)', 7, '11-30T03:00 12-01T03:00'],
  ['cron(0 3 ? * 6L *)', 40, '11-27T03:00 12-25T03:00'],
  ['cron(0 3 ? * 2#1 *)', 20, '12-07T03:00'],
  ['cron(0 3 L * ? *)', 20, '11-30T03:00'],
  ['cron(0/25 10 24 11 ? 2026)', 400, '11-24T10:00 11-24T10:25 11-24T10:50'],
  ['cron(0 3 * * ? 2025)', 400, ''],
  ['at(2026-11-30T10:00:00)', 7, '11-30T10:00'],
  ['rate(7 minutes)', 1, 'about 206'],
  // Nobody knows whether one fell into 59 minutes.
  ['rate(1 hour)', 59 / 1440, 'about 1'],
  ['rate(1 hour)', 60 / 1440, 'about 1'],
])('%s', ([expression, days, expected]) => {
  expect(firings(expression, days)).toBe(expected);
});

test.for([
  '',
  'nonsense',
  '61 * * * *',
  '0 0 L * *',
  '0 3 * * 2#1',
  '0 0 0 * * *',
  '@every 5m',
  'cron(0 3 * * * *)',
  'cron(0 3 ? * ? *)',
  'cron(0 3 * * ?)',
  'rate(0 minutes)',
])('"%s" cannot be read, and is not guessed at', (expression) => {
  expect(firings(expression, 7)).toBe('unreadable');
});

test('a schedule is in its own time zone', () => {
  expect(firings('30 2 * * *', 1, 'Europe/Berlin')).toBe('11-25T01:30');
  expect(firings('30 2 * * *', 1, 'Mars/Base')).toBe('unreadable');
});

test.for<readonly [expression: string, firedAt: readonly string[]]>([
  // Of 2:30 there is none on that day.
  ['30 2 * * *', ['2026-03-30T00:30']],
  ['cron(30 2 * * ? *)', ['2026-03-30T00:30']],
  ['7 1,2,3 * * *', ['2026-03-29T00:07', '2026-03-29T01:07', '2026-03-30T00:07']],
])('what would be in the hour that clocks leave out does not fire: %s', ([expression, firedAt]) => {
  const span = { fromMs: Date.parse('2026-03-29T00:00Z'), toMs: Date.parse('2026-03-30T00:45Z') };
  const found = firingsBetween({ expression, timeZone: 'Europe/Berlin' }, span);
  const at = found.kind === 'at' ? found.atMs.map((ms) => new Date(ms).toISOString().slice(0, 16)) : [];
  // 1:07 of the next day is before midnight in UTC.
  expect(at.filter((one) => one !== '2026-03-29T23:07')).toEqual(firedAt);
});

// Went through in minutes once, and then the runner's own limit is what fails.
test('hours of readings are gone through', () => {
  const jobs = (isEnabled: boolean, prefix: string) =>
    Array.from({ length: 40 }, (_, i) => job({ name: `${prefix}job-${i}-x`, isEnabled }));
  const readings = Array.from({ length: 720 }, (_, i) =>
    reading(i * 60, { jobs: { old: jobs(true, 'shop-'), new: jobs(false, '') } }),
  );
  expect(bothOnTimes(readings)).toEqual([]);
  expect(bothOffSpans(readings, { entering: 'new', leaving: 'old' })).toEqual([]);
});

test.for<readonly [string, string, boolean]>([
  ['nightly-report', 'nightly-report', true],
  ['nightly-report', 'shop-nightly-report', true],
  ['shop/nightly_report', 'nightly-report', true],
  ['NightlyReport', 'nightlyreport', true],
  ['report', 'reporting', false],
  ['nightly-report', 'nightly-billing', false],
])('%s and %s: %s', ([a, b, expected]) => {
  expect(isNamesake(a, b)).toBe(expected);
  expect(isNamesake(b, a)).toBe(expected);
});
