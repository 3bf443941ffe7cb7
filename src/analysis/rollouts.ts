/**
 * Rollouts, as Kubernetes or ECS told them: a Deployment or a service that has another revision than before. More or fewer
 * replicas of the same revision are none. One is over when the platform says that every new replica is ready, and when the
 * last pod or task of before has gone: until then the load balancer may still send requests to it.
 */
import type { RolloutAnalysis } from '../core/analysis.ts';
import type { EntryOf } from '../core/entry.ts';
import type { WorkloadSeen } from '../core/platform.ts';
import type { Side } from '../core/scenario.ts';
import type { Journal } from './journal.ts';
import { analyseObservers } from './observer-analysis.ts';

export interface RolloutsSeen {
  /** In order of time; of one name that was rolled out twice, one from the first to the last. */
  readonly rollouts: readonly RolloutAnalysis[];
  /** What rolls out was listed, and could be seen ever since `sinceNs`: had there been a rollout, it were known. */
  isKnownSince(sinceNs: number): boolean;
}

type Told = EntryOf<'platform-seen'>;

/** @param side null: of either. */
export function rolloutsOf(journal: Journal, side: Side | null, endedAtNs: number): RolloutsSeen {
  const told = journal.of('platform-seen').filter((entry) => side === null || entry.side === side);
  const named = Map.groupBy(
    told.filter(({ fact }) => fact.kind === 'rollout'),
    (entry) => (entry.fact.kind === 'rollout' ? `${entry.observer} ${entry.fact.rollout.name}` : ''),
  );
  const replicas = replicaLives(journal, told, endedAtNs);
  const rollouts = [...named.values()].flatMap((facts) => {
    const one = rolloutOf(facts, replicas);
    return one === null ? [] : [one];
  });
  const observers = new Set([...named.values()].map(([first]) => first?.observer));
  const gaps = analyseObservers(journal, endedAtNs).flatMap(({ name, gaps: own }) => (observers.has(name) ? own : []));
  return {
    rollouts: rollouts.toSorted((a, b) => a.beganAtNs - b.beganAtNs || (a.name < b.name ? -1 : 1)),
    isKnownSince: (sinceNs) => observers.size > 0 && gaps.every((gap) => gap.toAtNs <= sinceNs),
  };
}

function rolloutOf(facts: readonly Told[], lives: readonly ReplicaLife[]): RolloutAnalysis | null {
  const seen = facts.flatMap((entry) =>
    entry.fact.kind === 'rollout' ? [{ entry, rollout: entry.fact.rollout }] : [],
  );
  const [first] = seen;
  const last = seen.at(-1);
  const begun = seen.find(({ rollout }) => rollout.revision !== first?.rollout.revision);
  if (first === undefined || last === undefined || begun === undefined) return null;
  const { rollout } = last;
  const beganAtNs = begun.entry.atNs;
  // Ready, then not, then ready again (a pod that was killed) is one rollout: what counts is from when on it stayed so.
  const lastUnready = seen.findLastIndex((one) => one.rollout.state !== 'complete');
  const readyAtNs = rollout.state === 'complete' ? (seen[lastUnready + 1]?.entry.atNs ?? beganAtNs) : null;
  const replaced = replacedReplicas(lives, { side: last.entry.side, owner: rollout.name, beganAtNs });
  const goneAtNs = replaced.map(({ lostAtNs }) => lostAtNs);
  const isComplete = readyAtNs !== null && goneAtNs.every((atNs) => atNs !== null);
  return {
    side: last.entry.side,
    name: rollout.name,
    fromRevision: first.rollout.revision,
    toRevision: rollout.revision,
    notBeforeNs: begun.entry.previousSentAtNs ?? beganAtNs,
    beganAtNs,
    readyAtNs,
    completeAtNs: isComplete ? Math.max(readyAtNs, ...goneAtNs.filter((atNs) => atNs !== null)) : null,
    state: rollout.state,
    reason: rollout.reason,
    desiredCount: rollout.desiredCount,
    replacedCount: replaced.length,
  };
}

// ── pods and tasks ───────────────────────────────────────────────────────────────────────────────────────────────────

interface ReplicaLife {
  readonly side: Side;
  readonly owner: string | null;
  readonly revision: string | null;
  readonly firstAtNs: number;
  /** When it had gone, or when it could no longer be seen; null = it is there. */
  readonly lostAtNs: number | null;
}

function replicaLives(journal: Journal, told: readonly Told[], endedAtNs: number): ReplicaLife[] {
  const blindSinceNs = new Map(
    analyseObservers(journal, endedAtNs).flatMap(({ name, gaps }) => {
      const last = gaps.at(-1);
      return last !== undefined && last.toAtNs >= endedAtNs ? [[name, last.fromAtNs] as const] : [];
    }),
  );
  const lives = new Map<string, { readonly first: Told; readonly workload: WorkloadSeen; goneAtNs: number | null }>();
  for (const entry of told) {
    const { fact, observer, atNs } = entry;
    if (fact.kind === 'gone' && fact.was === 'workload') {
      const life = lives.get(`${observer} ${fact.name}`);
      if (life !== undefined) life.goneAtNs ??= atNs;
    }
    if (fact.kind !== 'workload') continue;
    const key = `${observer} ${fact.workload.name}`;
    const life = lives.get(key) ?? { first: entry, workload: fact.workload, goneAtNs: null };
    lives.set(key, life);
    if (fact.workload.state === 'gone') life.goneAtNs ??= atNs;
  }
  return [...lives.values()].map(({ first, workload, goneAtNs }) => ({
    side: first.side,
    owner: workload.owner,
    revision: workload.revision,
    firstAtNs: first.atNs,
    lostAtNs: goneAtNs ?? blindSinceNs.get(first.observer) ?? null,
  }));
}

/** What was there as it began, but for those that are of the revision which is there now: a Deployment's own number does not tell. */
function replacedReplicas(
  lives: readonly ReplicaLife[],
  rollout: { readonly side: Side; readonly owner: string; readonly beganAtNs: number },
): ReplicaLife[] {
  const own = lives.filter(({ side, owner }) => side === rollout.side && owner === rollout.owner);
  const revision = own.toSorted((a, b) => a.firstAtNs - b.firstAtNs).at(-1)?.revision ?? null;
  return own.filter(
    (life) =>
      life.firstAtNs <= rollout.beganAtNs &&
      (life.lostAtNs ?? Infinity) > rollout.beganAtNs &&
      (life.revision === null || life.revision !== revision),
  );
}
