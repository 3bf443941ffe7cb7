/**
 * What of a scenario can be looked at although something in it is broken: one broken value must not hide what is wrong
 * elsewhere.
 */
import type { Side } from '../core/scenario.ts';
import type { Path, ScenarioDocument } from './document.ts';
import type { PlaybookStepInput, ResolverInput, ScenarioInput, ServiceInput, SideInput } from './input.ts';
import { innermost, valueAt } from './problems.ts';
import { clientsInput } from './client-schema.ts';
import { playbookStepInput } from './playbook.ts';
import { route53Input } from './route53.ts';
import { conductInput, expectedInput, platformInput, zoneInput } from './world-schema.ts';
import { stepInput } from './world-script-schema.ts';
import type { PlatformInput, StepInput, WorldInput, WorldResolverInput } from './world-input.ts';
import {
  authoritiesInput,
  changeInput,
  defaultsInput,
  objectivesInput,
  referencesInput,
  resolverInput,
  serviceInput,
  sideInput,
} from './schema.ts';
import type { z } from 'zod';

export interface Sections {
  readonly name: string | null;
  readonly defaults: NonNullable<ScenarioInput['defaults']>;
  readonly services: readonly Item<ServiceInput>[];
  readonly sides: { readonly old: SideInput | null; readonly new: SideInput | null };
  /** The file does not name them, though it has `sides`. */
  readonly missingSides: readonly Side[];
  /** null: the file has none; those that are broken are left out. */
  readonly resolvers: readonly Item<ResolverInput>[] | null;
  /** Those of broken resolvers too: a reference to one is right. */
  readonly resolverNames: readonly string[];
  readonly authorities: NonNullable<ScenarioInput['authorities']>;
  readonly clients: NonNullable<ScenarioInput['clients']> | null;
  readonly change: NonNullable<ScenarioInput['change']>;
  readonly route53: ScenarioInput['route53'];
  /** null: the file has none. */
  readonly playbook: readonly Item<PlaybookStepInput>[] | null;
  readonly references: readonly string[];
  readonly objectives: NonNullable<ScenarioInput['objectives']>;
  /** Those of broken services too. */
  readonly serviceNames: readonly string[];
  /** null: the file has none. */
  readonly world: WorldSections | null;
}

/** Parts that are broken are null or left out: nothing is held against them. */
export interface WorldSections {
  readonly seed: number | undefined;
  readonly observed: boolean | undefined;
  readonly zone: NonNullable<WorldInput['zone']> | null;
  readonly resolvers: Readonly<Record<string, WorldResolverInput | null>>;
  readonly sides: Readonly<Record<Side, PlatformInput | null>>;
  /** undefined: none is given. */
  readonly script: readonly Item<StepInput>[] | undefined;
  readonly isScriptWhole: boolean;
  readonly expect: NonNullable<WorldInput['expect']> | null | undefined;
}

export interface Item<T> {
  readonly input: T;
  readonly path: Path;
}

/** Every section that is whole by itself, once the broken `issues` are cut out. */
export function wholeSections(value: unknown, issues: readonly z.core.$ZodIssue[]): Sections {
  const pruned = issues.length === 0 ? value : withoutBroken(value, issues);
  const whole = <T>(schema: z.ZodType<T>, path: Path): T | null => schema.safeParse(valueAt(pruned, path)).data ?? null;
  const listAt = (key: string): readonly unknown[] | null => {
    const list = valueAt(pruned, [key]);
    return Array.isArray(list) ? list : null;
  };
  const items = <T>(schema: z.ZodType<T>, key: string): readonly Item<T>[] | null =>
    listAt(key)?.flatMap((_, i) => {
      const input = whole(schema, [key, i]);
      return input === null ? [] : [{ input, path: [key, i] }];
    }) ?? null;
  const name = valueAt(pruned, ['name']);
  const namesAt = (key: string): readonly string[] =>
    (listAt(key) ?? []).map((item) => valueAt(item, ['name'])).filter((text) => typeof text === 'string');

  return {
    name: typeof name === 'string' ? name : null,
    defaults: whole(defaultsInput, ['defaults']) ?? {},
    services: items(serviceInput, 'services') ?? [],
    sides: { old: whole(sideInput, ['sides', 'old']), new: whole(sideInput, ['sides', 'new']) },
    missingSides: missingSides(valueAt(value, ['sides'])),
    resolvers: items(resolverInput, 'resolvers'),
    resolverNames: namesAt('resolvers'),
    authorities: whole(authoritiesInput, ['authorities']) ?? 'auto',
    clients: whole(clientsInput, ['clients']),
    change: whole(changeInput, ['change']) ?? {},
    route53: whole(route53Input, ['route53']) ?? false,
    playbook: items(playbookStepInput, 'playbook'),
    references: whole(referencesInput, ['references']) ?? [],
    objectives: whole(objectivesInput, ['objectives']) ?? {},
    serviceNames: namesAt('services'),
    world: worldSections(valueAt(value, ['world'])),
  };
}

