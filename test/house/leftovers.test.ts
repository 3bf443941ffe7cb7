import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const paths = globSync(
  ['*.{md,json,ts}', '.ci/*', '{src,test,docs,scenarios,schemas,tools}/**/*.{ts,md,yaml,yml,json,html,css,sh}'],
  { exclude: ['**/node_modules/**', 'package-lock.json'] },
).toSorted();

// Written apart, so that this file does not find itself.
const words = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'];
const leftover = new RegExp(String.raw`\b(${words.join('|')})\b`);

test('nothing is left for later: what is not done is an issue, not a comment', () => {
  expect(paths.length).toBeGreaterThan(80);
  const found = paths.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, i) => (leftover.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

test.for(words.map((word) => `// ${word}: later`))('is a leftover: %s', (line) => {
  expect(leftover.test(line)).toBe(true);
});
