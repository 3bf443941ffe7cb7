/** CronJobs, and the Jobs they started. */
import type { ScheduleSeen } from '../core/platform.ts';
import { conditionOf, controllerOf, nameOf } from './kubernetes-objects.ts';
import { boolAt, instantMsAt, listAt, numberAt, textAt, textOrNullAt } from './kubernetes-json.ts';

export interface CronJobSeen {
  readonly schedule: ScheduleSeen;
  /** Names of Jobs, by its own status: set after they start, and cleared after they end. */
  readonly activeJobs: readonly string[];
}

export interface JobSeen {
  /** The CronJob's name; null = nobody's, or something else's. */
  readonly cronJob: string | null;
  readonly isEnded: boolean;
}

export function cronJobSeen(object: unknown): CronJobSeen | null {
  const name = nameOf(object);
  if (name === '') return null;
  const activeJobs = listAt(object, 'status', 'active').flatMap((entry) => textAt(entry, 'name') || []);
  return {
    activeJobs,
    schedule: {
      kind: 'cron-job',
      name,
      isEnabled: boolAt(object, 'spec', 'suspend') !== true,
      expression: textAt(object, 'spec', 'schedule'),
      timeZone: textOrNullAt(object, 'spec', 'timeZone'),
      activeCount: activeJobs.length,
      lastRunAtMs: instantMsAt(object, 'status', 'lastScheduleTime'),
      startingDeadlineS: numberAt(object, 'spec', 'startingDeadlineSeconds'),
    },
  };
}

export function jobSeen(object: unknown): JobSeen | null {
  if (nameOf(object) === '') return null;
  const owner = controllerOf(object);
  const isSo = (type: string): boolean => textAt(conditionOf(object, type), 'status') === 'True';
  return { cronJob: owner?.kind === 'CronJob' ? owner.name : null, isEnded: isSo('Complete') || isSo('Failed') };
}

/**
 * Either list may lag: the CronJob's own of Jobs that just started or ended, and that of the Jobs by the events that have
 * not come. A Job counts as running until one of its own says that it ended.
 */
export function scheduleSeen({ schedule, activeJobs }: CronJobSeen, jobs: ReadonlyMap<string, JobSeen>): ScheduleSeen {
  const owned = [...jobs].filter(([, { cronJob }]) => cronJob === schedule.name).map(([name]) => name);
  const running = [...new Set([...activeJobs, ...owned])].filter((name) => jobs.get(name)?.isEnded !== true);
  return { ...schedule, activeCount: running.length };
}
