/** What is evidence of a deployment, in words: rollouts, replicas, or the word of whoever began it. */
import type {
  Analysis,
  ObserverAnalysis,
  ReplicasAnalysis,
  RolloutAnalysis,
  ServiceAnalysis,
} from '../core/analysis.ts';
import { listText } from '../core/quantity-text.ts';
import { toIso } from '../core/time.ts';
import type { VerdictValue } from '../core/verdict.ts';

export function evidenceOfDeployment(analysis: Analysis, service: ServiceAnalysis): readonly [VerdictValue, string] {
  const [change] = service.changes;
  const at = (atNs: number): string => toIso(analysis.startedAtMs, atNs);
  if (change === undefined) {
    if (analysis.endedBecause === 'interrupted') {
      return ['inconclusive', 'The watch was stopped before anything was deployed.'];
    }
    return ['inconclusive', 'Nothing was deployed: no command or mark said so, and nothing that was seen shows it.'];
  }
  const { rollouts = [] } = analysis;
  if (!change.isEvident) {
    const why = isSameReplicas(service.replicas)
      ? `every answer is by ${service.replicas?.header ?? ''} of a replica that answered before`
      : 'no Deployment and no ECS service got another revision';
    return ['inconclusive', `A deployment was announced at ${at(change.usedAtNs)}, and ${why}.`];
  }
  if (rollouts.length > 0)
    return [isOver(rollouts) ? 'pass' : 'inconclusive', listText(rollouts.map(said)).concat('.')];
  const { replicas } = service;
  const isReplaced = change.usedBy === 'replicas' || isToldApart(replicas);
  if (isReplaced) return ['pass', `Replicas that had not answered before answer since ${at(change.usedAtNs)}.`];
  const announced = `A deployment was announced at ${at(change.usedAtNs)}`;
  const blind = blindSince(analysis, change.usedAtNs);
  if (blind.length > 0) {
    const why = listText(blind.map(({ name, gaps }) => `${name} could not see: ${gaps.at(-1)?.why ?? ''}`));
    return ['inconclusive', `${announced}; whether it was made, and when it was over, is not known (${why}).`];
  }
  return ['pass', `${announced}; that it was made is the word of whoever did it.`];

  function said({ name, fromRevision, toRevision, beganAtNs, completeAtNs, state, reason }: RolloutAnalysis): string {
    const what = `${name} went from revision ${fromRevision} to ${toRevision}`;
    if (completeAtNs !== null) return `${what} between ${at(beganAtNs)} and ${at(completeAtNs)}`;
    const because = reason === '' ? '' : ` (${reason})`;
    if (state === 'failed') return `${what} from ${at(beganAtNs)} on, and that failed${because}`;
    return `${what} from ${at(beganAtNs)} on, and its end was not seen${because}`;
  }
}

/** Who was asked to tell of rollouts, and could not all the time from then on. */
function blindSince({ observers = [] }: Analysis, sinceNs: number): readonly ObserverAnalysis[] {
  return observers.filter(
    ({ name, gaps }) => /^kubernetes:\w+\/deployments$|^ecs:/.test(name) && gaps.some(({ toAtNs }) => toAtNs > sinceNs),
  );
}

function isOver(rollouts: readonly RolloutAnalysis[]): boolean {
  return rollouts.every(({ completeAtNs }) => completeAtNs !== null);
}

function isToldApart(replicas: ReplicasAnalysis | undefined): boolean {
  return replicas?.replicas.some(({ answered }) => answered.baseline === 0) ?? false;
}

function isSameReplicas(replicas: ReplicasAnalysis | undefined): boolean {
  return replicas !== undefined && replicas.replicas.length > 0 && !isToldApart(replicas);
}
