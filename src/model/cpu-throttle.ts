/**
 * CPU bandwidth control of Linux: in each period a group may use its quota of CPU time; then it stands still until the
 * next period begins (kernel, Documentation/scheduler/sched-bwc.rst). Kubernetes' period is 100 ms
 * (`cpuCFSQuotaPeriod`). Requests wait for each other: one CPU, first come, first served.
 */
import { assert } from '../core/errors.ts';
import { msToNs } from '../core/time.ts';

export const cfsPeriodMs = 100;
const periodNs = msToNs(cfsPeriodMs);

export interface CpuThrottle {
  /** How much longer than without a quota a request takes that arrives now and needs so much CPU time. */
  waitNs(arrivalNs: number, demandNs: number): number;
}

export interface CpuThrottleOptions {
  readonly quotaMs: number;
  /** Any instant at which a period begins. */
  readonly periodFromNs: number;
  /** When the quota ends; what is left by then runs at once. */
  readonly untilNs: number;
}

export function newCpuThrottle({ quotaMs, periodFromNs, untilNs }: CpuThrottleOptions): CpuThrottle {
  assert(quotaMs > 0, 'a quota of no CPU time would stop everything for ever');
  const quotaNs = msToNs(quotaMs);
  const periodAt = (atNs: number): number => Math.floor((atNs - periodFromNs) / periodNs);
  // When all that came before is done, in which period that is, and how much of its quota is used.
  let freeAtNs = -Infinity;
  let period = -Infinity;
  let usedNs = 0;

  return {
    waitNs(arrivalNs, demandNs) {
      let atNs = Math.max(arrivalNs, freeAtNs);
      for (let leftNs = demandNs; leftNs > 0;) {
        if (atNs >= untilNs) {
          atNs += leftNs;
          break;
        }
        if (periodAt(atNs) !== period) [period, usedNs] = [periodAt(atNs), 0];
        const periodEndNs = periodFromNs + (period + 1) * periodNs;
        const runNs = Math.min(leftNs, quotaNs - usedNs, periodEndNs - atNs);
        leftNs -= runNs;
        usedNs += runNs;
        atNs += runNs;
        if (leftNs > 0) atNs = Math.max(atNs, Math.min(periodEndNs, untilNs));
      }
      freeAtNs = atNs;
      return atNs - arrivalNs - demandNs;
    },
  };
}

/**
 * What a request waits at least, ms: one that finds no other before it, and begins so late in a period that it has the
 * next one's quota as well without a pause.
 */
export function waitMsMin(quotaMs: number, demandMs: number): number {
  return Math.max(0, Math.ceil(demandMs / quotaMs) - 2) * Math.max(0, cfsPeriodMs - quotaMs);
}
