/** Findings about authoritative servers and resolvers. */
import type { Finding } from '../core/analysis.ts';
import { listText } from '../core/quantity-text.ts';
import type { FindingContext } from './finding-context.ts';
import { authorityFindings } from './findings-authority.ts';

export function dnsFindings(context: FindingContext): Finding[] {
  return [...authorityFindings(context), ...resolverFindings(context)];
}

/** What users may feel, once for each resolver; the rest stands with the resolver. */
function resolverFindings({ resolvers }: FindingContext): Finding[] {
  const warned = resolvers.flatMap((resolver) =>
    resolver.findings.filter(({ severity }) => severity !== 'info').map((finding) => ({ resolver, finding })),
  );
  const groups = Map.groupBy(warned, ({ resolver, finding }) => `${resolver.name} ${finding.kind}`);
  return [...groups.values()].flatMap((group): Finding[] => {
    const [first, ...others] = group.map(({ finding }) => finding);
    if (first === undefined) return [];
    const names = [...new Set(group.map(({ resolver }) => resolver.hostname))].slice(1);
    if (names.length === 0) return [first, ...others];
    const isOfOne = others.every(({ service }) => service === first.service);
    return [
      { ...first, service: isOfOne ? first.service : null, text: `${first.text} The same of ${listText(names)}.` },
    ];
  });
}
