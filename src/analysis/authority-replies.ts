/** What authoritative servers answered about a name, question by question, for asking what they said at some instant. */
import type { EntryOf } from '../core/entry.ts';
import type { Journal } from './journal.ts';

type DnsAnswered = EntryOf<'dns-answered'>;
const questions = ['A', 'AAAA', 'HTTPS'] as const;
export type RecordQuestion = (typeof questions)[number];

/** One server and question. */
export interface ReplyStream {
  readonly server: string;
  readonly question: RecordQuestion;
  /** In order of time. Between two of them the earlier one holds. */
  readonly entries: readonly DnsAnswered[];
}

export interface AuthorityReplies {
  /** In order of servers and questions. */
  of(name: string): readonly ReplyStream[];
  /** The hostname, and the links of its chain that have servers of their own. */
  namesOf(hostname: string): readonly string[];
  /** The scenario lists the servers: a list for several zones, so that one may refuse. */
  areGiven(name: string): boolean;
}

export function authorityReplies(journal: Journal): AuthorityReplies {
  const streams = streamsByName(journal);
  const founds = journal.of('authorities-found');
  const links = new Map<string, Set<string>>();
  for (const { name, linkOf } of founds) {
    if (linkOf !== undefined) links.set(linkOf, (links.get(linkOf) ?? new Set<string>()).add(name));
  }
  const given = new Set(founds.filter(({ found }) => found === 'given').map(({ name }) => name));
  return {
    of: (name) => streams.get(name) ?? [],
    namesOf: (hostname) => [hostname, ...[...(links.get(hostname) ?? [])].filter((name) => streams.has(name))],
    areGiven: (name) => given.has(name),
  };
}

/** In one pass, since there are thousands of entries and this is asked for several times a minute. */
function streamsByName(journal: Journal): ReadonlyMap<string, readonly ReplyStream[]> {
  const names = new Map<string, Map<string, DnsAnswered[]>[]>();
  for (const entry of journal.of('dns-answered')) {
    const index = (questions as readonly string[]).indexOf(entry.question);
    if (entry.watch !== 'authority' || index === -1) continue;
    let byQuestion = names.get(entry.name);
    if (byQuestion === undefined) names.set(entry.name, (byQuestion = questions.map(() => new Map())));
    const byServer = byQuestion[index] as Map<string, DnsAnswered[]>;
    const entries = byServer.get(entry.server);
    if (entries === undefined) byServer.set(entry.server, [entry]);
    else entries.push(entry);
  }
  const inOrder = (a: ReplyStream, b: ReplyStream): number => (a.server < b.server ? -1 : a.server > b.server ? 1 : 0);
  return new Map(
    [...names].map(([name, byQuestion]) => [
      name,
      questions
        .flatMap((question, i) =>
          [...(byQuestion[i] ?? [])].map(([server, entries]): ReplyStream => ({
            server,
            question,
            entries: ordered(entries),
          })),
        )
        .toSorted(inOrder),
    ]),
  );
}

/** Most logs have them in order. */
function ordered(entries: readonly DnsAnswered[]): readonly DnsAnswered[] {
  const isOrdered = entries.every((entry, i) => entry.reply.endedAtNs >= (entries[i - 1]?.reply.endedAtNs ?? 0));
  return isOrdered ? entries : entries.toSorted((a, b) => a.reply.endedAtNs - b.reply.endedAtNs);
}

/** What holds at that instant; undefined = it had not been asked. */
export function entryAt({ entries }: ReplyStream, atNs: number): DnsAnswered | undefined {
  return entries.findLast(({ reply }) => reply.endedAtNs <= atNs);
}
