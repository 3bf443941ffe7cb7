/** Truth logs by hand, beside the hand-made logs of the analysis's own tests. */
import type { Analysis } from '../../src/core/analysis.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import type { Lane } from '../../src/core/scenario.ts';
import { sToNs } from '../../src/core/time.ts';
import type { Condition, FaultName, TruthEntry } from '../../src/core/truth.ts';
import { compareWithTruth } from '../../src/truth/compare.ts';
import type { Comparison } from '../../src/truth/comparison.ts';
import { judge } from '../../src/verdict/judge.ts';
import { evidenceOf, foldOf, hostname, newAddress, oldAddress, type Log } from '../analysis/kit.ts';

export const well: Condition = { fault: null, failedRatio: 0, delayMs: 0, hits: 'all' };

export function failing(fault: FaultName, failedRatio = 1): Condition {
  return { fault, failedRatio, delayMs: 0, hits: 'all' };
}

/** From `atS` on. */
export function condition(atS: number, address: string, now: Condition): TruthEntry {
  const side = address === newAddress ? 'new' : 'old';
  return { type: 'condition-changed', atNs: sToNs(atS), side, address, hostname, condition: now };
}

export const allWell: readonly TruthEntry[] = [condition(0, oldAddress, well), condition(0, newAddress, well)];

export function down(address: string, fromS: number, toS: number, fault: FaultName): TruthEntry[] {
  return [condition(fromS, address, failing(fault)), condition(toS, address, well)];
}

export function served(atS: number, address: string | null, ttlS = 5): TruthEntry {
  return {
    type: 'record-served',
    atNs: sToNs(atS),
    nameServer: 'ns-1',
    hostname,
    side: address === null ? null : address === newAddress ? 'new' : 'old',
    addresses: address === null ? [] : [address],
    ttlS,
  };
}

export function hit(atS: number, slot: number, fault: FaultName, status: number): TruthEntry {
  return {
    type: 'request-hit',
    atNs: sToNs(atS),
    trace: { lane: 0, slot, part: 0 },
    address: oldAddress,
    hostname,
    fault,
    status,
    afterMs: status === 0 ? null : 3,
  };
}

export interface Held {
  readonly log: Log;
  readonly truth: readonly TruthEntry[];
  /** What the report says otherwise than the analysis did. */
  readonly analysis?: (analysis: Analysis) => Analysis;
  readonly verdict?: (verdict: Verdict) => Verdict;
}

export function held({ log, truth, analysis = same, verdict = same }: Held): Comparison {
  const evidence = evidenceOf(log);
  const report = analysis(foldOf(evidence).result());
  const entries = truth.toSorted((a, b) => a.atNs - b.atNs);
  const lanes: readonly Lane[] = evidence.started.lanes;
  return compareWithTruth({
    truth: entries,
    analysis: report,
    verdict: verdict(judge(report)),
    lanes,
    batches: evidence.batches,
  });
}

function same<T>(value: T): T {
  return value;
}
