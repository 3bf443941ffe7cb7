/**
 * A process of its own, to be killed: writes rows and entries as fast as it can, and says on stdout what is written. It ends
 * by itself when nobody kills it.
 */
import { newRenumberer } from '../../src/evidence/intern.ts';
import { newRowBuffer } from '../../src/evidence/row-buffer.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import { runStarted, sampleRow } from './sample-run.ts';

const [path = ''] = process.argv.slice(2);
const writer = createRunFolder(path);
writer.entry(runStarted);
const { renumber } = newRenumberer();
const buffer = newRowBuffer({ worker: 0, nowNs: () => 0, onBatch: (batch) => writer.batch(renumber(batch)) });
for (let n = 0; n < 300_000; n += 1) {
  const error = buffer.define('error', `error ${n % 900}`, () => `error ${n % 900}`);
  buffer.row({ ...sampleRow(n), error, address: 0, face: 0, answer: 0 });
  if (n % 211 !== 210) continue;
  buffer.flush(n);
  writer.entry({ type: 'noted', atNs: n, text: `${n + 1} rows` });
  process.stdout.write(`${n + 1}\n`);
}
