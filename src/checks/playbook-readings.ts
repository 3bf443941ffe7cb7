/**
 * What playbooks of a scenario read, one line each: since when a load balancer ends connections early, when names led to
 * which side, and which jobs were on. A line is written where something differs from the line before, and else once a
 * minute, so that a time without a line is one in which nobody looked.
 */
import type { ScheduleSeen } from '../core/platform.ts';
import type { Side } from '../core/scenario.ts';

export interface JobReading extends Pick<ScheduleSeen, 'name' | 'isEnabled' | 'expression' | 'timeZone'> {
  /** null: not known. */
  readonly activeCount: number | null;
}

export interface Reading {
  readonly atMs: number;
  /** null: not known. */
  readonly jobs: Readonly<Record<Side, readonly JobReading[] | null>>;
  /** `client_keep_alive`, by name of the load balancer. */
  readonly connectionAgesS: Readonly<Record<string, number>>;
  /** Whose addresses all authorities gave. */
  readonly dns: Side | 'mixed' | 'unknown';
  /** Requests that we ourselves sent to each side just before. */
  readonly sentCounts: Readonly<Record<Side, number>>;
}

const everyMs = 60_000;

/** Whether it is worth a line after `before`. */
export function isNews(before: Reading | undefined, reading: Reading): boolean {
  if (before === undefined || reading.atMs - before.atMs >= everyMs) return true;
  if (reading.sentCounts.old + reading.sentCounts.new > 0) return true;
  return whatOf(before) !== whatOf(reading);
}

function whatOf({ jobs, connectionAgesS, dns }: Reading): string {
  return JSON.stringify([jobs, connectionAgesS, dns]);
}

const formatVersion = 1;

export function readingLine(scenario: string, reading: Reading): string {
  return `${JSON.stringify({ formatVersion, scenario, ...reading })}\n`;
}

/** In order of time. `badCount`: lines that are of something else or torn. */
export function parseReadings(
  text: string,
  scenario: string,
): { readonly readings: readonly Reading[]; readonly badCount: number } {
  const lines = text.split('\n').filter((line) => line !== '');
  const readings = lines.flatMap((line) => readingOf(line, scenario) ?? []);
  return { readings: readings.toSorted((a, b) => a.atMs - b.atMs), badCount: lines.length - readings.length };
}

function readingOf(line: string, scenario: string): Reading | null {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isMap(found) || found['formatVersion'] !== formatVersion || found['scenario'] !== scenario) return null;
  const { atMs, jobs, connectionAgesS, dns, sentCounts } = found;
  const isWhole =
    isNumber(atMs) &&
    isOfSides(jobs, (list) => list === null || (Array.isArray(list) && list.every(isJob))) &&
    isMap(connectionAgesS) &&
    Object.values(connectionAgesS).every(isNumber) &&
    typeof dns === 'string' &&
    ['old', 'new', 'mixed', 'unknown'].includes(dns) &&
    isOfSides(sentCounts, isNumber);
  return isWhole ? ({ atMs, jobs, connectionAgesS, dns, sentCounts } as unknown as Reading) : null;
}

function isJob(value: unknown): boolean {
  if (!isMap(value)) return false;
  const { name, isEnabled, expression, timeZone, activeCount } = value;
  return (
    typeof name === 'string' &&
    typeof isEnabled === 'boolean' &&
    typeof expression === 'string' &&
    (timeZone === null || typeof timeZone === 'string') &&
    (activeCount === null || isNumber(activeCount))
  );
}

function isOfSides(value: unknown, isRight: (one: unknown) => boolean): boolean {
  return isMap(value) && isRight(value['old']) && isRight(value['new']);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
