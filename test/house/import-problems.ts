import { posix } from 'node:path';
import type { Import, Module } from './read-module.ts';
import type { Room } from './rooms.ts';

/** Every import and every worldly global that the table of rooms does not allow, each as a sentence with its reason. */
export function importProblems(modules: readonly Module[], rooms: Readonly<Record<string, Room>>): readonly string[] {
  const paths = new Set(modules.map((module) => module.path));
  return modules.flatMap((module) => {
    const name = roomOf(module.path);
    const room = rooms[name];
    if (room === undefined) {
      return [`${module.path}: src/${name} has no row in test/house/rooms.ts; say there what it may import`];
    }
    return [
      ...module.imports.flatMap((one) => importProblem(module, name, room, one, paths)),
      ...(room.packages.some((name) => name === 'node:' || name === 'browser:') ? [] : module.globals).map(
        (global) =>
          `${module.path}: uses ${global}; ${name} is given its clock, I/O and randomness, or the simulator tests a copy`,
      ),
    ];
  });
}

function importProblem(
  module: Module,
  name: string,
  room: Room,
  { specifier }: Import,
  paths: ReadonlySet<string>,
): readonly string[] {
  const what = `${module.path}: imports ${specifier}`;
  if (!specifier.startsWith('.')) {
    const from = packageOf(specifier);
    if (room.packages.includes(from)) return [];
    return [`${what}; ${name} may import ${listed(room.packages)} from outside (test/house/rooms.ts)`];
  }
  const target = posix.join(posix.dirname(module.path), specifier);
  if (room.packages.includes(target)) return [];
  if (!paths.has(target)) return [`${what}, which is no file under src; relative imports end in .ts`];
  const other = roomOf(target);
  if (other === name || room.rooms.includes(other)) return [];
  return [`${what}; ${name} may import the rooms ${listed(room.rooms)} (test/house/rooms.ts)`];
}

/**
 * Files that import each other in a ring, one ring as `a → b → a`. Types are left out: they are gone when it runs. A
 * ring of values works or breaks by which file is loaded first.
 */
export function importRings(modules: readonly Module[]): readonly string[] {
  const graph = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports
        .filter((one) => !one.isTypeOnly && one.specifier.startsWith('.'))
        .map((one) => posix.join(posix.dirname(path), one.specifier)),
    ]),
  );
  return rings(graph);
}

/** Rooms that import each other in a ring, types too: neither can be read or changed without the other. */
export function roomRings(modules: readonly Module[]): readonly string[] {
  const graph = new Map<string, string[]>();
  for (const { path, imports } of modules) {
    const from = roomOf(path);
    const targets = imports
      .filter((one) => one.specifier.startsWith('.'))
      .map((one) => roomOf(posix.join(posix.dirname(path), one.specifier)))
      .filter((to) => to !== from);
    graph.set(from, [...(graph.get(from) ?? []), ...targets]);
  }
  return rings(graph);
}

function rings(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (at: string, trail: readonly string[]): void => {
    if (trail.includes(at)) return void found.push([...trail.slice(trail.indexOf(at)), at].join(' → '));
    if (done.has(at)) return;
    for (const next of graph.get(at) ?? []) walk(next, [...trail, at]);
    done.add(at);
  };
  for (const at of graph.keys()) walk(at, []);
  return found;
}

/** `src/net/clock.ts` → `net`. */
export function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node:';
  const [scope = '', name = ''] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}
