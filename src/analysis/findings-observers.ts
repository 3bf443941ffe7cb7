/** Findings about what the platforms could not be asked: what an observer would have told meanwhile nobody knows. */
import type { Finding } from '../core/analysis.ts';
import { countOf, durationText } from '../core/quantity-text.ts';
import { nsToMs } from '../core/time.ts';
import { at, type FindingContext } from './finding-context.ts';

export function observerFindings(context: FindingContext): Finding[] {
  return context.observers.flatMap(({ name, what, hasSeen, gaps }): Finding[] => {
    if (gaps.length === 0) return [];
    const blindMs = gaps.reduce((sum, { fromAtNs, toAtNs }) => sum + nsToMs(toAtNs - fromAtNs), 0);
    const about = { kind: 'observer-blind', service: null };
    const evidence = gaps.map(
      ({ fromAtNs, toAtNs, why }) => `${at(context, fromAtNs)} to ${at(context, toAtNs)}: ${why}`,
    );
    if (!hasSeen) {
      const text = `The observer ${name} never saw anything (${what}): ${gaps[0]?.why ?? ''}. What was measured from outside stands without it.`;
      return [{ ...about, severity: 'warn', text, evidence }];
    }
    const text = `The observer ${name} could not see for ${durationText(blindMs, 'up')} in ${countOf(gaps.length, 'stretch', 'stretches')} (${what}): what happened meanwhile it cannot say.`;
    return [{ ...about, severity: 'info', text, evidence }];
  });
}
