/** What kind of body it is, so that two answers can be compared whose contents may differ: what is in it is not kept. */

export interface BodyShape {
  readonly kind: 'empty' | 'json' | 'html' | 'text' | 'binary';
  /** Of a JSON object: its keys, sorted. */
  readonly keys: readonly string[];
}

const keyCountMax = 100;
/** A tag of a page, near its beginning. */
const page = /^\s*(?:<!doctype html|<html|<head|<body)/i;
const unprintable = /[^\P{Cc}\s]|\ufffd/u;

export function bodyShapeOf(bytes: Uint8Array | null): BodyShape {
  if (bytes === null || bytes.length === 0) return { kind: 'empty', keys: [] };
  const text = new TextDecoder('utf-8').decode(bytes);
  if (unprintable.test(text)) return { kind: 'binary', keys: [] };
  if (page.test(text)) return { kind: 'html', keys: [] };
  const json = parsed(text);
  if (json === undefined) return { kind: 'text', keys: [] };
  const keys = typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.keys(json) : [];
  return { kind: 'json', keys: keys.toSorted().slice(0, keyCountMax) };
}

export function isSameShape(one: BodyShape, other: BodyShape): boolean {
  return one.kind === other.kind && one.keys.join('\0') === other.keys.join('\0');
}

/** `JSON with 3 keys`, `text`. */
export function shapeText({ kind, keys }: BodyShape): string {
  if (kind === 'json') return keys.length === 0 ? 'JSON' : `JSON with ${keys.length} keys`;
  return kind === 'empty' ? 'no body' : kind === 'html' ? 'HTML' : kind;
}

/** undefined: it is no JSON. A number or a word alone is taken for text: `ok`, `1`. */
function parsed(text: string): unknown {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
