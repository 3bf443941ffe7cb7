/** Deployments, judged as `kubectl rollout status` judges them. */
import type { RolloutSeen } from '../core/platform.ts';
import { conditionOf, nameOf } from './kubernetes-objects.ts';
import { countAt, numberAt, textAt } from './kubernetes-json.ts';

export function rolloutSeen(object: unknown): RolloutSeen | null {
  const name = nameOf(object);
  if (name === '') return null;
  const desiredCount = numberAt(object, 'spec', 'replicas') ?? 1;
  return {
    name,
    revision: textAt(object, 'metadata', 'annotations', 'deployment.kubernetes.io/revision'),
    desiredCount,
    updatedCount: countAt(object, 'status', 'updatedReplicas'),
    readyCount: countAt(object, 'status', 'readyReplicas'),
    ...rolloutState(object, desiredCount),
  };
}

function rolloutState(object: unknown, desiredCount: number): Pick<RolloutSeen, 'state' | 'reason'> {
  const progressing = (reason: string): Pick<RolloutSeen, 'state' | 'reason'> => ({ state: 'progressing', reason });
  const replicaCount = countAt(object, 'status', 'replicas');
  const updatedCount = countAt(object, 'status', 'updatedReplicas');
  const availableCount = countAt(object, 'status', 'availableReplicas');
  if (countAt(object, 'metadata', 'generation') > countAt(object, 'status', 'observedGeneration')) {
    return progressing('its new specification has not been taken up yet');
  }
  const condition = conditionOf(object, 'Progressing');
  if (textAt(condition, 'reason') === 'ProgressDeadlineExceeded') {
    return { state: 'failed', reason: textAt(condition, 'message') || 'it made no progress within its deadline' };
  }
  if (updatedCount < desiredCount) return progressing(`${updatedCount} of ${desiredCount} replicas are updated`);
  if (replicaCount > updatedCount) return progressing(`${replicaCount - updatedCount} old replicas are still there`);
  if (availableCount < updatedCount) {
    return progressing(`${availableCount} of ${updatedCount} updated replicas are available`);
  }
  return { state: 'complete', reason: '' };
}
