/** What each authoritative server answered, from the watch. */
import type { AuthorityAnalysis } from '../core/analysis.ts';
import type { EntryOf } from '../core/entry.ts';
import type { DnsReply } from '../core/ports.ts';
import { hostnamesByName, isAuthoritative, type AuthorityTrack, type TrackStep } from './authority-tracks.ts';
import type { Journal } from './journal.ts';
import type { AnswerSide } from './sides.ts';

type DnsAnswered = EntryOf<'dns-answered'>;
type AuthoritiesFound = EntryOf<'authorities-found'>;
type Answered = Extract<DnsReply, { kind: 'answered' }>;

export function analyseAuthorities(tracks: readonly AuthorityTrack[], journal: Journal): AuthorityAnalysis[] {
  const hostnames = hostnamesByName(journal);
  const founds = new Map(journal.of('authorities-found').map((found) => [found.name, found]));
  const said = Map.groupBy(
    journal.of('dns-answered').filter((entry) => entry.watch === 'authority'),
    (entry) => `${entry.server} ${entry.name}`,
  );
  const groups = Map.groupBy(tracks, (track) => `${track.server} ${track.name}`);
  return [...groups].map(([key, group]) => {
    const { server, name } = group[0] as AuthorityTrack;
    const steps = group.flatMap((track) => track.steps);
    const found = founds.get(name);
    const zone = found?.zone ?? '';
    const own = said.get(key) ?? [];
    return {
      address: server,
      hostname: name,
      linkOf: [...(hostnames.get(name) ?? [])].filter((hostname) => hostname !== name).toSorted(),
      zone,
      nameServer: nameServerAt(found, server),
      nsid: answers(own).findLast(({ nsid }) => nsid !== undefined)?.nsid ?? null,
      soaSerial: soaSerial([...own, ...(zone === name ? [] : (said.get(`${server} ${zone}`) ?? []))]),
      lameCount: pollCount(own, isLame),
      ttlS: steps.toSorted((a, b) => a.seenNs - b.seenNs).findLast((step) => step.addresses.length > 0)?.ttlS ?? null,
      firstNewAtNs: extreme(Math.min, steps, 'new', (step) => step.seenNs),
      lastOldAtNs: extreme(Math.max, steps, 'old', (step) => step.lastSeenNs),
      unreachableCount: group.reduce((sum, track) => sum + track.unreachableCount, 0),
    };
  });
}

function answers(entries: readonly DnsAnswered[]): readonly Answered[] {
  return entries.map(({ reply }) => reply).filter((reply) => reply.kind === 'answered');
}

function nameServerAt(found: AuthoritiesFound | undefined, server: string): string | null {
  const address = server.slice(0, server.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return found?.nameServers?.find(({ addresses }) => addresses.includes(address))?.name ?? null;
}

/** The third word of the SOA, asked for or beside a negative answer. */
function soaSerial(entries: readonly DnsAnswered[]): number | null {
  const asked = entries.filter(({ question, reply }) => question === 'SOA' && reply.kind === 'answered');
  const soas = answers(asked)
    .filter(isAuthoritative)
    .flatMap((reply) => [...reply.answers, ...reply.authority].filter(({ type }) => type === 'SOA'));
  const serial = Number(soas.at(-1)?.data.split(' ')[2]);
  return Number.isInteger(serial) ? serial : null;
}

export function isLame({ reply }: DnsAnswered): boolean {
  return reply.kind === 'answered' && !isAuthoritative(reply);
}

/** How many polls those entries stand for: an entry's `sameCount` is of polls that said what the entry before it says. */
export function pollCount(entries: readonly DnsAnswered[], counts: (entry: DnsAnswered) => boolean): number {
  let count = 0;
  for (const group of Map.groupBy(entries, ({ question }) => question).values()) {
    group.forEach((entry, i) => {
      if (counts(entry)) count += 1 + (group[i + 1]?.sameCount ?? 0);
    });
  }
  return count;
}

function extreme(
  pick: (...values: number[]) => number,
  steps: readonly TrackStep[],
  side: AnswerSide,
  value: (step: TrackStep) => number,
): number | null {
  const values = steps.filter((step) => step.side === side).map(value);
  return values.length === 0 ? null : pick(...values);
}
