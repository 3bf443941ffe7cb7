/** `cutwatch mark [run] <text>`: one line into the run's `marks.ndjson`, where the running watch looks twice a second. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../core/errors.ts';
import { markMeaning } from '../core/mark-meaning.ts';
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

/** So that a slip in a service's name is seen at once. */
function meaningOf(path: string, text: string): string {
  const started = readRun(path).entries.find((entry) => entry.type === 'run-started');
  const names = started?.scenario.services.map((service) => service.name) ?? [];
  const via = started?.scenario.change.via ?? 'dns';
  const { kind, services } = markMeaning(text, { serviceNames: names, via });
  const whose = services.length > 0 ? services.join(', ') : `every service (${names.join(', ')})`;
  switch (kind) {
    case 'note':
      return 'a note';
    case 'change':
      return `the beginning of the ${via === 'deploy' ? 'deployment' : 'change'}, for ${whose}`;
    case 'rollback':
      return `the beginning of the way back, for ${whose}`;
  }
}

function runningPath(): string {
  const latest = latestRun('reports');
  if (latest === null) throw userError('reports', 'there is no run below it; name one: cutwatch mark <run> <text>');
  if (!latest.isOpen) {
    throw userError(latest.path, 'the newest run has ended; name the one to mark: cutwatch mark <run> <text>');
  }
  return latest.path;
}
