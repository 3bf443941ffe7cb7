import { UserError } from '../core/errors.ts';
import type { Scenario } from '../core/scenario.ts';
import { plan } from '../scenario/plan.ts';

/** Prints what a run would do; a plan with problems is printed whole before they are. */
export function planCommand(scenario: Scenario, ratePerSecondMax: number): void {
  const { text, problems } = plan(scenario, { ratePerSecondMax });
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  if (problems.length > 0) throw new UserError(problems);
}
