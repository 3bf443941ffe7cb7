/** The scenarios that come with cutwatch: wherever one is asked for by name, it is found here. */
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { userError } from '../core/errors.ts';
import { suggestion } from '../scenario/nearest.ts';

/** In a checkout and in the published package alike. */
const folder = join(import.meta.dirname, '../../scenarios');

export function builtInNames(): readonly string[] {
  return globSync('*.yaml', { cwd: folder })
    .map((file) => basename(file, '.yaml'))
    .toSorted();
}

/** @param given a scenario file, or the name of one that comes with cutwatch; what stands here is preferred */
export function scenarioFileOf(given: string): string {
  if (existsSync(given) || given !== basename(given)) return given;
  const name = basename(given, '.yaml');
  const names = builtInNames();
  if (names.includes(name)) return join(folder, `${name}.yaml`);
  // Whoever names a file of his own is not told of ours.
  if (name !== given) return given;
  throw userError(
    given,
    `there is no such scenario file, and none comes with cutwatch by that name${suggestion(given, names)}`,
  );
}
