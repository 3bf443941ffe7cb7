/** Findings about changes made through Route 53's API: when all its name servers had them, beside when those asked here had. */
import type { Finding } from '../core/analysis.ts';
import type { EntryOf } from '../core/entry.ts';
import { at, type FindingContext } from './finding-context.ts';

export function dnsChangeFindings(context: FindingContext): Finding[] {
  const byId = Map.groupBy(context.journal.of('dns-change-seen'), ({ id }) => id);
  return [...byId].map(([id, steps]) => changeFinding(context, id, steps));
}

function changeFinding(context: FindingContext, id: string, steps: readonly EntryOf<'dns-change-seen'>[]): Finding {
  const about = { kind: 'route53-change', service: null };
  const evidence = steps.map((step) => `${at(context, step.atNs)}: ${step.status}`);
  const submitted = new Date(steps[0]?.submittedAtMs ?? 0).toISOString();
  const inSync = steps.find(({ status }) => status === 'INSYNC');
  if (inSync === undefined) {
    const text = `The change ${id} of Route 53, submitted at ${submitted}, was not on all its name servers when it was last asked for (PENDING): wherever it is missing, resolvers still get what was before.`;
    return { ...about, severity: 'warn', text, evidence };
  }
  const { previousAskedAtNs } = inSync;
  const notBefore = previousAskedAtNs === null ? '' : ` and not before ${at(context, previousAskedAtNs)}`;
  const heardNs = lastHeardNs(context);
  const heard =
    heardNs === null
      ? ''
      : ` The last name server asked from here was heard to have changed at ${at(context, heardNs)}.`;
  const text = `The change ${id} of Route 53, submitted at ${submitted}, was on all its name servers by ${at(context, inSync.atNs)}${notBefore} (INSYNC).${heard}`;
  return { ...about, severity: 'info', text, evidence };
}

/** Of all services that changed. */
function lastHeardNs({ contexts }: FindingContext): number | null {
  const heard = contexts.flatMap(({ changes }) => changes[0]?.seen.authorityLastAtNs ?? []);
  return heard.length === 0 ? null : Math.max(...heard);
}
