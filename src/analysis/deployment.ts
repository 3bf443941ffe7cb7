/**
 * A deployment: replicas of one side are replaced, and neither a name nor a client moves. By whose word it began: the
 * wrapped command, a mark, what Kubernetes or ECS say was rolled out, or replicas that answer and did not before. Where
 * nobody can see replicas, that it was begun is all that can be known of it from outside.
 */
import type { ChangeSeen } from '../core/analysis.ts';
import type { Scenario } from '../core/scenario.ts';
import { sToNs } from '../core/time.ts';
import { earliest } from './earliest.ts';
import type { ReplicaSpan } from './replicas.ts';
import type { RolloutsSeen } from './rollouts.ts';

export interface DeploymentEvidence {
  readonly scenario: Scenario;
  readonly markedAtNs: number | null;
  readonly command: { readonly fromAtNs: number | null; readonly toAtNs: number | null };
  readonly rollouts: RolloutsSeen;
  /** null: no header tells replicas apart. */
  readonly replicas: ReadonlyMap<string, ReplicaSpan> | null;
  readonly probedFromNs: number;
}

export interface Deployment {
  readonly seen: ChangeSeen;
  /** When the last replica of before had gone; null = not yet; left out: nobody can see replicas. */
  readonly doneAtNs?: number | null;
}

export function findDeployment(evidence: DeploymentEvidence): Deployment | null {
  const { scenario, markedAtNs, command, rollouts } = evidence;
  const said = [
    ['command', command.fromAtNs],
    ['mark', markedAtNs],
  ] as const;
  const saidAtNs = earliest(said.map(([, atNs]) => atNs));
  const begun = rollouts.rollouts.at(0);
  const replaced = replacedFrom(evidence, saidAtNs ?? begun?.notBeforeNs ?? null);
  const seen = [
    ['rollout', earliest(rollouts.rollouts.map(({ notBeforeNs }) => notBeforeNs))],
    ['replicas', replaced?.notBeforeNs ?? null],
  ] as const;
  const seenAtNs = earliest([begun?.beganAtNs ?? null, replaced?.firstAtNs ?? null]);
  const words = saidAtNs !== null && saidAtNs <= (seenAtNs ?? Infinity) ? said : seen;
  const usedAtNs = earliest(words.map(([, atNs]) => atNs));
  const usedBy = words.find(([, atNs]) => atNs === usedAtNs)?.[0];
  if (usedAtNs === null || usedBy === undefined) return null;
  const isSeen = begun !== undefined || replaced !== null;
  const isWatched = rollouts.isKnownSince(usedAtNs) || (evidence.replicas?.size ?? 0) > 0;
  return {
    seen: {
      direction: scenario.change.direction,
      markedAtNs,
      commandFromAtNs: command.fromAtNs,
      commandToAtNs: command.toAtNs,
      authorityFirstAtNs: null,
      authorityLastAtNs: null,
      identityAtNs: null,
      usedAtNs,
      usedBy,
      isEvident: isSeen || !isWatched,
    },
    ...doneOf(evidence, replaced),
  };
}

/** What platforms say counts before what answers show: a replica may be there and answer nobody. */
function doneOf(
  { rollouts: { rollouts } }: DeploymentEvidence,
  replaced: Replaced | null,
): Pick<Deployment, 'doneAtNs'> {
  if (rollouts.length > 0) {
    const ends = rollouts.map(({ completeAtNs }) => completeAtNs);
    return { doneAtNs: ends.includes(null) ? null : Math.max(...ends.filter((atNs) => atNs !== null)) };
  }
  return replaced === null ? {} : { doneAtNs: replaced.doneAtNs };
}

interface Replaced {
  /** When the first replica of before answered last, if that was before a new one answered. */
  readonly notBeforeNs: number;
  readonly firstAtNs: number;
  /** After the last answer of a replica of before; null = they still answer. */
  readonly doneAtNs: number | null;
}

/** Those that answered before the change was said to begin, or else in the baseline, against all that came after. */
function replacedFrom(evidence: DeploymentEvidence, beganAtNs: number | null): Replaced | null {
  const { replicas, scenario, probedFromNs } = evidence;
  if (replicas === null) return null;
  const knownUntilNs = beganAtNs ?? probedFromNs + sToNs(scenario.change.baselineS);
  const spans = [...replicas.values()];
  const before = spans.filter(({ firstAtNs }) => firstAtNs < knownUntilNs);
  const after = spans.filter(({ firstAtNs }) => firstAtNs >= knownUntilNs);
  if (before.length === 0 || after.length === 0) return null;
  const firstAtNs = Math.min(...after.map((span) => span.firstAtNs));
  const lastOldAtNs = Math.max(...before.map((span) => span.lastAtNs));
  const isOver = after.some((span) => span.lastAtNs > lastOldAtNs);
  // A replica may be gone before the first new one answers: what failed between is of the deployment.
  const firstLostAtNs = Math.min(firstAtNs, ...before.map((span) => span.lastAtNs));
  return {
    notBeforeNs: beganAtNs ?? Math.max(firstLostAtNs, knownUntilNs),
    firstAtNs,
    doneAtNs: isOver ? Math.max(firstAtNs, lastOldAtNs + 1) : null,
  };
}
