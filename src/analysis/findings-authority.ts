/** Findings about authoritative servers: who lags, what was missing, and what still names the side that was left. */
import type { Finding } from '../core/analysis.ts';
import { hintsOf, targetOf } from '../core/https-record.ts';
import { durationBoundsText, durationText, listText } from '../core/quantity-text.ts';
import { nsPerS, nsToMs, sToNs } from '../core/time.ts';
import { recordSets } from './authority-record-sets.ts';
import {
  decidingTracks,
  hostnamesByName,
  isAuthoritative,
  type AuthorityTrack,
  type TrackStep,
} from './authority-tracks.ts';
import type { Change } from './change.ts';
import { movesEverybody } from './convergence.ts';
import { at, type FindingContext } from './finding-context.ts';
import {
  lameAuthorities,
  unfoundAuthorities,
  unreachableAuthorities,
  type AuthorityContext,
} from './findings-authority-servers.ts';
import { authoritySetFindings } from './findings-authority-sets.ts';
import type { ServiceContext } from './service-analysis.ts';

export function authorityFindings(findingContext: FindingContext): Finding[] {
  const sets = recordSets(findingContext.journal);
  const context: AuthorityContext = {
    ...findingContext,
    serviceOf: serviceFinder(findingContext),
    drawnNames: new Set(sets.filter(({ isDrawn }) => isDrawn).map(({ owner }) => owner)),
  };
  const lags = context.contexts.flatMap((service) => laggingAuthorities(context, service));
  return [
    ...lags.map(({ finding }) => finding),
    ...authoritySetFindings({ ...context, sets, laggingNames: new Set(lags.map(({ name }) => name)) }),
    ...unfoundAuthorities(context),
    ...lameAuthorities(context),
    ...unreachableAuthorities(context),
    ...differentNsSets(context),
    ...recordGaps(context),
    ...oldHints(context),
    ...wentBack(context),
  ];
}

/** The first service with a hostname that is this name, or whose chain it is in. */
function serviceFinder({ contexts, journal }: FindingContext): AuthorityContext['serviceOf'] {
  const hostnames = hostnamesByName(journal);
  return (name) => {
    const roots = hostnames.get(name) ?? new Set([name]);
    const found = contexts.find(({ service }) => service.checks.some(({ hostname }) => roots.has(hostname)));
    return found?.service.name ?? null;
  };
}

function hostnamesOf({ service }: ServiceContext): Set<string> {
  return new Set(service.checks.map((check) => check.hostname));
}

// ── late ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const pollNs = nsPerS;
/** Servers may differ by a few seconds; by more, some resolvers get the leaving side all that time. */
const lagNsWarned = sToNs(5);

function laggingAuthorities(
  context: AuthorityContext,
  service: ServiceContext,
): readonly { readonly name: string; readonly finding: Finding }[] {
  const change = service.changes.at(-1);
  const firstNs = change?.seen.authorityFirstAtNs ?? null;
  if (change === undefined || firstNs === null || !movesEverybody(service.scenario.change)) return [];
  return decidingTracks(context.tracks, hostnamesOf(service), context.journal)
    .filter(({ name, isUnreachable, isLame }) => !isUnreachable && !isLame && !context.drawnNames.has(name))
    .flatMap((track) => {
      const said = lag(context, track, { change, firstNs, endNs: service.endNs });
      if (said === null) return [];
      const finding: Finding = { kind: 'authority-lags', service: service.service.name, ...said };
      return [{ name: track.name, finding }];
    });
}

