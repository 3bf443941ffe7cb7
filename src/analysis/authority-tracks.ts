/**
 * What each authoritative server said of each name, in order. An entry is written only when the answer changed (or every
 * 10 s), so between two entries the earlier one holds, and a change lies between the poll before it and its own reply.
 */
import type { EntryOf } from '../core/entry.ts';
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
  readonly ttlS: number;
  readonly addresses: readonly string[];
}

/** One server, name and question. */
export interface AuthorityTrack {
  readonly server: string;
  readonly name: string;
  readonly question: 'A' | 'AAAA';
  readonly steps: readonly TrackStep[];
  readonly unreachableCount: number;
  /** The last poll failed. */
  readonly isUnreachable: boolean;
}

type DnsAnswered = EntryOf<'dns-answered'> & { readonly question: 'A' | 'AAAA' };

export function authorityTracks(journal: Journal, sides: Sides): AuthorityTrack[] {
  const groups = Map.groupBy(
    journal
      .of('dns-answered')
      .filter((entry): entry is DnsAnswered => entry.watch === 'authority' && isOfAddresses(entry)),
    (entry) => `${entry.server} ${entry.name} ${entry.question}`,
  );
  return [...groups.keys()].toSorted().map((key) => trackOf(groups.get(key) as DnsAnswered[], sides));
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
    steps.push({
      side: sides.ofAnswer(entry.reply.addresses, entry.reply.chain),
      sinceNs: entry.previousSentAtNs,
      seenNs: entry.reply.endedAtNs,
      lastSeenNs: Math.max(entry.reply.endedAtNs, next?.previousSentAtNs ?? 0),
      lastSentNs: Math.max(entry.reply.sentAtNs, next?.previousSentAtNs ?? 0),
      untilNs: next?.reply.endedAtNs ?? null,
      ttlS: entry.reply.ttlS,
      addresses: entry.reply.addresses,
    });
  });
  const { server, name, question } = entries[0] as DnsAnswered;
  return { server, name, question, steps, unreachableCount, isUnreachable: entries.at(-1)?.reply.kind === 'failed' };
}
