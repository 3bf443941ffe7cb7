import fc from 'fast-check';
import { expect, test } from 'vitest';
import { msToNs, nsToMs } from '../../src/core/time.ts';
import { newCpuThrottle, waitMsMin } from '../../src/model/cpu-throttle.ts';

interface Case {
  readonly what: string;
  readonly quotaMs: number;
  readonly untilMs?: number;
  /** [arrives at, needs, waits], ms. */
  readonly requests: readonly (readonly [number, number, number])[];
}

test.for<Case>([
  { what: 'what fits into the quota runs at once', quotaMs: 30, requests: [[10, 30, 0]] },
  { what: 'what does not waits for the next period', quotaMs: 30, requests: [[0, 31, 70]] },
  { what: 'and for the one after that', quotaMs: 30, requests: [[0, 67, 140]] },
  { what: 'begun late, it waits less', quotaMs: 30, requests: [[63, 31, 7]] },
  { what: 'begun at the end of a period it has two quotas', quotaMs: 30, requests: [[80, 43, 0]] },
  {
    what: 'the quota is used up by others',
    quotaMs: 30,
    requests: [
      [3, 20, 0],
      [40, 20, 50],
    ],
  },
  {
    what: 'first come, first served',
    quotaMs: 50,
    requests: [
      [0, 20, 0],
      [5, 20, 15],
      [7, 20, 83],
    ],
  },
  {
    what: 'a quota unused is lost',
    quotaMs: 20,
    requests: [
      [500, 20, 0],
      [560, 20, 40],
    ],
  },
  { what: 'without a quota what is left runs at once', quotaMs: 30, untilMs: 130, requests: [[0, 67, 70]] },
  { what: 'once it is over nothing waits', quotaMs: 30, untilMs: 130, requests: [[131, 500, 0]] },
  { what: 'running as it ends is no wait', quotaMs: 30, untilMs: 20, requests: [[0, 45, 0]] },
])('$what', ({ quotaMs, untilMs = Infinity, requests }) => {
  const throttle = newCpuThrottle({ quotaMs, periodFromNs: 0, untilNs: msToNs(untilMs) });
  for (const [atMs, needsMs, waitsMs] of requests) {
    expect(nsToMs(throttle.waitNs(msToNs(atMs), msToNs(needsMs)))).toBeCloseTo(waitsMs, 6);
  }
});

test('no request waits less than is said beforehand, and one that begins at the right moment no more', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 130 }),
      fc.integer({ min: 1, max: 400 }),
      fc.nat({ max: 99 }),
      (quotaMs, demandMs, arrivesAtMs) => {
        const waitMsAt = (atMs: number): number => {
          const throttle = newCpuThrottle({ quotaMs, periodFromNs: 0, untilNs: Infinity });
          return nsToMs(throttle.waitNs(msToNs(atMs), msToNs(demandMs)));
        };
        expect(waitMsAt(arrivesAtMs)).toBeGreaterThanOrEqual(waitMsMin(quotaMs, demandMs) - 1e-6);
        expect(waitMsAt(100 - Math.min(100, quotaMs))).toBeCloseTo(waitMsMin(quotaMs, demandMs), 6);
      },
    ),
  );
});

test('in no period more CPU time is used than the quota, and no request overtakes another', () => {
  const request = fc.record({ afterMs: fc.nat({ max: 150 }), needsMs: fc.integer({ min: 1, max: 90 }) });
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 3, max: 99 }),
      (requests, quotaMs) => {
        const throttle = newCpuThrottle({ quotaMs, periodFromNs: msToNs(-37), untilNs: Infinity });
        let atMs = 0;
        let neededMs = 0;
        let lastEndMs = 0;
        for (const { afterMs, needsMs } of requests) {
          atMs += afterMs;
          neededMs += needsMs;
          const endMs = atMs + needsMs + nsToMs(throttle.waitNs(msToNs(atMs), msToNs(needsMs)));
          expect(endMs).toBeGreaterThanOrEqual(lastEndMs + needsMs - 1e-6);
          lastEndMs = endMs;
        }
        const periodCount = Math.floor((lastEndMs + 37) / 100) + 1;
        expect(neededMs).toBeLessThanOrEqual(periodCount * quotaMs);
      },
    ),
  );
});
