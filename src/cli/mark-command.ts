/** `cutwatch mark [run] <text>`: one line into the run's `marks.ndjson`, where the running watch looks twice a second. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../core/errors.ts';
import { markMeaningText } from '../core/mark-meaning.ts';
import type { Scenario } from '../core/scenario.ts';
import { appendMark, latestRun } from '../evidence/append-mark.ts';
import { readRun } from '../evidence/read-run.ts';

export function markCommand(words: readonly string[]): void {
  const [first = '', ...rest] = words;
  const isFolder = rest.length > 0 && existsSync(join(first, 'journal.ndjson'));
  const text = (isFolder ? rest : words).join(' ').trim();
  if (text === '') throw userError('mark', 'expected a text');
  const path = isFolder ? first : runningPath();
  appendMark(path, text, Date.now());
  process.stderr.write(`marked ${path}: ${text}\ntaken as ${meaningOf(path, text)}\n`);
}

/** From within the run. Returns what the mark was taken as. */
export function markRun(
  { path, scenario }: { readonly path: string; readonly scenario: Scenario },
  text: string,
): string {
  appendMark(path, text, Date.now());
  return meaningIn(scenario, text);
}

function meaningOf(path: string, text: string): string {
  const started = readRun(path).entries.find((entry) => entry.type === 'run-started');
  return started === undefined
    ? markMeaningText(text, { serviceNames: [], via: 'dns' })
    : meaningIn(started.scenario, text);
}

function meaningIn({ services, change }: Scenario, text: string): string {
  return markMeaningText(text, { serviceNames: services.map(({ name }) => name), via: change.via });
}

function runningPath(): string {
  const latest = latestRun('reports');
  if (latest === null) throw userError('reports', 'there is no run below it; name one: cutwatch mark <run> <text>');
  if (!latest.isOpen) {
    throw userError(latest.path, 'the newest run has ended; name the one to mark: cutwatch mark <run> <text>');
  }
  return latest.path;
}
