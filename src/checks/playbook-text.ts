/** A playbook for people: its steps in order, what of each is not so, and which is next. */
import type { StepState } from '../core/playbook.ts';
import { countOf, listText } from '../core/quantity-text.ts';
import type { Playbook, StepResult } from './playbook.ts';
import type { StepRow } from './playbook-step.ts';

export const stepMarks: Readonly<Record<StepState, string>> = {
  pass: '✓',
  fail: '✗',
  unknown: '?',
  'not-applicable': '–',
};

/** As a mark has it. */
export const stateWords: Readonly<Record<StepState, string>> = {
  pass: 'passed',
  fail: 'failed',
  unknown: 'not known',
  'not-applicable': 'not applicable',
};

export interface PlaybookTextOptions {
  readonly paint?: (text: string, state: StepState) => string;
  /** What servers said may not steer a terminal; of any one line. */
  readonly plain?: (text: string) => string;
}

/** Without a line break at its end. */
export function playbookText(found: Playbook, { paint = same, plain = same }: PlaybookTextOptions = {}): string {
  const width = Math.max(0, ...found.steps.map(({ name }) => name.length));
  const way = found.isRollback ? 'rollback' : 'switchover';
  const lines = [`${found.scenario}, ${way} from ${found.from} to ${found.to}, as of ${instant(found.atMs)}`, ''];
  for (const step of found.steps) {
    const { number, name, state } = step;
    const mark = paint(stepMarks[state], state);
    lines.push(`  ${mark} ${String(number).padStart(2)}  ${name.padEnd(width)}  ${plain(summary(step))}`);
    lines.push(...detailLines(step).map((line) => `${' '.repeat(8)}${plain(line)}`));
  }
  lines.push('', plain(nextText(found)), countsText(found));
  return lines.join('\n');
}

function same(text: string): string {
  return text;
}

/** `2026-11-24 08:30:00 UTC`. */
function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function summary(step: StepResult): string {
  const { title, state, rows } = step;
  const passed = rows.filter((row) => row.decides && row.state === state).map(({ found }) => found);
  if (state !== 'pass' && state !== 'not-applicable') return title;
  const found = [...new Set(passed)];
  return `${title}: ${found.length > foundMax ? `${listText(found.slice(0, foundMax))} …` : listText(found)}`;
}

const foundMax = 2;
const rowsMax = 6;

/** What is not so, and what is worth knowing although it decides nothing. */
export function detailLines({ rows, source, readAtMs }: StepResult): readonly string[] {
  const isShown = ({ state }: StepRow): boolean => state === 'fail' || state === 'unknown';
  const shown = rows.filter(isShown).toSorted((a, b) => Number(b.decides) - Number(a.decides));
  if (shown.length === 0) return [];
  const lines = shown.slice(0, rowsMax).flatMap(({ subject, found, toDo, decides }) => {
    const warning = decides ? '' : 'note: ';
    return [`${warning}${subject}: ${found}`, ...(toDo === '' || toDo === found ? [] : [`  ${toDo}`])];
  });
  const more = shown.length > rowsMax ? [`and ${shown.length - rowsMax} more: --json has all`] : [];
  const read = readAtMs === null ? [] : [`(${source}, read ${instant(readAtMs)})`];
  return [...lines, ...more, ...read];
}

function nextText({ steps, next }: Playbook): string {
  const step = steps.find(({ name }) => name === next);
  if (step === undefined) return 'Every step that applies has passed.';
  return `Next: step ${step.number}, ${step.name} (${step.title}).`;
}

function countsText({ steps }: Playbook): string {
  const count = (state: StepState): number => steps.filter((step) => step.state === state).length;
  const parts = [
    countOf(steps.length, 'step'),
    `${count('pass')} passed`,
    `${count('fail')} failed`,
    `${count('unknown')} not known`,
    `${count('not-applicable')} not applicable`,
  ];
  return `${parts.join(', ')}.`;
}

/** For `--watch`: one line for a step that is no longer as it was. */
export function changeText({ number, name, rows, state }: StepResult, before: StepState): string {
  const why = rows.find((row) => row.decides && row.state === state);
  const found = why === undefined ? '' : `: ${why.subject}: ${why.found}`;
  return `${stepMarks[state]} step ${number}, ${name}: ${before} → ${state}${found}`;
}
