/** The story of a run that goes on, and of a side that went too early, from the world of the founding migration. */
import { expect, test } from 'vitest';
import { toReport } from '../../src/report/report-json.ts';
import { postmortem } from '../../src/report/postmortem.ts';
import { tell } from '../../src/report/story.ts';
import { play } from '../scenarios/simulated.ts';
import { snapshotsOf } from './live-kit.ts';

const down = await snapshotsOf('founding-migration', [11.3]);

test('while a run goes on nothing of it has ended: who is down is so now, and what is open is no reason', () => {
  const [snapshot] = down;
  const story = tell(snapshot!.report, true);
  expect(story.word).toBe('FAIL so far');
  expect(story.headline).toMatch(/were down while they are moving from ALB\/ECS to nginx\/EKS/);
  const all = JSON.stringify(story.answers);
  expect(all).toMatch(/and still now/);
  expect(all).toMatch(/Old side may go.*failed when last seen/);
  expect(all).not.toMatch(/run ended|at the end|in part|log is not whole|Run it again|tail was watched/);
});

test('the same log, judged as that of a run that was killed, says so', () => {
  const [snapshot] = down;
  const story = tell(snapshot!.report);
  expect(story.word).toBe('FAIL');
  expect(JSON.stringify(story.answers)).toMatch(/still when the run ended.*The log has no end.*Run it again/);
});

test('a side that went too early is why, and that it may go now is not all that is said of it', async () => {
  const { analysis, verdict } = await play('founding-migration', 1);
  const report = toReport(analysis, verdict);
  const { answers } = tell(report);
  const linesOf = (wanted: string) => answers.find(({ question }) => question === wanted)?.lines.join(' ');
  const gone = /answer(?:ed)? at none of its addresses|at none of its addresses did it answer/;
  expect(linesOf('Why')).toMatch(gone);
  expect(linesOf('Why')).toMatch(
    /ALB\/ECS .* 2\.\d s after the change: [\d.]+ s before the last cached answer had expired\./,
  );
  expect(postmortem(report)).toMatch(/ALB.ECS answered at none of its addresses from here on/);
  expect(linesOf('Old side may go')).toMatch(/^Yes, since .* It was gone before: at none of its addresses/);
});

test.for(['clean-cutover', 'no-targets-503'])('in %s no side went too early', async (name) => {
  const { analysis, verdict } = await play(name, 1);
  const report = toReport(analysis, verdict);
  expect(JSON.stringify(tell(report).answers)).not.toMatch(/none of its addresses/);
});
