/** The truth of a rehearsal, beside its evidence; one entry a line. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TruthEntry } from '../core/truth.ts';

const truthFile = 'truth.ndjson';

export function writeTruth(folder: string, truth: readonly TruthEntry[]): void {
  writeFileSync(join(folder, truthFile), truth.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}
