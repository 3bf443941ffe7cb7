import { type Definition, type DefinitionKind, definitionCountMax, definitionFirst } from '../core/row.ts';

export const definitionKinds: readonly DefinitionKind[] = ['error', 'address', 'face', 'answer'];

/** Whether something read from a file is a definition, down to the last field that the analysis will look at. */
export function isDefinition(found: unknown): found is Definition {
  if (!isObject(found)) return false;
  const { kind, number, value } = found;
  if (!isWhole(number) || !isKind(kind)) return false;
  if (number < definitionFirst || number >= definitionFirst + definitionCountMax[kind]) return false;
  switch (kind) {
    case 'error':
    case 'address':
      return typeof value === 'string';
    case 'face':
      return isFace(value);
    case 'answer':
      return isAnswer(value);
  }
}

export function isObject(found: unknown): found is Record<string, unknown> {
  return typeof found === 'object' && found !== null && !Array.isArray(found);
}

function isKind(found: unknown): found is DefinitionKind {
  return definitionKinds.some((kind) => kind === found);
}

function isFace(found: unknown): boolean {
  return (
    isObject(found) &&
    areStrings([found['certificateSha256'], found['alpn'], found['tlsVersion'], found['unexpectedBody']]) &&
    Array.isArray(found['headers']) &&
    found['headers'].every((pair) => Array.isArray(pair) && pair.length === 2 && areStrings(pair))
  );
}

function isAnswer(found: unknown): boolean {
  return (
    isObject(found) &&
    areStrings([found['server'], found['name'], found['rcode']]) &&
    isWhole(found['ede']) &&
    typeof found['authoritative'] === 'boolean' &&
    areStrings(found['chain']) &&
    areStrings(found['addresses'])
  );
}

function areStrings(found: unknown): boolean {
  return Array.isArray(found) && found.every((item) => typeof item === 'string');
}

function isWhole(found: unknown): found is number {
  return Number.isSafeInteger(found);
}
