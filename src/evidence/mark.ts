/** A mark as `marks.ndjson` has it: wall clock, because who marks does not know when the run began. */
export interface Mark {
  /** Ms since 1970. */
  readonly atMs: number;
  readonly text: string;
}

const textLengthMax = 500;

/** One line: cut, and without control characters, since it ends up on terminals. */
export function markText(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, textLengthMax)
    .toWellFormed();
}

/** Null where the line is no mark. */
export function parseMark(line: string): Mark | null {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null || !('atMs' in found) || !('text' in found)) return null;
  if (typeof found.atMs !== 'number' || typeof found.text !== 'string') return null;
  if (Number.isNaN(new Date(found.atMs).getTime())) return null;
  return { atMs: found.atMs, text: markText(found.text) };
}
