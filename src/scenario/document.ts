/**
 * The YAML, with the place of every value kept: what people get to read is `file:line:col` of the value they wrote.
 * Environment variables are put into scalars here, once the structure is known.
 */
import type { Problem } from '../core/errors.ts';
import { expand } from './environment.ts';
import type { Variable } from './variable-values.ts';
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
  /** A variable in it is not set, which has been said; what it stands for is not known. */
  isUnset(path: Path): boolean;
  /** Whatever was put in, wherever. */
  readonly variables: readonly Variable[];
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
  const scalars = isReadable ? putInEnvironment(document, env, where, problems) : new Map<Scalar, Put>();
  const value = isReadable ? plainOf(document, text, where, problems) : null;
  const putAt = (path: Path): Put | undefined => {
    const { node } = find(document, path);
    return isScalar(node) ? scalars.get(node) : undefined;
  };

  return {
    value,
    problems,
    isReadable: value !== null,
    whereOf: (path) => where(find(document, path).valueOffset),
    whereOfKey: (path) => where(find(document, path).keyOffset),
    sourceOf: (path) => putAt(path)?.source ?? null,
    isUnset: (path) => putAt(path)?.isUnset ?? false,
    variables: [...scalars.values()].flatMap(({ variables }) => variables),
  };
}

function plainOf(document: Document, text: string, where: (offset: number) => string, problems: Problem[]): unknown {
  const before = problems.length;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const why = `there is no &${alias.source} before this *${alias.source}`;
      problems.push({ where: where(offsetOf(alias) ?? 0), text: why });
    },
    Pair(_, { key }) {
      if (isScalar(key)) return;
      const offset = offsetOf(key) ?? 0;
      problems.push({ where: where(offset), text: isVariable(text, offset) ? quotesNeeded : 'a key is a word' });
    },
  });
  if (problems.length > before) return null;
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    // The only error left: aliases of aliases that would fill the memory.
    problems.push({ where: where(0), text: 'aliases of aliases make this file too large' });
    return null;
  }
}

/** The first error of syntax, as what follows from it is noise, and every key that is there twice. */
function syntaxProblems(document: Document, text: string, where: (offset: number) => string): Problem[] {
  const all = [...document.errors, ...document.warnings];
  const first = all.find((error) => error.code !== 'DUPLICATE_KEY');
  const problems = all
    .filter((error) => error === first || error.code === 'DUPLICATE_KEY')
    .map((error) => ({ where: where(error.pos[0]), text: syntaxText(error, text) }));
  if (problems.length === 0 && document.contents === null) {
    problems.push({ where: where(0), text: 'the file is empty; the least is a name, services and two sides' });
  }
  return problems;
}

const quotesNeeded = 'inside { } and [ ] a variable needs quotes: "${NAME}"';

function isVariable(text: string, offset: number): boolean {
  return text.slice(offset - 1, offset + 1) === '${';
}

function syntaxText(error: Document['errors'][number] | Document['warnings'][number], text: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[\w.-]+/.exec(text.slice(error.pos[0]))?.[0];
    return `${key === undefined ? 'a key' : `the key "${key}"`} is there twice`;
  }
  if (error.code === 'MULTIPLE_DOCS') return 'a second document begins here; a scenario is one document';
  if (isVariable(text, error.pos[0])) return quotesNeeded;
  // Without what stands there: it may be a credential.
  return `not YAML: ${error.message.replace(/: ".*$/s, '')}`;
}

/** A scalar into which variables were put. */
interface Put {
  readonly source: string;
  readonly variables: readonly Variable[];
  readonly isUnset: boolean;
}

function putInEnvironment(
  document: Document,
  env: DocumentContext['env'],
  where: (offset: number) => string,
  problems: Problem[],
): ReadonlyMap<Scalar, Put> {
  const scalars = new Map<Scalar, Put>();
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
      const isUnset = expansion.problems.length > 0;
      if (expansion.hasVariable || isUnset) {
        scalars.set(node, { source: node.value, isUnset, variables: expansion.variables });
      }
      node.value = expansion.text;
    },
  });
  return scalars;
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
