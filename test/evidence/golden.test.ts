/**
 * Run folders of format version 1, as it was when it was first given out: one that ended, one that was cut off in the
 * middle of a batch and of a line. They are never written again; whatever changes must go on reading them.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { rowColumns } from '../../src/core/row.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { rowsOf } from './sample-run.ts';

function asText(name: string): string {
  const reading = readRun(fileURLToPath(new URL(name, import.meta.url)));
  const lines: string[] = [];
  for (const batch of reading.batches()) {
    lines.push(...batch.definitions.map((definition) => JSON.stringify(definition)));
    lines.push(`batch of ${batch.rowCount} rows, worker ${batch.worker} at ${batch.atNs}`);
    lines.push(...rowsOf(batch).map((row) => rowColumns.map(([column]) => row[column]).join(' ')));
  }
  const entries = reading.entries.map((entry) => JSON.stringify(entry));
  return [...entries, ...lines, ...reading.problems, ''].join('\n');
}

test.for(['golden-v1', 'golden-v1-cut-off'])('%s reads as it always did', async (name) => {
  await expect(asText(name)).toMatchFileSnapshot(`${name}.txt`);
});
