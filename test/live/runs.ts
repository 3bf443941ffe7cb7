/** What a gate may find: a run before its change, one that goes well, one that goes badly, and their ends. */
import type { Analysis } from '../../src/core/analysis.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { brokenLog, cleanPass, foundingIncident } from '../report/cases.ts';
import { snapshotOf } from './kit.ts';

export type RunName = 'beforeChange' | 'goingWell' | 'goingBadly' | 'passed' | 'failed' | 'unknown' | 'commandFailed';

/** As `result()` of the fold gives it while the run goes on. */
export const unended: Pick<Analysis, 'isWhole' | 'incompleteBecause'> = {
  isWhole: false,
  incompleteBecause: ['The end is missing.'],
};

const beforeChange: Analysis = {
  ...cleanPass,
  ...unended,
  services: cleanPass.services.map((service) => ({ ...service, changes: [], outcome: 'none' })),
  lanes: cleanPass.lanes.map((lane) => ({ ...lane, judgedPart: null })),
};

const failedCommand: Analysis = {
  ...cleanPass,
  command: { words: ['switch.sh'], exitCode: 7, signal: null, error: '', fromAtNs: 1e9, toAtNs: 2e9 },
};

export const runs: Readonly<Record<RunName, Snapshot>> = {
  beforeChange: snapshotOf(beforeChange),
  goingWell: snapshotOf({ ...cleanPass, ...unended }),
  goingBadly: snapshotOf({ ...foundingIncident, ...unended }),
  passed: snapshotOf(cleanPass, { isRunning: false }),
  failed: snapshotOf(foundingIncident, { isRunning: false }),
  unknown: snapshotOf(brokenLog, { isRunning: false }),
  commandFailed: snapshotOf(failedCommand, { isRunning: false }),
};
