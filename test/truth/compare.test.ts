import { expect, test } from 'vitest';
import type { Analysis, LaneAnalysis, Outage } from '../../src/core/analysis.ts';
import { differencesOf, type Comparison } from '../../src/truth/comparison.ts';
import { comparisonText } from '../../src/truth/comparison-text.ts';
import { newAddress, oldAddress } from '../analysis/kit.ts';
import { allWell, condition, down, failing, held, hit, served, well } from './kit.ts';

/** Titles of the lists that are not empty, and what the first of each says. */
function found(comparison: Comparison): Readonly<Record<string, string>> {
  return Object.fromEntries(
    differencesOf(comparison).flatMap(([title, [first]]) => (first ? [[title, first.text]] : [])),
  );
}

const removed = [...allWell, ...down(oldAddress, 19.4, 23.7, 'load-balancer-removed')];
const removedLog = { lanes: [{ slots: '....................xxxx................' }] };

test('a report that is right differs in nothing', () => {
  const comparison = held({ log: removedLog, truth: removed });
  expect(found({ ...comparison, wrongCauses: [] })).toEqual({});
  expect(comparison.counts).toMatchObject({ trueOutages: 1, reported: 1, lengthsInside: 1, named: 1, causes: 4 });
});

test.for([
  {
    row: 'failed, and nothing was wrong',
    slots: '....x...................................',
    truth: removed.slice(0, 2),
    says: 'slot 4 at 127.0.1.1: connect-refused, and nothing was wrong',
  },
  {
    row: 'good, and nothing was there',
    slots: '.....................x..................',
    truth: removed,
    says: 'slot 20 at 127.0.1.1: good, though nothing was at 127.0.1.1',
  },
  {
    row: 'good, and the world had failed it',
    slots: '........................................',
    truth: [...allWell, hit(7, 7, 'app-failing', 503)],
    says: 'slot 7 at 127.0.1.1: good, though hit by app-failing (503)',
  },
])('a row and the world cannot both be right: $row', ({ slots, truth, says }) => {
  expect(found(held({ log: { lanes: [{ slots }] }, truth }))['rows that the world rules out']).toBe(says);
});

// ── reports that are wrong ───────────────────────────────────────────────────────────────────────────────────────────

function ofLane(change: (lane: LaneAnalysis) => Partial<LaneAnalysis>): (analysis: Analysis) => Analysis {
  return (analysis) => ({ ...analysis, lanes: analysis.lanes.map((lane) => ({ ...lane, ...change(lane) })) });
}

function ofOutage(change: (outage: Outage) => Partial<Outage>): (analysis: Analysis) => Analysis {
  return ofLane(({ outages }) => ({ outages: outages.map((outage) => ({ ...outage, ...change(outage) })) }));
}

const s = 1_000_000_000;

test.for([
  { wrong: 'an outage left out', analysis: ofLane(() => ({ outages: [] })), list: 'outages missed' },
  {
    wrong: 'an outage made up',
    analysis: ofLane(({ outages }) => ({
      outages: [{ ...(outages[0] as Outage), firstFailedAtNs: 5 * s, lastFailedAtNs: 6 * s }, ...outages],
    })),
    list: 'outages that were none',
  },
  {
    wrong: 'a failed slot dropped at the edge',
    analysis: ofOutage(() => ({ firstFailedAtNs: 21 * s, lastGoodAtNs: 20 * s, downMsMin: 2000, downMsMax: 4000 })),
    list: 'lengths outside their bounds',
  },
  {
    wrong: 'the upper bound an interval short',
    analysis: ofOutage(({ downMsMax }) => ({ downMsMax: downMsMax - 1000 })),
    list: 'lengths outside their bounds',
  },
  {
    wrong: 'the lower bound an interval long',
    analysis: ofOutage(({ downMsMin }) => ({ downMsMin: downMsMin + 2000 })),
    list: 'lengths outside their bounds',
  },
  {
    wrong: 'a failure counted twice',
    analysis: ofOutage(({ failedCount }) => ({ failedCount: failedCount + 1 })),
    list: 'lengths outside their bounds',
  },
  {
    wrong: 'good slots that were none',
    analysis: ofLane(({ slots }) => ({ slots: { ...slots, good: slots.good + 1 } })),
    list: 'lengths outside their bounds',
  },
  { wrong: 'another cause', analysis: ofOutage(() => ({ causes: { 'app-5xx': 4 } })), list: 'wrong causes' },
])('a wrong report is found out: $wrong', ({ analysis, list }) => {
  expect(found(held({ log: removedLog, truth: removed, analysis }))).toHaveProperty([list]);
});

