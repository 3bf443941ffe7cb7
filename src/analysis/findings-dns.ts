/** Findings about authoritative servers and resolvers. */
import type { Finding } from '../core/analysis.ts';
import { countOf, durationText, listText } from '../core/quantity-text.ts';
import { nsToMs, sToNs } from '../core/time.ts';
import type { AuthorityTrack } from './authority-tracks.ts';
import type { Change } from './change.ts';
import { at, type FindingContext } from './finding-context.ts';

export function dnsFindings(context: FindingContext): Finding[] {
  return [...laggingAuthorities(context), ...unreachableAuthorities(context), ...resolverFindings(context)];
}

/** Servers may differ by a few seconds; by more, some resolvers get the leaving side all that time. */
const lagNsMin = sToNs(5);

function laggingAuthorities(context: FindingContext): Finding[] {
  return context.contexts.flatMap(({ service, changes }): Finding[] => {
    const change = changes.at(-1);
    const firstNs = change?.seen.authorityFirstAtNs ?? null;
    if (change === undefined || firstNs === null) return [];
    const hostnames = new Set(service.checks.map((check) => check.hostname));
    return context.tracks
      .filter((track) => hostnames.has(track.name) && !track.isUnreachable)
      .flatMap((track): Finding[] => laggingAuthority(context, track, change, firstNs));
  });
}

function laggingAuthority(context: FindingContext, track: AuthorityTrack, change: Change, firstNs: number): Finding[] {
  const last = track.steps.at(-1);
  const about = { kind: 'authority-lags', service: serviceOf(context, track.name), severity: 'warn' } as const;
  const who = `${track.server} for ${track.name} ${track.question}`;
  if (last?.side === change.leaving) {
    return [
      {
        ...about,
        text: `The authoritative server ${who} still answers with the ${change.leaving} side, others with the ${change.target} side.`,
        evidence: [`${at(context, last.lastSeenNs)}: ${last.addresses.join(', ')}`],
      },
    ];
  }
  const moved = track.steps.find((step) => step.seenNs >= firstNs && step.side === change.target);
  if (moved === undefined || moved.seenNs - firstNs < lagNsMin) return [];
  return [
    {
      ...about,
      text: `The authoritative server ${who} changed ${durationText(nsToMs(moved.seenNs - firstNs))} after the first one.`,
      evidence: [`first ${at(context, firstNs)}, this one ${at(context, moved.seenNs)}`],
    },
  ];
}

function serviceOf({ contexts }: FindingContext, hostname: string): string | null {
  return (
    contexts.find(({ service }) => service.checks.some((check) => check.hostname === hostname))?.service.name ?? null
  );
}

/** A lost datagram now and then is nothing; a server that is silent at the end, or again and again, is. */
const unreachableCountMin = 3;

function unreachableAuthorities(context: FindingContext): Finding[] {
  return context.tracks
    .filter((track) => track.isUnreachable || track.unreachableCount >= unreachableCountMin)
    .map((track) => ({
      kind: 'authority-unreachable',
      service: serviceOf(context, track.name),
      severity: 'warn',
      text: `The authoritative server ${track.server} did not answer for ${track.name} ${track.question} (${countOf(track.unreachableCount, 'time')}${track.isUnreachable ? ', the last time too' : ''}): what it says is not known.`,
      evidence: track.steps.slice(-1).map((step) => `${at(context, step.lastSeenNs)}: ${step.addresses.join(', ')}`),
    }));
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
