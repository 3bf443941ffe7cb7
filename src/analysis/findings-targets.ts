/** Findings about the targets of load balancers: what was stale, what looks like it, and what access would prove it. */
import type { Finding } from '../core/analysis.ts';
import type { StaleTarget } from '../core/stale-target.ts';
import type { FindingContext } from './finding-context.ts';

export function targetFindings({ targets: { staleTargets } }: FindingContext): Finding[] {
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
