/**
 * As much of GitHub's runner as our examples need: steps one after the other, each with its files for summary and outputs,
 * expressions of names and `||`, `if: always()`, and the composite action of this repository. Actions of others are noted
 * and not run.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly shell?: string;
  readonly run?: string;
}

export interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string; readonly required?: boolean }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

export function readAction(): Action {
  return parse(readFileSync('action.yml', 'utf8')) as Action;
}

/** What a step left behind. */
export interface StepEnd {
  readonly exitCode: number;
  /** Standard output and standard error, as the log of the job shows them. */
  readonly log: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface JobEnd {
  readonly isGreen: boolean;
  /** Of scripts, in order. */
  readonly steps: readonly StepEnd[];
  /** Actions of others, with what they were given. */
  readonly used: readonly { readonly uses: string; readonly with: Readonly<Record<string, string>> }[];
}

export interface Machine {
  /** The checkout. */
  readonly folder: string;
  /** Before the machine's own. */
  readonly programs: string;
}

type Context = Readonly<Record<string, string>>;

export async function runWorkflow(text: string, machine: Machine): Promise<JobEnd> {
  const [job] = Object.values((parse(text) as Workflow).jobs);
  return runSteps(job?.steps ?? [], machine, {});
}

export async function runAction(given: Readonly<Record<string, string>>, machine: Machine): Promise<JobEnd> {
  const { inputs, runs } = readAction();
  const known = Object.entries(inputs).map(([name, input]) => [`inputs.${name}`, given[name] ?? input.default ?? '']);
  return runSteps(runs.steps, machine, Object.fromEntries(known) as Context);
}

async function runSteps(steps: readonly Step[], machine: Machine, given: Context): Promise<JobEnd> {
  const context: Record<string, string> = { ...given };
  const ends: StepEnd[] = [];
  const used: JobEnd['used'][number][] = [];
  let isGreen = true;
  const keep = (step: Step, outputs: Context): void => {
    for (const [name, value] of Object.entries(outputs)) context[`steps.${step.id ?? ''}.outputs.${name}`] = value;
  };
  for (const [i, step] of steps.entries()) {
    if (!isDue(step.if, isGreen, context)) continue;
    const { uses, run } = step;
    const asked = Object.fromEntries(
      Object.entries(step.with ?? {}).map(([name, value]) => [name, filled(String(value), context)]),
    );
    if (uses?.startsWith('your-org/cutwatch@') === true) {
      const end = await runAction(asked, machine);
      ends.push(...end.steps);
      used.push(...end.used);
      if (!end.isGreen) isGreen = false;
      keep(step, outputsOfAction(end));
    } else if (uses !== undefined) {
      used.push({ uses, with: asked });
    } else if (run !== undefined) {
      const env = Object.fromEntries(
        Object.entries(step.env ?? {}).map(([name, value]) => [name, filled(value, context)]),
      );
      const end = await runScript(run, { machine, env, name: `step-${String(i)}-${String(ends.length)}` });
      ends.push(end);
      if (end.exitCode !== 0) isGreen = false;
      keep(step, end.outputs);
    }
  }
  return { isGreen, steps: ends, used };
}

/** An action gives on the outputs that it names, and no others. */
function outputsOfAction({ steps }: JobEnd): Context {
  const own = Object.assign({}, ...steps.map(({ outputs }) => outputs)) as Context;
  const context = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [`steps.watch.outputs.${name}`, value]),
  );
  return Object.fromEntries(
    Object.entries(readAction().outputs).map(([name, { value }]) => [name, filled(value, context)]),
  );
}

/** Only what our examples say: `always()`, and that an input is not empty. */
function isDue(condition: string | undefined, isGreen: boolean, context: Context): boolean {
  if (condition === undefined) return isGreen;
  const match = /^always\(\)(?: && ([\w.-]+) != '')?$/.exec(condition);
  if (match === null) throw new Error(`this runner does not know: if: ${condition}`);
  return match[1] === undefined || (context[match[1]] ?? '') !== '';
}

function filled(text: string, context: Context): string {
  return text.replaceAll(/\$\{\{ ([^}]*) \}\}/g, (_, expression: string) => {
    const names = expression.split(' || ');
    const unknown = names.find((name) => !/^(inputs|steps)\.[\w.-]+$/.test(name));
    if (unknown !== undefined) throw new Error(`this runner does not know: ${unknown}`);
    return names.map((name) => context[name] ?? '').find((value) => value !== '') ?? '';
  });
}

interface Script {
  readonly machine: Machine;
  readonly env: Readonly<Record<string, string>>;
  readonly name: string;
}

async function runScript(text: string, { machine, env, name }: Script): Promise<StepEnd> {
  const path = (what: string): string => join(machine.folder, `${name}.${what}`);
  for (const what of ['summary', 'output']) writeFileSync(path(what), '');
  const { exitCode, log } = await runBash(text, machine, {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: machine.folder,
    GITHUB_REPOSITORY: 'your-org/shop',
    GITHUB_RUN_ID: '19530811472',
    RUNNER_OS: 'Linux',
    GITHUB_STEP_SUMMARY: path('summary'),
    GITHUB_OUTPUT: path('output'),
    ...env,
  });
  const outputs = readFileSync(path('output'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  return { exitCode, log, summary: readFileSync(path('summary'), 'utf8'), outputs: Object.fromEntries(outputs) };
}

/** As GitHub and GitLab call it; nothing of this test's own environment but where programs are. */
export async function runBash(
  text: string,
  { folder, programs }: Machine,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number; readonly log: string }> {
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', text], {
    cwd: folder,
    env: { PATH: `${programs}:${process.env['PATH'] ?? ''}`, HOME: folder, LANG: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (log += data.toString()));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  return { exitCode, log };
}
