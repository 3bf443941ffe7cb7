/** A line that is typed: what a key does to it. Pure. */
import type { Edited } from '../report/live-view.ts';
import { glyphsOf } from '../report/text-width.ts';
import { plainText } from '../report/escape.ts';

/** As `node:readline` tells it. */
export interface Key {
  /** Of keys that have one: `return`, `left`, `a`. */
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
  /** What came from the terminal; of a letter the letter itself. */
  readonly sequence?: string | undefined;
}

/** Longer, and nobody reads it in a report. */
const glyphCountMax = 200;

export const emptyLine: Edited = { text: '', cursor: 0 };

export function lineOf(text: string): Edited {
  return { text, cursor: glyphsOf(text).length };
}

/** The line as it is afterwards; one that no key of ours changes stays as it was. */
export function edit(edited: Edited, key: Key): Edited {
  const glyphs = glyphsOf(edited.text).map(({ text }) => text);
  const cursor = Math.min(edited.cursor, glyphs.length);
  const before = glyphs.slice(0, cursor);
  const after = glyphs.slice(cursor);
  switch (key.ctrl === true ? `ctrl-${key.name ?? ''}` : (key.name ?? '')) {
    case 'backspace':
    case 'ctrl-h':
      return joined(before.slice(0, -1), after);
    case 'delete':
    case 'ctrl-d':
      return joined(before, after.slice(1));
    case 'left':
    case 'ctrl-b':
      return { ...edited, cursor: Math.max(0, cursor - 1) };
    case 'right':
    case 'ctrl-f':
      return { ...edited, cursor: Math.min(glyphs.length, cursor + 1) };
    case 'home':
    case 'ctrl-a':
      return { ...edited, cursor: 0 };
    case 'end':
    case 'ctrl-e':
      return { ...edited, cursor: glyphs.length };
    case 'ctrl-u':
      return joined([], after);
    case 'ctrl-k':
      return joined(before, []);
    case 'ctrl-w':
      return joined(
        glyphsOf(before.join('').replace(/\S*\s*$/, '')).map(({ text }) => text),
        after,
      );
    default: {
      const typed = key.ctrl === true || key.meta === true ? '' : typedText(key.sequence ?? '');
      if (typed === '' || glyphs.length >= glyphCountMax) return edited;
      return joined([...before, typed], after);
    }
  }
}

function joined(before: readonly string[], after: readonly string[]): Edited {
  const head = before.join('');
  return { text: head + after.join(''), cursor: glyphsOf(head).length };
}

/** A letter, of one key; sequences of keys that we do not know are none. */
function typedText(sequence: string): string {
  return sequence.startsWith('\x1b') || plainText(sequence) !== sequence ? '' : sequence;
}