function lag(
  context: AuthorityContext,
  track: AuthorityTrack,
  { change, firstNs, endNs }: { readonly change: Change; readonly firstNs: number; readonly endNs: number },
): Pick<Finding, 'severity' | 'text' | 'evidence'> | null {
  const last = track.steps.at(-1);
  const who = `${track.server} for ${track.name} ${track.question}`;
  if (last?.side === change.leaving) {
    if (endNs - firstNs < lagNsWarned || !track.steps.some(({ seenNs }) => seenNs < firstNs)) return null;
    return {
      severity: 'warn',
      text: `The authoritative server ${who} still answers with the ${change.leaving} side, others with the ${change.target} side.`,
      evidence: [`${at(context, last.lastSeenNs)}: ${saidText(last)}`],
    };
  }
  const moved = track.steps.find((step) => step.seenNs >= firstNs && step.side === change.target);
  if (moved?.sinceNs === null || moved === undefined) return null;
  const lagNs = { min: moved.sinceNs - firstNs, max: moved.seenNs - (change.authorityNotBeforeNs ?? firstNs) };
  if (lagNs.min < pollNs) return null;
  const lagMs = { min: nsToMs(lagNs.min), max: nsToMs(lagNs.max) };
  return {
    severity: lagNs.min < lagNsWarned ? 'info' : 'warn',
    text: `The authoritative server ${who} changed ${durationBoundsText(lagMs)} after the first one.`,
    evidence: [`first ${at(context, firstNs)}, this one ${at(context, moved.seenNs)}: ${saidText(moved)}`],
  };
}

function saidText({ addresses, chain, rcode }: TrackStep): string {
  if (addresses.length > 0) return addresses.join(', ');
  return chain.length > 0 ? `CNAME ${chain.join(' → ')}` : rcode;
}

// ── delegation ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Once for each zone, however many names are in it. */
function differentNsSets(context: AuthorityContext): Finding[] {
  const zones = Map.groupBy(context.journal.of('authorities-found'), ({ zone }) => zone);
  return [...zones].flatMap(([zone, all]): Finding[] => {
    const services = new Set(all.map(({ name }) => context.serviceOf(name)));
    const [service = null] = services.size === 1 ? services : [];
    // The first look-up may have failed.
    const sets = all.find(({ nsSets = [] }) => nsSets.length > 0)?.nsSets ?? [];
    const told = sets.filter(({ names }) => names.length > 0);
    if (new Set(told.map(({ names }) => names.join(' '))).size < 2) return [];
    return [
      {
        kind: 'ns-sets-differ',
        service,
        severity: 'warn',
        text: `Not everybody names the same name servers for ${zone}: some resolvers ask servers that others never ask, and a change must reach them all.`,
        evidence: told.map(
          (set) =>
            `${set.at === 'parent' ? 'the zone above' : 'the zone itself'}, ${set.server}: ${set.names.join(', ')}`,
        ),
      },
    ];
  });
}

// ── deleted and created ──────────────────────────────────────────────────────────────────────────────────────────────

/** A name that had records, had none, and had some again: resolvers keep "there is none", too (RFC 2308). */
function recordGaps(context: AuthorityContext): Finding[] {
  const gaps = context.tracks.flatMap((track) => gapsOf(track).map((gap) => ({ track, gap })));
  const groups = Map.groupBy(gaps, ({ track }) => `${track.name} ${track.question}`);
  return [...groups.values()].flatMap((group): Finding[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { name, question } = first.track;
    const lengthNsMax = Math.max(...group.map(({ gap }) => gap.beforeNs - gap.afterNs));
    const negativeTtlS = Math.max(...group.map(({ gap }) => gap.ttlS));
    return [
      {
        kind: 'record-gap',
        service: context.serviceOf(name),
        severity: 'warn',
        text: `${name} ${question} was gone for a while, at most ${durationText(nsToMs(lengthNsMax))}, as where a record is deleted and then created: a resolver that asked meanwhile may say for up to ${negativeTtlS} s more that there is none. Change a record in one step.`,
        evidence: group.map(
          ({ track, gap }) =>
            `${track.server}: ${gap.rcode === 'NXDOMAIN' ? 'NXDOMAIN' : 'no records'} after ${at(context, gap.afterNs)}, records again before ${at(context, gap.beforeNs)}`,
        ),
      },
    ];
  });
}

interface Gap {
  /** Last poll with records before it, first one after it. */
  readonly afterNs: number;
  readonly beforeNs: number;
  readonly rcode: string;
  readonly ttlS: number;
}

