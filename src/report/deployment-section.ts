/** What was rolled out, and which replicas answered. */
import { countText, durationText, ratioText } from '../core/quantity-text.ts';
import { clockText, msBetween } from './instant-text.ts';
import { rowsMax, type Cell, type Section } from './section.ts';
import type { Report, ReportReplicas, ReportRollout, ReportService } from './shape.ts';

export function rolloutSection({ rollouts = [], run }: Report): Section[] {
  if (rollouts.length === 0) return [];
  return [
    {
      title: 'Rollouts',
      level: 2,
      paragraphs: [
        'What Kubernetes and ECS said was deployed. A rollout is over when every new replica is ready and the last one of before has gone.',
      ],
      table: {
        columns: [
          { name: 'Of' },
          { name: 'Revision' },
          { name: 'Replicas', kind: 'number' },
          { name: 'Began', kind: 'short' },
          { name: 'All ready', kind: 'short' },
          { name: 'Over', kind: 'short' },
          { name: 'Took' },
        ],
        rows: rollouts
          .slice(0, rowsMax)
          .map((rollout): Cell[] => [
            { text: rollout.name },
            { text: `${rollout.fromRevision} → ${rollout.toRevision}` },
            { text: countText(rollout.desiredCount) },
            { text: clockText(run.startedAt, rollout.beganAt) },
            { text: clockText(run.startedAt, rollout.readyAt) },
            { text: clockText(run.startedAt, rollout.completeAt) },
            tookCell(rollout),
          ]),
      },
    },
  ];
}

function tookCell({ state, reason, beganAt, completeAt }: ReportRollout): Cell {
  if (completeAt !== null) return { text: durationText(msBetween(beganAt, completeAt)) };
  const what = state === 'failed' ? 'failed' : 'not over at the end';
  return { text: reason === '' ? what : `${what}: ${reason}`, tone: state === 'failed' ? 'bad' : 'unsure' };
}

export function replicaSection(report: Report, { replicas }: ReportService): Section[] {
  if (replicas === undefined || replicas.byReplica.length === 0) return [];
  return [
    {
      title: `Who answered, by ${replicas.header}`,
      level: 3,
      paragraphs: restText(replicas),
      table: {
        columns: [
          { name: 'Replica' },
          { name: 'First answer', kind: 'short' },
          { name: 'Last answer', kind: 'short' },
          { name: 'In baseline', kind: 'number' },
          { name: 'Meanwhile', kind: 'number' },
          { name: 'In the tail', kind: 'number' },
          { name: 'Failed', kind: 'number' },
        ],
        rows: replicas.byReplica
          .slice(0, rowsMax)
          .map(({ name, firstAt, lastAt, answered, failedCount }): Cell[] => [
            { text: name },
            { text: clockText(report.run.startedAt, firstAt) },
            { text: clockText(report.run.startedAt, lastAt) },
            ...(['baseline', 'switching', 'tail'] as const).map((phase) => shareCell(replicas, answered, phase)),
            { text: countText(failedCount), ...(failedCount > 0 ? { tone: 'bad' as const } : {}) },
          ]),
      },
    },
  ];
}

function shareCell(
  { byReplica }: ReportReplicas,
  answered: ReportReplicas['byReplica'][number]['answered'],
  phase: keyof typeof answered,
): Cell {
  const total = byReplica.reduce((sum, one) => sum + one.answered[phase], 0);
  if (answered[phase] === 0) return { text: '–', tone: 'faint' };
  return { text: `${ratioText(answered[phase] / total)} (${countText(answered[phase])})` };
}

function restText({ namelessCount, namelessFailedCount, otherCount }: ReportReplicas): readonly string[] {
  return [
    ...(namelessCount === 0
      ? []
      : [
          `${countText(namelessCount)} answers did not have the header, ${countText(namelessFailedCount)} of them failures: they came from somebody before the replicas, or from one that does not say.`,
        ]),
    ...(otherCount === 0 ? [] : [`${countText(otherCount)} answers of more replicas than are listed.`]),
  ];
}
