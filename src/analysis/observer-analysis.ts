/** What looked at platforms beside the probes, and when it could not. */
import type { BlindSpot, ObserverAnalysis } from '../core/analysis.ts';
import type { Journal } from './journal.ts';

export function analyseObservers(journal: Journal, endedAtNs: number): ObserverAnalysis[] {
  const blinded = Map.groupBy(journal.of('observer-blinded'), ({ observer }) => observer);
  const recovered = Map.groupBy(journal.of('observer-recovered'), ({ observer }) => observer);
  return journal.of('observer-started').map(({ observer: name, side, what, atNs: startedAtNs }) => {
    const gaps = (blinded.get(name) ?? []).map(({ atNs, sinceNs, why }): BlindSpot => {
      const until = recovered.get(name)?.find((one) => one.atNs >= atNs);
      return { fromAtNs: sinceNs, toAtNs: until?.atNs ?? endedAtNs, why };
    });
    const last = gaps.at(-1);
    const hasSeen = gaps.length !== 1 || last?.fromAtNs !== startedAtNs || last.toAtNs < endedAtNs;
    return { name, side, what, hasSeen, gaps };
  });
}
