import type { WriteStream } from 'node:tty';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Drawn } from '../../src/analysis/fold.ts';
import { newProgress } from '../../src/cli/progress.ts';
import { newViewers, type Viewer } from '../../src/cli/viewers.ts';
import { sToNs } from '../../src/core/time.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { evidenceOf, foldOf, mark } from '../analysis/kit.ts';

const marked = foldOf(evidenceOf({ lanes: [{ slots: '.'.repeat(40) }], entries: [mark(20, 'switch')] }));
const unmarked = foldOf(evidenceOf({ lanes: [{ slots: '.'.repeat(40) }] }));

// A terminal of a pipeline is rewritten nowhere.
beforeEach(() => {
  vi.stubEnv('CI', undefined);
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Counts how often the picture is asked for. */
function counted(drawn: Drawn): Drawn & { readonly drawnCount: () => number } {
  let count = 0;
  return {
    analysis: drawn.analysis,
    get picture() {
      count += 1;
      return drawn.picture;
    },
    drawnCount: () => count,
  };
}

function looker(): Viewer & { readonly seen: Snapshot[]; readonly said: string[] } {
  const seen: Snapshot[] = [];
  const said: string[] = [];
  return {
    seen,
    said,
    show: (snapshot) => seen.push(snapshot),
    say: (text) => said.push(text),
    end: () => said.push('end'),
  };
}

function lineOn(isTTY: boolean): { readonly line: Viewer; readonly text: () => string } {
  let text = '';
  const stream = { isTTY, columns: 300, write: (piece: string) => (text += piece) } as unknown as WriteStream;
  return { line: newProgress(stream), text: () => text };
}

test('all viewers are shown one snapshot: its report is made once, its picture only if somebody looks', () => {
  const [one, other] = [looker(), looker()];
  const drawn = counted(marked.drawn(60));
  newViewers([one, other]).show(drawn, { nowNs: sToNs(40), isRunning: true });
  expect(drawn.drawnCount()).toBe(0);
  expect(one.seen[0]).toBe(other.seen[0]);
  expect(one.seen[0]?.report).toBe(other.seen[0]?.report);
  expect(one.seen[0]?.report.marks.map(({ text }) => text)).toEqual(['switch']);
  expect(one.seen[0]?.nowMs).toBe(40_000);
  expect(one.seen[0]?.picture.lanes.length).toBe(1);
  expect(drawn.drawnCount()).toBe(1);
  // As JSON it is whole.
  expect(JSON.parse(JSON.stringify(one.seen[0]))).toMatchObject({ isRunning: true, picture: { binCount: 40 } });
});

test('what is said reaches every viewer, and the end', () => {
  const [one, other] = [looker(), looker()];
  const viewers = newViewers([one, other]);
  viewers.say('starting switch.sh');
  viewers.end();
  expect([one.said, other.said]).toEqual([
    ['starting switch.sh', 'end'],
    ['starting switch.sh', 'end'],
  ]);
});

test('the line neither judges nor draws', () => {
  const drawn = counted(marked.drawn(60));
  const { line } = lineOn(true);
  const report = (): never => {
    throw new Error('the line made a report');
  };
  const snapshot: Snapshot = Object.defineProperty(
    { nowMs: 1000, isRunning: true, picture: undefined as never, report: undefined as never },
    'report',
    { get: report },
  );
  line.show(snapshot, drawn.analysis);
  expect(drawn.drawnCount()).toBe(0);
});

test('without a terminal there is a line every 10 s, and one at every change', () => {
  const { line, text } = lineOn(false);
  const viewers = newViewers([line]);
  const show = (fold: typeof marked, s: number): void =>
    viewers.show(fold.drawn(60), { nowNs: sToNs(s), isRunning: true });
  show(unmarked, 1);
  show(unmarked, 2.5);
  show(unmarked, 10.5);
  show(unmarked, 11);
  show(marked, 11.5);
  show(marked, 12);
  viewers.say('a line that stays');
  viewers.end();
  const lines = text().trimEnd().split('\n');
  expect(lines.map((one) => one.split(' ')[0])).toEqual(['00:01', '00:11', '00:11', 'a']);
});

test('on a terminal the line is rewritten, and what the run came to is left to the summary', () => {
  const { line, text } = lineOn(true);
  const viewers = newViewers([line]);
  viewers.show(unmarked.drawn(60), { nowNs: sToNs(1), isRunning: true });
  viewers.show(unmarked.drawn(60), { nowNs: sToNs(2), isRunning: true });
  const before = text();
  expect(before.split('\r').length).toBe(3);
  expect(before).not.toContain('\n');
  viewers.show(unmarked.drawn(60), { nowNs: sToNs(52), isRunning: false });
  expect(text()).toBe(before);
  viewers.end();
  expect(text()).toBe(`${before}\n`);
});
