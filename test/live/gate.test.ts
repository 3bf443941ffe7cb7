import { expect, test } from 'vitest';
import { gateAnswer, type GateAnswer, type Question } from '../../src/live/gate.ts';
import type { Analysis } from '../../src/core/analysis.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { cleanPass, foundingIncident } from '../report/cases.ts';
import { snapshotOf } from './kit.ts';
import { runs, unended } from './runs.ts';

function answered(snapshot: Snapshot | null, question: Partial<Question> = {}): GateAnswer {
  return gateAnswer(snapshot, { isSoFar: false, service: null, silentMs: 700, silentMsMax: 60_000, ...question });
}

interface Row {
  readonly run: string;
  readonly snapshot: Snapshot | null;
  readonly value: string;
  /** To a gate that waits for the end, and to one that is asked again and again. */
  readonly statuses: readonly [verdict: number, soFar: number];
}

const rows: readonly Row[] = [
  { run: 'that is only beginning', snapshot: null, value: 'inconclusive', statuses: [425, 200] },
  { run: 'before the change', snapshot: runs.beforeChange, value: 'inconclusive', statuses: [425, 200] },
  { run: 'that goes well', snapshot: runs.goingWell, value: 'inconclusive', statuses: [425, 200] },
  { run: 'that ended well', snapshot: runs.passed, value: 'pass', statuses: [200, 200] },
  { run: 'that goes badly', snapshot: runs.goingBadly, value: 'fail', statuses: [409, 409] },
  { run: 'that ended badly', snapshot: runs.failed, value: 'fail', statuses: [409, 409] },
  { run: 'that nobody can judge', snapshot: runs.unknown, value: 'inconclusive', statuses: [425, 200] },
  { run: 'whose command failed', snapshot: runs.commandFailed, value: 'pass', statuses: [409, 409] },
];

test.for(rows)('a run $run: $value, $statuses', ({ snapshot, value, statuses }) => {
  const both = [answered(snapshot), answered(snapshot, { isSoFar: true })];
  expect(both.map(({ status }) => status)).toEqual(statuses);
  expect(both.map(({ body }) => body.value)).toEqual([value, value]);
  expect(both.map(({ body }) => body.isSoFar)).toEqual([false, true]);
  for (const { status, body } of both) {
    expect(body.gate).toBe({ 200: 'go', 409: 'stop', 425: 'wait' }[String(status)]);
  }
});

test('who is let go on before anything was judged is told that nothing was', () => {
  const { body } = answered(runs.beforeChange, { isSoFar: true });
  expect(body.text).toBe(
    'Nothing has been judged yet: whether anything that was asked will be missed is not known. The verdict comes with the end of the run.',
  );
  expect(body.services[0]).toMatchObject({ judged: { laneCount: 0, good: 0, failed: 0, unseen: 0 } });
});

test('who is let go on while we are blind is told so', () => {
  const { endedAtNs } = cleanPass;
  const blindSpots = [{ fromAtNs: endedAtNs - 7e9, toAtNs: endedAtNs - 1e9, why: 'the prober stood still' }];
  const blind = { ...cleanPass, ...unended, prober: { ...cleanPass.prober, blindSpots } };
  expect(answered(snapshotOf(blind), { isSoFar: true }).body.text).toContain(
    'Just now nothing was seen: the prober stood still.',
  );
});

test('a run that has fallen silent lets nobody go on, and one that has ended may be silent', () => {
  const running = runs.goingWell;
  for (const isSoFar of [false, true]) {
    const silent = { isSoFar, silentMs: 60_001 };
    expect(answered(running, silent).status).toBe(503);
    expect(answered(running, silent).body).toMatchObject({
      gate: 'wait',
      text: expect.stringContaining('for 60 s') as string,
    });
    expect(answered(null, silent).status).toBe(503);
    expect(answered(runs.passed, silent).status).toBe(200);
  }
});

test('a gate of one service hears of that one alone', () => {
  const [first] = foundingIncident.services;
  const failing = snapshotOf(foundingIncident);
  const names = failing.report.services.map(({ name, verdict }) => [name, verdict]);
  for (const [name = '', verdict] of names) {
    const { body } = answered(failing, { service: name });
    expect(body.value).toBe(verdict);
    expect(body.services.map((service) => service.name)).toEqual([name]);
    expect(body.reasons.every(({ service }) => service === null || service === name)).toBe(true);
  }
  const { status, body } = answered(failing, { service: `${first?.name ?? ''}-2` });
  expect([status, body.gate]).toEqual([404, 'wait']);
});

test('what keeps a run from its pass is in the body, with limit and observed value', () => {
  const { body } = answered(runs.failed);
  expect(body.reasons.length).toBeGreaterThan(0);
  expect(body.reasons.every(({ value, severity }) => value !== 'pass' && severity === 'fail')).toBe(true);
  expect(body.reasons.find(({ objective }) => objective === 'downtimeMsMax')).toMatchObject({
    value: 'fail',
    limit: 5000,
  });
});

test('that a run which goes on has no end keeps nobody from anything', () => {
  const noEnd = 'The log has no end: the run was killed, crashed, or is still going on.';
  const unwhole = (...more: string[]): Analysis => ({
    ...foundingIncident,
    isWhole: false,
    incompleteBecause: [noEnd, ...more],
  });
  const objectivesOf = (snapshot: Snapshot): string[] =>
    answered(snapshot).body.reasons.map(({ objective }) => objective);
  expect(objectivesOf(snapshotOf(unwhole()))).not.toContain('whole-log');
  expect(objectivesOf(snapshotOf(unwhole()))).toContain('outageMsMax');
  expect(objectivesOf(snapshotOf(unwhole('Writing rows failed.')))).toContain('whole-log');
  expect(objectivesOf(snapshotOf(unwhole(), { isRunning: false }))).toContain('whole-log');
});