test('bounds between two slots at different addresses are as wide as the slots are apart', () => {
  const log = { lanes: [{ slots: '............xxx.........', at: 'oooooooooooonnnn' }] };
  const truth = [
    ...allWell,
    served(0, oldAddress),
    served(9.3, newAddress),
    condition(2, newAddress, failing('zone-lost')),
    condition(14.8, newAddress, well),
  ];
  const comparison = held({ log, truth });
  expect(found({ ...comparison, wrongCauses: [] })).toEqual({});
});

// ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const cutover = {
  log: {
    lanes: [
      { slots: '..............................xxxxxxx...................................', at: `${'o'.repeat(20)}n` },
    ],
  },
  truth: [
    ...allWell,
    served(0, oldAddress),
    { type: 'change-made' as const, atNs: 15.5 * s },
    served(15.5, newAddress),
    ...down(newAddress, 29.6, 36.5, 'load-balancer-removed'),
  ],
};

test.for([
  { to: 'pass', says: 'outageMsMax: passed over a breach; truly 6894.7 to 6905.3, limit 2000' },
  { to: 'fail', says: undefined },
] as const)('a verdict of $to over a breach', ({ to, says }) => {
  const comparison = held({
    ...cutover,
    verdict: (verdict) => ({
      ...verdict,
      value: to,
      reasons: verdict.reasons.map((reason) =>
        reason.objective === 'outageMsMax' ? { ...reason, value: to } : reason,
      ),
    }),
  });
  expect(comparison.contradictions[0]?.text).toBe(says);
});

test('a fail without a breach is a contradiction', () => {
  const comparison = held({
    log: { lanes: [{ slots: '.'.repeat(72), at: `${'o'.repeat(20)}n` }] },
    truth: cutover.truth.slice(0, -2),
    verdict: (verdict) => ({
      ...verdict,
      value: 'fail',
      reasons: verdict.reasons.map((reason) =>
        reason.objective === 'downtimeMsMax' ? { ...reason, value: 'fail' as const } : reason,
      ),
    }),
  });
  expect(comparison.contradictions.map(({ text }) => text)).toEqual([
    'downtimeMsMax: failed without a breach; truly 0, limit 5000',
  ]);
});

// ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────

test('the text says what agrees and what differs, in at most 40 lines', () => {
  const comparison = held({ log: removedLog, truth: removed, analysis: ofLane(() => ({ outages: [] })) });
  const many = Array.from({ length: 50 }, () => ({
    lane: 'orders fresh via vpc',
    fromAtNs: s,
    toAtNs: 2 * s,
    text: 'wrong',
  }));
  const worst = {
    ...comparison,
    lanes: Array.from({ length: 50 }, () => comparison.lanes[0] as Comparison['lanes'][number]),
    missedOutages: many,
    falseOutages: many,
    lengthsOutside: many,
    wrongCauses: many,
    contradictions: many,
    oddRows: many,
  };
  expect(comparisonText(comparison)).toContain('true outages reported   0 of 1 (0.0 %)');
  expect(comparisonText(comparison)).toContain(
    'orders fresh via vpc 20.000–23.000 s: 4 failed in a row (load-balancer-removed)',
  );
  expect(comparisonText(worst).split('\n').length - 1).toBeLessThanOrEqual(40);
});