function gapsOf({ steps }: AuthorityTrack): readonly Gap[] {
  const gaps: Gap[] = [];
  let had: TrackStep | null = null;
  let missing: TrackStep | null = null;
  for (const step of steps) {
    if (step.side === 'none') {
      missing ??= step;
      continue;
    }
    if (had !== null && missing !== null) {
      const { rcode, ttlS } = missing;
      gaps.push({ afterNs: had.lastSentNs, beforeNs: step.seenNs, rcode, ttlS });
    }
    had = step;
    missing = null;
  }
  return gaps;
}

// ── HTTPS records ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Browsers connect to the hints of an HTTPS record without waiting for A and AAAA (RFC 9460, 7.3). */
function oldHints(context: AuthorityContext): Finding[] {
  return context.contexts.flatMap((service): Finding[] => {
    const change = service.changes.at(-1);
    const lastNs = change?.seen.authorityLastAtNs ?? null;
    if (change === undefined || lastNs === null) return [];
    const hostnames = hostnamesOf(service);
    const evidence = context.journal
      .of('dns-answered')
      .filter(({ watch, question, name }) => watch === 'authority' && question === 'HTTPS' && hostnames.has(name))
      .flatMap((entry) => {
        const { reply, server } = entry;
        if (reply.kind === 'failed' || !isAuthoritative(reply) || reply.endedAtNs - lastNs < lagNsWarned) return [];
        return reply.addresses
          .filter((data) => namesSide(context, data, change))
          .map((data) => ({ server, text: `${at(context, reply.endedAtNs)} ${server}: ${data}` }));
      });
    const latest = [...new Map(evidence.map(({ server, text }) => [server, text])).values()];
    if (latest.length === 0) return [];
    return [
      {
        kind: 'https-hint-old-side',
        service: service.service.name,
        severity: 'warn',
        text: `The HTTPS record of ${listText([...hostnames])} still leads to the ${change.leaving} side: browsers that use its hints go there, whatever A and AAAA say.`,
        evidence: latest,
      },
    ];
  });
}

function namesSide({ sides }: AuthorityContext, data: string, { leaving }: Change): boolean {
  const target = targetOf(data);
  return sides.ofAnswer(hintsOf(data), target === null ? [] : [target]) === leaving;
}

// ── to and fro ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Health-checked failover records do so by themselves: then what has converged is not what was switched. */
function wentBack(context: AuthorityContext): Finding[] {
  return context.contexts.flatMap((service): Finding[] => {
    const { changes, scenario } = service;
    const [first, back] = changes;
    const wasAnnounced = back !== undefined && back.seen.markedAtNs !== null;
    if (first === undefined || wasAnnounced || !movesEverybody(scenario.change)) return [];
    const evidence = decidingTracks(context.tracks, hostnamesOf(service), context.journal)
      .filter(({ name }) => !context.drawnNames.has(name))
      .flatMap((track) => {
        const turns = turnsOf(track);
        if (turns.length < 3) return [];
        const told = turns.map((step) => `${step.side} at ${at(context, step.seenNs)}`);
        return [`${track.server} for ${track.name} ${track.question}: ${told.join(', ')}`];
      });
    if (evidence.length === 0) return [];
    return [
      {
        kind: 'answers-went-back',
        service: service.service.name,
        severity: back === undefined ? 'warn' : 'info',
        text: `Authoritative servers went back to the ${first.leaving} side after they had answered with the ${first.target} side, and nobody announced it: somebody set the record back, or it fails over by health checks, and then the side it left was not well.`,
        evidence,
      },
    ];
  });
}

/** The steps at which the side is another one than before. */
function turnsOf({ steps }: AuthorityTrack): readonly TrackStep[] {
  const turns: TrackStep[] = [];
  for (const step of steps) {
    if ((step.side === 'old' || step.side === 'new') && step.side !== turns.at(-1)?.side) turns.push(step);
  }
  return turns;
}
