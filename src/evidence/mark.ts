/** A mark as `marks.ndjson` has it: wall clock, because who marks does not know when the run began. */
import type { EntryOf } from '../core/entry.ts';
import { playbookChecks, type PlaybookCheck, type StepSaid, type StepState } from '../core/playbook.ts';
import { msToNs } from '../core/time.ts';
import { isObject } from './definition.ts';

export interface Mark {
  /** Ms since 1970. */
  readonly atMs: number;
  readonly text: string;
  /** Of a playbook: what it says of a step. */
  readonly step?: StepSaid;
}

const textLengthMax = 500;

/** One line: cut, and without control characters, since it ends up on terminals. */
export function markText(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, textLengthMax)
    .toWellFormed();
}

/** Null where the line is no mark. */
export function parseMark(line: string): Mark | null {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(found)) return null;
  const { atMs, text, step } = found;
  if (!isInstant(atMs) || typeof text !== 'string') return null;
  const said = stepOf(step);
  return { atMs, text: markText(text), ...(said === null ? {} : { step: said }) };
}

/** As the run writes it down. */
export function markEntry({ atMs, text, step }: Mark, startedAtMs: number): EntryOf<'marked' | 'step-checked'> {
  const atNs = msToNs(atMs - startedAtMs);
  return step === undefined ? { type: 'marked', atNs, text } : { type: 'step-checked', atNs, ...step };
}

/** Cut, and without control characters; as many phrases as anybody reads. */
export function stepSaid({ step, evidence, ...said }: StepSaid): StepSaid {
  return { step: markText(step), ...said, evidence: evidence.slice(0, evidenceMax).map(markText) };
}

const evidenceMax = 6;
const states: readonly unknown[] = ['pass', 'fail', 'unknown', 'not-applicable'] satisfies StepState[];

/** Null where it is none: then the mark is a text as any other. */
function stepOf(value: unknown): StepSaid | null {
  if (!isObject(value)) return null;
  const { step, check, result, isAccepted, observedAtMs, evidence } = value;
  if (typeof step !== 'string' || typeof isAccepted !== 'boolean' || !states.includes(result)) return null;
  if (check !== null && !(playbookChecks as readonly unknown[]).includes(check)) return null;
  if (observedAtMs !== null && !isInstant(observedAtMs)) return null;
  if (!Array.isArray(evidence) || !evidence.every((one) => typeof one === 'string')) return null;
  return stepSaid({
    step,
    check: check as PlaybookCheck | null,
    result: result as StepState,
    isAccepted,
    observedAtMs,
    evidence,
  });
}

/** Ms since 1970, within what a date can be. */
function isInstant(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime());
}
