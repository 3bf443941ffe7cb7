/** Runs that ended before there was much to judge: stopped by hand, never switched, or switched by a command that failed. */
import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { junit } from '../../src/report/junit.ts';
import { markdown } from '../../src/report/markdown.ts';
import { toReport, type Report } from '../../src/report/report-json.ts';
import { tell } from '../../src/report/story.ts';
import { judge } from '../../src/verdict/judge.ts';
import { analysisOf, changeOf, judgedOf, laneOf, serviceOf, slotsOf } from './kit.ts';

function reportOf(overrides: Partial<Analysis>): Report {
  const analysis = analysisOf(overrides);
  return toReport(analysis, judge(analysis));
}

function linesOf(report: Report, question: string): readonly string[] {
  return tell(report).answers.find((answer) => answer.question === question)?.lines ?? [];
}

describe('stopped by hand', () => {
  const tail = { askedS: 600, watchedS: 0, isWhole: false };
  const lane = laneOf({ judgedPart: judgedOf({ toAtNs: sToNs(68.6) }) });
  const stoppedAt = (endedAtNs: number, endedBecause = 'interrupted'): Report =>
    reportOf({ endedBecause, endedAtNs, lanes: [lane], services: [serviceOf({ outcome: 'partial', tail })] });

  test('before the caches could expire: nobody is told that only a part moved', () => {
    const report = stoppedAt(sToNs(68.6));
    expect(tell(report).headline).toBe('Nobody can say whether this cutover was clean: the watch was stopped early.');
    expect(linesOf(report, 'Why')[0]).toMatch(
      /^The watch was stopped 7\.3 s after the change, before every client had followed \(answers may be cached for 13\.7 s more\)\. An authoritative server/,
    );
    expect(linesOf(report, 'What to do')[0]).toBe(
      'The change is made and was not taken back. Watch on with a new run.',
    );
  });

  test.for([
    { report: stoppedAt(sToNs(97.1)), claim: 'after they had expired' },
    { report: stoppedAt(sToNs(68.6), 'not-converged'), claim: 'not by hand' },
  ])('who has not followed by then is late: $claim', ({ report }) => {
    expect(linesOf(report, 'Why')[0]).toMatch(/^Only a part of the service moved\./);
  });

  test('in the baseline', () => {
    const service = serviceOf({ changes: [], outcome: 'none', tail, convergenceS: null });
    const report = reportOf({ endedBecause: 'interrupted', command: null, services: [service] });
    expect(linesOf(report, 'Why')[0]).toBe('The watch was stopped before anything changed.');
    expect(linesOf(report, 'What to do')[0]).toBe('Run it again, and let it go on until it has seen the change.');
  });
});

describe('a command that was withheld', () => {
  const why = 'no lane of orders had 10 good answers in a row in 120 s of baseline (most of its probes: dns-nxdomain)';
  const reportAt = (good: number, failed: number): Report =>
    reportOf({
      command: null,
      commandWithheldBecause: why,
      endedBecause: 'command-withheld',
      services: [serviceOf({ changes: [], outcome: 'none', tail: { askedS: 600, watchedS: 0, isWhole: false } })],
      lanes: [
        laneOf({
          qualified: false,
          judgedPart: null,
          slots: slotsOf({ good, failed }),
          classes: { 'connect-refused': 3, 'dns-nxdomain': failed - 3 },
        }),
      ],
    });

  test('is the whole headline', () => {
    expect(tell(reportAt(0, 241)).headline).toBe(`The switch was not started: ${why}.`);
  });

  test.for([
    {
      good: 0,
      failed: 241,
      advice: 'Mend what the probes met (no such name (NXDOMAIN) × 238, connection refused × 3), and run it again.',
    },
    { good: 122, failed: 119, advice: 'Mend what kept the command from being started, or say --start-anyway.' },
  ])('with $good good of its probes is answered by one advice that fits', ({ good, failed, advice }) => {
    expect(linesOf(reportAt(good, failed), 'What to do')).toEqual([advice]);
  });
});

describe('a command that failed', () => {
  const clean = analysisOf();
  assert(clean.command !== null);
  const command = { ...clean.command, exitCode: 7 };

  test('is in the headline of a pass', () => {
    expect(tell(reportOf({ command })).headline).toBe(
      'orders moved from ALB/ECS to nginx/EKS, and no judged client was down, but the command failed with exit status 7.',
    );
  });

  test('is in the headline of what did not pass', () => {
    expect(tell(reportOf({ command, isWhole: false })).headline).toBe(
      'Nobody can say whether this cutover was clean: the log is not whole. The command failed with exit status 7.',
    );
  });

  test('is a failure for the CI server, though the service passed', () => {
    const xml = junit(reportOf({ command }));
    expect(xml).toMatch(
      /<testcase [^>]* name="command-failed" time="0">\s*<failure message="The command failed with exit status 7\."/,
    );
    expect(xml).toMatch(/<testsuites name="shop-ecs-to-eks" tests="\d+" failures="1"/);
  });
});

test.for([
  { usedBy: 'command', event: 'the command started' },
  { usedBy: 'mark', event: 'the mark' },
  { usedBy: 'authority', event: 'the last poll that still showed the side left' },
  { usedBy: 'identity', event: 'the first fresh answer of the other side' },
] as const)('the instant that a change counts from says what it was: $usedBy', ({ usedBy, event }) => {
  const text = markdown(reportOf({ services: [serviceOf({ changes: [changeOf({ usedBy })] })] }));
  expect(text).toContain(`counted from 10:01:01.300 UTC (${event}):`);
});

test.for([
  { watchedS: 31.57, says: 'The tail was watched for 31.5 s; 15 s were asked for.' },
  { watchedS: 15.04, says: 'The tail was watched for 15 s, as asked.' },
])('a tail longer than asked is no tail as asked: $watchedS s', ({ watchedS, says }) => {
  const { verdict } = reportOf({ services: [serviceOf({ tail: { askedS: 15, watchedS, isWhole: true } })] });
  expect(verdict.reasons.find(({ objective }) => objective === 'tail-watched')?.text).toBe(says);
});
