/** What a playbook beside the run said of its steps: a table in order of time. */
import type { StepState } from '../core/playbook.ts';
import { clockText } from './instant-text.ts';
import { rowsMax, type Cell, type Section } from './section.ts';
import type { Report, ReportStep } from './shape.ts';

const cells: Readonly<Record<StepState, Cell>> = {
  pass: { text: '✓ passed', tone: 'good' },
  fail: { text: '✗ failed', tone: 'bad' },
  unknown: { text: '? not known', tone: 'unsure' },
  'not-applicable': { text: '– not applicable', tone: 'faint' },
};

export function playbookSection({ playbook, run }: Report): Section[] {
  if (playbook.length === 0) return [];
  return [
    {
      title: 'Playbook',
      level: 2,
      paragraphs: [],
      table: {
        columns: [
          { name: 'At', kind: 'short' },
          { name: 'Step' },
          { name: 'Says', kind: 'short' },
          { name: 'By what was read at', kind: 'short' },
          { name: 'Evidence' },
        ],
        rows: playbook
          .slice(0, rowsMax)
          .map((said): Cell[] => [
            { text: clockText(run.startedAt, said.at) },
            { text: said.step },
            resultCell(said),
            { text: clockText(run.startedAt, said.observedAt) },
            { text: said.evidence.join('; ') },
          ]),
      },
    },
  ];
}

function resultCell({ check, result, accepted }: ReportStep): Cell {
  // No machine has seen it: somebody says so.
  if (check === null && result === 'not-applicable') return { text: '– said to be done', tone: 'faint' };
  const cell = cells[result];
  return accepted ? { ...cell, text: `${cell.text}, accepted` } : cell;
}
