/** What resolvers and authoritative servers answered, from the answers that probes used and from the watch. */
import type { AuthorityAnalysis, ResolverAnalysis } from '../core/analysis.ts';
import { nsToMs } from '../core/time.ts';
import type { AnswersUsed, AnswerUse } from './answers-used.ts';
import type { AuthorityTrack, TrackStep } from './authority-tracks.ts';
import type { Definitions } from './gathered.ts';
import type { AnswerSide, Sides } from './sides.ts';

export interface ResolverEvidence {
  readonly resolvers: readonly string[];
  readonly definitions: Definitions;
  readonly answersUsed: AnswersUsed;
  readonly tracks: readonly AuthorityTrack[];
  readonly sides: Sides;
  readonly authorityLastMoved: (hostname: string) => LastMoved | null;
}

/** When the last authoritative server of a name changed; null = no change, or not all of them. */
export interface LastMoved {
  /** The last poll that did not show it. */
  readonly notBeforeNs: number;
  readonly heardAtNs: number;
}

interface Used extends AnswerUse {
  readonly server: string;
  readonly hostname: string;
  readonly side: AnswerSide;
}

export function analyseResolvers(evidence: ResolverEvidence): ResolverAnalysis[] {
  const { definitions, answersUsed, sides } = evidence;
  const used = definitions.answer.flatMap((answer, number): Used[] => {
    const use = answersUsed.of(number);
    if (answer === undefined || use === null) return [];
    return [
      { ...use, server: answer.server, hostname: answer.name, side: sides.ofAnswer(answer.addresses, answer.chain) },
    ];
  });
  const groups = Map.groupBy(used, (answer) => `${answer.server} ${answer.hostname}`);
  return [...groups]
    .filter(([, answers]) => evidence.resolvers.includes((answers[0] as Used).server))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, answers]) => analyseResolver(answers, evidence));
}

function analyseResolver(answers: readonly Used[], { tracks, authorityLastMoved }: ResolverEvidence): ResolverAnalysis {
  const { server, hostname } = answers[0] as Used;
  const given = answers.filter((answer) => answer.ttlSMax > 0);
  const lastOldAtNs = extreme(Math.max, answers, 'old', (answer) => answer.lastNs);
  const moved = authorityLastMoved(hostname);
  const newAtNs = lastOldAtNs === null ? null : firstNewAfter(answers, lastOldAtNs);
  return {
    name: server,
    hostname,
    ttlS: {
      authoritative: largestTtlS(tracks.filter((track) => track.name === hostname).flatMap((track) => track.steps)),
      min: given.length === 0 ? null : Math.min(...given.map((answer) => answer.ttlSMin)),
      max: given.length === 0 ? null : Math.max(...given.map((answer) => answer.ttlSMax)),
    },
    firstNewAtNs: extreme(Math.min, answers, 'new', (answer) => answer.firstNs),
    lastOldAtNs,
    convergedMs: moved === null || lastOldAtNs === null ? null : Math.max(0, nsToMs(lastOldAtNs - moved.heardAtNs)),
    convergedMsMax: moved === null || newAtNs === null ? null : Math.max(0, nsToMs(newAtNs - moved.notBeforeNs)),
  };
}

/** Of one that was given before, too, only the first and the last use are known: then it is the last. */
function firstNewAfter(answers: readonly Used[], atNs: number): number | null {
  const later = answers.filter(({ side, lastNs }) => side === 'new' && lastNs > atNs);
  if (later.length === 0) return null;
  return Math.min(...later.map(({ firstNs, lastNs }) => (firstNs > atNs ? firstNs : lastNs)));
}

function extreme<T extends { readonly side: AnswerSide }>(
  pick: (...values: number[]) => number,
  all: readonly T[],
  side: AnswerSide,
  value: (one: T) => number,
): number | null {
  const values = all.filter((one) => one.side === side).map(value);
  return values.length === 0 ? null : pick(...values);
}

function largestTtlS(steps: readonly TrackStep[]): number | null {
  return steps.length === 0 ? null : Math.max(...steps.map((step) => step.ttlS));
}

export function analyseAuthorities(tracks: readonly AuthorityTrack[]): AuthorityAnalysis[] {
  const groups = Map.groupBy(tracks, (track) => `${track.server} ${track.name}`);
  return [...groups.values()].map((group) => {
    const { server, name } = group[0] as AuthorityTrack;
    const steps = group.flatMap((track) => track.steps);
    return {
      address: server,
      hostname: name,
      ttlS: steps.toSorted((a, b) => a.seenNs - b.seenNs).findLast((step) => step.addresses.length > 0)?.ttlS ?? null,
      firstNewAtNs: extreme(Math.min, steps, 'new', (step) => step.seenNs),
      lastOldAtNs: extreme(Math.max, steps, 'old', (step) => step.lastSeenNs),
      unreachableCount: group.reduce((sum, track) => sum + track.unreachableCount, 0),
    };
  });
}
