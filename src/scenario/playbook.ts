/** `playbook`: the steps of a switchover in order, each a check's name, a check with a command, or a command alone. */
import { playbookChecks, type PlaybookStep } from '../core/playbook.ts';
import type { CommandInput, PlaybookStepInput } from './input.ts';
import { list, map, oneOf, optional, text } from './leaves.ts';
import type { Report } from './problems.ts';
import type { Item } from './sections.ts';
import { z } from 'zod';

const check = (): z.ZodType<(typeof playbookChecks)[number]> => oneOf(...playbookChecks);

const command = (): z.ZodType<CommandInput> =>
  z.union([text('a command'), list(text('a word'), 'a list of words: program, argument, …')], {
    error: 'expected a command: a list of words, or a text for the shell',
  });

export const playbookStepInput: z.ZodType<PlaybookStepInput> = z.union(
  [
    check(),
    map('a map such as { step: dns-switched, command: ./switch.sh }', {
      step: optional(check(), 'The check; without one the step needs a title, and the operator says when it is done.'),
      title: optional(text('a text'), 'How tables call it.'),
      note: optional(text('a text'), 'What the operator should know before it.'),
      command: optional(
        command(),
        'What does it, run by playbook --step: a list of words, or a text for the shell. Without one the operator is asked to.',
      ),
      rollback: optional(command(), 'The same on the way back, for playbook --rollback --step.'),
    }).superRefine(({ step, title }, context) => {
      if (step !== undefined || title !== undefined) return;
      context.addIssue({ code: 'custom', message: 'a step has the name of a check (step), or a title' });
    }),
  ],
  { error: 'expected the name of a step, or a map such as { step: dns-switched, command: ./switch.sh }' },
);

export const playbookInput: z.ZodType<readonly PlaybookStepInput[]> = list(playbookStepInput, 'a list of steps');

export function playbookOf(items: readonly Item<PlaybookStepInput>[], report: Report): readonly PlaybookStep[] {
  const seen = new Set<string>();
  return items.map(({ input, path }) => {
    const given = typeof input === 'string' ? { step: input } : input;
    const { step: check, title, note, command: words, rollback } = given;
    const name = check ?? nameOf(title ?? '');
    if (seen.has(name)) report(path, `the step "${name}" is there twice`);
    // What has no name has been said.
    if (name !== '') seen.add(name);
    return {
      name,
      check: check ?? null,
      title: title ?? '',
      note: note ?? '',
      command: wordsOf(words),
      rollback: wordsOf(rollback),
    };
  });
}

/** `warm-the-caches`, to be named by --only and --from. */
function nameOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

function wordsOf(given: CommandInput | undefined): readonly string[] | null {
  if (given === undefined) return null;
  return typeof given === 'string' ? ['sh', '-c', given] : given;
}
