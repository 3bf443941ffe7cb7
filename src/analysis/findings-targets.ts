/** Findings about the targets of load balancers: what was stale, what looks like it, and what access would prove it. */
import type { Finding } from '../core/analysis.ts';
import { countOf, countText, durationText } from '../core/quantity-text.ts';
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

/** Of one group and fault so many are told each by itself: where a controller died there may be hundreds. */
const toldMax = 5;

function staleFindings({ targets: { staleTargets } }: FindingContext): Finding[] {
  const alike = Map.groupBy(staleTargets, (stale) => `${kindOf(stale)} ${stale.side} ${stale.group}`);
  return [...alike.values()].flatMap((all): Finding[] => {
    const told = all.slice(0, toldMax).flatMap(findingsOf);
    const rest = all.slice(toldMax);
    const [first] = rest;
    if (first === undefined) return told;
    const names = rest.map(({ target }) => target ?? 'not known');
    return [
      ...told,
      {
        kind: kindOf(first),
        service: first.services[0] ?? null,
        severity: 'warn',
        text: `The same is to be said of ${countText(rest.length)} more${first.group === '' ? '' : ` of ${first.group}`}.`,
        evidence: [`${names.slice(0, toldMax).join(', ')}${names.length > toldMax ? ' …' : ''}`],
      },
    ];
  });
}

function findingsOf(stale: StaleTarget): Finding[] {
  const services = stale.services.length === 0 ? [null] : stale.services;
  return services.map((service) => ({
    kind: kindOf(stale),
    service,
    severity: 'warn',
    text: stale.target === null && stale.proof === 'P1' ? `${stale.text} ${accessText}` : stale.text,
    evidence: stale.evidence,
  }));
}

function kindOf({ fault, proof, target }: StaleTarget): string {
  return proof === 'P1' && target === null ? 'stale-target-suspected' : fault;
}

const accessText =
  "To know: let the run see the target groups and who is behind them (sides.…aws with the load balancer, and ecs or sides.…kubernetes; read access suffices), or give it the load balancer's access log.";
