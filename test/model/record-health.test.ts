import { expect, test } from 'vitest';
import { newRandom } from '../../src/core/random.ts';
import type { Side } from '../../src/core/scenario.ts';
import { nsPerS, sToNs } from '../../src/core/time.ts';
import { newRecordHealth, type RecordHealth } from '../../src/model/record-health.ts';

const [orders, billing] = ['orders.shop.example', 'billing.shop.example'];

function start(
  healthCheck: { readonly intervalS: number; readonly failureCount: number },
  isWell: (side: Side, hostname: string, atS: number) => boolean,
  { seed = 1, startS = 0 } = {},
): RecordHealth {
  return newRecordHealth({
    healthCheck,
    hostnames: [orders, billing],
    random: newRandom(seed, 'health checks'),
    startNs: sToNs(startS),
    isWell: (side, hostname, nowNs) => isWell(side, hostname, nowNs / nsPerS),
  });
}

/** Every instant at which the old side's health turned, s. */
function turnsUntil(health: RecordHealth, untilS: number): readonly number[] {
  const turns: number[] = [];
  let before = true;
  for (let atNs = 0; atNs <= sToNs(untilS); atNs = health.nextEventNs() ?? Infinity) {
    health.advance(atNs);
    const now = health.isHealthy('old', orders);
    if (now !== before) turns.push(atNs / nsPerS);
    before = now;
  }
  return turns;
}

test.for([
  { intervalS: 30, failureCount: 3 },
  { intervalS: 10, failureCount: 1 },
  { intervalS: 10, failureCount: 4 },
])(
  'every $intervalS s and $failureCount times in a row, a side is unhealthy, and healthy again, within that, and not a whole interval before',
  ({ intervalS, failureCount }) => {
    const late = Array.from({ length: 300 }, (_, seed) => {
      const [illAtS, wellAtS] = [101.7 + seed * 1.37, 1003.1 + seed * 2.71];
      const isWell = (_side: Side, _hostname: string, atS: number): boolean => atS < illAtS || atS >= wellAtS;
      const turns = turnsUntil(start({ intervalS, failureCount }, isWell, { seed, startS: 1.3 }), 3000);
      expect(turns).toHaveLength(2);
      return [(turns[0] ?? 0) - illAtS, (turns[1] ?? 0) - wellAtS];
    }).flat();
    expect(Math.max(...late)).toBeLessThanOrEqual(failureCount * intervalS + 1e-6);
    expect(Math.min(...late)).toBeGreaterThanOrEqual((failureCount - 1) * intervalS - 1e-6);
    // Every phase is drawn alike.
    expect(Math.max(...late)).toBeGreaterThan((failureCount - 0.05) * intervalS);
    expect(Math.min(...late)).toBeLessThan((failureCount - 0.95) * intervalS);
  },
);

test('an outage that fewer checks see than are asked for changes nothing, however often it comes', () => {
  for (let seed = 0; seed < 100; seed += 1) {
    const health = start({ intervalS: 30, failureCount: 3 }, (_side, _hostname, atS) => atS % 97 > 59.9, { seed });
    expect(turnsUntil(health, 2000)).toEqual([]);
  }
});

test('each side and each hostname has checks of its own', () => {
  const isWell = (side: Side, hostname: string): boolean => side === 'new' || hostname === billing;
  const health = start({ intervalS: 30, failureCount: 3 }, isWell);
  health.advance(sToNs(91));
  expect(health.isHealthy('old', orders)).toBe(false);
  expect(health.isHealthy('old', billing)).toBe(true);
  expect(health.isHealthy('new', orders)).toBe(true);
});
