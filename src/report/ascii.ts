/** `--ascii`: the same columns without a character that an old font or terminal has not. */
import { glyphsOf } from './text-width.ts';

const likeness: Readonly<Record<string, string>> = {
  '▸': '>',
  '▾': 'v',
  '→': '>',
  '↑': '^',
  '↓': 'v',
  '⏎': '~',
  '·': '.',
  '–': '-',
  '…': '~',
  '≥': '>',
  '≤': '<',
  '×': 'x',
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
};

/** What has no likeness is a question mark for each column. */
export function asciiText(text: string): string {
  return glyphsOf(text)
    .map(({ text: glyph, columns }) => (/^[\x20-\x7e]$/.test(glyph) ? glyph : (likeness[glyph] ?? '?'.repeat(columns))))
    .join('');
}
