/** What a playbook is made of: checks by name, and what the team does before each (domain.md, E). */

/** In the default order of a switchover. */
export const playbookChecks = [
  'ttl-lowered',
  'ttl-aged-out',
  'connection-age-lowered',
  'new-side-deployed',
  'new-side-ready',
  'new-side-answers',
  'cron-suspended-on-new',
  'helm-rollback-possible',
  'rollback-ready',
  'ecs-schedules-disabled',
  'jobs-exclusive',
  'dns-switched',
  'converged',
  'cron-enabled',
  'deploy-safety',
  'old-drained',
] as const;

export type PlaybookCheck = (typeof playbookChecks)[number];

/** Unknown is never a pass; what does not apply, or no machine can see, has not passed either. */
export type StepState = 'pass' | 'fail' | 'unknown' | 'not-applicable';

/** What a playbook that goes on beside a run says of one step: into the run's marks, its journal, and its report. */
export interface StepSaid {
  readonly step: string;
  /** null: no machine can see it, and its command or the operator said that it was done. */
  readonly check: PlaybookCheck | null;
  readonly result: StepState;
  /** The operator went on all the same. */
  readonly isAccepted: boolean;
  /** Wall clock; null: nothing was read for it. */
  readonly observedAtMs: number | null;
  /** What was found, of what decided; phrases. */
  readonly evidence: readonly string[];
}

/** As `playbook` of a scenario has it; of a rollback what is said is its mirror. */
export interface PlaybookStep {
  /** The check's name; of a step without one made of its title. */
  readonly name: string;
  /** null: no machine can see it, and the operator says that it is done. */
  readonly check: PlaybookCheck | null;
  /** '' = that of its check. */
  readonly title: string;
  readonly note: string;
  /** Program and arguments; null = the operator does it by hand. Never in a log. */
  readonly command: readonly string[] | null;
  /** On the way back. */
  readonly rollback: readonly string[] | null;
}
