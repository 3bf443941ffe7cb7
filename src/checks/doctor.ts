/** Every row, and on top of them whether this machine and these credentials are fit for a run. */
import { clockRows } from './doctor-clock.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { machineRows } from './doctor-machine.ts';
import { authorityRows, resolverRows } from './doctor-names.ts';
import { platformRows, tokenRows } from './doctor-platforms.ts';
import type { DoctorRow } from './doctor-row.ts';

export interface Diagnosis {
  readonly scenario: string;
  readonly atMs: number;
  readonly fit: 'yes' | 'no' | 'unknown';
  readonly rows: readonly DoctorRow[];
  /** What has to be mended, each once, in the order in which it is best done. */
  readonly toDo: readonly string[];
}

export function diagnose(facts: DoctorFacts): Diagnosis {
  // What makes others useless comes first: without credentials no permission, without a resolver no name.
  const rows = [tokenRows, platformRows, resolverRows, authorityRows, machineRows, clockRows].flatMap((check) =>
    check(facts),
  );
  const deciding = rows.filter(({ decides }) => decides);
  const failed = deciding.filter(({ result }) => result === 'fail');
  const isUnknown = deciding.some(({ result }) => result === 'unknown');
  return {
    scenario: facts.scenario.name,
    atMs: facts.nowMs,
    fit: failed.length > 0 ? 'no' : isUnknown ? 'unknown' : 'yes',
    rows,
    toDo: [...new Set(failed.flatMap(({ remedy }) => remedy ?? []))],
  };
}

/** 0 fit, 3 something has to be mended, 4 not known. */
export function exitCodeOfDiagnosis({ fit }: Diagnosis): number {
  return fit === 'yes' ? 0 : fit === 'no' ? 3 : 4;
}

/** The contract of `--json`: more may be added, nothing renamed. */
export function diagnosisJson({ scenario, atMs, fit, toDo, rows }: Diagnosis): string {
  const json = { schemaVersion: 1, scenario, at: new Date(atMs).toISOString(), fit, toDo, checks: rows };
  return `${JSON.stringify(json, null, 2)}\n`;
}
