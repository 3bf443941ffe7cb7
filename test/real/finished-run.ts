/** A run that has ended, and what its report says of whom. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../src/report/report-json.ts';
import { readReport, type CutwatchRun } from './cutwatch-run.ts';

export interface FinishedRun {
  readonly path: string;
  readonly exitCode: number | null;
  /** What people read while it ran and when it ended, as one line. */
  readonly output: string;
  readonly report: Report;
  readonly markdown: string;
}

export async function finish(run: CutwatchRun): Promise<FinishedRun> {
  const { exitCode } = await run.ended;
  const output = unwrapped(run.output());
  const markdown = await readFile(join(run.path, 'report.md'), 'utf8').catch(() => {
    throw new Error(`no report was written: ${output}`);
  });
  return { path: run.path, exitCode, output, report: readReport(run.path), markdown };
}

/** However lines are broken. */
export function unwrapped(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

type Service = Report['services'][number];
type Lane = Report['lanes'][number];

export function serviceOf({ report }: FinishedRun, name: string): Service {
  const service = report.services.find((one) => one.name === name);
  if (service === undefined) throw new Error(`no service ${name} in the report`);
  return service;
}

export function laneOf({ report }: FinishedRun, service: string, client: string): Lane {
  const lane = report.lanes.find((one) => one.service === service && one.client === client && one.series === 'raw');
  if (lane === undefined) throw new Error(`no lane of ${service} ${client} in the report`);
  return lane;
}

/** The objectives and rules that made the verdict. */
export function deciding({ report }: FinishedRun): readonly string[] {
  const { value, reasons } = report.verdict;
  const own = reasons.filter((reason) => reason.severity === 'fail' && reason.value === value);
  return [...new Set(own.map((reason) => reason.objective))];
}

/** The states that its lane was in, in order; what was not seen aside. */
export function statesOf(lane: Lane): readonly string[] {
  return lane.stretches.map(({ state }) => state).filter((state, i, all) => state !== 'unseen' && state !== all[i - 1]);
}

/** Of an instant of the report: wall clock ms since 1970; NaN, with which nothing compares, when it is null. */
export function ms(at: string | null | undefined): number {
  return Date.parse(at ?? '');
}
