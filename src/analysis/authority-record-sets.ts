/**
 * What the authoritative servers of a name said of each set of records, side by side. A set is the records of one type at
 * one name of a chain; that there are none is an answer, too. Between two entries of a log the earlier one holds.
 */
import type { EntryOf } from '../core/entry.ts';
import type { DnsReply } from '../core/ports.ts';
import { isAuthoritative } from './authority-tracks.ts';
import type { Journal } from './journal.ts';

export interface RecordSet {
  readonly owner: string;
  readonly question: 'A' | 'AAAA' | 'HTTPS';
  /** In order of time. */
  readonly servers: ReadonlyMap<string, readonly Said[]>;
  /** Each query gets a draw (weighted records, a pool of addresses): then servers may differ at any instant. */
  readonly isDrawn: boolean;
}

export interface Said {
  /** The first and the last poll that are known to have been answered so. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly pollCount: number;
  /** Addresses in order, `CNAME` and its target, or that there is none. */
  readonly value: string;
  /** Null where there is none. */
  readonly ttlS: number | null;
  /** Of the whole reply. */
  readonly addresses: readonly string[];
  readonly chain: readonly string[];
}

/** Two answers that were given at the same time by different servers. */
export interface Meeting {
  readonly servers: readonly [string, string];
  readonly said: readonly [Said, Said];
  readonly fromNs: number;
  readonly toNs: number;
}

interface Gathering extends Pick<RecordSet, 'owner' | 'question'> {
  readonly servers: Map<string, Said[]>;
}

type DnsAnswered = EntryOf<'dns-answered'>;
type Answered = Extract<DnsReply, { kind: 'answered' }>;

const noName = 'no such name';
const noRecord = 'no record';

export function recordSets(journal: Journal): RecordSet[] {
  const entries = journal.of('dns-answered').filter((entry) => entry.watch === 'authority');
  const polls = Map.groupBy(entries, (entry) => `${entry.server} ${entry.name} ${entry.question}`);
  const sets = new Map<string, Gathering>();
  for (const group of polls.values()) {
    group
      .toSorted((a, b) => a.reply.endedAtNs - b.reply.endedAtNs)
      .forEach((entry, i, all) => {
        const { question, server } = entry;
        if (question === 'CNAME' || question === 'SOA') return;
        for (const [owner, said] of saidIn(entry, all[i + 1])) {
          const key = `${owner} ${question}`;
          const set = sets.get(key) ?? { owner, question, servers: new Map<string, Said[]>() };
          sets.set(key, set);
          const before = set.servers.get(server);
          if (before === undefined) set.servers.set(server, [said]);
          else before.push(said);
        }
      });
  }
  return [...sets.keys()].toSorted().map((key) => {
    const { owner, question, servers } = sets.get(key) as Gathering;
    const merged = new Map([...servers].map(([server, said]) => [server, mergeSame(said)]));
    return { owner, question, servers: merged, isDrawn: [...merged.values()].some(isDrawn) };
  });
}

/** By owner. An alias is told by the answers for A alone: those for other types have the same. */
function saidIn({ name, question, reply }: DnsAnswered, next: DnsAnswered | undefined): Map<string, Said> {
  const said = new Map<string, Said>();
  if (reply.kind === 'failed' || !isAuthoritative(reply)) return said;
  const times = {
    fromNs: reply.endedAtNs,
    toNs: Math.max(reply.endedAtNs, next?.previousSentAtNs ?? 0),
    pollCount: 1 + (next?.sameCount ?? 0),
    addresses: reply.addresses,
    chain: reply.chain,
  };
  const owners = new Set([name, ...reply.chain]);
  for (const owner of owners) {
    const records = reply.answers.filter((record) => record.name === owner);
    const isAlias = records.some(({ type }) => type === 'CNAME');
    const own = records.filter(({ type }) => type === (isAlias ? 'CNAME' : question));
    if (isAlias ? question !== 'A' : own.length === 0 && owner !== name) continue;
    const [first] = own;
    const data = own.map((record) => record.data).toSorted();
    const value = first === undefined ? whyNone(reply) : `${isAlias ? 'CNAME ' : ''}${data.join(', ')}`;
    said.set(owner, { ...times, value, ttlS: first?.ttlS ?? null });
  }
  return said;
}

function whyNone({ rcode, addresses }: Answered): string {
  if (rcode === 'NXDOMAIN') return noName;
  return addresses.length === 0 ? noRecord : addresses.toSorted().join(', ');
}

function mergeSame(all: readonly Said[]): Said[] {
  const merged: Said[] = [];
  for (const said of all.toSorted((a, b) => a.fromNs - b.fromNs)) {
    const last = merged.at(-1);
    if (last?.value !== said.value || last.ttlS !== said.ttlS) merged.push(said);
    else merged[merged.length - 1] = { ...last, toNs: said.toNs, pollCount: last.pollCount + said.pollCount };
  }
  return merged;
}

// ── draws ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** So many times a server came back to an answer that it had given before. Nobody edits a record so often. */
const returnCountMin = 3;
/** Of a draw, one answer or the other mostly comes in ones and twos; what fails over, or is set to and fro, stays longer. */
const runPollsMax = 3;

function isDrawn(all: readonly Said[]): boolean {
  const runs: { readonly value: string; polls: number }[] = [];
  for (const { value, pollCount } of all) {
    const last = runs.at(-1);
    if (last?.value === value) last.polls += pollCount;
    else runs.push({ value, polls: pollCount });
  }
  const seen = new Set<string>();
  const returned = runs.filter(({ value }) => seen.has(value) || !seen.add(value));
  if (returned.length < returnCountMin) return false;
  const byValue = [...Map.groupBy(runs, ({ value }) => value).values()];
  return Math.min(...byValue.filter(({ length }) => length > 1).map(medianPolls)) <= runPollsMax;
}

function medianPolls(runs: readonly { readonly polls: number }[]): number {
  const lengths = runs.map(({ polls }) => polls).toSorted((a, b) => a - b);
  return lengths[lengths.length >> 1] ?? 0;
}

// ── side by side ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Every two answers of two servers that were given at the same time. */
export function* meetings({ servers }: RecordSet): Generator<Meeting> {
  const all = [...servers].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [i, [server, mine]] of all.entries()) {
    for (const [other, theirs] of all.slice(i + 1)) {
      let [a, b] = [0, 0];
      for (;;) {
        const [one, two] = [mine[a], theirs[b]];
        if (one === undefined || two === undefined) break;
        const fromNs = Math.max(one.fromNs, two.fromNs);
        const toNs = Math.min(one.toNs, two.toNs);
        if (fromNs <= toNs) yield { servers: [server, other], said: [one, two], fromNs, toNs };
        if (one.toNs <= two.toNs) a += 1;
        else b += 1;
      }
    }
  }
}
