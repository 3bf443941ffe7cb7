/**
 * The scheduled job of a side, due every minute: an ECS schedule (EventBridge), or a Kubernetes CronJob. The new side's
 * is suspended when the world starts, as a playbook wants it.
 */
import { sToNs } from '../core/time.ts';
import type { Timeline } from './timeline.ts';

const everyNs = sToNs(60);

export interface Schedules {
  suspend(): void;
  /** A CronJob then makes up for what it missed, once and at once (domain.md 0.10); EventBridge does not. */
  resume(nowNs: number): void;
}

export interface SchedulesOptions {
  readonly isSuspended: boolean;
  readonly catchesUp: boolean;
  readonly startNs: number;
  readonly timeline: Timeline;
  readonly fired: (nowNs: number) => void;
}

export function newSchedules(options: SchedulesOptions): Schedules {
  const { catchesUp, startNs, timeline, fired } = options;
  let isSuspended = options.isSuspended;
  // Whoever is suspended at the start has been so for long, and has missed a run already.
  let hasMissed = isSuspended;

  function plan(atNs: number): void {
    timeline.at(atNs, (nowNs) => {
      if (isSuspended) hasMissed = true;
      else fired(nowNs);
      plan(nowNs + everyNs);
    });
  }
  plan((Math.floor(startNs / everyNs) + 1) * everyNs);

  return {
    suspend() {
      isSuspended = true;
    },
    resume(nowNs) {
      if (!isSuspended) return;
      isSuspended = false;
      if (catchesUp && hasMissed) fired(nowNs);
      hasMissed = false;
    },
  };
}
