/** What is wrong with a scenario, in words and with its place: path, what was found, what was expected. */
import type { Problem } from '../core/errors.ts';
import type { Path, ScenarioDocument } from './document.ts';
import { nearest, suggestion } from './nearest.ts';
import { withoutUrlSecrets } from './secret-names.ts';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** `sentence` may begin with `expected`: then what was found is added. `at: 'key'` points at the last key of the path. */
export type Report = (path: Path, sentence: string, at?: 'key') => void;

export interface Problems {
  readonly report: Report;
  readonly reportIssue: (issue: Issue, jsonSchema: unknown) => void;
  /** In the order of the file, each once. */
  readonly list: () => readonly Problem[];
}

export function problemsOf(document: ScenarioDocument, value: unknown): Problems {
  const problems: Problem[] = [...document.problems];

  const report: Report = (path, sentence, at) => {
    if (document.isUnset(path)) return;
    const where = at === 'key' ? document.whereOfKey(path) : document.whereOf(path);
    const found = sentence.startsWith('expected ') ? `, found ${foundText(document, value, path)}` : '';
    problems.push({ where, text: `${pathText(path)}${sentence}${found}` });
  };

  const reportIssue = (outer: Issue, jsonSchema: unknown): void => {
    for (const { issue, path } of innermost(outer)) {
      if (issue.code === 'unrecognized_keys') {
        const known = keysAt(jsonSchema, path, value);
        for (const key of issue.keys) report([...path, key], `unknown key${suggestion(key, known)}`, 'key');
      } else if (issue.code === 'invalid_key') {
        const sentence = issue.issues[0]?.message ?? 'not a key';
        const found = sentence.startsWith('expected ') ? `, found ${JSON.stringify(path.at(-1))}` : '';
        problems.push({ where: document.whereOfKey(path), text: `${pathText(path)}${sentence}${found}` });
      } else if (valueAt(value, path) === undefined) {
        problems.push({ where: document.whereOf(path), text: `${pathText(path)}missing; ${messageOf(issue)}` });
      } else {
        const found = document.sourceOf(path) === null ? valueAt(value, path) : null;
        // Where one of many was mistyped, the others are noise.
        const meant = typeof found === 'string' ? nearest(found, optionsOf(issue)) : null;
        report(path, meant === null ? messageOf(issue) : `unknown "${String(found)}"; did you mean "${meant}"?`);
      }
    }
  };

  return { report, reportIssue, list: () => inFileOrder(problems) };
}

function messageOf(issue: Issue): string {
  const options = optionsOf(issue);
  return options.length > 0 ? `expected one of ${options.join(', ')}` : issue.message;
}

/** What the key that tells the forms of a union apart may say. */
function optionsOf(issue: Issue): readonly string[] {
  const isTold = issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options);
  return isTold ? (issue.options as readonly unknown[]).map(String) : [];
}

/** Of a union, what is wrong with the one form that was meant; the union's own message where none was. */
export function innermost(issue: Issue, around: Path = []): readonly { issue: Issue; path: Path }[] {
  const path = [...around, ...(issue.path as Path)];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((issues) => issues.every((inner) => isInside(inner)));
    if (meant !== undefined) return meant.flatMap((inner) => innermost(inner, path));
  }
  return [{ issue, path }];
}

function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys' || issue.code === 'too_small';
}

/** `services[0].url: `; nothing for the whole file. */
function pathText(path: Path): string {
  if (path.length === 0) return '';
  const steps = path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${step}`));
  return `${steps.join('')}: `;
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((around: unknown, step) => {
    if (typeof around !== 'object' || around === null || !Object.hasOwn(around, step)) return undefined;
    return (around as Record<string | number, unknown>)[step];
  }, value);
}

/** Below these keys a value may be a credential. */
const secretKeys = new Set(['headers', 'cookies', 'body', 'command', 'rollback']);
const textLengthMax = 60;

function foundText(document: ScenarioDocument, value: unknown, path: Path): string {
  const found = valueAt(value, path);
  if (found === undefined || found === null) return 'nothing';
  if (Array.isArray(found)) return found.length === 0 ? 'an empty list' : 'a list';
  if (typeof found === 'object') return Object.keys(found).length === 0 ? 'an empty map' : 'a map';
  if (path.some((step) => typeof step === 'string' && secretKeys.has(step))) return '‹secret›';
  const source = document.sourceOf(path);
  // What a variable holds may be secret, whatever its name: only what the file says is shown.
  if (source !== null) return `the value of ${JSON.stringify(source)}`;
  if (typeof found !== 'string') return JSON.stringify(found);
  const text = withoutUrlSecrets(found);
  return JSON.stringify(text.length > textLengthMax ? `${text.slice(0, textLengthMax)}…` : text);
}

/** The keys that the JSON Schema knows at a path: of each form of a union that the value may be. */
function keysAt(jsonSchema: unknown, steps: Path, value: unknown): readonly string[] {
  const reach = (schema: unknown, depth: number): readonly string[] => {
    if (typeof schema !== 'object' || schema === null) return [];
    const { properties, items, additionalProperties, anyOf, oneOf } = schema as Record<string, unknown>;
    const forms = [anyOf, oneOf].flatMap((form) => (Array.isArray(form) ? (form as unknown[]) : []));
    const here = valueAt(value, steps.slice(0, depth));
    const inForms = forms.filter((form) => isOfForm(here, form)).flatMap((form) => reach(form, depth));
    const known = (properties ?? {}) as Record<string, unknown>;
    const step = steps[depth];
    if (step === undefined) return [...Object.keys(known), ...inForms];
    if (typeof step === 'number') return [...reach(items, depth + 1), ...inForms];
    const next = Object.hasOwn(known, step) ? known[step] : additionalProperties;
    return [...reach(next, depth + 1), ...inForms];
  };
  return [...new Set(reach(jsonSchema, 0))];
}

/** False where a key that tells the forms of a union apart (`kind`, `do`) says that it is another. */
function isOfForm(value: unknown, form: unknown): boolean {
  const { properties } = form as { readonly properties?: Readonly<Record<string, { readonly const?: unknown }>> };
  return Object.entries(properties ?? {}).every(([key, { const: only }]) => {
    const found = valueAt(value, [key]);
    return only === undefined || found === undefined || found === only;
  });
}

function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  const once = new Map(problems.map((problem) => [`${problem.where} ${problem.text}`, problem]));
  const place = ({ where }: Problem): readonly [number, number] => {
    const [line, column] = where.split(':').slice(-2).map(Number);
    return [line ?? 0, column ?? 0];
  };
  return [...once.values()].toSorted((a, b) => {
    const [lineA, columnA] = place(a);
    const [lineB, columnB] = place(b);
    return lineA - lineB || columnA - columnB;
  });
}
