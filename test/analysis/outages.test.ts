import { expect, test } from 'vitest';
import { laneAnalysisOf } from './kit.ts';

/** Slots at 1/s, so that slot n is due at n seconds; outages as [first failed, last failed, last good, first good] in s. */
test.for([
  { slots: '....', outages: [] },
  { slots: '..x.', outages: [[2, 2, 1, 3]] },
  { slots: '..xxx..', outages: [[2, 4, 1, 5]] },
  {
    slots: '.x.x.',
    outages: [
      [1, 1, 0, 2],
      [3, 3, 2, 4],
    ],
  },
  // What was not sent neither ends an outage nor starts one.
  { slots: '..x?x.', outages: [[2, 4, 1, 5]] },
  { slots: '..?x?..', outages: [[3, 3, 1, 5]] },
  { slots: '..??..', outages: [] },
  { slots: '.x!x.', outages: [[1, 3, 0, 4]] },
  { slots: '.xlx.', outages: [[1, 3, 0, 4]] },
  { slots: '.x4x.', outages: [[1, 3, 0, 4]] },
  { slots: '.xhx.', outages: [[1, 3, 0, 4]] },
  { slots: '.x_x.', outages: [[1, 3, 0, 4]] },
  // One run, whatever kinds of failure are in it.
  { slots: '.x5rdbwst.', outages: [[1, 8, 0, 9]] },
  // Never good before, still open at the end.
  { slots: 'xx..', outages: [[0, 1, null, 2]] },
  { slots: '..xx', outages: [[2, 3, 1, null]] },
  { slots: '?x?', outages: [[1, 1, null, null]] },
] as { slots: string; outages: (number | null)[][] }[])('$slots', ({ slots, outages }) => {
  const lane = laneAnalysisOf({ slots });
  const s = (ns: number | null): number | null => (ns === null ? null : ns / 1e9);
  expect(
    lane.outages.map((outage) => [
      s(outage.firstFailedAtNs),
      s(outage.lastFailedAtNs),
      s(outage.lastGoodAtNs),
      s(outage.firstGoodAtNs),
    ]),
  ).toEqual(outages);
  expect(lane.outages.map((outage) => outage.openAtEnd)).toEqual(outages.map((outage) => outage[3] === null));
});
