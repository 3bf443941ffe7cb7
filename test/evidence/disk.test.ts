/** Disks that are full or read-only: small file systems of their own, which only root may mount. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { Row } from '../../src/core/row.ts';
import { nsPerMs } from '../../src/core/time.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import { batchOf, definitions, rowsOf, runEnded, runStarted, sampleRows, temporaryFolder } from './sample-run.ts';

const folder = temporaryFolder();
const disk = join(folder.path, 'disk');
mkdirSync(disk);
const isMountable = canMount();

function mount(options: string): void {
  execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'ignore' });
}

function unmount(): void {
  // A writer of a failed test may still hold its files.
  execFileSync('/bin/umount', ['--lazy', disk], { stdio: 'ignore' });
}

function canMount(): boolean {
  try {
    mount('size=16k');
    unmount();
    return true;
  } catch {
    return false;
  }
}

/** Leaves `freeBytes` on the disk, or less where there is less already. */
function fill(freeBytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  const ballast = Buffer.alloc(Math.max(0, bavail * bsize - freeBytes));
  writeFileSync(join(disk, 'ballast'), ballast, { flag: 'a' });
}

afterAll(() => folder[Symbol.dispose]());

beforeEach((context) => {
  if (!isMountable) context.skip('needs to mount a small tmpfs: run as root');
  mount('size=768k');
});

afterEach(() => {
  if (isMountable) unmount();
});

const rows = sampleRows(50);
const two = (number: number): number => Math.min(number, 2);
/** The same, of no definition but those numbered 2. */
const firstRows = rows.map((row) => {
  return { ...row, error: two(row.error), address: two(row.address), face: two(row.face), answer: two(row.answer) };
});

function read(path: string): { readonly rows: readonly Row[]; readonly problems: readonly string[] } {
  const reading = readRun(path);
  const found: Row[] = [];
  for (const batch of reading.batches()) found.push(...rowsOf(batch));
  return { rows: found, problems: reading.problems };
}

test('a full disk is said, what was written stays readable, and with room again the log goes on', () => {
  const path = join(disk, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  writer.batch(batchOf(firstRows, { definitions: definitions.slice(0, 4), atNs: 250 * nsPerMs }));
  fill(10_000);
  const written = [...firstRows];
  for (;;) {
    writer.batch(batchOf(firstRows, { atNs: 300 * nsPerMs }));
    if (writer.failure !== null) break;
    written.push(...firstRows);
  }
  expect(writer.failure).toBe('probes.arrows could not be written: no space is left on the device (ENOSPC)');
  // Every batch to come uses these numbers, and this one is lost, too.
  writer.batch(batchOf(rows, { definitions: definitions.slice(4), atNs: 350 * nsPerMs }));
  fill(0);
  const texts = Array.from({ length: 150 }, (_, i) => `${i} ${'long '.repeat(20)}`);
  for (const text of texts) writer.entry({ type: 'noted', atNs: 400 * nsPerMs, text });
  expect(readRun(path).entries.length).toBeLessThan(texts.length);
  const full = read(path);
  expect(full.rows).toEqual(written);
  expect(full.problems).toEqual([]);

  rmSync(join(disk, 'ballast'));
  writer.batch(batchOf(rows, { atNs: 450 * nsPerMs }));
  writer.entry(runEnded(writer.rowCount, 1000 * nsPerMs));
  for (const when of ['open', 'closed']) {
    if (when === 'closed') writer.close();
    const after = read(path);
    expect(after.rows, when).toEqual([...written, ...rows]);
    expect(after.problems, when).toEqual([
      `probes.arrows has ${written.length + 50} rows, the run wrote ${written.length + 150}`,
    ]);
  }
  // No line was lost: they waited.
  const notes = readRun(path).entries.flatMap((entry) => (entry.type === 'noted' ? [entry.text] : []));
  expect(notes).toEqual(texts);
  expect(writer.rewriteFailure).toBeNull();
});

test('without room for a second copy the rows stay in the batches they came in', () => {
  const path = join(disk, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  for (let i = 0; i < 90; i += 1) {
    writer.batch(batchOf(rows, { definitions: i === 0 ? definitions : [], atNs: i }));
  }
  writer.entry(runEnded(4500, 100 * nsPerMs));
  fill(90_000);
  writer.close();
  expect(writer.rewriteFailure).toBe('there is no room for a second copy');
  expect(writer.failure).toBeNull();
  const found = read(path);
  expect(found.rows.length).toBe(4500);
  expect(found.problems).toEqual([]);
  expect(readdirSync(path).toSorted()).toEqual(['journal.ndjson', 'probes.arrows']);
});

test('a report that does not fit is a failure, and leaves no half of itself', () => {
  const path = join(disk, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  writer.close();
  writer.report('report.html', 'x'.repeat(1_000_000));
  expect(writer.failure).toBe('report.html could not be written: no space is left on the device (ENOSPC)');
  expect(readdirSync(path).toSorted()).toEqual(['journal.ndjson', 'probes.arrows']);
});

test('a disk that is full from the start is refused before the first probe, and nothing is left behind', () => {
  fill(20_000);
  const path = join(disk, 'run');
  expect(() => createRunFolder(path)).toThrow(UserError);
  expect(() => createRunFolder(path)).toThrow('cannot be written: no space is left on the device (ENOSPC)');
  expect(existsSync(path)).toBe(false);
});

test('a read-only disk is refused before the first probe', () => {
  mkdirSync(join(disk, 'empty'));
  execFileSync('/bin/mount', ['-o', 'remount,ro', disk], { stdio: 'ignore' });
  expect(() => createRunFolder(join(disk, 'run'))).toThrow('the file system is read-only (EROFS)');
  expect(() => createRunFolder(join(disk, 'empty'))).toThrow('the file system is read-only (EROFS)');
});
