/** Keeps checking, beside `run`: a line, and a mark in the run, for each step that is no longer as it was, until it is stopped. */
import { playbook, saidOf, type PlannedStep, type Playbook } from '../checks/playbook.ts';
import type { PlaybookFacts } from '../checks/playbook-facts.ts';
import { changeText } from '../checks/playbook-text.ts';
import type { StepSaid, StepState } from '../core/playbook.ts';
import { partsFor, type Part } from './playbook-look.ts';

export interface WatchPorts {
  readonly look: (parts: ReadonlySet<Part>) => Promise<PlaybookFacts>;
  readonly say: (text: string) => void;
  /** Into the running watch. */
  readonly mark: (said: StepSaid) => void;
  /** Which that is; null: none is running. */
  readonly run: () => string | null;
  readonly nowMs: () => number;
  /** Ends early when it is stopped. */
  readonly wait: (ms: number) => Promise<void>;
  readonly stopSignal: AbortSignal;
}

const everyMs = 10_000;
/** Dozens of requests each time: whoever wants to know more often runs `run`. */
const sidesEveryMs = 120_000;

/** What the last look said; null: it was stopped in the first. */
export async function watchPlaybook(
  steps: readonly PlannedStep[],
  { isRollback }: { readonly isRollback: boolean },
  { look, say, mark, run, nowMs, wait, stopSignal }: WatchPorts,
): Promise<Playbook | null> {
  const parts = partsFor(steps.map(({ check }) => check));
  const withoutSides = new Set([...parts].filter((part) => part !== 'sides'));
  const states = new Map<string, StepState>();
  let found: Playbook | null = null;
  let sidesAtMs = -Infinity;
  let told: string | null = null;
  while (!stopSignal.aborted) {
    const beganMs = nowMs();
    const isDue = beganMs - sidesAtMs >= sidesEveryMs;
    const facts = await look(isDue ? parts : withoutSides);
    if (stopSignal.aborted) break;
    if (isDue) sidesAtMs = beganMs;
    found = playbook(facts, steps, isRollback);
    const now = run();
    for (const step of found.steps) {
      const before = states.get(step.name);
      // A run that has just begun is told of every step.
      const isNews = now !== null && (now !== told || before !== step.state);
      if (isNews && step.check !== null) mark(saidOf(step));
      if (before !== undefined && before !== step.state) {
        say(`${new Date(found.atMs).toISOString().slice(11, 19)}  ${changeText(step, before)}`);
      }
      states.set(step.name, step.state);
    }
    told = now;
    await wait(Math.max(0, everyMs - (nowMs() - beganMs)));
  }
  return found;
}
