/** How long the client hit worst was down: never less than what any of them may have been. */
import { expect, test } from 'vitest';
import { headlineOf } from '../../src/report/headline.ts';
import { toReport } from '../../src/report/report-json.ts';
import { serviceViews, worstDowntimeMs } from '../../src/report/service-view.ts';
import { judge } from '../../src/verdict/judge.ts';
import { foundingIncident } from './cases.ts';
import { judgedOf, laneOf, outageOf } from './kit.ts';

const down = (client: string, downMsMin: number, downMsMax: number): ReturnType<typeof laneOf> =>
  laneOf({
    client,
    outages: [outageOf({ downMsMin, downMsMax })],
    judgedPart: judgedOf({ downtimeMs: { min: downMsMin, max: downMsMax } }),
  });

test.for([
  { what: 'one of a wider bound may be it', lanes: [down('a', 5300, 5700), down('b', 4100, 9700)], max: 9700 },
  {
    what: 'one that was not seen for longer may be it, though no probe of it failed',
    lanes: [
      down('a', 5300, 5700),
      laneOf({ client: 'b', judgedPart: judgedOf({ downtimeMs: { min: 0, max: 11_300 } }) }),
    ],
    max: 11_300,
  },
])('$what', ({ lanes, max }) => {
  const analysis = { ...foundingIncident, lanes };
  const report = toReport(analysis, judge(analysis));
  const views = serviceViews(report);
  expect(worstDowntimeMs(views)).toEqual({ min: 5300, max });
  expect(headlineOf(report, views)).toContain(`between 5.3 s and ${String(max / 1000)} s`);
});

test('where no judged client failed, nobody was hit', () => {
  const analysis = {
    ...foundingIncident,
    lanes: [laneOf({ judgedPart: judgedOf({ downtimeMs: { min: 0, max: 700 } }) })],
  };
  expect(worstDowntimeMs(serviceViews(toReport(analysis, judge(analysis))))).toEqual({ min: 0, max: 0 });
});
