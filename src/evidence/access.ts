/**
 * `access.ndjson`: what access logs, given after a run, say of its probes. It stands beside the journal, which is never
 * written to again: one `access-logged` entry a line, in order of time, each once.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EntryOf } from '../core/entry.ts';
import { userError } from '../core/errors.ts';
import { reasonOf } from './append-file.ts';
import { isObject } from './definition.ts';
import { fileNames } from './file-names.ts';
import { readLines } from './read-lines.ts';

export type AccessLogged = EntryOf<'access-logged'>;

export function readAccess(path: string, problems: string[]): AccessLogged[] {
  const accessPath = join(path, fileNames.access);
  if (!existsSync(accessPath)) return [];
  const entries: AccessLogged[] = [];
  let unreadableCount = 0;
  try {
    for (const line of readLines(accessPath)) {
      const entry = parseAccess(line.text);
      if (entry === null) unreadableCount += 1;
      else entries.push(entry);
    }
  } catch (error) {
    problems.push(`${fileNames.access} cannot be read: ${reasonOf(error)}`);
  }
  if (unreadableCount > 0) problems.push(`${fileNames.access}: ${unreadableCount} unreadable lines are left out`);
  return entries;
}

function parseAccess(text: string): AccessLogged | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(found) || found['type'] !== 'access-logged') return null;
  const isWhole = ['atNs', 'lane', 'slot', 'part', 'elbStatus'].every((key) => Number.isSafeInteger(found[key]));
  const hasTarget = found['target'] === null || typeof found['target'] === 'string';
  return isWhole && hasTarget && typeof found['errorReason'] === 'string' ? (found as unknown as AccessLogged) : null;
}

/**
 * Adds to what was there: logs come file by file, and the same file may come twice. The whole file is written anew and takes
 * the old one's place. Returns how many there are now.
 */
export function addAccess(path: string, added: readonly AccessLogged[]): number {
  const lines = new Map<string, AccessLogged>();
  for (const entry of [...readAccess(path, []), ...added]) lines.set(JSON.stringify(entry), entry);
  const sorted = [...lines].toSorted(([a, one], [b, other]) => one.atNs - other.atNs || (a < b ? -1 : 1));
  const accessPath = join(path, fileNames.access);
  try {
    writeFileSync(`${accessPath}.new`, sorted.map(([text]) => `${text}\n`).join(''));
    renameSync(`${accessPath}.new`, accessPath);
  } catch (error) {
    throw userError(accessPath, `cannot be written: ${reasonOf(error)}`);
  }
  return sorted.length;
}
