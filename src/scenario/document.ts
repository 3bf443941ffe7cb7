/**
 * The YAML, with the place of every value kept: what people get to read is `file:line:col` of the value they wrote.
 * Environment variables are put into scalars here, once the structure is known.
 */
import type { Problem } from '../core/errors.ts';
import { expand } from './environment.ts';
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';

export type Path = readonly (string | number)[];

export interface ScenarioDocument {
  /** Plain data. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** False: the syntax is so broken that nothing else can be said. */
  readonly isReadable: boolean;
  /** `file:line:col` of the value; where it is missing, of the nearest thing around it. */
  whereOf(path: Path): string;
  /** The same of the last key of the path. */
  whereOfKey(path: Path): string;
  /** As written in the file, where variables were put in; null else. */
  sourceOf(path: Path): string | null;
}

export interface DocumentContext {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function readDocument(text: string, { file, env }: DocumentContext): ScenarioDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const where = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };

  const problems = syntaxProblems(document, text, where);
  const isReadable = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  const sources = isReadable ? putInEnvironment(document, env, where, problems) : new Map<Scalar, string>();

  let value: unknown = null;
  try {
    value = isReadable ? document.toJS({ maxAliasCount: 100 }) : null;
  } catch (error) {
    // An alias without an anchor, or aliases of aliases without end.
    problems.push({ where: `${file}:1:1`, text: error instanceof Error ? error.message : String(error) });
  }

  return {
    value,
    problems,
    isReadable: isReadable && value !== null,
    whereOf: (path) => where(find(document, path).valueOffset),
    whereOfKey: (path) => where(find(document, path).keyOffset),
    sourceOf: (path) => {
      const { node } = find(document, path);
      return isScalar(node) ? (sources.get(node) ?? null) : null;
    },
  };
}

/** One per line: what follows from the first is noise. */
function syntaxProblems(document: Document, text: string, where: (offset: number) => string): Problem[] {
  const problems: Problem[] = [];
  let lastLine = '';
  for (const error of [...document.errors, ...document.warnings]) {
    const place = where(error.pos[0]);
    const line = place.slice(0, place.lastIndexOf(':'));
    if (line === lastLine && error.code !== 'DUPLICATE_KEY') continue;
    lastLine = line;
    problems.push({ where: place, text: syntaxText(error, text) });
  }
  if (problems.length === 0 && document.contents === null) {
    problems.push({ where: where(0), text: 'the file is empty; the least is a name, services and two sides' });
  }
  return problems;
}

function syntaxText(error: Document['errors'][number] | Document['warnings'][number], text: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[\w.-]+/.exec(text.slice(error.pos[0]))?.[0];
    return `${key === undefined ? 'a key' : `the key "${key}"`} is there twice`;
  }
  if (error.code === 'MULTIPLE_DOCS') return 'a second document begins here; a scenario is one document';
  if (text.slice(error.pos[0] - 1, error.pos[0] + 1) === '${') {
    return 'inside { } and [ ] a variable needs quotes: "${NAME}"';
  }
  return `not YAML: ${error.message}`;
}

function putInEnvironment(
  document: Document,
  env: DocumentContext['env'],
  where: (offset: number) => string,
  problems: Problem[],
): Map<Scalar, string> {
  const sources = new Map<Scalar, string>();
  // `${TOKEN}` in a header or cookie is the place of what the token command prints, wherever a request has one.
  const hasTokenCommand = tokenIsConfigured(document);
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      const isHeader = ancestors.some(
        (around) => isPair(around) && isScalar(around.key) && ['headers', 'cookies'].includes(String(around.key.value)),
      );
      const expansion = expand(node.value, env, hasTokenCommand && isHeader ? ['TOKEN'] : []);
      for (const text of expansion.problems) problems.push({ where: where(node.range?.[0] ?? 0), text });
      if (expansion.hasVariable) sources.set(node, node.value);
      node.value = expansion.text;
    },
  });
  return sources;
}

function tokenIsConfigured(document: Document): boolean {
  let isConfigured = false;
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value !== 'request' || !isMap(pair.value)) return undefined;
      if (!pair.value.has('token')) return undefined;
      isConfigured = true;
      return visit.BREAK;
    },
  });
  return isConfigured;
}

/** Follows the path as far as the document goes, through aliases. */
function find(document: Document, path: Path): { node: unknown; valueOffset: number; keyOffset: number } {
  let node: unknown = document.contents;
  let keyOffset = offsetOf(node) ?? 0;
  let valueOffset = keyOffset;
  for (const step of path) {
    const around = isAlias(node) ? node.resolve(document) : node;
    if (isMap(around)) {
      const pair = around.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return { node: null, valueOffset, keyOffset: valueOffset };
      keyOffset = offsetOf(pair.key) ?? valueOffset;
      valueOffset = offsetOf(pair.value) ?? keyOffset;
      node = pair.value;
    } else if (isSeq(around) && typeof step === 'number' && step < around.items.length) {
      node = around.items[step];
      keyOffset = offsetOf(node) ?? valueOffset;
      valueOffset = keyOffset;
    } else {
      return { node: null, valueOffset, keyOffset: valueOffset };
    }
  }
  return { node: isAlias(node) ? node.resolve(document) : node, valueOffset, keyOffset };
}

function offsetOf(node: unknown): number | null {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? null;
}
