import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { appendMark, latestRun } from '../../src/evidence/append-mark.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import { runEnded, runStarted, startedAtMs, temporaryFolder } from './sample-run.ts';

function writeRun(path: string, options: { readonly startedMin: number; readonly isEnded: boolean }): void {
  const writer = createRunFolder(path);
  writer.entry({ ...runStarted, startedAtMs: startedAtMs + options.startedMin * 60_000 });
  if (options.isEnded) writer.entry(runEnded(0, 60e9));
  writer.close();
}

test('each mark is a line, cut, and without what a terminal would obey', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  writeRun(path, { startedMin: 0, isEnded: false });
  appendMark(path, '\u001b[31mswitch\nnow\u0000', 1);
  appendMark(path, 'x'.repeat(499) + '💥', 2);
  const lines = readFileSync(join(path, 'marks.ndjson'), 'utf8').split('\n');
  expect(lines).toEqual(['{"atMs":1,"text":"[31mswitch now"}', `{"atMs":2,"text":"${'x'.repeat(499)}\ufffd"}`, '']);
});

test('a mark needs a run', () => {
  using folder = temporaryFolder();
  expect(() => appendMark(folder.path, 'switch', 1)).toThrow(UserError);
  expect(() => appendMark(folder.path, 'switch', 1)).toThrow('is no run folder');
});

test.for([
  { runs: [], latest: null },
  { runs: [['b', 1, true]], latest: { name: 'b', isOpen: false } },
  {
    runs: [
      ['b', 1, true],
      ['a', 7, true],
      ['c', 3, true],
    ],
    latest: { name: 'a', isOpen: false },
  },
  {
    runs: [
      ['b', 1, false],
      ['a', 7, true],
    ],
    latest: { name: 'b', isOpen: true },
  },
  {
    runs: [
      ['c', 3, false],
      ['b', 1, false],
      ['a', 7, true],
    ],
    latest: { name: 'c', isOpen: true },
  },
] as const)('of $runs the latest is $latest.name', ({ runs, latest }) => {
  using folder = temporaryFolder();
  for (const [name, startedMin, isEnded] of runs) writeRun(join(folder.path, name), { startedMin, isEnded });
  mkdirSync(join(folder.path, 'no-run'));
  mkdirSync(join(folder.path, 'broken'));
  writeFileSync(join(folder.path, 'broken', 'journal.ndjson'), 'no entry\n');
  writeFileSync(join(folder.path, 'file'), '');
  const expected = latest === null ? null : { path: join(folder.path, latest.name), isOpen: latest.isOpen };
  expect(latestRun(folder.path)).toEqual(expected);
});

test('a folder of reports that is not there has no run', () => {
  using folder = temporaryFolder();
  expect(latestRun(join(folder.path, 'reports'))).toBeNull();
});

test('a run that ended is known to have, however much was said after', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  writeRun(path, { startedMin: 0, isEnded: true });
  cpSync(path, join(folder.path, 'older'), { recursive: true });
  writeFileSync(join(path, 'journal.ndjson'), `{"type":"noted","atNs":1,"text":"${'x'.repeat(9000)}"}\n`, {
    flag: 'a',
  });
  expect(latestRun(folder.path)?.isOpen).toBe(false);
});
