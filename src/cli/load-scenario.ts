/** Reads a scenario file with this process's environment; problems come as one `UserError`. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { presets } from '../clients/presets.ts';
import { userError } from '../core/errors.ts';
import type { Scenario } from '../core/scenario.ts';
import { parseRehearsal, type Rehearsal } from '../scenario/parse.ts';

export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') throw userError(path, `is a folder; name a ${what}`);
    throw userError(path, code === 'ENOENT' ? `there is no such ${what}` : `cannot be read (${code})`);
  }
}

export function loadScenario(path: string): Scenario {
  return loadRehearsal(path).scenario;
}

export function loadRehearsal(path: string): Rehearsal {
  const text = readText(path, 'scenario file');
  const folder = dirname(resolve(path));
  return parseRehearsal(text, {
    file: path,
    env: process.env,
    presets,
    // Certificates and keys are named relative to the scenario.
    readFile: (name) => readFileSync(resolve(folder, name), 'utf8'),
  });
}
