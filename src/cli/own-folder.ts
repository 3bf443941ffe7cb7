/** Where a run is written: the folder that was named, or one of its own below reports/. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../core/errors.ts';
import { codeOf, reasonOf } from '../evidence/append-file.ts';
import { createRunFolder, type RunWriter } from '../evidence/run-folder.ts';

const reports = 'reports';

export interface Named {
  /** As the user says; left out: below reports/. */
  readonly out?: string | undefined;
  readonly startedAtMs: number;
  /** Of the scenario. */
  readonly name: string;
}

/** A folder that the user named must be free; one of our own is another where the first is taken. */
export function openRunFolder({ out, startedAtMs, name }: Named): RunWriter {
  if (out !== undefined) return createRunFolder(out);
  const path = takeFolder(startedAtMs, name);
  try {
    return createRunFolder(path);
  } catch (error) {
    discardFolder(path);
    throw error;
  }
}

/** Of a run that did not begin. */
export function discardFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // What cannot be removed is said by whoever writes there next.
  }
}

/**
 * `reports/20261124T083015Z-shop`, or with -2, -3 …: sorts by time, and no file system minds it. Runs may begin in the same
 * second: mkdir decides whose it is.
 */
function takeFolder(startedAtMs: number, name: string): string {
  const stamp = new Date(startedAtMs).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  const first = join(reports, `${stamp}-${name}`);
  for (let count = 1; ; count += 1) {
    const path = count === 1 ? first : `${first}-${count}`;
    try {
      makeReports();
      mkdirSync(path);
      return path;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      throw userError(path, `cannot be written: ${reasonOf(error)}; choose another folder with --out`);
    }
  }
}

function makeReports(): void {
  try {
    mkdirSync(reports);
  } catch (error) {
    // A file of that name is found out by what is made below it.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
