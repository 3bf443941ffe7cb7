import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { importProblems, importRings, roomOf, roomRings } from './import-problems.ts';
import { readModule } from './read-module.ts';
import { rooms } from './rooms.ts';

const modules = globSync('src/**/*.ts')
  .map((path) => path.replaceAll('\\', '/'))
  .toSorted()
  .map((path) => readModule(path, readFileSync(path, 'utf8')));

test('there is something to check: a gate that finds no imports cannot fail', () => {
  expect(modules.length).toBeGreaterThan(40);
  expect(modules.flatMap((module) => module.imports).length).toBeGreaterThan(120);
});

test('rooms import only the rooms and packages that the table allows', () => {
  expect(importProblems(modules, rooms)).toEqual([]);
});

test('no file imports itself through others, and no room another that imports it', () => {
  expect([...importRings(modules), ...roomRings(modules)]).toEqual([]);
});

test('every room in the table exists, with a README of at most 25 lines that says what it is for', () => {
  const found = new Set(modules.map((module) => roomOf(module.path)));
  const problems = Object.keys(rooms).flatMap((room) => {
    if (!found.has(room)) return [`src/${room} does not exist: take its row out of test/house/rooms.ts`];
    const path = `src/${room}/README.md`;
    if (!existsSync(path)) return [`${path} is missing: a newcomer asks what the room is for`];
    const count = readFileSync(path, 'utf8').trimEnd().split('\n').length;
    return count > 25 ? [`${path} has ${count} lines: details belong beside the code they are about`] : [];
  });
  expect(problems).toEqual([]);
});

// The checks themselves, each on the smallest thing that breaks it.

test.for([
  { path: 'src/core/a.ts', source: `import { b } from '../net/b.ts';`, problem: 'core may import the rooms nothing' },
  {
    path: 'src/core/a.ts',
    source: `import type { B } from '../net/b.ts';`,
    problem: 'core may import the rooms nothing',
  },
  { path: 'src/core/a.ts', source: `export * from '../net/b.ts';`, problem: 'core may import the rooms nothing' },
  { path: 'src/core/a.ts', source: `let b: import('../net/b.ts').B;`, problem: 'core may import the rooms nothing' },
  { path: 'src/core/a.ts', source: `await import('../net/b.ts');`, problem: 'core may import the rooms nothing' },
  {
    path: 'src/core/a.ts',
    source: `new URL('../net/b.ts', import.meta.url);`,
    problem: 'core may import the rooms nothing',
  },
  { path: 'src/core/a.ts', source: `await import(somewhere);`, problem: 'only known when it runs' },
  { path: 'src/net/b.ts', source: `import { a } from '../core/a.js';`, problem: 'relative imports end in .ts' },
  { path: 'src/net/b.ts', source: `import { a } from '../../test/a.ts';`, problem: 'no file under src' },
  { path: 'src/wire/c.ts', source: `import { Client } from 'undici';`, problem: 'wire may import dns-packet' },
  { path: 'src/wire/c.ts', source: `import fs from 'node:fs';`, problem: 'wire may import dns-packet' },
  { path: 'src/attic/d.ts', source: `export const d = 1;`, problem: 'src/attic has no row' },
  { path: 'src/wire/c.ts', source: `setTimeout(() => {}, 1);`, problem: 'uses setTimeout' },
  { path: 'src/wire/c.ts', source: `const nowNs = process.hrtime.bigint();`, problem: 'uses process' },
  { path: 'src/wire/c.ts', source: `const at = Date.now();`, problem: 'uses Date.now' },
  { path: 'src/wire/c.ts', source: `const at = new Date();`, problem: 'uses new Date' },
  { path: 'src/wire/c.ts', source: `const at = performance.now();`, problem: 'uses performance' },
  { path: 'src/wire/c.ts', source: `const id = Math.random();`, problem: 'uses Math.random' },
  { path: 'src/wire/c.ts', source: `const page = await fetch(url);`, problem: 'uses fetch' },
])('$path may not say: $source', ({ path, source, problem }) => {
  const others = ['src/core/a.ts', 'src/net/b.ts'].filter((other) => other !== path);
  const all = [readModule(path, source), ...others.map((other) => readModule(other, ''))];
  expect(importProblems(all, rooms)).toEqual([expect.stringContaining(problem)]);
});

test.for([
  `import { a } from '../core/a.ts'; import { decode } from 'dns-packet';`,
  `const at = new Date(atMs); const row = { process: 1 }; row.process += lane.performance;`,
])('wire may say: %s', (source) => {
  expect(importProblems([readModule('src/wire/c.ts', source), readModule('src/core/a.ts', '')], rooms)).toEqual([]);
});

test('a ring of files and a ring of rooms are found; a ring of types between files of one room is none', () => {
  const a = readModule('src/core/a.ts', `import { b } from '../net/b.ts';`);
  const b = readModule('src/net/b.ts', `import { c } from './c.ts';`);
  const c = readModule('src/net/c.ts', `import { a } from '../core/a.ts';`);
  expect(importRings([a, b, c])).toEqual(['src/core/a.ts → src/net/b.ts → src/net/c.ts → src/core/a.ts']);
  expect(roomRings([a, b, c])).toEqual(['core → net → core']);

  const d = readModule('src/net/d.ts', `import type { E } from './e.ts';`);
  const e = readModule('src/net/e.ts', `import { d } from './d.ts';`);
  expect([...importRings([d, e]), ...roomRings([d, e])]).toEqual([]);
});
