import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StepSaid } from '../../src/core/playbook.ts';
import { nsPerMs } from '../../src/core/time.ts';
import { appendMark } from '../../src/evidence/append-mark.ts';
import { markEntry, parseMark } from '../../src/evidence/mark.ts';
import { readRun } from '../../src/evidence/read-run.ts';
import { createRunFolder } from '../../src/evidence/run-folder.ts';
import { runStarted, startedAtMs, temporaryFolder } from './sample-run.ts';

const step: StepSaid = {
  step: 'jobs-exclusive',
  check: 'jobs-exclusive',
  result: 'unknown',
  isAccepted: true,
  observedAtMs: startedAtMs + 1100,
  evidence: ['jobs of ALB/ECS: denied'],
};

test('what a playbook says of a step is an entry of its own, written down by the run or read from its marks', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  appendMark(path, 'playbook: step jobs-exclusive not known, accepted', startedAtMs + 1300, step);
  const [mark] = writer.readNewMarks();
  if (mark === undefined) throw new Error('there is no mark');
  expect(mark).toEqual({
    atMs: startedAtMs + 1300,
    text: 'playbook: step jobs-exclusive not known, accepted',
    step,
  });
  writer.entry(markEntry(mark, startedAtMs));
  // The run is killed, and nobody reads this one.
  appendMark(path, 'playbook: step jobs-exclusive passed', startedAtMs + 1700, {
    ...step,
    result: 'pass',
    isAccepted: false,
  });
  expect(readRun(path).entries.slice(1)).toEqual([
    { type: 'step-checked', atNs: 1300 * nsPerMs, ...step },
    { type: 'step-checked', atNs: 1700 * nsPerMs, ...step, result: 'pass', isAccepted: false },
  ]);
});

test('evidence is cut, and without what a terminal would obey', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  const writer = createRunFolder(path);
  writer.entry(runStarted);
  appendMark(path, 'x', 1, {
    ...step,
    evidence: ['\u001b[31morders\u009b\n: red', ...Array.from({ length: 99 }, () => 'y'.repeat(9999))],
  });
  const said = writer.readNewMarks()[0]?.step?.evidence;
  expect(said?.[0]).toBe('[31morders : red');
  expect(said).toHaveLength(6);
  expect(said?.[1]).toHaveLength(500);
});

test.for<readonly [what: string, step: unknown]>([
  ['nothing', null],
  ['a text', 'jobs-exclusive'],
  ['a result that there is not', { ...step, result: 'fine' }],
  ['a check that there is not', { ...step, check: 'jobs' }],
  ['no instant', { ...step, observedAtMs: 9e99 }],
  ['evidence that is no text', { ...step, evidence: [{ toString: 7 }] }],
])('a mark with %s as its step is a text as any other', ([, odd]) => {
  expect(parseMark(JSON.stringify({ atMs: 7, text: 'switch', step: odd }))).toEqual({ atMs: 7, text: 'switch' });
});

test('a journal line of a step without evidence is none', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'run');
  createRunFolder(path).entry(runStarted);
  writeFileSync(join(path, 'journal.ndjson'), `{"type":"step-checked","atNs":7,"step":"x","result":"pass"}\n`, {
    flag: 'a',
  });
  expect(readRun(path).entries.map(({ type }) => type)).toEqual(['run-started']);
});
