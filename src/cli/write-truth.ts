/** The truth of a rehearsal, beside its evidence; one entry a line. */
import { join } from 'node:path';
import type { TruthEntry } from '../core/truth.ts';
import { AppendFile, reasonOf } from '../evidence/append-file.ts';

export const truthFile = 'truth.ndjson';

/** So many entries are written at once: on a disk that gets full, all but the last few are there. */
const entriesAtOnce = 64;

/** Why it is not whole, or null; what there is of it is whole lines. */
export function writeTruth(folder: string, truth: readonly TruthEntry[]): string | null {
  let file: AppendFile;
  try {
    file = new AppendFile(join(folder, truthFile));
  } catch (error) {
    return reasonOf(error);
  }
  try {
    for (let i = 0; i < truth.length; i += entriesAtOnce) {
      const lines = truth.slice(i, i + entriesAtOnce).map((entry) => `${JSON.stringify(entry)}\n`);
      if (!file.append(Buffer.from(lines.join('')))) return file.failure;
    }
    return null;
  } finally {
    file.close();
  }
}
