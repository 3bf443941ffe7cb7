/**
 * Three kinds of wrong. The world's is an `Outcome` and never thrown. The user's is a `UserError`: every problem at once,
 * printed without a stack. Ours is an assertion: it crashes, with a stack.
 */

/** One thing the user has to mend: where it is, what was found, what was expected. */
export interface Problem {
  /** `file:line:col`, a flag, or a path; what the user has to open. */
  readonly where: string;
  readonly text: string;
}

export class UserError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => `${problem.where}: ${problem.text}`).join('\n'));
    this.name = 'UserError';
    this.problems = problems;
  }
}

export function userError(where: string, text: string): UserError {
  return new UserError([{ where, text }]);
}

export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(`cutwatch is wrong about itself: ${sentence}`);
}
