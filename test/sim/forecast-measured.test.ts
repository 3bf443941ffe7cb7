import { expect, test } from 'vitest';
import type { Scenario } from '../../src/core/scenario.ts';
import { measuredOf, type Measured } from '../../src/sim/forecast-measured.ts';
import { analysisOf, freshClient, keepAliveClient, mark, scenarioOf, type LaneLog } from '../analysis/kit.ts';

const scenario: Scenario = {
  ...scenarioOf(),
  clients: [
    { name: 'fresh', weightRatio: 0.75, archetype: freshClient },
    { name: 'keep-alive', weightRatio: 0.25, archetype: keepAliveClient },
  ],
};

/** Lanes at 1/s over 60 s, a switch at 20 s. */
function measured(lanes: readonly LaneLog[], services: readonly string[] = ['orders']): Measured | null {
  const analysis = analysisOf({ lanes, entries: [mark(20)] });
  return measuredOf({ analysis, scenario, services, instantsS: [0, 5, 15, 25, 900] });
}

const slots = '.'.repeat(60);
const leavesAt = (s: number): string => `${'o'.repeat(s)}n`;

/** A switch is marked at 20 s, so that the first slot after it is due 0 s after it. */
test('the last request of each lane there is told by client, and how many were there by the weights of these', () => {
  const found = measured([
    { client: 'fresh', slots, at: leavesAt(23) },
    { client: 'fresh', slots, at: leavesAt(30) },
    { client: 'keep-alive', archetype: keepAliveClient, slots, at: 'o' },
  ]);
  expect(found?.clients).toEqual([
    { client: 'fresh', laneCount: 2, lastS: { min: 2, max: 9 }, stayedCount: 0 },
    {
      client: 'keep-alive',
      laneCount: 1,
      lastS: { min: 39, max: 39 },
      stayedCount: 1,
    },
  ]);
  // Each fresh lane is half of three quarters; nothing is said of what was not watched.
  expect(found?.curve).toEqual([
    { atS: 0, ratio: 1 },
    { atS: 5, ratio: 0.375 + 0.25 },
    { atS: 15, ratio: 0.25 },
    { atS: 25, ratio: 0.25 },
  ]);
});

test('on a way back as well, the last request counts, and not the first elsewhere', () => {
  const back = { ...scenario, change: { ...scenario.change, direction: 'new-to-old' as const } };
  const analysis = analysisOf({
    scenario: () => back,
    lanes: [{ client: 'fresh', slots, at: `${'n'.repeat(23)}o` }],
    entries: [mark(20)],
  });
  const found = measuredOf({ analysis, scenario: back, services: ['orders'], instantsS: [0] });
  expect(found?.clients[0]?.lastS).toEqual({ min: 2, max: 2 });
});

test('a lane that fails at the side that is left is still led there', () => {
  const found = measured([
    { client: 'fresh', slots: `${'.'.repeat(22)}${'x'.repeat(10)}${'.'.repeat(28)}`, at: leavesAt(32) },
    { client: 'keep-alive', archetype: keepAliveClient, slots, at: leavesAt(21) },
  ]);
  expect(found?.clients[0]?.lastS.max).toBeCloseTo(11, 0);
  expect(found?.curve.map(({ ratio }) => ratio)).toEqual([1, 0.75, 0, 0]);
});

test('instants at which nothing was seen of any lane have no share', () => {
  const found = measured([
    { client: 'fresh', slots: `${'.'.repeat(30)}${'?'.repeat(10)}${'.'.repeat(20)}`, at: leavesAt(24) },
  ]);
  expect(found?.curve.map(({ ratio }) => ratio)).toEqual([1, expect.any(Number), null, 0]);
});

test('a run that saw no such change has nothing to show', () => {
  expect(
    measuredOf({
      analysis: analysisOf({ lanes: [{ client: 'fresh', slots, at: 'o' }] }),
      scenario,
      services: ['orders'],
      instantsS: [0],
    }),
  ).toBeNull();
  expect(measured([{ client: 'fresh', slots, at: leavesAt(23) }], ['billing'])).toBeNull();
});
