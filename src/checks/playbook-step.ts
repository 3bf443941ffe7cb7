/** What a check says of a step: rows, each of one thing that was looked at, and what they come to. */
import type { PlaybookCheck, StepState } from '../core/playbook.ts';
import type { Scenario, Side } from '../core/scenario.ts';
import type { CheckResult } from './check.ts';
import type { PlaybookFacts } from './playbook-facts.ts';

export interface StepRow {
  readonly subject: string;
  readonly state: StepState;
  /** What was found; a phrase. */
  readonly found: string;
  /** A sentence; '' = nothing is to be done. */
  readonly toDo: string;
  /** False: worth knowing, and no reason to stop. */
  readonly decides: boolean;
  /** Time may mend it. */
  readonly canWait: boolean;
  /** It was so, and is no longer: nothing mends it, and somebody may accept it. */
  readonly isPast?: true;
}

interface RowMore {
  readonly toDo?: string;
  readonly decides?: boolean;
  readonly canWait?: boolean;
  readonly isPast?: true;
}

export function stepRow(state: StepState, subject: string, found: string, more: RowMore = {}): StepRow {
  return {
    subject,
    state,
    found,
    toDo: more.toDo ?? '',
    decides: more.decides ?? true,
    canWait: more.canWait ?? false,
    ...(more.isPast === undefined ? {} : { isPast: more.isPast }),
  };
}

/** One row of a preflight. */
export function rowOfCheck({ subject, result, observed, text, decides, heals }: CheckResult): readonly StepRow[] {
  if (result === 'not-asked') return [];
  const isDone = result === 'pass' || result === 'not-applicable';
  const more = { toDo: isDone ? '' : text, decides, canWait: heals !== null && heals.atMs !== null };
  return [stepRow(result, subject, observed === '' ? text : observed, more)];
}

/** What a check says. */
export interface CheckSaid {
  readonly rows: readonly StepRow[];
  /** What was asked, for people. */
  readonly source: string;
  /** Wall clock. */
  readonly readAtMs: number;
}

/** Unknown beats pass; what does not apply is not passed. */
export function stateOf(rows: readonly StepRow[]): StepState {
  const deciding = rows.filter(({ decides }) => decides).map(({ state }) => state);
  return (['fail', 'unknown', 'pass'] as const).find((state) => deciding.includes(state)) ?? 'not-applicable';
}

export interface Way {
  readonly entering: Side;
  readonly leaving: Side;
}

export function wayOf({ look: { scenario } }: PlaybookFacts): Way {
  return scenario.change.direction === 'old-to-new'
    ? { entering: 'new', leaving: 'old' }
    : { entering: 'old', leaving: 'new' };
}

export function titleOf({ sides }: Scenario, side: Side): string {
  return sides[side].title;
}

/** A mirrored step is called after the side that it is about; its command in a scenario is under the name that it has there. */
const mirrored: Partial<Readonly<Record<PlaybookCheck, string>>> = {
  'new-side-deployed': 'old-side-deployed',
  'new-side-ready': 'old-side-ready',
  'new-side-answers': 'old-side-answers',
  'old-drained': 'new-drained',
};

/**
 * Which side's jobs are off first is what the mirror turns round: those of the side that is moved to, so that what runs
 * there is known, then those of the side that is left. Both checks are called after the side that they are about.
 */
export function mirrorOf(check: PlaybookCheck): { readonly check: PlaybookCheck; readonly name: string } {
  if (check === 'cron-suspended-on-new') return { check: 'ecs-schedules-disabled', name: 'ecs-schedules-disabled' };
  if (check === 'ecs-schedules-disabled') return { check: 'cron-suspended-on-new', name: 'cron-suspended-on-new' };
  return { check, name: mirrored[check] ?? check };
}
