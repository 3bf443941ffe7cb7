import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Definition } from '../../src/core/row.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { rowsOf, sampleRow, temporaryFolder } from './sample-run.ts';

const script = fileURLToPath(new URL('write-until-killed.ts', import.meta.url));

/** Kills it some ms after its first batch, and gives how many rows it said were written by then. */
async function writeAndKill(path: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString('latin1');
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  await setTimeout(afterMs);
  child.kill('SIGKILL');
  await closed;
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
}

test.for([3, 17, 31, 50, 83])(
  'after kill -9, %i ms after the first batch, every row of a batch that was written is there, and none that is not whole',
  { timeout: 30_000 },
  async (afterMs) => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'run');
    const writtenCount = await writeAndKill(path, afterMs);
    const reading = readRun(path);
    const texts = new Map<number, Definition['value']>();
    let n = 0;
    for (const batch of reading.batches()) {
      for (const { kind, number, value } of batch.definitions) {
        expect(kind).toBe('error');
        texts.set(number, value);
      }
      for (const row of rowsOf(batch)) {
        const expected = { ...sampleRow(n), error: row.error, address: 0, face: 0, answer: 0 };
        if (JSON.stringify(row) !== JSON.stringify(expected)) expect(row).toEqual(expected);
        if (texts.get(row.error) !== `error ${n % 900}`) expect(texts.get(row.error)).toBe(`error ${n % 900}`);
        n += 1;
      }
    }
    expect(n % 211).toBe(0);
    expect(n).toBeGreaterThanOrEqual(writtenCount);
    // What is torn, if anything, is the last message and the last line.
    for (const problem of reading.problems) expect(problem).toMatch(/ is torn: /);
    const notes = reading.entries.filter(({ type }) => type === 'noted');
    expect(notes.length).toBeGreaterThanOrEqual(writtenCount / 211);
    expect(notes.length).toBeLessThanOrEqual(n / 211);
  },
);
