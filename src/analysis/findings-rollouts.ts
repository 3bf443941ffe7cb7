/** What was rolled out, and what the replicas by which answers came have to say. */
import type { Finding, ReplicasAnalysis } from '../core/analysis.ts';
import { countOf, durationText, listText, ratioText } from '../core/quantity-text.ts';
import { nsToMs } from '../core/time.ts';
import { at, type FindingContext } from './finding-context.ts';

export function rolloutFindings(context: FindingContext): Finding[] {
  const { scenario } = context.gathered.started;
  if (scenario.change.via !== 'deploy') return [];
  return [...rollouts(context), ...replicas(context)];
}

function rollouts(context: FindingContext): Finding[] {
  return context.rollouts.map((rollout): Finding => {
    const { name, side, state, reason, fromRevision, toRevision, desiredCount, replacedCount } = rollout;
    const { beganAtNs, readyAtNs, completeAtNs } = rollout;
    const what = `${name} (${side} side) went from revision ${fromRevision} to ${toRevision}`;
    const because = reason === '' ? '' : `: ${reason}`;
    const evidence = [
      `began ${at(context, beganAtNs)}`,
      ...(readyAtNs === null ? [] : [`every new replica ready ${at(context, readyAtNs)}`]),
      ...(completeAtNs === null ? [] : [`last replica of before gone ${at(context, completeAtNs)}`]),
      `${countOf(desiredCount, 'replica')} asked for, ${countOf(replacedCount, 'replica')} of before`,
    ];
    if (state === 'failed') {
      const text = `${what}, and its platform says that this failed${because}.`;
      return { kind: 'rollout-failed', service: null, severity: 'warn', text, evidence };
    }
    if (completeAtNs === null) {
      const left =
        readyAtNs === null ? `it was not complete at the end${because}` : 'replicas of before were still there';
      return { kind: 'rollout-not-over', service: null, severity: 'warn', text: `${what}; ${left}.`, evidence };
    }
    const took = durationText(nsToMs(completeAtNs - beganAtNs));
    return { kind: 'rolled-out', service: null, severity: 'info', text: `${what} in ${took}.`, evidence };
  });
}

function replicas({ services }: FindingContext): Finding[] {
  return services.flatMap(({ name: service, replicas: seen }): Finding[] => {
    if (seen === undefined) return [];
    if (seen.replicas.length === 0) {
      const text = `No answer has the header ${seen.header}, so its replicas cannot be told apart.`;
      return [{ kind: 'replica-header-missing', service, severity: 'warn', text, evidence: [] }];
    }
    const text = failingText(seen);
    if (text === null) return [];
    const evidence = seen.replicas
      .filter(({ failedCount }) => failedCount > 0)
      .map(({ name, failedCount, answered }) => {
        const count = answered.baseline + answered.switching + answered.tail;
        return `${name}: ${ratioText(failedCount / count)} of ${countOf(count, 'answer')}`;
      });
    return [{ kind: 'replicas-failed', service, severity: 'warn', text, evidence }];
  });
}

/** null: none failed by its own answer, or all did, and no replica stands out. */
function failingText({ header, replicas: all }: ReplicasAnalysis): string | null {
  const failing = all.filter(({ failedCount }) => failedCount > 0);
  if (failing.length === 0 || failing.length === all.length) return null;
  const names = listText(failing.slice(0, 5).map(({ name }) => name));
  const more = failing.length > 5 ? ` and ${countOf(failing.length - 5, 'other')}` : '';
  return `Answers that were not as expected came from ${names}${more} (by ${header}), and from none of ${countOf(all.length - failing.length, 'other replica')}.`;
}
