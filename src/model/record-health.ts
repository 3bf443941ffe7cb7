/**
 * Whether sides are healthy by the checks that failover records go by. A check sees how a side is at its instant, and
 * only so many alike in a row make it another to the zone, either way: "the number of consecutive health checks that an
 * endpoint must pass or fail" (Route 53 API, `FailureThreshold`). So a failover comes more than `failureCount` − 1 and at
 * most `failureCount` intervals after what it is for. Route 53 has many checkers, each at its own time, and asks a share
 * of them; here one stands for all.
 */
import type { Random } from '../core/ports.ts';
import type { Side } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import type { ZoneSpec } from '../core/world.ts';
import { newTimeline } from './timeline.ts';

export interface RecordHealth {
  /** As the checks up to now have found. */
  isHealthy(side: Side, hostname: string): boolean;
  advance(nowNs: number): void;
  nextEventNs(): number | null;
}

export interface RecordHealthOptions {
  readonly healthCheck: ZoneSpec['healthCheck'];
  readonly hostnames: readonly string[];
  /** Of the phases of the checks. */
  readonly random: Random;
  readonly startNs: number;
  /** What a check of now finds. */
  readonly isWell: (side: Side, hostname: string, nowNs: number) => boolean;
}

export function newRecordHealth(options: RecordHealthOptions): RecordHealth {
  const { healthCheck, hostnames, random, startNs, isWell } = options;
  const intervalNs = sToNs(healthCheck.intervalS);
  const timeline = newTimeline();
  /** `side|hostname`. */
  const unhealthy = new Set<string>();

  for (const side of ['old', 'new'] as const) {
    for (const hostname of hostnames) watch(side, hostname);
  }

  function watch(side: Side, hostname: string): void {
    const key = keyOf(side, hostname);
    /** Checks in a row that found it unlike its health. */
    let contraryCount = 0;
    const check = (nowNs: number): void => {
      timeline.at(nowNs + intervalNs, check);
      const isHealthy = !unhealthy.has(key);
      contraryCount = isWell(side, hostname, nowNs) === isHealthy ? 0 : contraryCount + 1;
      if (contraryCount < healthCheck.failureCount) return;
      contraryCount = 0;
      if (isHealthy) unhealthy.add(key);
      else unhealthy.delete(key);
    };
    timeline.at(startNs + Math.floor(random() * intervalNs), check);
  }

  return {
    isHealthy: (side, hostname) => !unhealthy.has(keyOf(side, hostname)),
    advance: (nowNs) => timeline.advance(nowNs),
    nextEventNs: () => timeline.nextNs(),
  };
}

function keyOf(side: Side, hostname: string): string {
  return `${side}|${hostname}`;
}
