import { expect, test } from 'vitest';
import { newGuard } from '../../src/cli/guard.ts';
import { laneOf } from '../prober/kit.ts';

test('side lanes beyond the guard are left out and named; client lanes never are; numbers have no gaps', () => {
  const guard = newGuard(8);
  const side = (n: number) =>
    laneOf(n, 'fresh', { role: 'side', client: 'side:old', address: `10.0.0.${n}`, resolver: null });
  const { lanes, notes } = guard.admit([side(0), side(1), side(2), laneOf(3, 'fresh'), laneOf(4, 'keep-alive')], 5);
  expect(lanes.map((lane) => [lane.number, lane.client, lane.address])).toEqual([
    [5, 'side:old', '10.0.0.0'],
    [6, 'side:old', '10.0.0.1'],
    [7, 'fresh', null],
    [8, 'keep-alive', null],
  ]);
  expect(notes).toEqual(['orders side:old at 10.0.0.2 is not probed: it would exceed the guard of 8 probes/s']);
  expect(guard.admit([side(9)], 9).lanes).toEqual([]);
});
