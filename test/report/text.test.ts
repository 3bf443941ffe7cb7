import { describe, expect, test } from 'vitest';
import type { SafetyAdvice } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { toReport } from '../../src/report/report-json.ts';
import { progressLine, summaryText } from '../../src/report/text.ts';
import { judge } from '../../src/verdict/judge.ts';
import { foundingIncident } from './cases.ts';
import { analysisOf, laneOf, serviceOf, slotsOf } from './kit.ts';

test('one calm line says phase, qualified lanes, sides, failed and dropped', () => {
  const old = { state: 'old' as const, fromAtNs: 0, toAtNs: sToNs(41.9) };
  const inFlight = { state: 'unseen' as const, fromAtNs: sToNs(41.9), toAtNs: sToNs(42.3) };
  const slots = slotsOf({ good: 83, pending: 1 });
  const analysis = analysisOf({
    services: [serviceOf({ phases: [] })],
    lanes: [
      laneOf({ slots, stretches: [old, inFlight] }),
      laneOf({ number: 1, slots, stretches: [old], qualified: false }),
      laneOf({ number: 2, slots: slotsOf({ failed: 83, good: 0 }), judged: false, client: 'side:new' }),
    ],
  });
  expect(progressLine(analysis, sToNs(42.3))).toBe(
    '00:42 baseline · 1 of 2 lanes qualified · 249 probes · old 100 % · 0 failed · 0 dropped · safe to switch: yes',
  );
});

test('services in different phases are counted by phase', () => {
  const baseline = serviceOf({ name: 'billing', phases: [] });
  const analysis = analysisOf({ services: [serviceOf(), baseline], lanes: [] });
  expect(progressLine(analysis, sToNs(3723))).toBe(
    '1:02:03 tail 1 and baseline 1 · 0 of 0 lanes qualified · 0 probes · 0 failed · 0 dropped · safe to switch: yes',
  );
});

describe('a calm line says whether the next step is safe: of all services the worst', () => {
  const advice = (safe: SafetyAdvice['safe'], atS: number | null): SafetyAdvice => ({
    safe,
    atNs: atS === null ? null : sToNs(atS),
    because: [],
    besides: [],
  });
  const yes = advice('yes', 31);
  test.for([
    { others: [advice('no', 97.3), advice('no', 112.9)], says: 'from 10:01:52 UTC' },
    { others: [advice('no', 97.3), advice('no', null)], says: 'no' },
    { others: [advice('no', 97.3), advice('unknown', null)], says: 'from 10:01:37 UTC' },
    { others: [advice('unknown', null)], says: 'not known' },
    { others: [], says: 'yes' },
  ])('$says', ({ others, says }) => {
    const all = [yes, ...others];
    const waiting = all.map((safeToSwitch) => serviceOf({ phases: [], safeToSwitch }));
    expect(progressLine(analysisOf({ services: waiting }), sToNs(61))).toMatch(
      new RegExp(` · safe to switch: ${says}$`),
    );
    const left = all.map((one) => serviceOf({ safeToRemoveOld: { ...one, side: 'old' } }));
    expect(progressLine(analysisOf({ services: left }), sToNs(650))).toMatch(
      new RegExp(` · old side may go: ${says}$`),
    );
  });

  test('between the two it says neither', () => {
    expect(progressLine(analysisOf(), sToNs(73))).toMatch(/ dropped$/);
    // A deployment switches no name.
    const waiting = [serviceOf({ phases: [], safeToSwitch: yes })];
    expect(progressLine(analysisOf({ services: waiting, mode: 'deploy' }), sToNs(61))).toMatch(/ dropped$/);
  });
});

test('a summary has no colours of its own, and takes the ones it is given', () => {
  const report = toReport(foundingIncident, judge(foundingIncident));
  expect(summaryText(report, { runPath: 'r' })).not.toContain('\u001b');
  const styled = summaryText(report, { runPath: 'r', style: (text, emphasis) => `<${emphasis}>${text}` });
  expect(styled).toMatch(/^<bad>FAIL {2}/);
});

test('lines are broken between words where the terminal ends, and nothing is lost', () => {
  const report = toReport(foundingIncident, judge(foundingIncident));
  const whole = summaryText(report, { runPath: 'r' });
  const narrow = summaryText(report, { runPath: 'r', columns: 72 });
  const words = (text: string): string[] => text.split(/\s+/);
  expect(words(narrow)).toEqual(words(whole));
  const prose = narrow.split('\n').filter((line) => !line.includes(' · '));
  expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(72);
});
