import { UserError } from '../core/errors.ts';
import type { Scenario } from '../core/scenario.ts';
import { plan } from '../scenario/plan.ts';

export interface PlanFlags {
  readonly maxRate: number;
  readonly json?: boolean;
}

/** Prints what a run would do; a plan with problems is printed whole before they are. */
export function planCommand(scenario: Scenario, { maxRate, json = false }: PlanFlags): void {
  const { text, facts, problems } = plan(scenario, { ratePerSecondMax: maxRate });
  process.stdout.write(json ? `${JSON.stringify(facts, null, 2)}\n` : text);
  if (problems.length > 0) throw new UserError(problems);
}
