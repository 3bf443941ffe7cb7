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
  const byName = Map.groupBy(journal.of('dns-answered').filter(isOfRecords), ({ name }) => name);
  const streams = new Map(
    [...byName].map(([name, entries]): [string, readonly ReplyStream[]] => [name, streamsOf(entries)]),
  );
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

function isOfRecords({ watch, question }: DnsAnswered): boolean {
  return watch === 'authority' && (questions as readonly string[]).includes(question);
}

function streamsOf(all: readonly DnsAnswered[]): readonly ReplyStream[] {
  const groups = Map.groupBy(all, ({ server, question }) => `${server} ${question}`);
  return [...groups.keys()].toSorted().map((key) => {
    const entries = (groups.get(key) as DnsAnswered[]).toSorted((a, b) => a.reply.endedAtNs - b.reply.endedAtNs);
    const { server, question } = entries[0] as DnsAnswered;
    return { server, question: question as RecordQuestion, entries };
  });
}

/** What holds at that instant; undefined = it had not been asked. */
export function entryAt({ entries }: ReplyStream, atNs: number): DnsAnswered | undefined {
  return entries.findLast(({ reply }) => reply.endedAtNs <= atNs);
}
