/** `compare`: two runs side by side. */
import { type Comparable, comparable, compare } from '../analysis/compare.ts';
import { newFold } from '../analysis/fold.ts';
import type { Comparison } from '../core/comparison.ts';
import { userError } from '../core/errors.ts';
import { readRun } from '../evidence/read-run.ts';
import { comparisonJsonText, comparisonMarkdown, comparisonText } from '../report/compare-text.ts';

export interface CompareFlags {
  readonly format: 'text' | 'md' | 'json';
  readonly json?: boolean | undefined;
  /** `name in a=name in b`. */
  readonly rename?: readonly string[] | undefined;
}

const exitStatuses: Readonly<Record<Comparison['result'], number>> = { 'not-worse': 0, worse: 3, unclear: 4 };

/** Data goes to standard output, whatever its format: a comparison is nothing but data. */
export function compareCommand(pathA: string, pathB: string, { format, json, rename = [] }: CompareFlags): number {
  const renames = new Map(rename.map(renameOf));
  const comparison = compare(read(pathA), read(pathB), renames);
  switch (json === true ? 'json' : format) {
    case 'text':
      process.stdout.write(comparisonText(comparison));
      break;
    case 'md':
      process.stdout.write(comparisonMarkdown(comparison));
      break;
    case 'json':
      process.stdout.write(comparisonJsonText(comparison));
  }
  return exitStatuses[comparison.result];
}

function renameOf(text: string): readonly [inB: string, inA: string] {
  const [inA = '', inB = '', ...more] = text.split('=');
  if (inA === '' || inB === '' || more.length > 0) {
    throw userError('--rename', `found "${text}", expected the name in a, =, the name in b`);
  }
  return [inB, inA];
}

function read(path: string): Comparable {
  const reading = readRun(path);
  const fold = newFold();
  for (const entry of reading.entries) fold.entry(entry);
  for (const batch of reading.batches()) fold.batch(batch);
  for (const problem of reading.problems) fold.problem(problem);
  return comparable(fold.conclude());
}
