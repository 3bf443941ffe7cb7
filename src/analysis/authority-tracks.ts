/**
 * What each authoritative server said of the addresses of each name, in order. An entry is written only when the answer
 * changed (or every 10 s), so between two entries the earlier one holds, and a change lies between the poll before it and
 * its own reply. What a server says without authority, or instead of an answer (REFUSED), is no word about the name.
 */
import type { EntryOf } from '../core/entry.ts';
import type { DnsReply } from '../core/ports.ts';
import { recordSetsOf, type RecordSet } from '../core/record-set.ts';
import type { Journal } from './journal.ts';
import type { AnswerSide, Sides } from './sides.ts';

export interface TrackStep {
  readonly side: AnswerSide;
  /** The answer is so since some instant in [sinceNs, seenNs]; `sinceNs` is null for a first poll. */
  readonly sinceNs: number | null;
  readonly seenNs: number;
  /** The last poll known to have said the same. */
  readonly lastSeenNs: number;
  /** When that poll was sent: until then it had not changed, whatever failed polls came after it. */
  readonly lastSentNs: number;
  /** When a different or repeated entry came after it; null = never. Until then it may have been served. */
  readonly untilNs: number | null;
  /** The lowest of the chain. */
  readonly ttlS: number;
  /** From the name on. */
  readonly sets: readonly RecordSet[];
  readonly rcode: string;
  readonly chain: readonly string[];
  readonly addresses: readonly string[];
}

/** One server, name and question. */
export interface AuthorityTrack {
  readonly server: string;
  /** A hostname, or a link of its chain that is polled by itself. */
  readonly name: string;
  readonly question: 'A' | 'AAAA';
  readonly steps: readonly TrackStep[];
  readonly unreachableCount: number;
  /** The last poll failed. */
  readonly isUnreachable: boolean;
  /** The last poll was answered without a word about the name. */
  readonly isLame: boolean;
}

type Answered = Extract<DnsReply, { kind: 'answered' }>;
type DnsAnswered = EntryOf<'dns-answered'> & { readonly question: 'A' | 'AAAA' };

/** It speaks for the zone: with authority, and of the name, be it that there is none. */
export function isAuthoritative(reply: Answered): boolean {
  return reply.authoritative && (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN');
}

export function authorityTracks(journal: Journal, sides: Sides): AuthorityTrack[] {
  const groups = Map.groupBy(
    journal
      .of('dns-answered')
      .filter((entry): entry is DnsAnswered => entry.watch === 'authority' && isOfAddresses(entry)),
    (entry) => `${entry.server} ${entry.name} ${entry.question}`,
  );
  return followLinks([...groups.keys()].toSorted().map((key) => trackOf(groups.get(key) as DnsAnswered[], sides)));
}

function isOfAddresses({ question }: EntryOf<'dns-answered'>): boolean {
  return question === 'A' || question === 'AAAA';
}

function trackOf(group: readonly DnsAnswered[], sides: Sides): AuthorityTrack {
  const entries = group.toSorted((a, b) => a.reply.endedAtNs - b.reply.endedAtNs);
  const steps: TrackStep[] = [];
  let unreachableCount = 0;
  entries.forEach((entry, i) => {
    const next = entries[i + 1];
    if (entry.reply.kind === 'failed') {
      unreachableCount += 1 + (next?.sameCount ?? 0);
      return;
    }
    if (!isAuthoritative(entry.reply)) return;
    steps.push({
      side: sides.ofAnswer(entry.reply.addresses, entry.reply.chain),
      sinceNs: entry.previousSentAtNs,
      seenNs: entry.reply.endedAtNs,
      lastSeenNs: Math.max(entry.reply.endedAtNs, next?.previousSentAtNs ?? 0),
      lastSentNs: Math.max(entry.reply.sentAtNs, next?.previousSentAtNs ?? 0),
      untilNs: next?.reply.endedAtNs ?? null,
      ttlS: entry.reply.ttlS,
      sets: setsInOrder(entry.name, entry.question, entry.reply),
      rcode: entry.reply.rcode,
      chain: entry.reply.chain,
      addresses: entry.reply.addresses,
    });
  });
  const { server, name, question } = entries[0] as DnsAnswered;
  const last = entries.at(-1)?.reply;
  return {
    server,
    name,
    question,
    steps,
    unreachableCount,
    isUnreachable: last?.kind === 'failed',
    isLame: last?.kind === 'answered' && !isAuthoritative(last),
  };
}

function setsInOrder(name: string, type: string, reply: Answered): readonly RecordSet[] {
  const sets = recordSetsOf(name, [{ type, reply }]);
  const placeOf = (set: RecordSet): number => reply.chain.indexOf(set.name);
  return sets.toSorted((a, b) => placeOf(a) - placeOf(b));
}

// ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const chainLengthMax = 8;

/**
 * An alias to a name of neither side has the side of what stands there, as long as that is the same throughout: then only
 * the alias can have moved. Where the link itself moves, its own tracks tell.
 */
function followLinks(tracks: readonly AuthorityTrack[]): AuthorityTrack[] {
  let followed = [...tracks];
  for (let i = 0; i < chainLengthMax; i += 1) {
    const sidesOf = sidesByName(followed);
    let isChanged = false;
    followed = followed.map((track) => ({
      ...track,
      steps: track.steps.map((step) => {
        const link = step.addresses.length === 0 && step.side === 'unknown' ? step.chain.at(-1) : undefined;
        const [side, ...others] = link === undefined ? [] : (sidesOf.get(link) ?? []);
        if (side === undefined || others.length > 0) return step;
        isChanged = true;
        return { ...step, side };
      }),
    }));
    if (!isChanged) break;
  }
  return followed;
}

/** What each name was ever seen at. */
function sidesByName(tracks: readonly AuthorityTrack[]): Map<string, Set<AnswerSide>> {
  const sides = new Map<string, Set<AnswerSide>>();
  for (const { name, steps } of tracks) {
    const seen = sides.get(name) ?? new Set();
    sides.set(name, seen);
    for (const { side } of steps) if (side !== 'unknown' && side !== 'none') seen.add(side);
  }
  return sides;
}

/** By name: the hostnames that it is, or in whose chains it is. */
export function hostnamesByName(journal: Journal): Map<string, Set<string>> {
  const hostnames = new Map<string, Set<string>>();
  for (const { name, linkOf = name } of journal.of('authorities-found')) {
    hostnames.set(name, (hostnames.get(name) ?? new Set<string>()).add(linkOf));
  }
  return hostnames;
}

/**
 * Those that tell when these hostnames moved: their own, and those of links that moved. A link that stands still, be it at
 * a load balancer that is no longer pointed at, has not failed to move. Of IPv6 only where there are addresses: an alias is
 * in the answer for IPv4, too, and earlier.
 */
export function decidingTracks(
  tracks: readonly AuthorityTrack[],
  hostnames: ReadonlySet<string>,
  journal: Journal,
): AuthorityTrack[] {
  const roots = hostnamesByName(journal);
  const sides = sidesByName(tracks);
  const isMovedLink = (name: string): boolean =>
    (sides.get(name)?.size ?? 0) > 1 && [...(roots.get(name) ?? [])].some((root) => hostnames.has(root));
  return tracks.filter(
    ({ name, question, steps }) =>
      (hostnames.has(name) || isMovedLink(name)) &&
      (question === 'A' || steps.some(({ addresses }) => addresses.length > 0)),
  );
}
