import type { ChangeSpec } from './scenario.ts';

/**
 * What a mark says, by its first word: that the change is being made, that it is being taken back, or anything else, a
 * note for the report. One that names services is about these only.
 */
export interface MarkMeaning {
  readonly kind: 'change' | 'rollback' | 'note';
  /** Those it names; empty = it is about all. */
  readonly services: readonly string[];
}

/** Where a deployment is watched, who says so means that. */
const changeWords = {
  any: /^\s*(switch|cutover|change|rollback)/i,
  deploy: /^\s*(switch|cutover|change|rollback|deploy|roll[- ]?out|release|upgrade|restart|helm|kubectl)/i,
} as const;

export function markMeaning(
  text: string,
  { serviceNames, via }: { readonly serviceNames: readonly string[]; readonly via: ChangeSpec['via'] },
): MarkMeaning {
  const [, word] = changeWords[via === 'deploy' ? 'deploy' : 'any'].exec(text) ?? [];
  return {
    kind: word === undefined ? 'note' : word.toLowerCase() === 'rollback' ? 'rollback' : 'change',
    services: serviceNames.filter((name) => isNamed(text, name)),
  };
}

/** For whoever has just marked, so that a slip in a service's name is seen at once: `the beginning of the change, for …`. */
export function markMeaningText(text: string, of: Parameters<typeof markMeaning>[1]): string {
  const { kind, services } = markMeaning(text, of);
  const whose = services.length > 0 ? services.join(', ') : `every service (${of.serviceNames.join(', ')})`;
  switch (kind) {
    case 'note':
      return 'a note';
    case 'change':
      return `the beginning of the ${of.via === 'deploy' ? 'deployment' : 'change'}, for ${whose}`;
    case 'rollback':
      return `the beginning of the way back, for ${whose}`;
  }
}

/** As a word of its own: `pay` is not named by `payments`. */
function isNamed(text: string, name: string): boolean {
  const from = text.indexOf(name);
  if (from === -1) return false;
  const isInWord = (character: string | undefined): boolean => character !== undefined && /[\w-]/.test(character);
  if (!isInWord(text[from - 1]) && !isInWord(text[from + name.length])) return true;
  return isNamed(text.slice(from + name.length), name);
}
