/** What each resolver did with the answers for each hostname: convergence, caches, conduct, and what proves it. */
import type { ResolverAnalysis } from '../core/analysis.ts';
import { nsToMs } from '../core/time.ts';
import type { AnswerUse } from './answers-used.ts';
import { resolverFindings } from './resolver-findings.ts';
import type { Life } from './resolver-lives.ts';
import { observationAt } from './resolver-reading.ts';
import { storyKey, type ResolverEvidence, type ResolverStories, type ResolverStory } from './resolver-story.ts';
import type { AnswerSide } from './sides.ts';

interface Used extends AnswerUse {
  readonly server: string;
  readonly hostname: string;
  readonly side: AnswerSide;
}

export function analyseResolvers(evidence: ResolverEvidence, stories: ResolverStories): ResolverAnalysis[] {
  const { definitions, answersUsed, sides } = evidence;
  const used = definitions.answer.flatMap((answer, number): Used[] => {
    const use = answersUsed.of(number);
    if (answer === undefined || use === null) return [];
    const side = sides.ofAnswer(answer.addresses, answer.chain);
    return [{ ...use, server: answer.server, hostname: answer.name, side }];
  });
  const groups = Map.groupBy(used, (answer) => storyKey(answer.server, answer.hostname));
  return [...groups]
    .filter(([, answers]) => evidence.resolvers.includes((answers[0] as Used).server))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, answers]) => analyseResolver(answers, evidence, stories.get(key)));
}

function analyseResolver(
  answers: readonly Used[],
  evidence: ResolverEvidence,
  story: ResolverStory | undefined,
): ResolverAnalysis {
  const { server, hostname } = answers[0] as Used;
  const given = answers.filter((answer) => answer.ttlSMax > 0);
  const lastOldAtNs = extreme(Math.max, answers, 'old', (answer) => answer.lastNs);
  const moved = evidence.changesOf(hostname).lastMoved;
  const newAtNs = story === undefined || lastOldAtNs === null ? null : firstNewAfter(story, lastOldAtNs);
  const steps = evidence.tracks.filter((track) => track.name === hostname).flatMap((track) => track.steps);
  const ttlsS = steps.filter((step) => step.side !== 'none').map((step) => step.ttlS);
  return {
    name: server,
    hostname,
    ttlS: {
      authoritative: ttlsS.length === 0 ? null : Math.max(...ttlsS),
      min: given.length === 0 ? null : Math.min(...given.map((answer) => answer.ttlSMin)),
      max: given.length === 0 ? null : Math.max(...given.map((answer) => answer.ttlSMax)),
    },
    firstNewAtNs: story?.reading.firstNewNs ?? extreme(Math.min, answers, 'new', (answer) => answer.firstNs),
    lastOldAtNs,
    convergedMs: moved === null || lastOldAtNs === null ? null : Math.max(0, nsToMs(lastOldAtNs - moved.heardAtNs)),
    convergedMsMax: moved === null || newAtNs === null ? null : Math.max(0, nsToMs(newAtNs - moved.notBeforeNs)),
    conduct: { kind: story?.conduct.kind ?? 'unknown', clampS: story?.conduct.clampS ?? null },
    cacheCount: story?.caches.count ?? null,
    caches: story === undefined ? [] : cacheSides(story),
    flipBackCount: story?.reading.flipBackCount ?? 0,
    findings:
      story === undefined ? [] : resolverFindings(story, { definitions: evidence.definitions, at: evidence.at }),
  };
}

function cacheSides({ reading, caches }: ResolverStory): ResolverAnalysis['caches'] {
  if (caches.entries.length === 1) return [{ firstNewAtNs: reading.firstNewNs, lastOldAtNs: reading.lastOldNs }];
  return caches.entries.map((entries) => ({
    firstNewAtNs: finite(entries.reduce((first, life) => Math.min(first, life.firstNewNs), Infinity)),
    lastOldAtNs: finite(entries.reduce((last, life: Life) => Math.max(last, life.lastOldNs), -Infinity)),
  }));
}

function finite(atNs: number): number | null {
  return Number.isFinite(atNs) ? atNs : null;
}

/**
 * When the first answer of the new side was received after the last one of the old side; where there are several caches,
 * from each of those that gave the old side.
 */
function firstNewAfter({ reading: { ledger, factsOf }, caches }: ResolverStory, lastOldNs: number): number | null {
  let newNs: number | null = null;
  for (let i = ledger.count - 1; i >= 0; i -= 1) {
    const { receivedNs, answer } = observationAt(ledger, i);
    const { side } = factsOf(answer);
    if (side === 'old' || receivedNs <= lastOldNs) break;
    if (side === 'new') newNs = receivedNs;
  }
  if (caches.entries.length < 2 || newNs === null) return newNs;
  const news = caches.entries.map((lives) => {
    const oldNs = lives.reduce((last, life) => Math.max(last, life.lastOldNs), -Infinity);
    const later = lives.flatMap(({ firstNewNs }) => (firstNewNs > oldNs ? [firstNewNs] : []));
    return oldNs === -Infinity ? -Infinity : Math.min(...later);
  });
  return finite(Math.max(newNs, ...news));
}

function extreme(
  pick: (...values: number[]) => number,
  answers: readonly Used[],
  side: AnswerSide,
  value: (one: Used) => number,
): number | null {
  const values = answers.filter((one) => one.side === side).map(value);
  return values.length === 0 ? null : pick(...values);
}
