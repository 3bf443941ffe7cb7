/**
 * JSON from the network, read without trusting it: whatever is missing or of another type than expected reads as nothing,
 * and nothing read is longer than it may be.
 */

/** No name, label or message of Kubernetes that we keep is longer. */
const textLengthMax = 1024;
/** No list within an object that we read is longer: an EndpointSlice has 1000 endpoints at most. */
const listLengthMax = 5000;

export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Readonly<Record<string, unknown>>)[key];
  }
  return here;
}

/** '' where there is none. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found.slice(0, textLengthMax) : '';
}

export function textOrNullAt(value: unknown, ...path: readonly string[]): string | null {
  return textAt(value, ...path) || null;
}

export function numberAt(value: unknown, ...path: readonly string[]): number | null {
  const found = at(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

/** A count that is left out is 0. */
export function countAt(value: unknown, ...path: readonly string[]): number {
  const found = numberAt(value, ...path);
  return found !== null && found > 0 ? Math.floor(found) : 0;
}

export function boolAt(value: unknown, ...path: readonly string[]): boolean | null {
  const found = at(value, ...path);
  return typeof found === 'boolean' ? found : null;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly unknown[]).slice(0, listLengthMax) : [];
}

/** RFC 3339, as ms since 1970; null where there is none or it is no instant. */
export function instantMsAt(value: unknown, ...path: readonly string[]): number | null {
  const text = textAt(value, ...path);
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
