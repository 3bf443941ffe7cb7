/** `cutwatch mark [run] <text>`: one line into the run's `marks.ndjson`, where the running watch looks twice a second. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../core/errors.ts';
import { appendMark, latestRun } from '../evidence/append-mark.ts';

export function markCommand(words: readonly string[]): void {
  const [first = '', ...rest] = words;
  const isFolder = rest.length > 0 && existsSync(join(first, 'journal.ndjson'));
  const path = isFolder ? first : latestRun('reports');
  const text = (isFolder ? rest : words).join(' ').trim();
  if (text === '') throw userError('mark', 'expected a text');
  if (path === null) throw userError('reports', 'no run found; name its folder: cutwatch mark <run> <text>');
  appendMark(path, text, Date.now());
  process.stderr.write(`marked ${path}: ${text}\n`);
}
