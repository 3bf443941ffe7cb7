/** What recorders of run folders have in common. */
import { formatVersion, type EntryOf } from '../../src/core/entry.ts';
import type { Lane, Scenario } from '../../src/core/scenario.ts';

export function runStarted(scenario: Scenario, lanes: readonly Lane[]): EntryOf<'run-started'> {
  return {
    type: 'run-started',
    atNs: 0,
    formatVersion,
    version: 'bench',
    runId: '0badcafe',
    startedAtMs: Date.UTC(2026, 10, 24),
    mode: 'cutover',
    vantage: 'bench',
    scenario,
    lanes,
    host: { node: process.versions.node, platform: process.platform, cpuCount: 1 },
    command: null,
  };
}

/** Whole numbers below the one given, the same each time (xorshift32): a benchmark is repeated. */
export function newDraw(): (below: number) => number {
  let state = 0x2545f491;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
