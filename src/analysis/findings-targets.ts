/** Findings about the targets of load balancers: what was stale, what looks like it, and what access would prove it. */
import type { Finding } from '../core/analysis.ts';
import { countOf, durationText } from '../core/quantity-text.ts';
import type { StaleTarget } from '../core/stale-target.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import { at, type FindingContext } from './finding-context.ts';

export function targetFindings(context: FindingContext): Finding[] {
  return [...staleFindings(context), ...drainFindings(context)];
}

function drainFindings(context: FindingContext): Finding[] {
  return context.targets.drainExpired.flatMap(({ service, expired }) =>
    expired.map(({ side, delayS, failedCount, fromNs, toNs }): Finding => {
      const delay = durationText(nsToMs(sToNs(delayS)));
      return {
        kind: 'drain-too-short',
        service,
        severity: 'warn',
        text: `${countOf(failedCount, 'probe')} on the ${side} side got 502 as the deregistration delay of a target ended, ${delay} after it was taken out: requests that take longer are given up. Make the delay longer than the longest request.`,
        evidence: [`due from ${at(context, fromNs)} to ${at(context, toNs)}`],
      };
    }),
  );
}

function staleFindings({ targets: { staleTargets } }: FindingContext): Finding[] {
  return staleTargets.flatMap((stale): Finding[] => {
    const services = stale.services.length === 0 ? [null] : stale.services;
    return services.map((service) => ({
      kind: kindOf(stale),
      service,
      severity: 'warn',
      text: stale.target === null && stale.proof === 'P1' ? `${stale.text} ${accessText}` : stale.text,
      evidence: stale.evidence,
    }));
  });
}

function kindOf({ fault, proof, target }: StaleTarget): string {
  return proof === 'P1' && target === null ? 'stale-target-suspected' : fault;
}

const accessText =
  "To know: let the run see the target groups and who is behind them (sides.…aws with the load balancer, and ecs or sides.…kubernetes; read access suffices), or give it the load balancer's access log.";
