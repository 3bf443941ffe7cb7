import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Entry, type EntryOf, formatVersion } from '../core/entry.ts';
import { UserError, userError } from '../core/errors.ts';
import { readAccess } from './access.ts';
import { reasonOf } from './append-file.ts';
import { isObject } from './definition.ts';
import { fileNames } from './file-names.ts';
import { markEntry, parseMark } from './mark.ts';
import { readLines } from './read-lines.ts';

export interface Journal {
  readonly entries: Entry[];
  readonly started: EntryOf<'run-started'>;
  readonly problems: string[];
}

/**
 * The entries in the order of the file, then the marks that the run did not come to write down itself, then what access
 * logs say. Throws a
 * `UserError` where there is no run, or one that only a newer cutwatch understands.
 */
export function readJournal(path: string): Journal {
  const journalPath = join(path, fileNames.journal);
  if (!existsSync(journalPath)) throw userError(path, `is no run folder: there is no ${fileNames.journal} in it`);
  const entries: Entry[] = [];
  const problems: string[] = [];
  let unreadableCount = 0;
  let unreadableNumber = 0;
  try {
    for (const line of readLines(journalPath)) {
      const entry = parseEntry(line.text, path);
      if (entry !== null) entries.push(entry);
      else if (line.isWhole) {
        unreadableCount += 1;
        if (unreadableCount === 1) unreadableNumber = line.number;
      } else
        problems.push(`${fileNames.journal} is torn: its last ${line.byteLength} bytes are the beginning of a line`);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw userError(journalPath, `cannot be read: ${reasonOf(error)}`);
  }
  if (unreadableCount > 0) {
    problems.push(
      `${fileNames.journal}: ${unreadableCount} unreadable lines are left out (the first: line ${unreadableNumber})`,
    );
  }
  const started = entries.find((entry) => entry.type === 'run-started');
  if (started === undefined)
    throw userError(journalPath, 'has no run-started: without it nothing in the folder can be read');
  entries.push(...missedMarks(path, started.startedAtMs, entries, problems));
  for (const entry of readAccess(path, problems)) entries.push(entry);
  return { entries, started, problems };
}

type Shape = 'number' | 'string' | 'object' | 'array' | 'lanes';

/**
 * What a line must have besides `type` and `atNs` so that no reader stumbles over it. Types that are not here have
 * nothing that could be stumbled over, and a type unknown here is passed on: types are added without a new version.
 */
const shapes: Readonly<Partial<Record<string, Readonly<Record<string, Shape>>>>> = {
  'run-started': {
    formatVersion: 'number',
    runId: 'string',
    startedAtMs: 'number',
    mode: 'string',
    vantage: 'string',
    scenario: 'object',
    lanes: 'lanes',
  } satisfies Partial<Record<keyof EntryOf<'run-started'>, Shape>>,
  'lanes-added': { lanes: 'lanes' } satisfies Partial<Record<keyof EntryOf<'lanes-added'>, Shape>>,
  'dns-answered': { server: 'string', name: 'string', reply: 'object' } satisfies Partial<
    Record<keyof EntryOf<'dns-answered'>, Shape>
  >,
  'authorities-found': { name: 'string', servers: 'array' } satisfies Partial<
    Record<keyof EntryOf<'authorities-found'>, Shape>
  >,
  'step-checked': { step: 'string', result: 'string', evidence: 'array' } satisfies Partial<
    Record<keyof EntryOf<'step-checked'>, Shape>
  >,
  marked: { text: 'string' } satisfies Partial<Record<keyof EntryOf<'marked'>, Shape>>,
  'command-started': { command: 'array' } satisfies Partial<Record<keyof EntryOf<'command-started'>, Shape>>,
  'run-ended': { why: 'string', probedUntilNs: 'number', rowCount: 'number' } satisfies Partial<
    Record<keyof EntryOf<'run-ended'>, Shape>
  >,
};

/** The latest date there is, in ms; as ns it is a hundred days. */
const instantMax = 8.64e15;

/** Null where the line is no entry. */
function parseEntry(text: string, path: string): Entry | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(found) || typeof found['type'] !== 'string' || !isInstant(found['atNs'])) return null;
  if (found['type'] === 'run-started') checkVersion(found['formatVersion'], path);
  for (const [field, shape] of Object.entries(shapes[found['type']] ?? {})) {
    if (!hasShape(found[field], shape)) return null;
  }
  return found as unknown as Entry;
}

function hasShape(value: unknown, shape: Shape): boolean {
  switch (shape) {
    case 'number':
      return isInstant(value);
    case 'string':
      return typeof value === 'string';
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'lanes':
      return Array.isArray(value) && value.every((lane) => isObject(lane) && isInstant(lane['number']));
  }
}

/** Within what a date, and a number that counts, can be. */
function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= instantMax;
}

function checkVersion(found: unknown, path: string): void {
  const version = Number(found);
  if (!(version > formatVersion)) return;
  throw userError(
    path,
    `was written in format version ${version}, this cutwatch reads up to ${formatVersion}: use the cutwatch that wrote it, or a newer one`,
  );
}

/**
 * Marks that came when nobody looked any more (the run was killed). The others are in the journal, in the same order and
 * saying the same; each of those accounts for one.
 */
function missedMarks(path: string, startedAtMs: number, entries: readonly Entry[], problems: string[]): Entry[] {
  const marksPath = join(path, fileNames.marks);
  if (!existsSync(marksPath)) return [];
  const seenCount = new Map<string, number>();
  for (const entry of entries) {
    if (entry.type !== 'marked' && entry.type !== 'step-checked') continue;
    const what = whatOf(entry);
    seenCount.set(what, (seenCount.get(what) ?? 0) + 1);
  }
  const missed: Entry[] = [];
  let unreadableCount = 0;
  try {
    for (const line of readLines(marksPath)) {
      const mark = parseMark(line.text);
      if (mark === null) {
        unreadableCount += 1;
        continue;
      }
      const entry = markEntry(mark, startedAtMs);
      const what = whatOf(entry);
      const count = seenCount.get(what) ?? 0;
      if (count > 0) seenCount.set(what, count - 1);
      else missed.push({ ...entry, atNs: Math.min(instantMax, Math.max(0, entry.atNs)) });
    }
  } catch (error) {
    problems.push(`${fileNames.marks} cannot be read: ${reasonOf(error)}`);
  }
  if (unreadableCount > 0) problems.push(`${fileNames.marks}: ${unreadableCount} unreadable lines are left out`);
  return missed;
}

function whatOf(entry: EntryOf<'marked' | 'step-checked'>): string {
  if (entry.type === 'marked') return entry.text;
  const { step, result, isAccepted, observedAtMs } = entry;
  return JSON.stringify([step, result, isAccepted, observedAtMs]);
}
