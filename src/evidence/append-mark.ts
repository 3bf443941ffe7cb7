/** What `cutwatch mark` does: one line at the end of `marks.ndjson`, which the run looks at. */
import { closeSync, existsSync, openSync, readdirSync, readSync, fstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../core/errors.ts';
import type { StepSaid } from '../core/playbook.ts';
import { reasonOf } from './append-file.ts';
import { isObject } from './definition.ts';
import { fileNames } from './file-names.ts';
import { markText, stepSaid } from './mark.ts';
import { readLines } from './read-lines.ts';

/** `atMs`: wall clock. Appending is one write, so that several may mark at once. */
export function appendMark(runPath: string, text: string, atMs: number, step?: StepSaid): void {
  if (!existsSync(join(runPath, fileNames.journal))) {
    throw userError(runPath, `is no run folder: there is no ${fileNames.journal} in it`);
  }
  const mark = { atMs, text: markText(text), ...(step === undefined ? {} : { step: stepSaid(step) }) };
  const line = `${JSON.stringify(mark)}\n`;
  try {
    writeFileSync(join(runPath, fileNames.marks), line, { flag: 'a', flush: true });
  } catch (error) {
    throw userError(join(runPath, fileNames.marks), `cannot be written: ${reasonOf(error)}`);
  }
}

export interface RunFound {
  readonly path: string;
  /** Its journal has no end: it is running, or was killed. */
  readonly isOpen: boolean;
}

/** The newest run folder that has no end yet, else the newest at all; null where there is none. */
export function latestRun(reportsFolder: string): RunFound | null {
  if (!existsSync(reportsFolder)) return null;
  let latest: (RunFound & { readonly startedAtMs: number }) | null = null;
  for (const { name } of readdirSync(reportsFolder, { withFileTypes: true }).filter((found) => found.isDirectory())) {
    const run = runAt(join(reportsFolder, name));
    if (run === null) continue;
    const isBetter =
      latest === null || (run.isOpen === latest.isOpen ? run.startedAtMs > latest.startedAtMs : run.isOpen);
    if (isBetter) latest = run;
  }
  return latest === null ? null : { path: latest.path, isOpen: latest.isOpen };
}

function runAt(path: string): (RunFound & { readonly startedAtMs: number }) | null {
  const journalPath = join(path, fileNames.journal);
  try {
    const startedAtMs = existsSync(journalPath) ? startOf(journalPath) : null;
    return startedAtMs === null ? null : { path, startedAtMs, isOpen: !hasEnd(journalPath) };
  } catch {
    // A folder that is not ours to read is not ours to mark.
    return null;
  }
}

function startOf(journalPath: string): number | null {
  for (const line of readLines(journalPath)) {
    const found = parse(line.text);
    return isObject(found) && typeof found['startedAtMs'] === 'number' ? found['startedAtMs'] : null;
  }
  return null;
}

/** `run-ended` is the last line, or nearly. */
const tailBytes = 64 * 1024;

function hasEnd(journalPath: string): boolean {
  const fd = openSync(journalPath, 'r');
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    const count = readSync(fd, tail, 0, tail.length, size - tail.length);
    return tail
      .subarray(0, count)
      .toString('utf8')
      .split('\n')
      .some((line) => line.startsWith('{"type":"run-ended"'));
  } finally {
    closeSync(fd);
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
