/** The application of one service: what it answers in a task or pod, how long that takes, and what is wrong with it. */
import type { Random } from '../core/ports.ts';
import { newRandom } from '../core/random.ts';
import { msToNs, nsPerMs } from '../core/time.ts';
import type { FaultName } from '../core/truth.ts';
import { cfsPeriodMs, newCpuThrottle, waitMsMin, type CpuThrottle } from './cpu-throttle.ts';
import type { Replica } from './replicas.ts';

/** In force now; of several throttles the last one counts. */
export interface AppFaults {
  readonly failing: readonly { readonly status: number; readonly ratio: number }[];
  readonly slowByMs: number;
  readonly throttle: { readonly quotaMs: number; readonly demandMs: number; readonly untilNs: number } | null;
}

export const noAppFaults: AppFaults = { failing: [], slowByMs: 0, throttle: null };

export interface AppAnswer {
  readonly afterNs: number;
  /** null: the good answer. */
  readonly errorStatus: number | null;
  readonly fault: FaultName | null;
  /** What makes it late, if anything. */
  readonly slowness: FaultName | null;
}

export interface App {
  answer(replica: Replica, nowNs: number): AppAnswer;
  /** From now on. */
  setFaults(faults: AppFaults): void;
  /** Of all answers, so many take longer than this; waiting for other requests under a CPU quota left out. */
  lateRatio(waitNs: number): number;
  /** Of all answers, so many are errors. */
  failedRatio(): number;
  /** Added to every answer by faults, at least, ms. */
  readonly delayMs: number;
  /** Which of them adds most. */
  readonly slowness: FaultName | null;
}

export function newApp(options: { readonly serviceMs: number; readonly service: string; readonly seed: number }): App {
  const { serviceMs, service, seed } = options;
  const draws: Readonly<Record<'times' | 'errors' | 'periods', Random>> = {
    times: newRandom(seed, `service times of ${service}`),
    errors: newRandom(seed, `errors of ${service}`),
    periods: newRandom(seed, `CPU periods of ${service}`),
  };
  let faults = noAppFaults;
  let throttles = new WeakMap<Replica, CpuThrottle>();

  function throttledNs(replica: Replica, nowNs: number): number {
    const { throttle } = faults;
    if (throttle === null) return 0;
    let own = throttles.get(replica);
    if (own === undefined) {
      const periodFromNs = Math.floor(nowNs - draws.periods() * cfsPeriodMs * nsPerMs);
      own = newCpuThrottle({ quotaMs: throttle.quotaMs, periodFromNs, untilNs: throttle.untilNs });
      throttles.set(replica, own);
    }
    return own.waitNs(nowNs, msToNs(throttle.demandMs));
  }

  return {
    answer(replica, nowNs) {
      const ownNs = msToNs(serviceMs * (0.5 + draws.times()));
      const slowNs = msToNs(faults.slowByMs);
      const waitedNs = throttledNs(replica, nowNs);
      const slowness = slowNs + waitedNs === 0 ? null : slowNs >= waitedNs ? 'app-slow' : 'cpu-throttled';
      const failing = faults.failing.find(({ ratio }) => draws.errors() < ratio);
      return {
        afterNs: ownNs + slowNs + waitedNs,
        errorStatus: failing?.status ?? null,
        fault: failing === undefined ? slowness : 'app-failing',
        slowness,
      };
    },
    setFaults(now) {
      if (!isSameThrottle(now.throttle, faults.throttle)) throttles = new WeakMap();
      faults = now;
    },
    lateRatio(waitNs) {
      const spareMs = waitNs / nsPerMs - faults.slowByMs;
      if (serviceMs === 0) return spareMs < 0 ? 1 : 0;
      return Math.min(1, Math.max(0, 1.5 - spareMs / serviceMs));
    },
    failedRatio: () => 1 - faults.failing.reduce((good, { ratio }) => good * (1 - ratio), 1),
    get delayMs() {
      return faults.slowByMs + throttledMs(faults);
    },
    get slowness() {
      if (faults.throttle === null) return faults.slowByMs > 0 ? 'app-slow' : null;
      return faults.slowByMs > throttledMs(faults) ? 'app-slow' : 'cpu-throttled';
    },
  };
}

function isSameThrottle(one: AppFaults['throttle'], other: AppFaults['throttle']): boolean {
  return one?.quotaMs === other?.quotaMs && one?.demandMs === other?.demandMs && one?.untilNs === other?.untilNs;
}

function throttledMs({ throttle }: AppFaults): number {
  return throttle === null ? 0 : waitMsMin(throttle.quotaMs, throttle.demandMs);
}
