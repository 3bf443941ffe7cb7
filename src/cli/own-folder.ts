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
  /** Where those are that nobody named. */
  readonly below?: string;
}

/** A folder that the user named must be free; one of our own is another where the first is taken. */
export function openRunFolder({ out, startedAtMs, name, below = reports }: Named): RunWriter {
  if (out !== undefined) return createRunFolder(out);
  const path = takeFolder(below, `${stampOf(startedAtMs)}-${name}`);
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

/** `20261124T083015Z`: sorts by time, and no file system minds it. */
function stampOf(startedAtMs: number): string {
  return new Date(startedAtMs).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
}

/** The first of `…-shop`, `…-shop-2`, `…-shop-3` that is free: runs may begin in the same second, and mkdir decides. */
function takeFolder(below: string, name: string): string {
  for (let count = 1; ; count += 1) {
    const path = join(below, count === 1 ? name : `${name}-${count}`);
    try {
      makeParent(below);
      mkdirSync(path);
      return path;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      throw userError(path, `cannot be written: ${reasonOf(error)}; choose another folder with --out`);
    }
  }
}

function makeParent(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // A file of that name is found out as something is made below it.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
