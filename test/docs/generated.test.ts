/** Documentation that is made of the program is as the program is. CUTWATCH_UPDATE=1 writes it anew. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cliDoc } from './cli-doc.ts';
import { scenarioDoc } from './scenario-doc.ts';

test.for([
  ['docs/cli.md', cliDoc],
  ['docs/scenario.md', scenarioDoc],
] as const)('%s is up to date', ([path, make]) => {
  const text = make();
  if (process.env['CUTWATCH_UPDATE'] === '1') writeFileSync(path, text);
  expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(text);
});

test('every key of a scenario says what it is for', () => {
  const rows = scenarioDoc()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(200);
  expect(rows.filter((line) => line.endsWith('|  |'))).toEqual([]);
});