function missingSides(sides: unknown): readonly Side[] {
  if (typeof sides !== 'object' || sides === null || Array.isArray(sides)) return [];
  return (['old', 'new'] as const).filter((side) => !Object.hasOwn(sides, side));
}

/** Of each part all or nothing: what is left of a side whose kind is mistyped would be held against the wrong kind. */
function worldSections(value: unknown): WorldSections | null {
  if (value === undefined) return null;
  const part = <T>(schema: z.ZodType<T>, path: Path): T | null | undefined => {
    const found = valueAt(value, path);
    return found === undefined ? undefined : (schema.safeParse(found).data ?? null);
  };
  const given = <T>(schema: z.ZodType<T>, path: Path, otherwise: T): T | null => {
    const found = part(schema, path);
    return found === undefined ? otherwise : found;
  };
  const resolvers = valueAt(value, ['resolvers']);
  const script = valueAt(value, ['script']);
  const steps = Array.isArray(script)
    ? script.map((_, i) => ({ input: part(stepInput, ['script', i]), path: ['world', 'script', i] }))
    : [];
  const seed = valueAt(value, ['seed']);
  return {
    seed: typeof seed === 'number' ? seed : undefined,
    observed: valueAt(value, ['observed']) === false ? false : undefined,
    zone: given(zoneInput, ['zone'], {}),
    resolvers:
      typeof resolvers === 'object' && resolvers !== null
        ? Object.fromEntries(
            Object.keys(resolvers).map((name) => [name, part(conductInput, ['resolvers', name]) ?? null]),
          )
        : {},
    sides: { old: given(platformInput, ['old'], {}), new: given(platformInput, ['new'], {}) },
    script:
      script === undefined
        ? undefined
        : steps.flatMap(({ input, path }) => (input === null || input === undefined ? [] : [{ input, path }])),
    isScriptWhole: steps.every(({ input }) => input !== null) && (script === undefined || Array.isArray(script)),
    expect: part(expectedInput, ['expect']),
  };
}

/** Without what is broken; the items of lists stay, so that paths stay right. */
function withoutBroken(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy = structuredClone(value);
  for (const { issue, path } of issues.flatMap((outer) => innermost(outer))) {
    const broken = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    for (const cut of broken.map(cutAt)) {
      const around = valueAt(copy, cut.slice(0, -1));
      const key = cut.at(-1);
      if (typeof around !== 'object' || around === null || Array.isArray(around) || key === undefined) continue;
      delete (around as Record<string | number, unknown>)[key];
    }
  }
  return copy;
}

/** With what others in the same map are compared with, the whole map is cut: or they would seem wrong too. */
function cutAt(path: Path): Path {
  if (path[0] === 'clients') return path.slice(0, 2);
  const [around, key] = path.slice(-2);
  const isCompared = (around === 'request' && key === 'method') || (around === 'timeouts' && key === 'totalMs');
  return isCompared ? path.slice(0, -1) : path;
}

/**
 * What is wrong with the document's structure. A variable is text; where a number, true or false is expected it is read as
 * one, in place.
 */
export function issuesOf(schema: z.ZodType, document: ScenarioDocument): readonly z.core.$ZodIssue[] {
  const { value } = document;
  const issues = issuesIn(schema, value);
  let hasChanged = false;
  for (const { issue, path } of issues.flatMap((outer) => innermost(outer))) {
    const found = valueAt(value, path);
    if (typeof found !== 'string' || document.sourceOf(path) === null) continue;
    const typed = typedText(found, expectedTypes(issue));
    if (typed === null) continue;
    setAt(value, path, typed);
    hasChanged = true;
  }
  return hasChanged ? issuesIn(schema, value) : issues;
}

/** A key that is mistyped is missing too: where a map has unknown keys, what it lacks as a whole is not said. */
function issuesIn(schema: z.ZodType, value: unknown): readonly z.core.$ZodIssue[] {
  const issues = schema.safeParse(value).error?.issues ?? [];
  const mistyped = new Set(issues.flatMap(({ code, path }) => (code === 'unrecognized_keys' ? [path.join('.')] : [])));
  return issues.filter(({ code, path }) => code !== 'custom' || !mistyped.has(path.join('.')));
}

function typedText(text: string, expected: ReadonlySet<string>): number | boolean | null {
  if (expected.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  return expected.has('number') && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : null;
}

function expectedTypes(issue: z.core.$ZodIssue): ReadonlySet<string> {
  if (issue.code === 'invalid_type') return new Set([issue.expected === 'int' ? 'number' : issue.expected]);
  if (issue.code !== 'invalid_union') return new Set();
  return new Set(issue.errors.flat().flatMap((inner) => (inner.path.length > 0 ? [] : [...expectedTypes(inner)])));
}

function setAt(value: unknown, path: Path, replacement: unknown): void {
  const around = valueAt(value, path.slice(0, -1)) as Record<string | number, unknown>;
  const last = path.at(-1);
  if (last !== undefined) around[last] = replacement;
}
