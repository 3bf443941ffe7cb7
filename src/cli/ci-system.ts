/**
 * The CI system that a command runs in, as its environment says, and what it is told of a verdict. A verdict stands whether
 * or not a page about it could be written: what fails here is said, and changes no exit status.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../evidence/append-file.ts';
import { annotations, outputs, stepSummary, withoutCommands } from '../report/github.ts';
import type { Report } from '../report/shape.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `other`: GitLab, Jenkins and all that set `CI`; they read the JUnit of the run folder, and the exit status. */
export type CiSystem =
  | { readonly kind: 'github'; readonly summaryFile: string | null; readonly outputFile: string | null }
  | { readonly kind: 'gitlab' | 'other' };

export function ciSystemOf(env: Environment): CiSystem | null {
  const isSet = (name: string): boolean => ![undefined, '', '0', 'false'].includes(env[name]?.toLowerCase());
  const file = (name: string): string | null => (env[name] === undefined || env[name] === '' ? null : env[name]);
  if (isSet('GITHUB_ACTIONS')) {
    return { kind: 'github', summaryFile: file('GITHUB_STEP_SUMMARY'), outputFile: file('GITHUB_OUTPUT') };
  }
  if (isSet('GITLAB_CI')) return { kind: 'gitlab' };
  return isSet('CI') || isSet('JENKINS_URL') || isSet('TF_BUILD') ? { kind: 'other' } : null;
}

export interface Told {
  readonly exitCode: number;
  /** The run folder. */
  readonly runPath: string;
  /** The reports in it are of this verdict. */
  readonly isWritten: boolean;
}

/** Once, when all is said for people. The report is made only where somebody is told. */
export function tellCi(reportOf: () => Report, told: Told, env: Environment = process.env): void {
  const system = ciSystemOf(env);
  if (system === null) return;
  if (system.kind === 'github') tellGithub(system, reportOf(), told);
  else if (told.isWritten) say(`JUnit for this pipeline: ${join(told.runPath, 'junit.xml')}`);
}

function tellGithub(
  { summaryFile, outputFile }: CiSystem & { readonly kind: 'github' },
  report: Report,
  told: Told,
): void {
  // GitHub reads commands on both streams, and standard output is for data.
  for (const line of annotations(report, told.exitCode)) say(line);
  if (summaryFile !== null) {
    tryTo('step summary', () => appendFileSync(summaryFile, stepSummary(report, bytesIn(summaryFile))));
  }
  if (outputFile !== null) tryTo('outputs', () => appendFileSync(outputFile, outputs(report, told)));
}

/** What is printed for people; on GitHub no line of it can be a command to the runner. */
export function forPeople(text: string, env: Environment = process.env): string {
  return ciSystemOf(env)?.kind === 'github' ? withoutCommands(text, randomUUID()) : `${text}\n`;
}

function bytesIn(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function tryTo(what: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    say(`note: GitHub was not given the ${what}: ${reasonOf(error)}`);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
