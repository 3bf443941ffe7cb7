/** What the answers of each resolver for each hostname tell, before it is put in words: read once, asked by many. */
import { sToNs } from '../core/time.ts';
import type { AnswerLedgers } from './answer-ledger.ts';
import type { AnswersUsed } from './answers-used.ts';
import { authorityTtls } from './authority-ttls.ts';
import type { AuthorityTrack } from './authority-tracks.ts';
import type { Change } from './change.ts';
import type { Definitions } from './gathered.ts';
import { isProof, type RecordLife } from './leaving.ts';
import { cachesOf, type Caches } from './resolver-caches.ts';
import { conductOf, type Conduct } from './resolver-conduct.ts';
import { lateAnswers } from './resolver-late.ts';
import type { Observation } from './resolver-lives.ts';
import { answerFacts, readLedger, type AnswerFacts, type Reading } from './resolver-reading.ts';
import type { Sides } from './sides.ts';

export interface ResolverEvidence {
  readonly resolvers: readonly string[];
  readonly definitions: Definitions;
  readonly answersUsed: AnswersUsed;
  readonly ledgers: AnswerLedgers;
  readonly tracks: readonly AuthorityTrack[];
  readonly sides: Sides;
  readonly changesOf: (hostname: string) => HostnameChanges;
  /** An instant as people read it. */
  readonly at: (atNs: number) => string;
}

/** What happened to a hostname, of the first service that has it. */
export interface HostnameChanges {
  readonly service: string | null;
  /** Those that everybody must follow, each with what its records promised. */
  readonly changes: readonly { readonly change: Change; readonly life: RecordLife }[];
  readonly lastMoved: LastMoved | null;
  /** Every client asks for IPv4 addresses, so that an answer without any says that there are none. */
  readonly isAskedForIpv4: boolean;
}

/** When the last authoritative server of a name changed; null = no change, or not all of them. */
export interface LastMoved {
  /** The last poll that did not show it. */
  readonly notBeforeNs: number;
  readonly heardAtNs: number;
}

/** One resolver and hostname, as far as its answers tell. */
export interface ResolverStory {
  readonly reading: Reading;
  readonly caches: Caches;
  readonly conduct: Conduct;
  readonly tracks: readonly AuthorityTrack[];
  readonly about: HostnameChanges;
}

/** By server and hostname. */
export type ResolverStories = ReadonlyMap<string, ResolverStory>;

export function storyKey(server: string, hostname: string): string {
  return `${server} ${hostname}`;
}

export function tellStories(evidence: ResolverEvidence): ResolverStories {
  const { definitions, sides } = evidence;
  const known: AnswerFacts[] = [];
  const factsOf = (number: number): AnswerFacts => (known[number] ??= factsOfAnswer(definitions.answer[number], sides));
  const stories = new Map<string, ResolverStory>();
  for (const ledger of evidence.ledgers.all()) {
    if (!evidence.resolvers.includes(ledger.server)) continue;
    const tracks = evidence.tracks.filter((track) => track.name === ledger.hostname);
    const about = evidence.changesOf(ledger.hostname);
    const reading = readLedger(ledger, factsOf);
    const caches = cachesOf(reading.lives);
    const change = about.changes.at(-1)?.change;
    const conduct = conductOf({
      reading,
      caches,
      ttls: authorityTtls(tracks.filter(({ question }) => question === 'A' || question === 'AAAA')),
      newDataNs: change?.seen.authorityFirstAtNs ?? Infinity,
      isNewData: (life) => change !== undefined && factsOf(life.first.answer).side === change.target,
    });
    const story: ResolverStory = { reading, caches, conduct, tracks, about };
    const isExplained = conduct.kind === 'raises-ttl' || conduct.kind === 'serves-stale';
    const kind = !isExplained && hasViolated(story) ? 'violates-ttl' : conduct.kind;
    stories.set(storyKey(ledger.server, ledger.hostname), { ...story, conduct: { ...conduct, kind } });
  }
  return stories;
}

function factsOfAnswer(answer: Definitions['answer'][number], sides: Sides): AnswerFacts {
  if (answer === undefined) return unknownAnswer;
  return answerFacts(answer, sides.ofAnswer(answer.addresses, answer.chain));
}

const unknownAnswer: AnswerFacts = { kind: 'failed', families: 0, isStale: false, side: 'unknown', content: '' };

function hasViolated(story: ResolverStory): boolean {
  return story.about.changes.some(
    ({ change, life }) =>
      isProof(life) && lateAnswers(story.reading, change, life).some((one) => !isStaleAt(story, one)),
  );
}

/** A slot knows only roughly when its answer was asked for. */
const aboutNs = sToNs(0.5);

/** Stale by its own word, or by a TTL that only stale answers have. */
export function isStaleAt(
  { conduct, reading }: ResolverStory,
  { askedNs, answer }: Pick<Observation, 'askedNs' | 'answer'>,
): boolean {
  if (reading.factsOf(answer).isStale) return true;
  return conduct.stale.some(
    (run) => askedNs >= run.first.askedNs - aboutNs && askedNs <= run.last.receivedNs + aboutNs,
  );
}
