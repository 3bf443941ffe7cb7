import { expect, test } from 'vitest';
import type { Stretch } from '../../src/core/analysis.ts';
import { sToNs } from '../../src/core/time.ts';
import { toReport } from '../../src/report/report-json.ts';
import { judge } from '../../src/verdict/judge.ts';
import { analysisOf, laneOf } from './kit.ts';
import { pageOf } from './page-of.ts';

function drawn(stretches: readonly Stretch[]): string {
  const analysis = analysisOf({ lanes: [laneOf({ stretches })] });
  return pageOf(toReport(analysis, judge(analysis)));
}

/** In the tables: the legend of the charts has one of each, too. */
const rectsOf = (page: string, state: string): number =>
  page.slice(page.indexOf('id="sections"')).split(`class="s-${state}"`).length - 1;

test('an outage of one probe in a long run is drawn wide enough to be seen', () => {
  const page = drawn([
    { state: 'old', fromAtNs: 0, toAtNs: sToNs(350) },
    { state: 'down', fromAtNs: sToNs(350), toAtNs: sToNs(350.1) },
    { state: 'new', fromAtNs: sToNs(350.1), toAtNs: sToNs(701.7) },
  ]);
  expect(page).toMatch(/<rect class="s-down" x="498\.79" y="0" width="2" height="12"\/>/);
});

test('a lane that flaps for hours is drawn in bins, and one that was down once among them still shows it', () => {
  const flaps = Array.from({ length: 5003 }, (_, i): Stretch => {
    const state = i === 2501 ? 'down' : i % 2 === 0 ? 'old' : 'new';
    return { state, fromAtNs: sToNs(i * 0.14), toAtNs: sToNs(i * 0.14 + 0.14) };
  });
  const page = drawn(flaps);
  expect(rectsOf(page, 'old') + rectsOf(page, 'new')).toBeLessThanOrEqual(500);
  expect(rectsOf(page, 'down')).toBeGreaterThanOrEqual(1);
});
