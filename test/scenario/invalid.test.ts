/** Every wrong scenario in `invalid/` has its messages beside it, word for word: they are what people read. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemsIn } from './fixtures.ts';

const folder = new URL('invalid/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const env = { SET_TO_TEXT: 'fast', SET_TO_LINES: 'one\r\nx-two: 2', RATE: '3' };

test('there are wrong scenarios to try', () => {
  expect(names.length).toBeGreaterThanOrEqual(25);
});

test.for(names)('%s is refused with the messages beside it', async (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const isMissing = name === 'environment-missing.yaml';
  const problems = problemsIn(text, isMissing ? {} : env, name);
  expect(problems).not.toEqual([]);
  await expect(`${problems.join('\n')}\n`).toMatchFileSnapshot(`invalid/${name.replace('.yaml', '.txt')}`);
});

test.for(names)('%s gives away no secret', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const shown = problemsIn(text, env, name).join('\n');
  expect(shown).not.toContain('hunter2');
  expect(shown).not.toContain('x-two');
});
